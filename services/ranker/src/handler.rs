//! Event → run → ranking → messages.
//!
//! What fails the invocation: an event with an unreadable time, a source that is missing, denied, cut off, not the
//! list we know, or says itself that it failed, a list without a single rankable item, and messages that the topic
//! refuses. Lambda then tries the event twice more and puts it into the on-failure destination; an attempt of the same
//! event is the same run. What does not: single items that cannot be ranked, and a list shorter than `TOP_N`.

use std::collections::BTreeMap;
use std::time::Instant;

use aws_lambda_events::event::cloudwatch_events::CloudWatchEvent;
use chrono::{DateTime, Utc};
use domain::contract::logs;
use domain::contract::metrics::{MOVIES_RANKED, SOURCE_ITEMS, SOURCE_ITEMS_REJECTED};
use domain::list::{ListFault, ListReader};
use domain::message::MovieMessage;
use domain::movie::{Movie, Rejection, SourceItem};
use domain::ranking::Ranking;
use domain::run::{Run, RunError};
use function::milliseconds;
use serde::Serialize;
use serde_json::{Value, json};
use telemetry::spans::attribute;
use telemetry::{Metrics, propagation, spans};
use tracing::{Instrument, Span, info_span};

use crate::publishing::{Unpublished, publish};
use crate::source::{Location, ReadError, Source};
use crate::topic::{MESSAGING_SYSTEM, Outgoing, Topic};

/// How many rejected items are logged one by one. A list that is sour as a whole would otherwise log a line for each
/// of its items; beyond this, a last line gives the number per reason.
const MAX_REJECTIONS_LOGGED: u64 = 100;

/// The ranker without its runtime.
pub struct Ranker<S, T> {
    source: S,
    topic: T,
    top_n: usize,
    metrics: Metrics,
}

/// What an invocation answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// The run.
    pub run: Run,
    /// Items of the source list.
    pub items: u64,
    /// How many of them could not be ranked.
    pub rejected: u64,
    /// How many movies were published.
    pub ranked: usize,
}

/// Why an invocation failed.
#[derive(Debug, thiserror::Error)]
pub enum RankerError {
    /// The event has a `time` that is no time.
    #[error(
        "the event cannot be read: {0}; a scheduled event has a time such as 2026-11-22T12:00:00Z, and an event without one runs as of now"
    )]
    Event(#[source] serde_json::Error),
    /// The event's time cannot name a run.
    #[error("the event's time: {0}")]
    Run(#[from] RunError),
    /// S3 does not give the list.
    #[error("the source {location} cannot be read: {reason}")]
    Unreadable {
        /// Where it should be.
        location: Location,
        /// What S3 said.
        reason: String,
    },
    /// The list is not what it should be.
    #[error("the source {location} is not a list of movies: {fault}")]
    Unsound {
        /// Where it lies.
        location: Location,
        /// What is wrong, and at which byte.
        fault: ListFault,
    },
    /// There is nothing to rank.
    #[error("the source {location} has no rankable item: {items} items, {rejected} rejected")]
    NothingToRank {
        /// Where it lies.
        location: Location,
        /// Items found.
        items: u64,
        /// Items rejected.
        rejected: u64,
    },
    /// The topic did not take all movies.
    #[error(transparent)]
    Unpublished(#[from] Unpublished),
}

impl RankerError {
    /// In a word, for spans.
    fn kind(&self) -> &'static str {
        match self {
            Self::Event(_) | Self::Run(_) => "event",
            Self::Unreadable { .. } => "source unreadable",
            Self::Unsound { .. } => "source unsound",
            Self::NothingToRank { .. } => "nothing to rank",
            Self::Unpublished(_) => "unpublished",
        }
    }
}

/// What came of the work in a span; the span fails with it.
fn note<T>(span: &Span, outcome: Result<T, RankerError>) -> Result<T, RankerError> {
    outcome.inspect_err(|error| spans::fail(span, error.kind(), error))
}

impl<S: Source, T: Topic> Ranker<S, T> {
    /// A ranker that keeps the best `top_n`.
    #[must_use]
    pub fn new(source: S, topic: T, top_n: usize, metrics: Metrics) -> Self {
        Self { source, topic, top_n, metrics }
    }

    /// Handles one event; `now` names the run of an event without a time.
    ///
    /// # Errors
    /// [`RankerError`]; nothing has been published then, unless it is [`RankerError::Unpublished`].
    pub async fn handle(&self, event: Value, now: DateTime<Utc>) -> Result<Summary, RankerError> {
        let run = run_of(&event, now)?;
        Span::current().record(logs::RUN.name, run.as_str());
        let span = info_span!("rank", run = run.as_str());
        note(&span, self.rank_and_publish(run).instrument(span.clone()).await)
    }

    async fn rank_and_publish(&self, run: Run) -> Result<Summary, RankerError> {
        let started = Instant::now();
        let span = info_span!("read source");
        let ranked = note(&span, self.read_and_rank().instrument(span.clone()).await)?;
        drop(span);
        let RankedList { movies, items, rejected } = ranked;
        if movies.is_empty() {
            return Err(RankerError::NothingToRank { location: self.source.location().clone(), items, rejected });
        }
        let summary = Summary { run, items, rejected, ranked: movies.len() };
        self.publish(&summary.run, movies).await?;

        self.metrics.count(MOVIES_RANKED, summary.ranked as u64);
        let duration_ms = milliseconds(started.elapsed());
        tracing::info!(items, rejected, ranked = summary.ranked, duration_ms, "the run is published");
        Ok(summary)
    }

    /// Reads the whole list and keeps the best of it.
    async fn read_and_rank(&self) -> Result<RankedList, RankerError> {
        let mut list = ListReader::new();
        let mut ranking = Ranking::new(self.top_n);
        let mut rejections = Rejections::default();
        let read = self.source.read(|chunk| {
            list.feed(chunk, |index, item| {
                let outcome = item.and_then(SourceItem::check).and_then(|item| ranking.consider(item));
                if let Err(reason) = outcome {
                    rejections.add(index, reason);
                }
            })
        });
        let location = || self.source.location().clone();
        let unsound = |fault| RankerError::Unsound { location: location(), fault };
        let read = read.await.map_err(|error| match error {
            ReadError::Refused(fault) => unsound(fault),
            ReadError::Unreadable(reason) => RankerError::Unreadable { location: location(), reason },
        });
        // Counted before a fault ends the run: what was read is known, and says how far the list was sound.
        let items = list.items();
        self.metrics.count(SOURCE_ITEMS, items);
        self.metrics.count(SOURCE_ITEMS_REJECTED, rejections.total);
        rejections.log_rest();
        read?;
        list.finish().map_err(unsound)?;
        Ok(RankedList { movies: ranking.into_movies(), items, rejected: rejections.total })
    }

    async fn publish(&self, run: &Run, movies: Vec<Movie>) -> Result<(), RankerError> {
        let prepare = |message: &MovieMessage| prepare(message, self.topic.name());
        // The spans live until their messages are out; each message carries the context of its own.
        let (spans, outgoing): (Vec<_>, Vec<_>) = MovieMessage::for_run(run, movies).iter().map(prepare).unzip();
        let published = publish(&self.topic, outgoing).await;
        if let Err(unpublished) = &published {
            for entry in unpublished.refused() {
                // Positions count from 1; one that is out of range is SNS's fault and has no span.
                if let Some(span) = entry.position.checked_sub(1).and_then(|index| spans.get(index)) {
                    spans::fail(span, "refused", &entry.reason);
                }
            }
        }
        Ok(published?)
    }
}

/// The span of a message, and the message as it travels. How messages share a call is the topic's business: that call
/// sends them, and has a span of its own, which links to these. So these are of the type `create`
/// (<https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/>).
fn prepare(message: &MovieMessage, topic: &str) -> (Span, Outgoing) {
    let span = info_span!(
        "create movie",
        otel.kind = "producer",
        position = message.position,
        imdb_id = message.movie.id.as_str(),
    );
    spans::set(&span, attribute::MESSAGING_SYSTEM, MESSAGING_SYSTEM);
    spans::set(&span, attribute::MESSAGING_OPERATION_TYPE, "create");
    spans::set(&span, attribute::MESSAGING_OPERATION_NAME, "create");
    spans::set(&span, attribute::MESSAGING_DESTINATION_NAME, topic.to_owned());
    let traceparent = propagation::traceparent(&span);
    #[expect(clippy::expect_used, reason = "a message is text and numbers, which always have a JSON form")]
    let body = serde_json::to_string(message).expect("a message has a JSON form");
    (span, Outgoing { position: message.position, body, traceparent })
}

/// The run of an event: of its `time` when it has one, of now when it is empty or made by hand without one.
fn run_of(event: &Value, now: DateTime<Utc>) -> Result<Run, RankerError> {
    let has_time = event.get("time").is_some_and(|time| !time.is_null());
    let time = if has_time { scheduled_time(event)? } else { now };
    Ok(Run::at(time)?)
}

/// Only the time of an event matters; the rest may be missing or odd in one that is made by hand.
fn scheduled_time(event: &Value) -> Result<DateTime<Utc>, RankerError> {
    let event = json!({"time": event["time"], "resources": []});
    let event: CloudWatchEvent = serde_json::from_value(event).map_err(RankerError::Event)?;
    Ok(event.time)
}

struct RankedList {
    movies: Vec<Movie>,
    items: u64,
    rejected: u64,
}

/// Rejected items: each is counted, the first of them are logged one by one.
#[derive(Default)]
struct Rejections {
    total: u64,
    unlogged: BTreeMap<String, u64>,
}

impl Rejections {
    fn add(&mut self, item_index: u64, reason: Rejection) {
        self.total += 1;
        if self.total <= MAX_REJECTIONS_LOGGED {
            tracing::warn!(item_index, reason = %reason, "an item of the source cannot be ranked");
        } else {
            *self.unlogged.entry(reason.to_string()).or_default() += 1;
        }
    }

    fn log_rest(&self) {
        for (reason, rejected) in &self.unlogged {
            tracing::warn!(reason, rejected, "more items of the source cannot be ranked");
        }
    }
}
