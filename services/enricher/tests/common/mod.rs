//! A bucket, an `OMDb` and a key store in memory.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lambda_events::event::sqs::SqsBatchResponse;
use domain::contract::Service;
use domain::enriched::LATEST_KEY;
use domain::{ImdbId, Run};
use enricher::api_key::{ApiKey, KeyError, KeyStore};
use enricher::bucket::{Bucket, BucketError, Condition, Found, Head, Object, Put};
use enricher::clock::Clock;
use enricher::handler::{Enricher, EnricherError};
use enricher::omdb::{Answer, Ask, Budget, Omdb};
use enricher::queue::{Hidden, Queue, QueueError};
use function::Deadline;
use serde_json::{Value, json};
use telemetry::Metrics;
use telemetry::testing::{Captured, Recorded, capture};

pub(crate) const SQS_BATCH: &str = include_str!("../events/sqs-batch.json");
pub(crate) const RUN: &str = "2026-11-22T12-00-00Z";
pub(crate) const RANKING: &str = "0123456789abcdef";

/// A bucket in memory with S3's conditional writes.
#[derive(Clone, Default)]
pub(crate) struct MemoryBucket(Arc<Mutex<Contents>>);

#[derive(Default)]
pub(crate) struct Contents {
    objects: BTreeMap<String, Stored>,
    writes: u64,
    /// How often each operation was asked for.
    calls: BTreeMap<&'static str, u64>,
    refused: Option<fn(&str) -> bool>,
    hanging: Option<fn(&str) -> bool>,
    overtaken_by: Option<Run>,
    /// How often somebody else still writes an object of this prefix just before a conditional write.
    races: Option<(&'static str, u32)>,
}

#[derive(Clone)]
struct Stored {
    body: Vec<u8>,
    head: Head,
}

impl MemoryBucket {
    /// Refuses everything that touches such keys.
    pub(crate) fn refuse(&self, keys: fn(&str) -> bool) {
        self.0.lock().unwrap().refused = Some(keys);
    }

    /// Never answers what touches such keys.
    pub(crate) fn hang(&self, keys: fn(&str) -> bool) {
        self.0.lock().unwrap().hanging = Some(keys);
    }

    /// Works as it should again.
    pub(crate) fn heal(&self) {
        let mut contents = self.0.lock().unwrap();
        (contents.refused, contents.hanging) = (None, None);
    }

    /// Before the next conditional write over latest, somebody else makes it the list of this run.
    pub(crate) fn overtake_latest(&self, run: Run) {
        self.0.lock().unwrap().overtaken_by = Some(run);
    }

    /// The next conditional writes of such keys are lost: somebody else wrote the same bytes just before.
    pub(crate) fn lose_races(&self, prefix: &'static str, times: u32) {
        self.0.lock().unwrap().races = Some((prefix, times));
    }

    /// Puts an object there, whatever stands.
    pub(crate) fn set(&self, key: &str, body: &str) {
        let mut contents = self.0.lock().unwrap();
        contents.writes += 1;
        let head = Head { etag: format!("\"{}\"", contents.writes), run: None };
        contents.objects.insert(key.to_owned(), Stored { body: body.as_bytes().to_vec(), head });
    }

    /// How often objects were stored.
    pub(crate) fn writes(&self) -> u64 {
        self.0.lock().unwrap().writes
    }

    /// How often each operation was asked for, by the name it has in errors.
    pub(crate) fn calls(&self) -> BTreeMap<&'static str, u64> {
        self.0.lock().unwrap().calls.clone()
    }

    pub(crate) fn keys(&self) -> Vec<String> {
        self.0.lock().unwrap().objects.keys().cloned().collect()
    }

    pub(crate) fn json(&self, key: &str) -> Value {
        serde_json::from_slice(&self.0.lock().unwrap().objects[key].body).unwrap()
    }

    async fn check(&self, operation: &'static str, key: &str) -> Result<(), BucketError> {
        let hanging = self.0.lock().unwrap().hanging;
        if hanging.is_some_and(|keys| keys(key)) {
            std::future::pending::<()>().await;
        }
        let mut contents = self.0.lock().unwrap();
        *contents.calls.entry(operation).or_default() += 1;
        match contents.refused {
            Some(keys) if keys(key) => {
                Err(BucketError { operation, key: key.to_owned(), reason: "SlowDown".to_owned() })
            }
            _ => Ok(()),
        }
    }
}

impl Bucket for MemoryBucket {
    async fn head(&self, key: &str) -> Result<Option<Head>, BucketError> {
        self.check("look at", key).await?;
        Ok(self.0.lock().unwrap().objects.get(key).map(|stored| stored.head.clone()))
    }

    async fn get(&self, key: &str) -> Result<Vec<u8>, BucketError> {
        self.check("read", key).await?;
        Ok(self.0.lock().unwrap().objects[key].body.clone())
    }

    async fn find(&self, key: &str) -> Result<Option<Found>, BucketError> {
        self.check("read", key).await?;
        // As over a network: others get their turn while this one waits.
        tokio::task::yield_now().await;
        let contents = self.0.lock().unwrap();
        let found = |stored: &Stored| Found { body: stored.body.clone(), etag: stored.head.etag.clone() };
        Ok(contents.objects.get(key).map(found))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, BucketError> {
        self.check("list", prefix).await?;
        Ok(self.keys().into_iter().filter(|key| key.starts_with(prefix)).take(1000).collect())
    }

    async fn put(&self, object: Object<'_>, condition: &Condition) -> Result<Put, BucketError> {
        self.check("store", object.key).await?;
        let mut contents = self.0.lock().unwrap();
        if object.key == LATEST_KEY
            && let Some(run) = contents.overtaken_by.take()
        {
            let body = json!({"run": run, "items": []}).to_string().into_bytes();
            let head = Head { etag: "\"overtaken\"".to_owned(), run: Some(run) };
            contents.objects.insert(LATEST_KEY.to_owned(), Stored { body, head });
        }
        if let Some((prefix, times)) = &mut contents.races
            && *times > 0
            && object.key.starts_with(*prefix)
        {
            *times -= 1;
            return Ok(Put::ConditionFailed);
        }
        let standing = contents.objects.get(object.key).map(|stored| &stored.head.etag);
        let holds = match condition {
            Condition::Absent => standing.is_none(),
            Condition::Unchanged { etag } => standing == Some(etag),
        };
        if !holds {
            return Ok(Put::ConditionFailed);
        }
        contents.writes += 1;
        let head = Head { etag: format!("\"{}\"", contents.writes), run: object.run.cloned() };
        contents.objects.insert(object.key.to_owned(), Stored { body: object.body.to_vec(), head });
        Ok(Put::Stored)
    }
}

/// An `OMDb` in memory: answers as told, else with the movie.
#[derive(Clone, Default)]
pub(crate) struct MemoryOmdb {
    answers: Arc<Mutex<HashMap<String, Vec<Answer>>>>,
    asked: Arc<Mutex<Vec<(String, ApiKey)>>>,
    delay: Duration,
    /// The id that makes it panic.
    panics_at: Option<String>,
}

impl MemoryOmdb {
    /// Panics when asked for this id.
    pub(crate) fn panicking_at(id: String) -> Self {
        Self { panics_at: Some(id), ..Self::default() }
    }

    /// Takes so long for each answer.
    pub(crate) fn slow(delay: Duration) -> Self {
        Self { delay, ..Self::default() }
    }

    /// The next answers for this id, first one first; the last one stays.
    pub(crate) fn will_answer(&self, id: &str, answers: impl IntoIterator<Item = Answer>) {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        self.answers.lock().unwrap().insert(id.to_owned(), answers);
    }

    /// The ids that were asked for, in order.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(id, _)| id.clone()).collect()
    }

    /// The keys they were asked with.
    pub(crate) fn keys_used(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|(_, key)| key.expose().to_owned()).collect()
    }
}

impl Ask for MemoryOmdb {
    async fn ask(&self, id: &ImdbId, key: &ApiKey) -> Answer {
        assert!(self.panics_at.as_deref() != Some(id.as_str()), "a fault of ours");
        self.asked.lock().unwrap().push((id.to_string(), key.clone()));
        tokio::time::sleep(self.delay).await;
        let mut answers = self.answers.lock().unwrap();
        match answers.get_mut(id.as_str()) {
            Some(answers) if answers.len() > 1 => answers.pop().unwrap(),
            Some(answers) => answers[0].clone(),
            None => movie(id.as_str()),
        }
    }
}

/// The answer for a known id.
pub(crate) fn movie(id: &str) -> Answer {
    let movie = json!({"Title": format!("Title of {id}"), "imdbID": id, "Response": "True"});
    Answer::Movie(movie.as_object().unwrap().clone())
}

/// A key that never comes.
pub(crate) const NO_ANSWER: &str = "no answer";

/// A parameter in memory: gives these keys one after the other, the last one for good. An empty one is a refusal.
#[derive(Clone)]
pub(crate) struct MemoryKeys(Arc<Mutex<Vec<&'static str>>>, Arc<AtomicUsize>);

impl MemoryKeys {
    pub(crate) fn new(keys: impl IntoIterator<Item = &'static str>) -> Self {
        let mut keys: Vec<_> = keys.into_iter().collect();
        keys.reverse();
        Self(Arc::new(Mutex::new(keys)), Arc::default())
    }

    /// How often it was asked.
    pub(crate) fn fetches(&self) -> usize {
        self.1.load(Ordering::Relaxed)
    }
}

impl KeyStore for MemoryKeys {
    async fn fetch(&self) -> Result<ApiKey, KeyError> {
        self.1.fetch_add(1, Ordering::Relaxed);
        // As over a network: others get their turn while this one waits.
        tokio::task::yield_now().await;
        let key = {
            let mut keys = self.0.lock().unwrap();
            if keys.len() > 1 { keys.pop().unwrap() } else { keys[0] }
        };
        if key == NO_ANSWER {
            std::future::pending::<()>().await;
        }
        if key.is_empty() {
            return Err(KeyError {
                parameter: "/movie-pipeline/test/omdb-api-key".into(),
                reason: "AccessDenied".into(),
            });
        }
        Ok(ApiKey::new(key))
    }
}

/// A queue in memory: keeps what it is told to hide.
#[derive(Clone, Default)]
pub(crate) struct MemoryQueue {
    hidden: Arc<Mutex<BTreeMap<String, Duration>>>,
    /// What it answers.
    answer: Arc<Mutex<QueueAnswer>>,
}

#[derive(Clone, Copy, Default)]
pub(crate) enum QueueAnswer {
    #[default]
    Done,
    Refused,
    Never,
}

impl MemoryQueue {
    /// By receipt handle, for how long.
    pub(crate) fn hidden(&self) -> BTreeMap<String, Duration> {
        self.hidden.lock().unwrap().clone()
    }

    pub(crate) fn will_answer(&self, answer: QueueAnswer) {
        *self.answer.lock().unwrap() = answer;
    }
}

impl Queue for MemoryQueue {
    fn visibility_timeout(&self) -> Duration {
        Duration::from_mins(3)
    }

    async fn hide(&self, messages: &[Hidden]) -> Result<(), QueueError> {
        let answer = *self.answer.lock().unwrap();
        match answer {
            QueueAnswer::Done => {
                let mut hidden = self.hidden.lock().unwrap();
                hidden.extend(messages.iter().map(|message| (message.receipt.clone(), message.time)));
                Ok(())
            }
            QueueAnswer::Refused => {
                Err(QueueError { messages: messages.len(), reason: "ReceiptHandleIsInvalid".to_owned() })
            }
            QueueAnswer::Never => std::future::pending().await,
        }
    }
}

/// What the enricher's clock shows at first: three hours before the day's end.
pub(crate) const NOW: &str = "2026-11-22T21:00:00Z";

/// An enricher and everything around it.
pub(crate) struct Harness {
    pub(crate) bucket: MemoryBucket,
    pub(crate) omdb: MemoryOmdb,
    pub(crate) queue: MemoryQueue,
    pub(crate) metrics: Recorded,
    pub(crate) captured: Captured,
    enricher: Enricher<MemoryBucket, MemoryOmdb, MemoryKeys, MemoryQueue>,
    pub(crate) time_left: Duration,
    now: Arc<Mutex<&'static str>>,
}

impl Harness {
    pub(crate) fn new() -> Self {
        Self::with(MemoryOmdb::default(), MemoryKeys::new(["key-1"]))
    }

    pub(crate) fn with(omdb: MemoryOmdb, keys: MemoryKeys) -> Self {
        Self::sharing(MemoryBucket::default(), omdb, keys, 1_000)
    }

    /// One that may ask so often a day.
    pub(crate) fn with_daily_limit(daily_limit: u32) -> Self {
        Self::sharing(MemoryBucket::default(), MemoryOmdb::default(), MemoryKeys::new(["key-1"]), daily_limit)
    }

    /// Another environment of the same function.
    pub(crate) fn sharing(bucket: MemoryBucket, omdb: MemoryOmdb, keys: MemoryKeys, daily_limit: u32) -> Self {
        let captured = capture(Service::Enricher);
        let (metrics, recorded) = Metrics::in_memory(Service::Enricher);
        let now = Arc::new(Mutex::new(NOW));
        let shown = Arc::clone(&now);
        let clock = Clock::new(move || shown.lock().unwrap().parse().unwrap());
        let budget = Budget::new(bucket.clone(), daily_limit, clock.clone());
        let api = Omdb::new(omdb.clone(), keys, budget, 3, metrics.clone());
        let queue = MemoryQueue::default();
        let enricher = Enricher::new(bucket.clone(), api, queue.clone(), clock, metrics);
        let time_left = Duration::from_secs(30);
        Self { bucket, omdb, queue, metrics: recorded, captured, enricher, time_left, now }
    }

    /// Sets the enricher's clock.
    pub(crate) fn it_is(&self, now: &'static str) {
        *self.now.lock().unwrap() = now;
    }

    /// Handles an event.
    pub(crate) async fn try_handle(&self, event: Value) -> Result<SqsBatchResponse, EnricherError> {
        self.enricher.handle(event, Deadline::after(self.time_left)).await
    }

    /// Handles an event; gives the ids of the failed records.
    pub(crate) async fn handle(&self, event: Value) -> Vec<String> {
        self.try_handle(event)
            .await
            .unwrap()
            .batch_item_failures
            .into_iter()
            .map(|failure| failure.item_identifier)
            .collect()
    }

    /// Handles a batch of these messages, whose record ids are `record-0`, `record-1`, ….
    pub(crate) async fn handle_bodies(&self, bodies: impl IntoIterator<Item = String>) -> Vec<String> {
        let records: Vec<_> =
            bodies.into_iter().enumerate().map(|(index, body)| record(&format!("record-{index}"), &body)).collect();
        let mut failed = self.handle(json!({"Records": records})).await;
        failed.sort();
        failed
    }
}

pub(crate) fn record(id: &str, body: &str) -> Value {
    json!({
        "messageId": id, "receiptHandle": format!("receipt of {id}"), "body": body,
        "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {},
    })
}

/// The message of the movie at this position; ids follow positions.
pub(crate) fn message(run: &str, position: usize, of: usize) -> String {
    let movie = json!({"id": id_at(position), "title": format!("Movie {position}"), "imDbRating": "9.0"});
    json!({"schema_version": 1, "run": run, "ranking": RANKING, "position": position, "of": of, "movie": movie})
        .to_string()
}

pub(crate) fn id_at(position: usize) -> String {
    format!("tt{position:07}")
}

/// The run's name as the type.
pub(crate) fn run(name: &str) -> Run {
    Run::parse(name).unwrap()
}
