//! Connections to the outside: one connector for all AWS clients, and a client each for `OMDb` and a collector of traces.
//!
//! Left to themselves, each AWS client builds its own TLS connector and reads the system's certificates, which costs
//! more than the rest of a cold start. The roots are compiled in:
//!
//! | Who is called | Whose roots are trusted |
//! |---|---|
//! | AWS | Amazon's five, with which AWS's services show who they are (<https://www.amazontrust.com/repository/>) |
//! | OMDb, a collector of traces | Mozilla's |
//!
//! The connector of AWS's clients reads its roots from text, so five cost a fifth of a millisecond where all of Mozilla's
//! cost several. The others are compiled in as rustls wants them and cost next to nothing.
//!
//! No connection is opened ahead of the first event, when Lambda would give a whole processor for it. Ahead, there would
//! be one a host: five for the enricher, S3, SSM, `OMDb`, CloudWatch and a collector. A handshake takes both of its sides
//! together about 0.6 ms of processor time (`cargo bench -p function`, on the machine of README's table): 3 ms, or 20 at
//! the seventh of a processor that 256 MB give (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>).
//! What a cold batch needs beyond them stays: HTTP/1.1 takes a connection for each of ten movies. That is once a day, and
//! nobody waits for it, since both functions are invoked asynchronously; and a connection is opened by a request, which
//! would be one more that has to be allowed, or one more that is denied, in S3's and `CloudTrail`'s logs. A start is not
//! free, either: a function on a runtime of its own, as ours are, always paid for it
//! (<https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/>).

use std::sync::Arc;
use std::time::Duration;

use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, SdkConfig};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use domain::contract::Service;
use webpki_roots::TLS_SERVER_ROOTS;

/// Amazon's roots. A test holds them against Mozilla's list.
const AMAZON_ROOTS: &[u8] = include_bytes!("connections/amazon-roots.pem");

/// What servers are offered, the best first (<https://www.rfc-editor.org/rfc/rfc7301>). Once one connection of HTTP/2
/// stands, all requests go over it; those of a first batch open one each, since none knows yet what will be spoken.
const APPLICATION_PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

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
}

impl Connections {
    /// Prepares connections; none is opened yet. Calls to AWS name the service in their user agent, so that a look into
    /// `CloudTrail` tells who called.
    ///
    /// Lambda gives region and credentials as variables
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>), so nothing else is asked for them,
    /// above all no metadata service. The SDK looks for its files of profiles all the same; Lambda has none.
    ///
    /// # Errors
    /// [`ConnectionError`] when the compiled-in roots cannot be used, which is a fault of the build.
    pub async fn new(service: Service) -> Result<Self, ConnectionError> {
        let aws = aws_config::defaults(BehaviorVersion::latest())
            .region(EnvironmentVariableRegionProvider::new())
            .credentials_provider(EnvironmentVariableCredentialsProvider::new())
            .app_name(AppName::new(service.name()).map_err(ConnectionError::new)?)
            .http_client(aws_http_client()?)
            .retry_config(RetryConfig::standard().with_max_attempts(AWS_MAX_ATTEMPTS))
            .timeout_config(
                // The connect timeout is the connector's own.
                TimeoutConfig::builder().operation_attempt_timeout(AWS_ATTEMPT_TIMEOUT).build(),
            )
            .load()
            .await;
        Ok(Self { aws })
    }

    /// A builder of an HTTP client with our roots, no redirects (a redirect could carry a query with a key to another
    /// host), no proxy and no resending of its own (each request is counted before it is sent).
    ///
    /// # Errors
    /// [`ConnectionError`] when the compiled-in roots cannot be used, which is a fault of the build.
    pub fn http() -> Result<reqwest::ClientBuilder, ConnectionError> {
        Ok(reqwest::Client::builder()
            .tls_backend_preconfigured(tls_config()?)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy())
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

/// One connector for whoever asks. The SDK's own way to share one builds another, and reads the roots again, for each
/// client that gets it, only to see early that it can: that was a fifth of all that the enricher executed until it asked
/// for its first event.
///
/// A timeout of connecting or reading that a client asks for by itself has no effect: the connector has its own.
fn aws_http_client() -> Result<SharedHttpClient, ConnectionError> {
    let roots = TrustStore::empty().with_pem_certificate(AMAZON_ROOTS);
    let context = TlsContext::builder().with_trust_store(roots).build().map_err(ConnectionError::new)?;
    let settings = HttpConnectorSettings::builder().connect_timeout(AWS_CONNECT_TIMEOUT).build();
    let connector = Connector::builder()
        .connector_settings(settings)
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build();
    let connector = SharedHttpConnector::new(connector);
    Ok(http_client_fn(move |_, _| connector.clone()))
}

fn tls_config() -> Result<rustls::ClientConfig, ConnectionError> {
    let roots: rustls::RootCertStore = TLS_SERVER_ROOTS.iter().cloned().collect();
    let mut config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(ConnectionError::new)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    // reqwest offers nothing by itself where it is given a configuration.
    config.alpn_protocols = APPLICATION_PROTOCOLS.map(<[u8]>::to_vec).into();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;
    use webpki_root_certs::TLS_SERVER_ROOT_CERTS;

    use super::*;

    #[tokio::test]
    async fn the_compiled_in_roots_make_a_client() {
        assert!(Connections::new(Service::Ranker).await.is_ok());
        assert!(Connections::http().unwrap().build().is_ok());
    }

    #[test]
    fn amazons_roots_are_five_of_mozillas() {
        let roots: Vec<_> = CertificateDer::pem_slice_iter(AMAZON_ROOTS).collect::<Result<_, _>>().unwrap();
        assert_eq!(roots.len(), 5);
        for (index, root) in roots.iter().enumerate() {
            assert!(TLS_SERVER_ROOT_CERTS.contains(root), "Mozilla no longer trusts root {index} of amazon-roots.pem");
        }
    }
}
