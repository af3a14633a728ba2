//! One thing that happened, and what log lines and spans make of it.

use chrono::{DateTime, TimeDelta, Utc};
use domain::contract::{Service, logs};

use super::material::LogLine;
use super::show::minute;
use super::span::{EventRecord, SpanRecord};
use super::waiting::hidden_until;

/// How much a step matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For the story of a single movie.
    Detail,
    /// A milestone.
    Info,
    /// Something that was made up for.
    Warn,
    /// A failure.
    Error,
}

impl Level {
    /// Its name, as log lines have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Detail => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// When: for a call, when it began; for a log line, when it was written.
    pub time: DateTime<Utc>,
    /// Which service did it.
    pub service: String,
    /// The movie it was done for; nothing when it concerns the run.
    pub imdb_id: Option<String>,
    /// Within which delivery of the movie's message, from 1.
    pub delivery: Option<u64>,
    /// How much it matters.
    pub level: Level,
    /// What happened, in words.
    pub what: String,
    /// How long it took.
    pub duration: Option<TimeDelta>,
    /// The object that it left, and its size in bytes.
    pub object: Option<(String, u64)>,
    /// Why a call failed; it stands in `what`, too.
    pub(super) error: Option<String>,
    pub(super) origin: Origin,
}

/// Where a step was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// In a span, or reckoned from a line: that a movie is delivered.
    Delivery,
    Span,
    /// Times of lines have whole milliseconds: of what happened within one, a line comes last.
    Line,
    /// The same, of a line that ends the delivery of a movie.
    EndOfDelivery,
    /// The same, of a line that ends the run.
    EndOfRun,
    Object,
}

impl Step {
    /// What steps are ordered by.
    pub(super) fn order(&self) -> (i64, Origin, DateTime<Utc>) {
        (self.time.timestamp_millis(), self.origin, self.time)
    }

    /// Whether it says why something failed in these words.
    pub(super) fn tells(&self, error: &str) -> bool {
        // Spans keep no more than the beginning of a long cause.
        self.what.contains(error.trim_end_matches('…'))
    }

    pub(super) fn of_line(line: &LogLine, imdb_id: Option<String>) -> Self {
        let level = match line.text_of(logs::LEVEL) {
            Some("ERROR") => Level::Error,
            Some("WARN") => Level::Warn,
            // A batch says how its records ended, which the movies say themselves.
            Some("INFO") if line.number_of(logs::RECORDS).is_none() => Level::Info,
            _ => Level::Detail,
        };
        let duration = line.number_of(logs::DURATION_MS).and_then(|ms| i64::try_from(ms).ok());
        Self {
            time: line.time,
            service: line.service.name().to_owned(),
            delivery: line.number_of(logs::RECEIVE_COUNT),
            level,
            what: words_of(line),
            duration: duration.map(TimeDelta::milliseconds),
            object: None,
            error: line.text_of(logs::REASON).map(str::to_owned),
            origin: origin_of(line, level, imdb_id.is_some()),
            imdb_id,
        }
    }

    pub(super) fn of_span(span: &SpanRecord, imdb_id: Option<String>, level: Level, what: String) -> Self {
        Self {
            time: span.start,
            service: span.service.clone(),
            imdb_id,
            delivery: None,
            level,
            what,
            duration: Some(span.duration),
            object: None,
            error: span.error.clone(),
            origin: Origin::Span,
        }
    }

    /// Something noted in the course of a span, such as a try again.
    pub(super) fn of_event(event: &EventRecord, span: &SpanRecord, imdb_id: Option<String>) -> Self {
        let name =
            if event.name == "retry" { format!("{} is tried again", call(span, false)) } else { event.name.clone() };
        let field = |field: &logs::Field| event.attributes.get(field.name).filter(|text| !text.is_empty());
        let attempt = field(logs::ATTEMPT).map(|attempt| format!(" (try {attempt})")).unwrap_or_default();
        let reason = field(logs::REASON).map(|reason| format!(": {reason}")).unwrap_or_default();
        let what = format!("{name}{attempt}{reason}");
        Self { time: event.time, duration: None, ..Self::of_span(span, imdb_id, Level::Warn, what) }
    }
}

fn origin_of(line: &LogLine, level: Level, is_of_movie: bool) -> Origin {
    let has = |field: &logs::Field| line.text_of(field).is_some() || line.number_of(field).is_some();
    match (level, is_of_movie) {
        (Level::Info, true) if has(logs::RECEIVE_COUNT) && has(logs::DURATION_MS) => Origin::EndOfDelivery,
        (Level::Info, false) if !has(logs::KEY) && line.service == Service::Enricher => Origin::EndOfRun,
        _ => Origin::Line,
    }
}

/// The message of a line, what it counts, and its reason.
fn words_of(line: &LogLine) -> String {
    let message = line.text_of(logs::MESSAGE).filter(|message| !message.is_empty()).unwrap_or(&line.text);
    let counts = [
        (logs::ITEMS, "items"),
        (logs::REJECTED, "rejected"),
        (logs::RANKED, "ranked"),
        (logs::RECORDS, "records"),
        (logs::STORED, "stored"),
        (logs::ALREADY_STORED, "stored before"),
        (logs::FAILED, "failed"),
        (logs::NOT_HIDDEN, "not hidden"),
    ];
    let counted = counts.into_iter().filter_map(|(field, noun)| Some(format!("{} {noun}", line.number_of(field)?)));
    let item = line.number_of(logs::ITEM_INDEX).map(|index| format!("item {index}"));
    let facts: Vec<_> = counted.chain(item).chain(line.text_of(logs::REASON).map(str::to_owned)).collect();
    let attempt = line.number_of(logs::ATTEMPT).map(|attempt| format!(" (try {attempt})")).unwrap_or_default();
    let until = hidden_until(line).map(|until| format!(" until about {}", minute(until))).unwrap_or_default();
    let next = line.number_of(logs::DELAY_MS).map(next_try).unwrap_or_default();
    let colon = if facts.is_empty() { "" } else { ": " };
    format!("{message}{attempt}{until}{colon}{}{next}", facts.join(", "))
}

/// After how long it goes on.
pub(super) fn next_try(delay_ms: u64) -> String {
    format!("; next try after {delay_ms} ms")
}

/// OpenTelemetry's name of the attribute that has an object's key.
pub(super) const S3_KEY: &str = "aws.s3.key";

/// A call in words: what on what, and whether again. `is_own` is said of the object of the movie it is done for.
pub(super) fn call(span: &SpanRecord, is_own: bool) -> String {
    let attribute = |name: &str| span.attributes.get(name).map(String::as_str);
    let key = attribute(S3_KEY).map(|key| format!(" {}", if is_own { "its object" } else { key }));
    let messages = attribute("messaging.batch.message_count").map(|count| format!(", {count} messages"));
    let again = attribute("http.request.resend_count").map(|count| format!(", asked again ({count})"));
    [Some(span.name.clone()), key, messages, again].into_iter().flatten().collect()
}

/// A call and its end: the status, or why it failed.
pub(super) fn call_and_end(span: &SpanRecord, is_own: bool) -> String {
    let status = span.attributes.get("http.response.status_code");
    let call = call(span, is_own);
    match (&span.error, status) {
        (Some(error), Some(status)) if !error.contains(status.as_str()) => format!("{call} failed, {status}: {error}"),
        (Some(error), _) => format!("{call} failed: {error}"),
        (None, Some(status)) => format!("{call}: {status}"),
        (None, None) => call,
    }
}
