//! A batch → which of its records failed.
//!
//! Which failures go back to the queue: all of them, each record by itself. SQS delivers a failed record again after
//! the visibility timeout and, after the maximum number of receives, moves it to the dead-letter queue as it came. This
//! relies on `ReportBatchItemFailures` in the event source mapping
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>): without it, Lambda would delete
//! the whole batch. The invocation itself fails only when the event is no SQS event; Lambda then returns the batch.
//!
//! Some go back for longer: a movie that cannot be had before the next day, or before somebody mends the key, is hidden in
//! the queue until then ([`domain::rest`]), since each delivery in between would be a receive for nothing.

mod hiding;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use chrono::{DateTime, Utc};
use domain::contract::environment::ENRICHER_RESERVE;
use domain::contract::metrics::{ENRICHMENT_FAILURES, MOVIES_ENRICHED, RUN_DURATION, RUNS_COMPLETED};
use domain::message::{MovieMessage, TRACEPARENT_ATTRIBUTE};
use domain::rest::Rest;
use domain::{RankingId, Run};
use function::{Deadline, milliseconds};
use serde_json::Value;
use telemetry::spans::attribute;
use telemetry::{Metrics, propagation, spans};
use tokio::task::JoinSet;
use tracing::{Instrument, Span, info_span};

use crate::api_key::KeyStore;
use crate::bucket::Bucket;
use crate::clock::Clock;
use crate::completion::{Completion, CompletionError, assemble_if_complete, move_latest};
use crate::enrichment::{Enrichment, EnrichmentError, store};
use crate::omdb::{Ask, Breaker, Omdb};
use crate::queue::Queue;

/// What is kept of [`ENRICHER_RESERVE`] for answering and sending telemetry; the rest of it is for completing runs.
const RESERVE_FOR_THE_ANSWER: Duration = Duration::from_secs(1);

/// The enricher without its runtime.
pub struct Enricher<B, A, K, Q> {
    bucket: Arc<B>,
    omdb: Arc<Omdb<A, K, B>>,
    queue: Q,
    clock: Clock,
    metrics: Metrics,
}

/// The event is not what the event source mapping sends.
#[derive(Debug, thiserror::Error)]
#[error("the event is no SQS event: {0}; the enricher is invoked by its event source mapping alone")]
pub struct EnricherError(#[source] serde_json::Error);

/// SQS in OpenTelemetry's list of messaging systems
/// (<https://opentelemetry.io/docs/specs/semconv/registry/attributes/messaging/#messaging-system>).
pub(crate) const MESSAGING_SYSTEM: &str = "aws_sqs";

/// A record that is done, and the run it may have completed.
struct Done {
    enrichment: Enrichment,
    run: Run,
    ranking: RankingId,
    position: usize,
    of: usize,
    /// The trace context of the span that sent it.
    sender: Option<String>,
}

/// What the queue knows of a record.
#[derive(Default)]
struct Record {
    id: String,
    receipt: Option<String>,
    sent: Option<DateTime<Utc>>,
    /// What it waits for, and its span, which is open until it is hidden.
    resting: Option<(Rest, Span)>,
}

/// What came of each record: the work done or why not.
type Outcomes = Vec<(Record, Result<Done, EnrichmentError>)>;

impl<B: Bucket, A: Ask, K: KeyStore, Q: Queue> Enricher<B, A, K, Q> {
    /// An enricher that stores into this bucket what this queue brings.
    #[must_use]
    pub fn new(bucket: B, omdb: Omdb<A, K, B>, queue: Q, clock: Clock, metrics: Metrics) -> Self {
        Self { bucket: Arc::new(bucket), omdb: Arc::new(omdb), queue, clock, metrics }
    }

    /// Handles one batch: all its movies in flight together, then the runs they may have completed.
    ///
    /// # Errors
    /// [`EnricherError`]; failed records are no error but part of the response.
    pub async fn handle(&self, event: Value, deadline: Deadline) -> Result<SqsBatchResponse, EnricherError> {
        let (started, received) = (Instant::now(), self.clock.now());
        let event: SqsEvent = serde_json::from_value(event).map_err(EnricherError)?;
        let span = batch_span(&event.records);
        let mut outcomes = self.enrich_all(event.records, deadline, &span).await;
        let to_hide = self.to_hide(&mut outcomes, received);
        let mut failed = failed_ids(&outcomes);
        let done = outcomes.iter().filter_map(|(record, outcome)| Some((record.id.as_str(), outcome.as_ref().ok()?)));
        let deadline = deadline.less(RESERVE_FOR_THE_ANSWER);
        let completing = self.complete_runs(done.collect(), deadline);
        let hiding = self.hide(to_hide, deadline);
        let (incomplete, ()) = async { tokio::join!(completing, hiding) }.instrument(span).await;
        failed.extend(incomplete);

        self.report(&outcomes, failed.len(), started.elapsed());
        let mut response = SqsBatchResponse::default();
        response.set_failures(failed);
        Ok(response)
    }

    /// Each record in a task of its own: a panic then fails that record alone.
    async fn enrich_all(&self, records: Vec<SqsMessage>, deadline: Deadline, batch: &Span) -> Outcomes {
        let breaker = Arc::new(Breaker::default());
        let mut tasks = JoinSet::new();
        let mut running = HashMap::new();
        for record in records {
            let known = Record::of(&record);
            let work = Work {
                bucket: Arc::clone(&self.bucket),
                omdb: Arc::clone(&self.omdb),
                breaker: Arc::clone(&breaker),
                deadline: deadline.less(ENRICHER_RESERVE),
            };
            let span = record_span(&record, batch);
            let handle = tasks.spawn(async move { work.process(&record).await }.instrument(span.clone()));
            running.insert(handle.id(), (known, span));
        }
        let mut outcomes = Vec::new();
        while let Some(joined) = tasks.join_next_with_id().await {
            let (task, outcome) = match joined {
                Ok((task, outcome)) => (task, outcome),
                Err(panicked) => (panicked.id(), Err(EnrichmentError::Panicked)),
            };
            let (mut record, span) = running.remove(&task).unwrap_or_else(|| (Record::default(), Span::none()));
            if let Err(error) = &outcome {
                spans::fail(&span, error.kind(), error);
                record.resting = error.rest().map(|rest| (rest, span));
            }
            outcomes.push((record, outcome));
        }
        outcomes
    }

    /// Completes each run of the batch once; gives the records of those that could not be completed.
    async fn complete_runs(&self, done: Vec<(&str, &Done)>, deadline: Deadline) -> Vec<String> {
        let mut runs = BTreeMap::<(&Run, &RankingId, usize), Vec<(&str, &Done)>>::new();
        for (id, done) in done {
            runs.entry((&done.run, &done.ranking, done.of)).or_default().push((id, done));
        }
        let mut failed = Vec::new();
        for ((run, ranking, of), records) in runs {
            let first = records.iter().min_by_key(|(_, done)| done.position);
            let span = completion_span(run, first.and_then(|(_, done)| done.sender.as_deref()));
            let work = self.complete_run(run, ranking, of).instrument(span.clone());
            let completed = tokio::time::timeout_at(deadline.instant(), work).await;
            if let Err(error) = completed.unwrap_or(Err(CompletionError::OutOfTime)) {
                tracing::error!(run = run.as_str(), reason = %error, "the run could not be completed; its records are tried again");
                spans::fail(&span, error.kind(), error);
                failed.extend(records.into_iter().map(|(id, _)| id.to_owned()));
            }
        }
        failed
    }

    /// Counts a run when its list is stored, whatever becomes of latest: the next delivery finds the list and does not
    /// count it again.
    async fn complete_run(&self, run: &Run, ranking: &RankingId, of: usize) -> Result<(), CompletionError> {
        let list = match assemble_if_complete(&*self.bucket, run, ranking, of).await? {
            Completion::Incomplete => return Ok(()),
            Completion::AlreadyAssembled => None,
            Completion::Assembled { list } => {
                self.metrics.count(RUNS_COMPLETED, 1);
                // An event made by hand may name a time to come: such a run took no time yet.
                let duration = SystemTime::now().duration_since(run.time().into()).unwrap_or_default();
                self.metrics.measure(RUN_DURATION, duration);
                tracing::info!(run = run.as_str(), "the run is complete");
                Some(list)
            }
        };
        move_latest(&*self.bucket, run, list).await
    }

    fn report(&self, outcomes: &Outcomes, failed: usize, elapsed: Duration) {
        let count = |wanted| {
            let stored = outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok());
            stored.filter(|done| done.enrichment == wanted).count()
        };
        let (stored, already_stored) = (count(Enrichment::Stored), count(Enrichment::AlreadyStored));
        self.metrics.count(MOVIES_ENRICHED, stored as u64);
        self.metrics.count(ENRICHMENT_FAILURES, failed as u64);
        let duration_ms = milliseconds(elapsed);
        tracing::info!(records = outcomes.len(), stored, already_stored, failed, duration_ms, "the batch is processed");
    }
}

fn failed_ids(outcomes: &Outcomes) -> Vec<String> {
    outcomes.iter().filter(|(_, outcome)| outcome.is_err()).map(|(record, _)| record.id.clone()).collect()
}

impl Record {
    fn of(record: &SqsMessage) -> Self {
        // Milliseconds since the epoch
        // (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html).
        let sent = record.attributes.get("SentTimestamp").and_then(|text| text.parse().ok());
        Self {
            id: record.message_id.clone().unwrap_or_default(),
            receipt: record.receipt_handle.clone(),
            sent: sent.and_then(DateTime::from_timestamp_millis),
            resting: None,
        }
    }
}

/// What one record's task needs.
struct Work<B, A, K> {
    bucket: Arc<B>,
    omdb: Arc<Omdb<A, K, B>>,
    breaker: Arc<Breaker>,
    deadline: Deadline,
}

impl<B: Bucket, A: Ask, K: KeyStore> Work<B, A, K> {
    async fn process(&self, record: &SqsMessage) -> Result<Done, EnrichmentError> {
        let started = Instant::now();
        let outcome = match tokio::time::timeout_at(self.deadline.instant(), self.enrich(record)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(EnrichmentError::OutOfTime),
        };
        let duration_ms = milliseconds(started.elapsed());
        match &outcome {
            Ok(Done { enrichment: Enrichment::Stored, .. }) => tracing::info!(duration_ms, "the movie is stored"),
            Ok(Done { enrichment: Enrichment::AlreadyStored, .. }) => {
                tracing::info!(duration_ms, "the movie was stored before");
            }
            Err(error) => {
                tracing::error!(duration_ms, reason = %error, "the record failed; the queue delivers it again");
            }
        }
        outcome
    }

    async fn enrich(&self, record: &SqsMessage) -> Result<Done, EnrichmentError> {
        let message = MovieMessage::parse(record.body.as_deref().unwrap_or_default())?;
        let span = Span::current();
        span.record("run", message.run.as_str());
        span.record("position", message.position);
        span.record("imdb_id", message.movie.id.as_str());
        let enrichment = store(&message, &*self.bucket, &self.omdb, &self.breaker, self.deadline).await?;
        Ok(Done {
            enrichment,
            run: message.run,
            ranking: message.ranking,
            position: message.position,
            of: message.of,
            sender: sender_of(record).map(str::to_owned),
        })
    }
}

/// The span of the whole batch. It links to the senders of all its records
/// (<https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/>).
fn batch_span(records: &[SqsMessage]) -> Span {
    let span = info_span!("process batch", otel.kind = "consumer");
    describe_processing(&span, records.first());
    spans::set(&span, attribute::MESSAGING_BATCH_MESSAGE_COUNT, i64::try_from(records.len()).unwrap_or(i64::MAX));
    for sender in records.iter().filter_map(sender_of) {
        if !propagation::link(&span, sender) {
            tracing::debug!("a record's trace context cannot be read; its trace begins here");
        }
    }
    span
}

/// The span of one record: a child of the span that sent it. For the log it stays within the batch, so that its lines
/// have the invocation's `request_id`; without a sender it does for the trace, too. A record that is delivered again is
/// one more child of the same sender, with its receive count.
fn record_span(record: &SqsMessage, batch: &Span) -> Span {
    let span = info_span!(
        parent: batch,
        "process movie",
        otel.kind = "consumer",
        message_id = record.message_id,
        receive_count = record.attributes.get("ApproximateReceiveCount"),
        run = tracing::field::Empty,
        position = tracing::field::Empty,
        imdb_id = tracing::field::Empty,
    );
    describe_processing(&span, Some(record));
    if let Some(id) = &record.message_id {
        spans::set(&span, attribute::MESSAGING_MESSAGE_ID, id.clone());
    }
    if let Some(sender) = sender_of(record) {
        // A context that cannot be read leaves the record in the batch's trace.
        let _ = propagation::set_parent(&span, sender);
    }
    span
}

/// The span in which a run is completed: part of the batch, if the batch is part of the run's trace. A batch of several
/// runs is not; the span is then a child of the sender of its run's best movie in the batch.
fn completion_span(run: &Run, sender: Option<&str>) -> Span {
    let span = info_span!("complete run", run = run.as_str());
    if let Some(sender) = sender.filter(|sender| !propagation::is_of_trace(&Span::current(), sender)) {
        let _ = propagation::set_parent(&span, sender);
    }
    span
}

fn describe_processing(span: &Span, record: Option<&SqsMessage>) {
    spans::set(span, attribute::MESSAGING_SYSTEM, MESSAGING_SYSTEM);
    spans::set(span, attribute::MESSAGING_OPERATION_TYPE, "process");
    spans::set(span, attribute::MESSAGING_OPERATION_NAME, "process");
    // The last part of `arn:<partition>:sqs:<region>:<account>:<queue>`.
    let queue = record.and_then(|record| record.event_source_arn.as_deref()?.rsplit(':').next());
    if let Some(queue) = queue {
        spans::set(span, attribute::MESSAGING_DESTINATION_NAME, queue.to_owned());
    }
}

/// The W3C trace context of the span that sent a record.
fn sender_of(record: &SqsMessage) -> Option<&str> {
    record.message_attributes.get(TRACEPARENT_ATTRIBUTE)?.string_value.as_deref()
}
