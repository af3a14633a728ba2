//! From an empty process to a function that can serve.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use domain::contract::Service;
use domain::contract::environment::{
    ENVIRONMENT, LOG_LEVEL, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED, TELEMETRY_FLUSH_TIMEOUT_MS,
};
use telemetry::{Metrics, Sinks, Telemetry};
use tracing::Level;

use crate::connections::{ConnectionError, Connections};
use crate::settings::{Faults, ProcessEnvironment, Reader};
use crate::trace_client::TraceClient;

/// A function that has read its settings and can serve.
pub struct Function<S> {
    /// The service's own settings.
    pub settings: S,
    /// What clients are built from.
    pub connections: Connections,
    pub(crate) telemetry: Arc<Telemetry>,
}

impl<S> Function<S> {
    /// Where the handler counts and measures.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.telemetry.metrics()
    }
}

/// Reads the environment, starts telemetry and prepares connections. Nothing is called yet, so a start never fails on
/// a secret or on a service that is down.
///
/// # Errors
/// [`StartError`], which has been logged already.
pub async fn start<S>(
    service: Service,
    read: impl FnOnce(&mut Reader<'_>) -> Option<S>,
) -> Result<Function<S>, StartError> {
    match try_start(service, read).await {
        Ok(function) => Ok(function),
        Err(error) => {
            log_refusal(service, &error);
            Err(error)
        }
    }
}

async fn try_start<S>(
    service: Service,
    read: impl FnOnce(&mut Reader<'_>) -> Option<S>,
) -> Result<Function<S>, StartError> {
    let mut reader = Reader::new(&ProcessEnvironment);
    let telemetry_settings = read_telemetry(service, &mut reader);
    let settings = read(&mut reader);
    let (telemetry_settings, settings) = reader.finish(telemetry_settings.zip(settings))?;

    let connections = Connections::new(service).await?;
    let sinks = sinks(&telemetry_settings, &connections)?;
    let telemetry = Arc::new(telemetry::start(telemetry_settings, sinks)?);
    Ok(Function { settings, connections, telemetry })
}

fn read_telemetry(service: Service, reader: &mut Reader<'_>) -> Option<telemetry::Settings> {
    // Each is read before the first `?`, so that all faults are found.
    let environment = reader.text(ENVIRONMENT);
    let log_level = reader.read(LOG_LEVEL, |text| text.parse::<Level>().ok());
    let sdk_disabled = reader.read(OTEL_SDK_DISABLED, |text| text.parse().ok());
    let otlp_endpoint = reader.read(OTEL_EXPORTER_OTLP_ENDPOINT, |text| is_endpoint(text).then(|| text.to_owned()));
    let flush_timeout = reader.milliseconds(TELEMETRY_FLUSH_TIMEOUT_MS);
    Some(telemetry::Settings {
        service,
        environment: environment?,
        log_level: log_level?,
        sdk_disabled: sdk_disabled?,
        otlp_endpoint: otlp_endpoint.map(|endpoint| Some(endpoint).filter(|endpoint| !endpoint.is_empty()))?,
        flush_timeout: flush_timeout?,
    })
}

/// Empty means: do not export.
fn is_endpoint(text: &str) -> bool {
    text.is_empty() || reqwest::Url::parse(text).is_ok_and(|url| url.has_host())
}

fn sinks(settings: &telemetry::Settings, connections: &Connections) -> Result<Sinks, StartError> {
    if settings.sdk_disabled {
        return Ok(Sinks { http: None, cloudwatch: None });
    }
    // Without an endpoint nobody needs the client, nor the roots that it reads.
    let http = match settings.otlp_endpoint {
        Some(_) => Some(Connections::http()?.connect_timeout(Duration::from_secs(1)).build()?),
        None => None,
    };
    Ok(Sinks {
        http: http.map(|http| Arc::new(TraceClient::new(http, &connections.aws)) as _),
        cloudwatch: Some(aws_sdk_cloudwatch::Client::new(&connections.aws)),
    })
}

/// Logs in the form of every other line, though the settings of the log may be what is faulty.
fn log_refusal(service: Service, error: &StartError) {
    let settings = telemetry::Settings {
        service,
        environment: String::new(),
        log_level: Level::INFO,
        sdk_disabled: true,
        otlp_endpoint: None,
        flush_timeout: Duration::ZERO,
    };
    match telemetry::start(settings, Sinks { http: None, cloudwatch: None }) {
        Ok(_) => tracing::error!(reason = %error, "the function refuses to start"),
        Err(no_log) => eprintln!("the {} refuses to start: {error}; nor can it log: {no_log}", service.name()),
    }
}

/// Why a function does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Variables are missing or wrong: change them in the Pulumi program's configuration and deploy again.
    #[error(transparent)]
    Settings(#[from] Faults),
    /// TLS cannot be set up.
    #[error(transparent)]
    Connections(#[from] ConnectionError),
    /// The HTTP client cannot be set up.
    #[error("cannot prepare the HTTP client: {0}")]
    Http(#[from] reqwest::Error),
    /// Logs, traces or metrics cannot be set up.
    #[error(transparent)]
    Telemetry(#[from] telemetry::StartError),
}

impl From<StartError> for ExitCode {
    /// Failure: Lambda reports that the runtime exited, and the log says why.
    fn from(_: StartError) -> Self {
        Self::FAILURE
    }
}
