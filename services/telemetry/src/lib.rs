//! Logs, traces and metrics of the functions: JSON lines on stdout, spans by OTLP/HTTP, metrics by `PutMetricData`.
//!
//! Invariant: no thread of its own and no timer of its own. Lambda freezes the environment between invocations, so
//! whatever works in the background there works on luck. Spans and metric values are only kept while an invocation
//! runs and are sent by [`Telemetry::flush`] from the runtime's own loop, within a time budget. Telemetry that cannot
//! be delivered is logged and counted; it never fails the work.
//!
//! | Module | What it holds |
//! |---|---|
//! | `logs` | one JSON object a line, the level filter, the panic hook |
//! | `traces` | the buffer of finished spans and their OTLP exporter |
//! | [`metrics`] | the instruments of a service |
//! | `cloudwatch` | metrics → `PutMetricData` |
//! | [`spans`] | attributes, links and causes of failure on a span |
//! | [`propagation`] | W3C trace context in and out |
//! | [`testing`] | what tests of other packages ask for |

mod cloudwatch;
mod flush;
mod logs;
pub mod metrics;
pub mod propagation;
mod resource;
pub mod spans;
pub mod testing;
mod traces;

use std::sync::Arc;
use std::time::Duration;

use domain::contract::{Service, environment};
use opentelemetry_http::HttpClient;
use opentelemetry_sdk::metrics::Temporality;
use tracing::Subscriber;

use crate::flush::Delivery;
pub use crate::flush::{FlushReport, reasons};
use crate::logs::Output;
pub use crate::metrics::Metrics;

/// What the telemetry of one function is started with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Whose telemetry it is.
    pub service: Service,
    /// The stack, from `ENVIRONMENT`: a dimension of every metric.
    pub environment: String,
    /// The least severe level that our own packages log, from `LOG_LEVEL`. All others log warnings and errors at most.
    pub log_level: tracing::Level,
    /// Logs only: no spans, no metrics, from `OTEL_SDK_DISABLED`.
    pub sdk_disabled: bool,
    /// Where spans go, without `/v1/traces`, from `OTEL_EXPORTER_OTLP_ENDPOINT`. Without one, spans only lend their
    /// trace ids to the logs.
    pub otlp_endpoint: Option<String>,
    /// The most time one flush may take, from `TELEMETRY_FLUSH_TIMEOUT_MS`.
    pub flush_timeout: Duration,
}

/// The clients that telemetry leaves by, shared with the rest of the function.
#[derive(Debug, Clone, Default)]
pub struct Sinks {
    /// Sends spans; needed when there is an `otlp_endpoint`.
    pub http: Option<Arc<dyn HttpClient>>,
    /// Sends metrics. Without one they are kept nowhere and count as nothing lost.
    pub cloudwatch: Option<aws_sdk_cloudwatch::Client>,
}

/// Why telemetry could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is not one that spans can be posted to. It is not shown: it may carry credentials.
    #[error("{} has to be {}: {reason}", environment::OTEL_EXPORTER_OTLP_ENDPOINT.name,
        environment::OTEL_EXPORTER_OTLP_ENDPOINT.looks_like)]
    Endpoint {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// There is an address to send spans to, but nothing to send them with.
    #[error("{} is set, but no HTTP client was given to send traces with", environment::OTEL_EXPORTER_OTLP_ENDPOINT.name)]
    NoHttpClient,
    /// A subscriber for logs and spans is installed already; there is one per process.
    #[error("telemetry was started already: a process has one subscriber for logs and spans")]
    AlreadyStarted,
}

/// The running telemetry of a process.
#[derive(Debug)]
pub struct Telemetry {
    metrics: Metrics,
    /// Absent when the SDK is disabled.
    delivery: Option<Delivery>,
    flush_timeout: Duration,
}

/// Starts the telemetry of this process: installs the subscriber for logs and spans, and a panic hook that logs.
pub fn start(settings: Settings, sinks: Sinks) -> Result<Telemetry, StartError> {
    let (telemetry, subscriber) = assemble(settings, sinks, logs::stdout())?;
    tracing::subscriber::set_global_default(subscriber).map_err(|_| StartError::AlreadyStarted)?;
    logs::install_panic_hook();
    Ok(telemetry)
}

impl Telemetry {
    /// The instruments of the service; a cheap clone.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        self.metrics.clone()
    }

    /// Sends what the invocation left behind, in at most [`Settings::flush_timeout`].
    ///
    /// Call it once per invocation, after the response is posted and before the next event is asked for. It never
    /// fails: what could not be sent is logged and added to `TelemetryDropped`, which goes out with the next delivery
    /// that succeeds. Every counter of the service reports at least zero, so that alarms have data.
    ///
    /// Await it to its end: a flush that is dropped half-way loses what it was sending without counting it. For less
    /// time there is [`flush_within`](Self::flush_within).
    pub async fn flush(&self) -> FlushReport {
        self.flush_within(self.flush_timeout).await
    }

    /// The same, in at most the smaller of `budget` and [`Settings::flush_timeout`]: near its deadline an invocation
    /// has less time left than it may usually spend.
    pub async fn flush_within(&self, budget: Duration) -> FlushReport {
        match &self.delivery {
            Some(delivery) => delivery.flush(budget.min(self.flush_timeout)).await,
            None => FlushReport::default(),
        }
    }
}

/// Everything [`start`] does short of touching the process.
fn assemble(
    settings: Settings,
    sinks: Sinks,
    output: Output,
) -> Result<(Telemetry, impl Subscriber + Send + Sync), StartError> {
    let Settings { service, environment, log_level, sdk_disabled, otlp_endpoint, flush_timeout } = settings;
    if sdk_disabled {
        let telemetry = Telemetry { metrics: Metrics::disabled(), delivery: None, flush_timeout };
        return Ok((telemetry, logs::subscriber(service, log_level, output, None)));
    }
    let resource = resource::describe(service, &environment);
    let spans = match otlp_endpoint {
        Some(endpoint) => {
            let http = sinks.http.ok_or(StartError::NoHttpClient)?;
            Some(traces::Export::new(&endpoint, http, &resource)?)
        }
        None => None,
    };
    let tracer = traces::tracer(resource.clone(), spans.as_ref().map(traces::Export::buffer));
    let metrics = Metrics::new(service, resource, Temporality::Delta);
    let cloudwatch = sinks.cloudwatch.map(|client| cloudwatch::Export::new(client, service, &environment));
    let delivery = Delivery::new(spans, metrics.clone(), cloudwatch);
    let telemetry = Telemetry { metrics, delivery: Some(delivery), flush_timeout };
    Ok((telemetry, logs::subscriber(service, log_level, output, Some(tracer))))
}
