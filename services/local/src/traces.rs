//! The receiver of traces: OTLP over HTTP (<https://opentelemetry.io/docs/specs/otlp/#otlphttp>), which the local AWS
//! does not have.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::Event;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span as WireSpan};
use prost::Message;

use crate::explain::{SPANS_PATH, span_record};
use crate::leaks::Heard;
use crate::server::Server;

/// The most bytes of one export: more than a function sends at once.
const MAX_EXPORT_BYTES: usize = 64 * 1024 * 1024;

/// One received span.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Its trace, 32 hexadecimal digits.
    pub trace_id: String,
    /// Itself, 16 hexadecimal digits.
    pub span_id: String,
    /// Its parent; a root has none.
    pub parent_span_id: Option<String>,
    /// Its name.
    pub name: String,
    /// OpenTelemetry's number of its kind: 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: i32,
    /// The `service.name` of its resource.
    pub service: String,
    /// All attributes of its resource: service, version, stack, function.
    pub resource: Arc<BTreeMap<String, String>>,
    /// Its attributes; anything but text as its text.
    pub attributes: BTreeMap<String, String>,
    /// Trace and span ids of the spans it links to.
    pub links: Vec<(String, String)>,
    /// What happened in its course, in order.
    pub events: Vec<SpanEvent>,
    /// OpenTelemetry's number of its status: 0 unset, 1 ok, 2 error.
    pub status: i32,
    /// What its status says of an error's cause; empty otherwise.
    pub status_message: String,
    /// When it began, in nanoseconds since 1970.
    pub start_unix_nano: u64,
    /// When it ended, in nanoseconds since 1970.
    pub end_unix_nano: u64,
}

/// One event of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanEvent {
    /// Its name.
    pub name: String,
    /// Its attributes; anything but text as its text.
    pub attributes: BTreeMap<String, String>,
    /// When it happened, in nanoseconds since 1970.
    pub unix_nano: u64,
}

type Spans = Arc<Mutex<Vec<Span>>>;

/// A running receiver; it ends when this is dropped.
#[derive(Debug)]
pub struct TraceReceiver {
    server: Server,
    spans: Spans,
}

impl TraceReceiver {
    pub(crate) async fn start(heard: &Heard) -> std::io::Result<Self> {
        let spans = Spans::default();
        let router = Router::new()
            .route("/v1/traces", post(receive))
            .route(SPANS_PATH, get(hand_out))
            .layer(DefaultBodyLimit::max(MAX_EXPORT_BYTES))
            .with_state((Arc::clone(&spans), heard.clone()));
        Ok(Self { server: Server::start(router).await?, spans })
    }

    /// The value of `OTEL_EXPORTER_OTLP_ENDPOINT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// All spans so far, in the order of their arrival.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        lock(&self.spans).clone()
    }

    /// How many different traces the spans belong to.
    #[must_use]
    pub fn trace_count(&self) -> usize {
        lock(&self.spans).iter().map(|span| span.trace_id.as_str()).collect::<BTreeSet<_>>().len()
    }
}

fn lock(spans: &Mutex<Vec<Span>>) -> MutexGuard<'_, Vec<Span>> {
    spans.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn receive(State((spans, heard)): State<(Spans, Heard)>, headers: HeaderMap, body: Bytes) -> Response {
    heard.keep("the head of an export of spans", format!("{headers:?}"));
    heard.keep("an export of spans", body.clone());
    match ExportTraceServiceRequest::decode(body) {
        Ok(request) => {
            lock(&spans).extend(request.resource_spans.into_iter().flat_map(spans_of));
            let answer = ExportTraceServiceResponse::default().encode_to_vec();
            ([(header::CONTENT_TYPE, "application/x-protobuf")], answer).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

/// All spans so far, for other processes.
async fn hand_out(State((spans, _)): State<(Spans, Heard)>) -> Response {
    let records: serde_json::Value = lock(&spans).iter().map(span_record).collect();
    ([(header::CONTENT_TYPE, "application/json")], records.to_string()).into_response()
}

fn spans_of(resource_spans: ResourceSpans) -> Vec<Span> {
    let resource = resource_spans.resource.map(|resource| texts(resource.attributes)).unwrap_or_default();
    let resource = Arc::new(resource);
    let spans = resource_spans.scope_spans.into_iter().flat_map(|scope| scope.spans);
    spans.map(|span| read(span, &resource)).collect()
}

fn read(span: WireSpan, resource: &Arc<BTreeMap<String, String>>) -> Span {
    let status = span.status.unwrap_or_default();
    Span {
        trace_id: hex(&span.trace_id),
        span_id: hex(&span.span_id),
        parent_span_id: (!span.parent_span_id.is_empty()).then(|| hex(&span.parent_span_id)),
        name: span.name,
        kind: span.kind,
        service: resource.get("service.name").cloned().unwrap_or_default(),
        resource: Arc::clone(resource),
        attributes: texts(span.attributes),
        links: span.links.iter().map(|link| (hex(&link.trace_id), hex(&link.span_id))).collect(),
        events: span.events.into_iter().map(read_event).collect(),
        status: status.code,
        status_message: status.message,
        start_unix_nano: span.start_time_unix_nano,
        end_unix_nano: span.end_time_unix_nano,
    }
}

fn read_event(event: Event) -> SpanEvent {
    SpanEvent { name: event.name, attributes: texts(event.attributes), unix_nano: event.time_unix_nano }
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    attributes.into_iter().map(|pair| (pair.key, text_of(pair.value))).collect()
}

fn text_of(value: Option<AnyValue>) -> String {
    match value.and_then(|value| value.value) {
        Some(Value::StringValue(text)) => text,
        Some(Value::BoolValue(value)) => value.to_string(),
        Some(Value::IntValue(value)) => value.to_string(),
        Some(Value::DoubleValue(value)) => value.to_string(),
        Some(other) => format!("{other:?}"),
        None => String::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::resource::v1::Resource;
    use opentelemetry_proto::tonic::trace::v1::{ScopeSpans, Status};

    use super::*;

    #[test]
    fn a_span_keeps_its_ids_service_attributes_events_and_the_cause_of_its_failure() {
        let attribute = |key: &str, text: &str| KeyValue {
            key: key.to_owned(),
            value: Some(AnyValue { value: Some(Value::StringValue(text.to_owned())) }),
            ..KeyValue::default()
        };
        let wire = WireSpan {
            trace_id: vec![0xab; 16],
            span_id: vec![1; 8],
            name: "rank".to_owned(),
            attributes: vec![attribute("run", "r")],
            events: vec![Event {
                time_unix_nano: 7,
                name: "retry".to_owned(),
                attributes: vec![attribute("attempt", "2")],
                ..Event::default()
            }],
            status: Some(Status { code: 2, message: "no answer".to_owned() }),
            ..WireSpan::default()
        };
        let spans = spans_of(ResourceSpans {
            resource: Some(Resource { attributes: vec![attribute("service.name", "ranker")], ..Resource::default() }),
            scope_spans: vec![ScopeSpans { spans: vec![wire], ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        });
        assert_eq!(spans[0].trace_id, "ab".repeat(16));
        assert_eq!(spans[0].parent_span_id, None);
        assert_eq!((spans[0].service.as_str(), spans[0].attributes["run"].as_str()), ("ranker", "r"));
        assert_eq!(spans[0].resource["service.name"], "ranker");
        assert_eq!((spans[0].status, spans[0].status_message.as_str()), (2, "no answer"));
        let [event] = &spans[0].events[..] else { panic!("{:?}", spans[0].events) };
        assert_eq!((event.name.as_str(), event.attributes["attempt"].as_str(), event.unix_nano), ("retry", "2", 7));
    }
}
