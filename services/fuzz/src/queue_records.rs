//! The event of a batch, as the enricher handles it from the queue to the bucket.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use domain::ImdbId;
use domain::contract::Service;
use domain::enriched::{enrich, movie_key};
use domain::message::MovieMessage;
use domain::omdb::Answer;
use enricher::api_key::{ApiKey, KeyError, KeyStore};
use enricher::bucket::{Bucket, BucketError, Condition, Found, Head, Object, Put};
use enricher::clock::Clock;
use enricher::handler::Enricher;
use enricher::omdb::{Ask, Budget, Omdb};
use enricher::queue::{Hidden, Queue, QueueError};
use function::Deadline;
use serde_json::{Map, Value, json};
use telemetry::Metrics;
use tokio::runtime::{Builder, Runtime};

thread_local! {
    /// Made once, since both cost more than a batch. Nobody reads the metrics.
    static AROUND: OnceCell<(Runtime, Metrics)> = const { OnceCell::new() };
}

/// Handles an event in an environment of its own, over a bucket without an object.
///
/// # Panics
/// When a record is neither stored nor reported as failed, something else is reported or stored, or the event as a whole
/// is refused though SQS could have sent it.
pub fn check(bytes: &[u8]) {
    // Lambda's runtime refuses what is no JSON.
    let Ok(event) = serde_json::from_slice::<Value>(bytes) else { return };
    let bucket = MemoryBucket::default();
    let response = handle(&bucket, event.clone());
    let records = serde_json::from_value::<SqsEvent>(event).map(|event| event.records);
    assert_eq!(response.is_some(), records.is_ok(), "{records:?}");
    let failures = response.into_iter().flat_map(|response| response.batch_item_failures);
    let failed: BTreeSet<_> = failures.map(|failure| failure.item_identifier).collect();
    let mut expected = BTreeMap::new();
    let mut known = BTreeSet::new();
    for record in records.unwrap_or_default() {
        let id = record.message_id.unwrap_or_default();
        let message = MovieMessage::parse(record.body.as_deref().unwrap_or_default()).ok();
        let is_stored = message.is_some_and(|message| {
            let key = movie_key(&message);
            let is_stored = bucket.objects().contains_key(&key);
            expected.entry(key).or_insert_with(Vec::new).push(message);
            is_stored
        });
        assert!(is_stored || failed.contains(&id), "{id:?} is lost");
        known.insert(id);
    }
    assert!(failed.is_subset(&known), "{failed:?} of {known:?}");
    assert_holds_nothing_but(&expected, &bucket);
}

fn handle(bucket: &MemoryBucket, event: Value) -> Option<SqsBatchResponse> {
    AROUND.with(|around| {
        let (runtime, metrics) = around.get_or_init(prepare);
        let clock = Clock::new(|| domain::Run::parse("2026-11-22T12-00-00Z").map(|run| run.time()).unwrap_or_default());
        let budget = Budget::new(bucket.clone(), 1_000, clock.clone());
        let omdb = Omdb::new(Films, Keys, budget, 1, metrics.clone());
        let enricher = Enricher::new(bucket.clone(), omdb, Nowhere, clock, metrics.clone());
        runtime.block_on(enricher.handle(event, Deadline::after(Duration::from_secs(30)))).ok()
    })
}

#[expect(clippy::expect_used, reason = "a runtime without I/O needs nothing that could be missing")]
fn prepare() -> (Runtime, Metrics) {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    (runtime, Metrics::in_memory(Service::Enricher).0)
}

/// Each object of a movie is made of a message for it; besides these there are lists and the day's count of requests.
fn assert_holds_nothing_but(expected: &BTreeMap<String, Vec<MovieMessage>>, bucket: &MemoryBucket) {
    for (key, body) in bucket.objects().iter().filter(|(key, _)| key.contains("-tt")) {
        let records = expected.get(key).into_iter().flatten().map(|message| enrich(message, film(&message.movie.id)));
        assert!(records.into_iter().any(|record| record == *body), "{key} is nobody's");
    }
}

/// `OMDb`'s answer for a film.
fn film(id: &ImdbId) -> Map<String, Value> {
    Map::from_iter([("imdbID".to_owned(), json!(id)), ("Response".to_owned(), json!("True"))])
}

/// An `OMDb` that knows each film but those whose id ends with 7, and has had enough when it is asked for one with 8.
struct Films;

impl Ask for Films {
    async fn ask(&self, id: &ImdbId, _: &ApiKey) -> Answer {
        match id.as_str().bytes().last() {
            Some(b'7') => Answer::UnknownId("Incorrect IMDb ID.".to_owned()),
            Some(b'8') => Answer::QuotaExhausted,
            _ => Answer::Movie(film(id)),
        }
    }
}

struct Keys;

impl KeyStore for Keys {
    async fn fetch(&self) -> Result<ApiKey, KeyError> {
        Ok(ApiKey::new("c0ffee42"))
    }
}

/// A queue that hides whatever it is told to.
struct Nowhere;

impl Queue for Nowhere {
    fn visibility_timeout(&self) -> Duration {
        Duration::ZERO
    }

    async fn hide(&self, _: &[Hidden]) -> Result<(), QueueError> {
        Ok(())
    }
}

/// A bucket in memory, whose objects are never overwritten but for the ones that are moved on.
#[derive(Clone, Default)]
struct MemoryBucket(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

impl MemoryBucket {
    fn objects(&self) -> MutexGuard<'_, BTreeMap<String, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Bucket for MemoryBucket {
    async fn head(&self, key: &str) -> Result<Option<Head>, BucketError> {
        Ok(self.objects().get(key).map(|_| Head { etag: "\"1\"".to_owned(), run: None }))
    }

    async fn get(&self, key: &str) -> Result<Vec<u8>, BucketError> {
        Ok(self.objects().get(key).cloned().unwrap_or_default())
    }

    async fn find(&self, key: &str) -> Result<Option<Found>, BucketError> {
        Ok(self.objects().get(key).map(|body| Found { body: body.clone(), etag: "\"1\"".to_owned() }))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, BucketError> {
        Ok(self.objects().keys().filter(|key| key.starts_with(prefix)).cloned().collect())
    }

    async fn put(&self, object: Object<'_>, condition: &Condition) -> Result<Put, BucketError> {
        let mut objects = self.objects();
        if *condition == Condition::Absent && objects.contains_key(object.key) {
            return Ok(Put::ConditionFailed);
        }
        objects.insert(object.key.to_owned(), object.body.to_vec());
        Ok(Put::Stored)
    }
}
