//! Connections to the outside: one set of root certificates, one connector for all AWS clients, one client for
//! everything else.
//!
//! Left to themselves, each AWS client builds its own TLS connector and reads the system's certificates, which costs
//! more than the rest of a cold start. The roots are Mozilla's, compiled in.

use std::sync::Arc;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use domain::contract::Service;
use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

/// The most time a connection to an AWS service may take. They answer within a few milliseconds in their own region.
const AWS_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The most time one try of an AWS call may take until its answer begins.
const AWS_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often an AWS call is tried: the SDK's own default, with exponential backoff and jitter
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>).
const AWS_MAX_ATTEMPTS: u32 = 3;

/// What handlers build their clients from.
#[derive(Debug, Clone)]
pub struct Connections {
    /// Configuration of the AWS clients: region and credentials as Lambda gives them, one shared connector.
    pub aws: SdkConfig,
    tls: rustls::ClientConfig,
}

impl Connections {
    /// Prepares connections; none is opened yet. Calls to AWS name the service in their user agent, so that a look into
    /// `CloudTrail` tells who called.
    ///
    /// # Errors
    /// [`ConnectionError`] when the compiled-in roots cannot be used, which is a fault of the build.
    pub async fn new(service: Service) -> Result<Self, ConnectionError> {
        let aws = aws_config::defaults(BehaviorVersion::latest())
            .app_name(AppName::new(service.name()).map_err(ConnectionError::new)?)
            .http_client(aws_http_client()?)
            .retry_config(RetryConfig::standard().with_max_attempts(AWS_MAX_ATTEMPTS))
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(AWS_CONNECT_TIMEOUT)
                    .operation_attempt_timeout(AWS_ATTEMPT_TIMEOUT)
                    .build(),
            )
            .load()
            .await;
        Ok(Self { aws, tls: tls_config()? })
    }

    /// A builder of an HTTP client with our roots, no redirects (a redirect could carry a query with a key to another
    /// host) and no proxy.
    pub fn http(&self) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
    }
}

/// The compiled-in roots or the TLS stack cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot prepare TLS: {0}")]
pub struct ConnectionError(Box<dyn std::error::Error + Send + Sync>);

impl ConnectionError {
    fn new(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

fn aws_http_client() -> Result<SharedHttpClient, ConnectionError> {
    // The connector takes roots as PEM only.
    let roots = TLS_SERVER_ROOT_CERTS
        .iter()
        .fold(TrustStore::empty(), |store, certificate| store.with_pem_certificate(pem(certificate)));
    let context = TlsContext::builder().with_trust_store(roots).build().map_err(ConnectionError::new)?;
    Ok(aws_smithy_http_client::Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https())
}

fn pem(der: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", aws_smithy_types::base64::encode(der))
}

fn tls_config() -> Result<rustls::ClientConfig, ConnectionError> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(TLS_SERVER_ROOT_CERTS.iter().cloned());
    Ok(rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(ConnectionError::new)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_compiled_in_roots_make_a_client() {
        let connections = Connections::new(Service::Ranker).await.unwrap();
        assert!(connections.http().build().is_ok());
    }
}
