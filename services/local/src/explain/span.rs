//! Spans in the form in which X-Ray keeps them in `aws/spans`
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search-ingesting-span-log-groups.html>).
//! The receiver on this machine hands out its own in the same form, so that there is one reader.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::contract::logs;
use serde_json::{Value, json};

use crate::traces::Span;

/// The names of OpenTelemetry's kinds by their numbers
/// (<https://opentelemetry.io/docs/specs/otel/trace/api/#spankind>).
const KINDS: [&str; 6] = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];

/// A span as far as a story needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanRecord {
    /// Its trace.
    pub trace_id: String,
    /// Itself.
    pub span_id: String,
    /// Its parent.
    pub parent: Option<String>,
    /// Its name.
    pub name: String,
    /// Its kind, such as `CLIENT`.
    pub kind: String,
    /// The service.
    pub service: String,
    /// When it began.
    pub start: DateTime<Utc>,
    /// How long it took.
    pub duration: TimeDelta,
    /// Why it failed, if it did.
    pub error: Option<String>,
    /// Its attributes as text.
    pub attributes: BTreeMap<String, String>,
    /// What happened in its course.
    pub events: Vec<EventRecord>,
}

/// An event of a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRecord {
    /// Its name.
    pub name: String,
    /// When it happened.
    pub time: DateTime<Utc>,
    /// Its attributes as text.
    pub attributes: BTreeMap<String, String>,
}

impl SpanRecord {
    /// Reads a record; nothing when it is none of a span.
    #[must_use]
    pub fn read(record: &Value) -> Option<Self> {
        let text = |name: &str| Some(record.get(name)?.as_str()?.to_owned()).filter(|text| !text.is_empty());
        let start = number(record.get("startTimeUnixNano")?)?;
        let end = record.get("endTimeUnixNano").and_then(number);
        let duration = record.get("durationNano").and_then(number);
        Some(Self {
            trace_id: text("traceId")?,
            span_id: text("spanId")?,
            parent: text("parentSpanId"),
            name: text("name")?,
            kind: text("kind").unwrap_or_default().trim_start_matches("SPAN_KIND_").to_owned(),
            service: service_of(record),
            start: DateTime::from_timestamp_nanos(start),
            duration: TimeDelta::nanoseconds(end.map(|end| end - start).or(duration).unwrap_or_default()),
            error: error_of(record),
            attributes: texts(record.get("attributes")),
            events: record.get("events").and_then(Value::as_array).into_iter().flatten().filter_map(event).collect(),
        })
    }

    /// When it ended.
    #[must_use]
    pub fn end(&self) -> DateTime<Utc> {
        self.start + self.duration
    }

    /// An attribute that has the name of a log field.
    #[must_use]
    pub fn field(&self, field: &logs::Field) -> Option<&str> {
        self.attributes.get(field.name).map(String::as_str)
    }
}

/// Numbers of 64 bits come as text in OTLP's JSON form, and as numbers elsewhere.
fn number(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

fn service_of(record: &Value) -> String {
    let attributes = record.get("resource").and_then(|resource| resource.get("attributes"));
    attributes.and_then(|all| all.get("service.name")?.as_str()).unwrap_or_default().to_owned()
}

/// `{"code": "ERROR", "message": "…"}`, its cause being optional.
fn error_of(record: &Value) -> Option<String> {
    let status = record.get("status")?;
    let code = status.get("code")?.as_str()?;
    let message = status.get("message").and_then(Value::as_str).filter(|message| !message.is_empty());
    code.ends_with("ERROR").then(|| message.unwrap_or("no cause given").to_owned())
}

fn event(record: &Value) -> Option<EventRecord> {
    Some(EventRecord {
        name: record.get("name")?.as_str()?.to_owned(),
        time: DateTime::from_timestamp_nanos(number(record.get("timeUnixNano")?)?),
        attributes: texts(record.get("attributes")),
    })
}

fn texts(attributes: Option<&Value>) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let attributes = attributes.and_then(Value::as_object).into_iter().flatten();
    attributes.map(|(name, value)| (name.clone(), text(value))).collect()
}

/// A span of the receiver as such a record.
#[must_use]
pub(crate) fn record(span: &Span) -> Value {
    let kind = usize::try_from(span.kind).ok().and_then(|kind| KINDS.get(kind)).unwrap_or(&KINDS[0]);
    let code = ["UNSET", "OK", "ERROR"].get(usize::try_from(span.status).unwrap_or_default()).unwrap_or(&"UNSET");
    let events = span
        .events
        .iter()
        .map(|event| json!({"name": event.name, "timeUnixNano": event.unix_nano, "attributes": event.attributes}));
    json!({
        "traceId": span.trace_id,
        "spanId": span.span_id,
        "parentSpanId": span.parent_span_id,
        "name": span.name,
        "kind": kind,
        "startTimeUnixNano": span.start_unix_nano,
        "endTimeUnixNano": span.end_unix_nano,
        "status": {"code": code, "message": span.status_message},
        "attributes": span.attributes,
        "resource": {"attributes": *span.resource},
        "events": events.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_x_ray_is_read_whether_its_numbers_are_numbers_or_text() {
        let record = |start: Value| {
            json!({"traceId": "t", "spanId": "s", "parentSpanId": "", "name": "GET OMDb", "kind": "CLIENT",
                   "startTimeUnixNano": start, "durationNano": 4_000_000, "status": {"code": "ERROR", "message": "busy"},
                   "attributes": {"http.response.status_code": 503, "imdb_id": "tt0000001"},
                   "resource": {"attributes": {"service.name": "enricher"}}})
        };
        let span = SpanRecord::read(&record(json!(1_795_348_800_000_000_000_i64))).unwrap();
        assert_eq!(SpanRecord::read(&record(json!("1795348800000000000"))).unwrap(), span);
        assert_eq!((span.parent, span.error.as_deref()), (None, Some("busy")));
        assert_eq!((span.service.as_str(), span.attributes["http.response.status_code"].as_str()), ("enricher", "503"));
        assert_eq!(span.duration, TimeDelta::milliseconds(4));
        assert_eq!(SpanRecord::read(&json!({"message": "no span"})), None);
    }
}
