//! Spans: kept in a bounded buffer while the invocation runs, sent by OTLP/HTTP (protobuf) when it is over.

mod rejected;

use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry::trace::TracerProvider;
use opentelemetry_aws::trace::XrayIdGenerator;
use opentelemetry_http::HttpClient;
use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, Span, SpanData, SpanExporter as _, SpanProcessor};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use self::rejected::CountRejected;
use crate::{StartError, logs};

/// How many finished spans are kept at most between two flushes. The largest batch is a whole run of 1,000 movies with
/// four spans each, six when `OMDb` has to be asked three times, and one more each when the list is assembled. That many
/// take some 10 MB, so they cannot exhaust a function of 128 MB.
pub(crate) const MAX_BUFFERED_SPANS: usize = 8_192;

/// How many spans go into one request. X-Ray takes 10,000 and 5 MB
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html>); ours have at most
/// 1 KB. A run of ten is one request.
pub(crate) const SPANS_PER_REQUEST: usize = 4_096;

/// Finished spans that wait to be sent.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    finished: Mutex<Vec<SpanData>>,
    overflowed: AtomicU64,
}

impl Buffer {
    pub(crate) fn take(&self) -> Vec<SpanData> {
        mem::take(&mut *self.lock())
    }

    pub(crate) fn snapshot(&self) -> Vec<SpanData> {
        self.lock().clone()
    }

    /// How many spans found no room since this was last asked.
    pub(crate) fn take_overflowed(&self) -> u64 {
        self.overflowed.swap(0, Ordering::Relaxed)
    }

    fn push(&self, span: SpanData) {
        let mut finished = self.lock();
        if finished.len() < MAX_BUFFERED_SPANS {
            finished.push(span);
        } else {
            self.overflowed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SpanData>> {
        // A push either happened or did not: a panic elsewhere leaves the list whole.
        self.finished.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts finished spans into the buffer; sending is the flush's business, since `force_flush` cannot await.
#[derive(Debug)]
struct Collector(Arc<Buffer>);

impl SpanProcessor for Collector {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        self.0.push(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

/// A tracer whose trace ids X-Ray understands, with finished spans going into the buffer if there is one.
pub(crate) fn tracer(resource: Resource, buffer: Option<Arc<Buffer>>) -> SdkTracer {
    let mut provider =
        SdkTracerProvider::builder().with_resource(resource).with_id_generator(XrayIdGenerator::default());
    if let Some(buffer) = buffer {
        provider = provider.with_span_processor(Collector(buffer));
    }
    provider.build().tracer(domain::contract::PROJECT)
}

/// Turns tracing's spans into OpenTelemetry's: all spans of our own packages, and in them the warnings and errors.
///
/// Spans of other packages are left out, because those of HTTP libraries hold whole URLs. Places in the code, threads
/// and idle times are left out, because they cost more than they tell.
pub(crate) fn layer<S>(tracer: SdkTracer, level: Level) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let recorded = move |metadata: &Metadata<'_>| {
        if metadata.is_span() { logs::is_span_wanted(metadata, level) } else { logs::is_event_of_span(metadata) }
    };
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(recorded).with_max_level_hint(level.max(Level::INFO)))
}

/// Sends finished spans to one OTLP endpoint.
#[derive(Debug)]
pub(crate) struct Export {
    buffer: Arc<Buffer>,
    exporter: SpanExporter,
    rejected: Arc<AtomicU64>,
}

impl Export {
    /// To `{endpoint}/v1/traces`, see <https://opentelemetry.io/docs/specs/otlp/#otlphttp-request>.
    pub(crate) fn new(endpoint: &str, http: Arc<dyn HttpClient>, resource: &Resource) -> Result<Self, StartError> {
        if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            return Err(StartError::Endpoint { reason: "it does not begin with http:// or https://" });
        }
        let rejected = Arc::<AtomicU64>::default();
        let http = CountRejected { http, rejected: Arc::clone(&rejected) };
        let mut exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(http)
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .with_protocol(Protocol::HttpBinary)
            // The exporter waits between its tries by putting the thread to sleep, and ours is the only one.
            .with_retry_policy(RetryPolicy::disabled())
            .build()
            .map_err(|_| StartError::Endpoint { reason: "it is not a valid address" })?;
        exporter.set_resource(resource);
        Ok(Self { buffer: Arc::default(), exporter, rejected })
    }

    pub(crate) fn buffer(&self) -> Arc<Buffer> {
        Arc::clone(&self.buffer)
    }

    /// How many of them the collector rejected, or why none was delivered: a status or a network error, never an
    /// address.
    pub(crate) async fn send(&self, spans: Vec<SpanData>) -> Result<u64, String> {
        self.exporter.export(spans).await.map_err(|error| error.to_string())?;
        Ok(self.rejected.swap(0, Ordering::Relaxed))
    }
}
