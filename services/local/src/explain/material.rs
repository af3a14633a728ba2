//! What there is to tell a story from.

use chrono::{DateTime, Utc};
use domain::contract::{Service, logs};
use serde_json::{Map, Value};

use super::span::SpanRecord;
use crate::dead_letters::{Case, FailureQueue};
use crate::endpoint::Names;

/// Everything that is known of a run, and maybe of others, too.
#[derive(Debug, Clone, Default)]
pub struct Material {
    /// The functions' log lines.
    pub lines: Vec<LogLine>,
    /// Spans.
    pub spans: Vec<SpanRecord>,
    /// Why there are no spans; nothing when they could be read.
    pub no_spans: Option<String>,
    /// The run's objects.
    pub objects: Vec<StoredObject>,
    /// What lies in the failure queues.
    pub dead_letters: Vec<DeadLetter>,
    /// When all this was read.
    pub read: DateTime<Utc>,
    /// How many messages wait in the movies queue or are being worked on.
    pub in_flight: usize,
    /// Where the objects lie: `s3://<bucket>/`.
    pub bucket: String,
}

/// One line of a function's log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogLine {
    /// Whose log it stands in.
    pub service: Service,
    /// When it was written: by its own account, which the local AWS's is coarser than.
    pub time: DateTime<Utc>,
    /// Its fields; none of a line that is not JSON.
    fields: Map<String, Value>,
    /// The line.
    pub text: String,
}

impl LogLine {
    /// Reads a line that CloudWatch Logs gives with this time, in milliseconds since 1970.
    #[must_use]
    pub fn read(service: Service, timestamp_ms: i64, text: &str) -> Self {
        let fields: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        let own = fields.get(logs::TIMESTAMP.name).and_then(Value::as_str).and_then(|time| time.parse().ok());
        let time = own.or_else(|| DateTime::from_timestamp_millis(timestamp_ms)).unwrap_or_default();
        Self { service, time, fields, text: text.trim_end().to_owned() }
    }

    /// A field's text.
    #[must_use]
    pub fn text_of(&self, field: &logs::Field) -> Option<&str> {
        self.fields.get(field.name)?.as_str()
    }

    /// A field's number. SQS's receive count is one in text.
    #[must_use]
    pub fn number_of(&self, field: &logs::Field) -> Option<u64> {
        let value = self.fields.get(field.name)?;
        value.as_u64().or_else(|| value.as_str()?.parse().ok())
    }

    /// What Lambda itself says of how an invocation ended, if it did not end well: the invocation and what is said. In
    /// AWS that is JSON (<https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html#platform-report>),
    /// in the local AWS a line of text.
    #[must_use]
    pub fn bad_end(&self) -> Option<(&str, String)> {
        if self.fields.is_empty() {
            let request_id = self.text.split_whitespace().find(|word| is_request_id(word))?;
            return self.text.contains("Task timed out").then(|| (request_id, self.text.clone()));
        }
        let report =
            self.fields.get("record").filter(|_| self.fields.get("type") == Some(&"platform.report".into()))?;
        let (request_id, status) = (report.get("requestId")?.as_str()?, report.get("status")?.as_str()?);
        let error = report.get("errorType").and_then(Value::as_str).map(|error| format!(", {error}"));
        let told = format!("Lambda ended the invocation: {status}{}", error.unwrap_or_default());
        (status != "success").then_some((request_id, told))
    }
}

/// A UUID: 36 characters with hyphens.
fn is_request_id(word: &str) -> bool {
    word.len() == 36 && word.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// An object in the bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its key.
    pub key: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// When it was stored, to the second.
    pub stored: DateTime<Utc>,
}

/// A message of a failure queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// SQS's id.
    pub id: String,
    /// The name of the queue.
    pub queue: String,
    /// Whether it is a schedule event rather than a movie.
    pub is_event: bool,
    /// The run it belongs to.
    pub run: Option<String>,
    /// Its movie.
    pub imdb_id: Option<String>,
    /// The movie's place in the run, from 1.
    pub position: Option<usize>,
    /// How many movies its run has.
    pub of: Option<usize>,
    /// Why it lies there.
    pub cause: String,
    /// Its trace.
    pub trace_id: Option<String>,
    /// The invocation that failed on it, of an event.
    pub request_id: Option<String>,
}

impl DeadLetter {
    pub(super) fn read(case: &Case, names: &Names) -> Self {
        let letter = &case.letter;
        let body = letter.body_as_json();
        let number = |name: &str| usize::try_from(body.get(name)?.as_u64()?).ok();
        let of_log = || case.log.iter().rev().find_map(|line| line.get(logs::REQUEST_ID.name)?.as_str());
        let is_event = letter.queue == FailureQueue::RankerFailures;
        Self {
            id: letter.id.clone(),
            queue: letter.queue.name(names).to_owned(),
            is_event,
            run: letter.run(),
            imdb_id: letter.movie().map(str::to_owned),
            position: number("position"),
            of: number("of"),
            cause: case.cause.clone(),
            trace_id: case.trace_id().map(str::to_owned),
            request_id: letter.request_id().or_else(of_log).filter(|_| is_event).map(str::to_owned),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const REQUEST: &str = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef";

    fn line(text: &str) -> LogLine {
        LogLine::read(Service::Enricher, 1_795_348_800_000, text)
    }

    #[test]
    fn a_line_has_its_own_time_rather_than_that_of_its_arrival() {
        let own = json!({"timestamp": "2026-11-22T12:00:01.250Z", "receive_count": "2", "attempt": 3}).to_string();
        assert_eq!(line(&own).time.to_rfc3339(), "2026-11-22T12:00:01.250+00:00");
        assert_eq!(
            (line(&own).number_of(logs::RECEIVE_COUNT), line(&own).number_of(logs::ATTEMPT)),
            (Some(2), Some(3))
        );
        assert_eq!(line("START").time.to_rfc3339(), "2026-11-22T12:00:00+00:00");
    }

    #[test]
    fn lambdas_word_on_an_invocation_counts_when_it_did_not_end_well() {
        let report = |status: &str| {
            json!({"type": "platform.report", "record": {"requestId": REQUEST, "status": status}}).to_string()
        };
        let told = "Lambda ended the invocation: timeout".to_owned();
        assert_eq!(line(&report("timeout")).bad_end(), Some((REQUEST, told)));
        assert_eq!(line(&report("success")).bad_end(), None);
        let text = format!("2026-11-22T12:00:30Z {REQUEST} Task timed out after 30.00 seconds");
        assert_eq!(line(&text).bad_end(), Some((REQUEST, text.clone())));
        assert_eq!(line(&format!("END RequestId: {REQUEST}")).bad_end(), None);
    }
}
