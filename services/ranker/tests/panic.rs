//! A fault of ours in the ranker: the invocation fails, as `services/function/tests/runtime_api.rs` shows, and Lambda tries the
//! event again. Nothing may be half done then.
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

use std::sync::{Arc, Mutex};

use chrono::Utc;
use domain::contract::Service;
use ranker::handler::Ranker;
use ranker::source::{Location, ReadError, Source};
use ranker::topic::{Outgoing, Refused, Topic};
use serde_json::json;
use telemetry::Metrics;

/// A list that is whole but for its last byte, where something panics.
struct Panicking(Location);

impl Source for Panicking {
    fn location(&self) -> &Location {
        &self.0
    }

    async fn read<E>(&self, mut take: impl FnMut(&[u8]) -> Result<(), E> + Send) -> Result<(), ReadError<E>> {
        let items = json!([{"id": "tt0111161", "title": "T", "imDbRating": "9.2"}]);
        take(format!(r#"{{"items":{items}"#).as_bytes()).map_err(ReadError::Refused)?;
        panic!("a fault of ours");
    }
}

#[derive(Clone, Default)]
struct Published(Arc<Mutex<Vec<Outgoing>>>);

impl Topic for Published {
    fn name(&self) -> &'static str {
        "movies"
    }

    async fn publish(&self, batch: &[Outgoing]) -> Vec<Refused> {
        self.0.lock().unwrap().extend(batch.iter().cloned());
        Vec::new()
    }
}

#[tokio::test]
async fn a_panic_while_the_list_is_read_fails_the_run_and_nothing_is_published() {
    let location = Location { bucket: "b".to_owned(), key: "k".to_owned(), region: "eu-central-1".to_owned() };
    let published = Published::default();
    let metrics = Metrics::in_memory(Service::Ranker).0;
    let ranker = Ranker::new(Panicking(location), published.clone(), 10, metrics);
    let invocation = tokio::spawn(async move { ranker.handle(json!({}), Utc::now()).await });
    assert!(invocation.await.unwrap_err().is_panic());
    assert!(published.0.lock().unwrap().is_empty());
}
