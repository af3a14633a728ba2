//! Logs: one JSON object a line, with the fields of the spans around it.

mod fields;
mod panics;

use std::io::Write;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat, Utc};
use domain::contract::{Service, logs};
use opentelemetry::trace::TraceContextExt;
use opentelemetry_sdk::trace::SdkTracer;
use serde_json::{Map, Value};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::{Context, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Scope};
use tracing_subscriber::{Layer, Registry};

use self::fields::Fields;
pub(crate) use self::panics::install_panic_hook;
use crate::traces;

/// Takes one whole line, its newline included.
pub(crate) type Output = Arc<dyn Fn(&str) + Send + Sync>;

/// Packages of ours besides those named after a service.
const SHARED_PACKAGES: [&str; 3] = ["domain", "function", "telemetry"];

/// What other packages may log at most: below it, HTTP libraries log whole URLs, and OMDb's carries the key.
const FOREIGN_LEVEL: Level = Level::WARN;

/// Writes each line to stdout, where Lambda picks it up, with one call: a line is never torn.
pub(crate) fn stdout() -> Output {
    Arc::new(|line| {
        // A log line that cannot be written has nowhere to be reported to, and must not fail the work.
        let _ = std::io::stdout().lock().write_all(line.as_bytes());
    })
}

/// Logs to `output`, and spans to the tracer if there is one.
pub(crate) fn subscriber(
    service: Service,
    level: Level,
    output: Output,
    tracer: Option<SdkTracer>,
) -> impl Subscriber + Send + Sync {
    let logged = move |metadata: &Metadata<'_>| is_logged(metadata, level);
    let json = JsonLines { service, output };
    Registry::default()
        .with(json.with_filter(filter_fn(logged).with_max_level_hint(level.max(Level::INFO))))
        .with(tracer.map(|tracer| traces::layer(tracer, level)))
}

/// Whether a span is recorded: spans of our own packages are, whatever the log level, because their fields say which
/// run and movie a warning is about.
pub(crate) fn is_span_wanted(metadata: &Metadata<'_>, level: Level) -> bool {
    is_own(metadata.target()) && *metadata.level() <= level.max(Level::INFO)
}

/// Where the Lambda runtime logs each failed invocation a second time, in its `Debug` form. Panics have a line of our
/// own, too.
const SAID_ALREADY: &str = "lambda_runtime::layers::panic";

/// Whether an event is a warning or an error that its span keeps.
pub(crate) fn is_event_of_span(metadata: &Metadata<'_>) -> bool {
    metadata.target() != SAID_ALREADY && *metadata.level() <= Level::WARN
}

fn is_logged(metadata: &Metadata<'_>, level: Level) -> bool {
    if metadata.target() == SAID_ALREADY {
        false
    } else if metadata.is_span() {
        is_span_wanted(metadata, level)
    } else {
        *metadata.level() <= if is_own(metadata.target()) { level } else { level.min(FOREIGN_LEVEL) }
    }
}

/// Whether a target such as `ranker::source` lies in a package of ours.
fn is_own(target: &str) -> bool {
    let package = target.split("::").next().unwrap_or_default();
    SHARED_PACKAGES.contains(&package) || Service::ALL.iter().any(|service| service.name() == package)
}

/// Formats events and hands them over as lines.
struct JsonLines {
    service: Service,
    output: Output,
}

impl JsonLines {
    /// The fields every line begins with.
    fn header(&self, metadata: &Metadata<'_>, message: Value) -> Map<String, Value> {
        let now = DateTime::<Utc>::from(std::time::SystemTime::now()).to_rfc3339_opts(SecondsFormat::Millis, true);
        let mut header = Map::new();
        for (field, value) in [
            (logs::TIMESTAMP, Value::from(now)),
            (logs::LEVEL, metadata.level().as_str().into()),
            (logs::MESSAGE, message),
            (logs::TARGET, metadata.target().into()),
            (logs::SERVICE, self.service.name().into()),
        ] {
            header.insert(field.name.to_owned(), value);
        }
        if let Some(trace_id) = current_trace_id() {
            header.insert(logs::TRACE_ID.name.to_owned(), trace_id.into());
        }
        header
    }
}

/// Read from OpenTelemetry's current context, which entering a span sets. Asking the span itself would take a lock that
/// the span layer holds when the SDK warns while starting that very span.
fn current_trace_id() -> Option<String> {
    let context = opentelemetry::Context::current();
    let span = context.span();
    let span_context = span.span_context();
    span_context.is_valid().then(|| span_context.trace_id().to_string())
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for JsonLines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        // Read first, lock after: reading calls Debug and Display of others, which may log.
        let mut recorded = Fields::default();
        values.record(&mut recorded);
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            fields.0.extend(recorded.0);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut own = Fields::default();
        event.record(&mut own);
        let message = own.0.shift_remove(logs::MESSAGE.name).unwrap_or_else(|| Value::from(""));
        let mut fields = Map::new();
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            if let Some(of_span) = span.extensions().get::<Fields>() {
                fields.extend(of_span.0.clone());
            }
        }
        fields.extend(own.0);
        let mut line = self.header(event.metadata(), message);
        for (name, value) in fields {
            // No field may pass for the time, the level or the origin of a line.
            line.entry(name).or_insert(value);
        }
        (self.output)(&format!("{}\n", Value::Object(line)));
    }
}
