//! The whole pipeline, as deployed, on the local AWS. Each test has one of its own.
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

mod bad_records;
mod bad_sources;
mod bucket;
mod metrics;
#[path = "../midnight/mod.rs"]
mod midnight;
mod omdb_failures;
mod repeated_events;
mod telemetry;
mod telemetry_lost;
mod traces;

use std::time::Duration;

use local::{Configuration, Options, Outcome, PATIENCE, Pipeline, ScheduledEvent};
use serde_json::{Value, json};

/// For tests in which records fail: those come back after three seconds and lie in the dead-letter queue after this
/// many tries.
fn failing(max_receive_count: usize) -> Options {
    Options {
        configuration: Configuration::from([
            ("maxReceiveCount".to_owned(), max_receive_count.to_string()),
            ("omdbMaxAttempts".to_owned(), "1".to_owned()),
            ("omdbTimeoutMs".to_owned(), "1000".to_owned()),
        ]),
        redelivery_delay: Some(Duration::from_secs(3)),
        ..Options::default()
    }
}

/// More tries than there are in a test that heals what failed.
const TRIES_ENOUGH: usize = 100;

fn noon(pipeline: &Pipeline) -> ScheduledEvent {
    pipeline.event_at("2026-11-22T12:00:00Z".parse().unwrap()).unwrap()
}

async fn complete(pipeline: &Pipeline, event: &ScheduledEvent) {
    pipeline.fire(event).await.unwrap();
    assert_eq!(pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap(), Outcome::Completed);
}

/// The ids of the sample's first films, which are its best.
fn sample_ids(count: usize) -> Vec<String> {
    let sample: Value = serde_json::from_slice(local::SAMPLE_SOURCE).unwrap();
    sample["items"].as_array().unwrap()[..count].iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect()
}

fn message(run: &str, position: usize, of: usize, id: &str) -> Value {
    json!({
        "schema_version": 1, "run": run, "ranking": "0123456789abcdef", "position": position, "of": of,
        "movie": {"id": id, "title": "A film", "imDbRating": "9"},
    })
}
