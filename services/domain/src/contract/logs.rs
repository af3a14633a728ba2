//! The fields of a log line. Lambda's JSON format fixes the first three
//! (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html>); one thing has one name in
//! logs, spans and saved queries.

/// One field of a log line.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; units stand in it.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
}

macro_rules! fields {
    ($($ident:ident = $name:literal, $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub const $ident: &Field = &Field { name: $name, meaning: $meaning };
        )*

        /// Every field.
        pub const ALL: &[&Field] = &[$($ident),*];
    };
}

fields! {
    TIMESTAMP = "timestamp", "When it was logged, UTC, RFC 3339 with milliseconds.";
    LEVEL = "level", "`ERROR`, `WARN`, `INFO`, `DEBUG` or `TRACE`.";
    MESSAGE = "message", "What happened.";
    TARGET = "target", "The module that logs.";
    SERVICE = "service", "The function that logs, see `Service`.";
    TRACE_ID = "trace_id", "The trace this belongs to, 32 hexadecimal digits.";
    REQUEST_ID = "request_id", "Lambda's id of the invocation.";
    COLD_START = "cold_start", "Whether this is the first invocation of its environment.";
    RUN = "run", "The run, such as `2026-11-22T12-00-00Z`.";
    POSITION = "position", "A movie's place in its run, from 1.";
    IMDB_ID = "imdb_id", "A movie's id.";
    MESSAGE_ID = "message_id", "SQS's id of a queue record.";
    RECEIVE_COUNT = "receive_count", "How often SQS has delivered a queue record.";
    ITEM_INDEX = "item_index", "The place of an item in the source list, from 0.";
    BUCKET = "bucket", "An S3 bucket.";
    KEY = "key", "An object key.";
    REASON = "reason", "Why something was rejected or failed.";
    ATTEMPT = "attempt", "Which try this was, from 1.";
    DELAY_MS = "delay_ms", "The pause before the next try, in milliseconds.";
    DURATION_MS = "duration_ms", "How long it took, in milliseconds.";
    ITEMS = "items", "How many items the source list has.";
    REJECTED = "rejected", "How many of them could not be ranked.";
    RANKED = "ranked", "How many movies were ranked and published.";
    RECORDS = "records", "How many queue records the batch has.";
    STORED = "stored", "How many movies of the batch were enriched and stored.";
    ALREADY_STORED = "already_stored", "How many movies of the batch had been stored before.";
    FAILED = "failed", "How many records of the batch failed.";
    HIDDEN_UNTIL = "hidden_until", "Until when, about, a movie is hidden in the queue: UTC, RFC 3339.";
    NOT_HIDDEN = "not_hidden", "How many movies of the batch were to be hidden and may not be.";
    DROPPED = "dropped", "How many spans or metric values were not delivered.";
    STACK = "stack", "The backtrace or location of a panic.";
}
