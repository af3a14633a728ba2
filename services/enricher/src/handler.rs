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
mod trace;

use std::collections::{BTreeMap, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use chrono::{DateTime, Utc};
use domain::contract::environment::ENRICHER_RESERVE;
use domain::contract::metrics::{ENRICHMENT_FAILURES, MOVIES_ENRICHED, RUN_DURATION, RUNS_COMPLETED};
use domain::enriched::movie_key;
use domain::message::{MessageFault, MovieMessage};
use domain::rest::Rest;
use domain::{RankingId, Run};
use function::{Deadline, milliseconds};
use serde_json::Value;
use telemetry::{Metrics, spans};
use tokio::task::JoinSet;
use tracing::{Instrument, Span};

use crate::api_key::KeyStore;
use crate::bucket::Bucket;
use crate::clock::Clock;
use crate::completion::{Completion, CompletionError, Known, assemble_if_complete, move_latest};
use crate::enrichment::{Enrichment, EnrichmentError, store};
use crate::omdb::{Ask, Breaker, Omdb};
use crate::queue::Queue;
use crate::standing::Standing;
use trace::{batch_span, completion_span, record_span, sender_of};

pub(crate) use trace::MESSAGING_SYSTEM;

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

/// A record that is done, and the run it may have completed.
struct Done {
    enrichment: Enrichment,
    /// The key of its object.
    key: String,
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
        let records: Vec<_> = event.records.into_iter().map(Delivered::read).collect();
        let messages = records.iter().filter_map(|delivered| delivered.message.as_ref().ok());
        let standing = Arc::new(Standing::of_batch(Arc::clone(&self.bucket), messages, &span));
        let mut outcomes = self.enrich_all(records, &standing, deadline, &span).await;
        let to_hide = self.to_hide(&mut outcomes, received);
        let mut failed = failed_ids(&outcomes);
        let done = outcomes.iter().filter_map(|(record, outcome)| Some((record.id.as_str(), outcome.as_ref().ok()?)));
        let deadline = deadline.less(RESERVE_FOR_THE_ANSWER);
        let completing = self.complete_runs(done.collect(), &standing, deadline);
        let hiding = self.hide(to_hide, deadline);
        let (incomplete, ()) = async { tokio::join!(completing, hiding) }.instrument(span).await;
        failed.extend(incomplete);

        self.report(&outcomes, failed.len(), started.elapsed());
        let mut response = SqsBatchResponse::default();
        response.set_failures(failed);
        Ok(response)
    }

    /// Each record in a task of its own: a panic then fails that record alone.
    async fn enrich_all(
        &self,
        records: Vec<Delivered>,
        standing: &Arc<Standing<B>>,
        deadline: Deadline,
        batch: &Span,
    ) -> Outcomes {
        let breaker = Arc::new(Breaker::default());
        let mut tasks = JoinSet::new();
        let mut running = HashMap::new();
        for Delivered { record, message } in records {
            let known = Record::of(&record);
            let work = Work {
                bucket: Arc::clone(&self.bucket),
                standing: Arc::clone(standing),
                omdb: Arc::clone(&self.omdb),
                breaker: Arc::clone(&breaker),
                deadline: deadline.less(ENRICHER_RESERVE),
            };
            let span = record_span(&record, batch);
            let handle = tasks.spawn(async move { work.process(&record, message).await }.instrument(span.clone()));
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
    async fn complete_runs(&self, done: Vec<(&str, &Done)>, standing: &Standing<B>, deadline: Deadline) -> Vec<String> {
        let mut runs = BTreeMap::<(&Run, &RankingId, usize), Vec<(&str, &Done)>>::new();
        for (id, done) in done {
            runs.entry((&done.run, &done.ranking, done.of)).or_default().push((id, done));
        }
        // One after the other: side by side, they would race for latest.
        let mut failed = Vec::new();
        for ((run, ranking, of), records) in runs {
            let first = records.iter().min_by_key(|(_, done)| done.position);
            let span = completion_span(run, first.and_then(|(_, done)| done.sender.as_deref()));
            let known = known(run, &records, standing);
            let work = self.complete_run(run, ranking, of, known).instrument(span.clone());
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
    /// count it again. So it is counted once at most; not at all if the environment ends between the two.
    async fn complete_run(
        &self,
        run: &Run,
        ranking: &RankingId,
        of: usize,
        known: Known,
    ) -> Result<(), CompletionError> {
        let list = match assemble_if_complete(&*self.bucket, run, ranking, of, known).await? {
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
        let done: Vec<_> = outcomes.iter().filter_map(|(_, outcome)| outcome.as_ref().ok()).collect();
        let already_stored = done.iter().filter(|done| done.enrichment == Enrichment::AlreadyStored).count();
        let stored = done.len() - already_stored;
        self.metrics.count(MOVIES_ENRICHED, stored as u64);
        self.metrics.count(ENRICHMENT_FAILURES, failed as u64);
        let duration_ms = milliseconds(elapsed);
        tracing::info!(records = outcomes.len(), stored, already_stored, failed, duration_ms, "the batch is processed");
    }
}

fn failed_ids(outcomes: &Outcomes) -> Vec<String> {
    outcomes.iter().filter(|(_, outcome)| outcome.is_err()).map(|(record, _)| record.id.clone()).collect()
}

/// What the batch knows of a run by its records that are done.
fn known<B: Bucket>(run: &Run, records: &[(&str, &Done)], standing: &Standing<B>) -> Known {
    let mut known = Known { keys: standing.listed(run), ..Known::default() };
    for (_, done) in records {
        known.keys.insert(done.key.clone());
        if let Enrichment::Stored { record } = &done.enrichment {
            known.records.insert(done.key.clone(), record.clone());
        }
    }
    known
}

/// A record as it was delivered, and the message that it is, or why it is none.
struct Delivered {
    record: SqsMessage,
    message: Result<MovieMessage, EnrichmentError>,
}

impl Delivered {
    fn read(record: SqsMessage) -> Self {
        Self::read_by(MovieMessage::parse, record)
    }

    /// It is read before it has a task of its own, so its panic is caught here: it fails this record alone as well.
    fn read_by(parse: impl FnOnce(&str) -> Result<MovieMessage, MessageFault>, record: SqsMessage) -> Self {
        let body = record.body.as_deref().unwrap_or_default();
        let message = match catch_unwind(AssertUnwindSafe(|| parse(body))) {
            Ok(message) => message.map_err(EnrichmentError::Message),
            Err(_) => Err(EnrichmentError::Panicked),
        };
        Self { record, message }
    }
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
    standing: Arc<Standing<B>>,
    omdb: Arc<Omdb<A, K, B>>,
    breaker: Arc<Breaker>,
    deadline: Deadline,
}

impl<B: Bucket, A: Ask, K: KeyStore> Work<B, A, K> {
    async fn process(
        &self,
        record: &SqsMessage,
        message: Result<MovieMessage, EnrichmentError>,
    ) -> Result<Done, EnrichmentError> {
        let started = Instant::now();
        let outcome = match tokio::time::timeout_at(self.deadline.instant(), self.enrich(record, message)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(EnrichmentError::OutOfTime),
        };
        let duration_ms = milliseconds(started.elapsed());
        match &outcome {
            Ok(Done { enrichment: Enrichment::Stored { .. }, .. }) => {
                tracing::info!(duration_ms, "the movie is stored");
            }
            Ok(Done { enrichment: Enrichment::AlreadyStored, .. }) => {
                tracing::info!(duration_ms, "the movie was stored before");
            }
            Err(error) => {
                tracing::error!(duration_ms, reason = %error, "the record failed; the queue delivers it again");
            }
        }
        outcome
    }

    async fn enrich(
        &self,
        record: &SqsMessage,
        message: Result<MovieMessage, EnrichmentError>,
    ) -> Result<Done, EnrichmentError> {
        let message = message?;
        let span = Span::current();
        span.record("run", message.run.as_str());
        span.record("position", message.position);
        span.record("imdb_id", message.movie.id.as_str());
        let enrichment =
            store(&message, &self.standing, &*self.bucket, &self.omdb, &self.breaker, self.deadline).await?;
        Ok(Done {
            enrichment,
            key: movie_key(&message),
            run: message.run,
            ranking: message.ranking,
            position: message.position,
            of: message.of,
            sender: sender_of(record).map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_while_a_message_is_read_fails_its_record_alone() {
        let record = SqsMessage::default();
        let delivered = Delivered::read_by(|_| panic!("a fault of ours"), record.clone());
        assert!(matches!(delivered.message, Err(EnrichmentError::Panicked)));
        assert!(matches!(Delivered::read(record).message, Err(EnrichmentError::Message(_))));
    }
}
