//! How spans leave: by HTTP, and signed when they go to AWS's own OTLP endpoint.
//!
//! X-Ray takes OTLP at `https://xray.<region>.amazonaws.com/v1/traces` and wants the request signed like any other call
//! to AWS (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html>). Collectors
//! elsewhere get the request as it is: a signature is nothing to show to strangers.

use std::time::SystemTime;

use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};

/// The name of X-Ray in signatures.
const SERVICE: &str = "xray";

/// An HTTP client that signs what goes to X-Ray.
#[derive(Debug)]
pub(crate) struct TraceClient {
    http: reqwest::Client,
    credentials: Option<SharedCredentialsProvider>,
}

impl TraceClient {
    /// A client with the function's own credentials.
    pub(crate) fn new(http: reqwest::Client, aws: &SdkConfig) -> Self {
        Self { http, credentials: aws.credentials_provider() }
    }

    async fn sign(&self, request: &mut Request<Bytes>, region: &str) -> Result<(), HttpError> {
        let credentials = self.credentials.as_ref().ok_or("there are no credentials to sign traces with")?;
        let identity = credentials.provide_credentials().await?.into();
        sign_request(request, region, &identity, SystemTime::now())
    }
}

#[async_trait]
impl HttpClient for TraceClient {
    async fn send_bytes(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        if let Some(region) = xray_region(&request) {
            self.sign(&mut request, &region).await?;
        }
        self.http.send_bytes(request).await
    }
}

/// The region of X-Ray's endpoint, if the request goes there.
fn xray_region(request: &Request<Bytes>) -> Option<String> {
    let uri = request.uri();
    let host = uri.host().filter(|_| uri.scheme_str() == Some("https"))?;
    let rest = host.strip_prefix("xray.")?;
    // amazonaws.com.cn is AWS's partition in China.
    let region = rest.strip_suffix(".amazonaws.com").or_else(|| rest.strip_suffix(".amazonaws.com.cn"))?;
    (!region.is_empty() && !region.contains('.')).then(|| region.to_owned())
}

fn sign_request(
    request: &mut Request<Bytes>,
    region: &str,
    identity: &aws_smithy_runtime_api::client::identity::Identity,
    time: SystemTime,
) -> Result<(), HttpError> {
    let params = SigningParams::builder()
        .identity(identity)
        .region(region)
        .name(SERVICE)
        .time(time)
        .settings(SigningSettings::default())
        .build()?;
    let headers = request.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let signable = SignableRequest::new(
        request.method().as_str(),
        request.uri().to_string(),
        headers,
        SignableBody::Bytes(request.body()),
    )?;
    let (instructions, _) = sign(signable, &params.into())?.into_parts();
    instructions.apply_to_request_http1x(request);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_credential_types::Credentials;

    use super::*;

    fn request(uri: &str) -> Request<Bytes> {
        Request::post(uri).header("content-type", "application/x-protobuf").body(Bytes::from_static(b"spans")).unwrap()
    }

    #[test]
    fn only_what_goes_to_xray_over_https_is_signed() {
        let region_of = |uri| xray_region(&request(uri));
        assert_eq!(region_of("https://xray.eu-central-1.amazonaws.com/v1/traces").as_deref(), Some("eu-central-1"));
        assert_eq!(region_of("https://xray.cn-north-1.amazonaws.com.cn/v1/traces").as_deref(), Some("cn-north-1"));
        for other in [
            "http://xray.eu-central-1.amazonaws.com/v1/traces",
            "https://collector.example/v1/traces",
            "https://xray.eu-central-1.amazonaws.com.example/v1/traces",
            "https://xray.a.b.amazonaws.com/v1/traces",
            "https://xray..amazonaws.com/v1/traces",
            "http://127.0.0.1:4318/v1/traces",
        ] {
            assert_eq!(region_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_signature_names_the_key_the_day_the_region_and_the_service() {
        let mut request = request("https://xray.eu-central-1.amazonaws.com/v1/traces");
        let identity = Credentials::new("AKIDEXAMPLE", "secret", Some("token".into()), None, "test").into();
        let time = SystemTime::UNIX_EPOCH + Duration::from_hours(498_708);
        sign_request(&mut request, "eu-central-1", &identity, time).unwrap();
        let authorization = request.headers()["authorization"].to_str().unwrap();
        let scope = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261122/eu-central-1/xray/aws4_request";
        assert!(authorization.starts_with(scope), "{authorization}");
        let token = &request.headers()["x-amz-security-token"];
        assert!(token == "token" && token.is_sensitive());
    }

    #[test]
    fn another_body_gives_another_signature() {
        let identity = Credentials::new("AKIDEXAMPLE", "secret", None, None, "test").into();
        let signature = |body: &'static [u8]| {
            let mut request =
                request("https://xray.eu-central-1.amazonaws.com/v1/traces").map(|_| Bytes::from_static(body));
            sign_request(&mut request, "eu-central-1", &identity, SystemTime::UNIX_EPOCH).unwrap();
            request.headers()["authorization"].clone()
        };
        assert_eq!(signature(b"spans"), signature(b"spans"));
        assert_ne!(signature(b"spans"), signature(b"other spans"));
    }
}
