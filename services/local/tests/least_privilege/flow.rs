//! The flow with its variants: everything that makes a function call AWS in its own way.

use std::time::Duration;

use domain::contract::{Service, logs, metrics};
use domain::enriched::LATEST_KEY;
use local::{
    Configuration, OMDB_STAND_IN_KEY, OmdbFault, Options, Outcome, PATIENCE, Permissions, Pipeline, ScheduledEvent,
};

/// The best movie of the sample list.
const BEST: &str = "tt0111161";

/// Failed records come back after two seconds, and lie in the dead-letter queue after this many tries.
pub(crate) fn options(permissions: Permissions, max_receive_count: usize) -> Options {
    Options {
        permissions,
        configuration: Configuration::from([
            ("maxReceiveCount".to_owned(), max_receive_count.to_string()),
            ("omdbMaxAttempts".to_owned(), "1".to_owned()),
        ]),
        redelivery_delay: Some(Duration::from_secs(2)),
        ..Options::default()
    }
}

pub(crate) fn event(pipeline: &Pipeline, day: u32) -> ScheduledEvent {
    pipeline.event_at(format!("2026-11-{day}T12:00:00Z").parse().unwrap()).unwrap()
}

pub(crate) async fn fire(pipeline: &Pipeline, event: &ScheduledEvent) -> Outcome {
    pipeline.fire(event).await.unwrap();
    pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap()
}

/// Runs all of it.
pub(crate) async fn run_every_variant(pipeline: &Pipeline) {
    let (first, second, third) = (event(pipeline, 20), event(pipeline, 21), event(pipeline, 22));
    complete_with_a_movie_that_comes_later(pipeline, &first).await;
    meet_every_movie_again(pipeline, &first).await;
    let latest = pipeline.read_object(LATEST_KEY).await.unwrap();
    complete_after_a_rejected_key(pipeline, &second).await;
    assert_ne!(pipeline.read_object(LATEST_KEY).await.unwrap(), latest, "latest was moved over the first run's");
    fail_on_the_source(pipeline, &third).await;
}

/// The run is completed by a movie that is delivered by itself, and that did not store the others.
async fn complete_with_a_movie_that_comes_later(pipeline: &Pipeline, event: &ScheduledEvent) {
    pipeline.omdb().unwrap().fail(BEST, OmdbFault::Status(503));
    pipeline.fire(event).await.unwrap();
    let failed =
        async |pipeline: &Pipeline| Ok((pipeline.metric_sum(metrics::ENRICHMENT_FAILURES).await? >= 1.0).then_some(()));
    pipeline.eventually("the late movie failed", PATIENCE, failed).await.unwrap();
    pipeline.omdb().unwrap().heal();
    assert_eq!(pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap(), Outcome::Completed);
}

/// What a delivery does whose movies are stored already.
async fn meet_every_movie_again(pipeline: &Pipeline, event: &ScheduledEvent) {
    pipeline.fire(event).await.unwrap();
    let met_again = async |pipeline: &Pipeline| {
        let records = pipeline.log_records(Service::Enricher).await?;
        let met: u64 = records.iter().filter_map(|record| record.get(logs::ALREADY_STORED.name)?.as_u64()).sum();
        Ok((met >= 10).then_some(()))
    };
    pipeline.eventually("every movie met again", PATIENCE, met_again).await.unwrap();
}

/// The key is fetched again, while records fail and come back.
async fn complete_after_a_rejected_key(pipeline: &Pipeline, event: &ScheduledEvent) {
    pipeline.put_omdb_key("no-longer-valid").await.unwrap();
    pipeline.omdb().unwrap().fail_all(OmdbFault::InvalidKey);
    pipeline.fire(event).await.unwrap();
    let rejected =
        async |pipeline: &Pipeline| Ok((pipeline.metric_sum(metrics::OMDB_AUTH_REJECTED).await? >= 1.0).then_some(()));
    pipeline.eventually("the key rejected", PATIENCE, rejected).await.unwrap();
    pipeline.put_omdb_key(OMDB_STAND_IN_KEY).await.unwrap();
    pipeline.omdb().unwrap().heal();
    let completing = pipeline.showing_hidden(pipeline.wait_for_run(&event.run, PATIENCE));
    assert_eq!(completing.await.unwrap(), Outcome::Completed);
}

/// After every retry, the event lies in the on-failure queue. The source is broken rather than missing: who reads a
/// bucket of somebody else's is not told that an object is missing, which is how the ranker's role leaves it.
async fn fail_on_the_source(pipeline: &Pipeline, event: &ScheduledEvent) {
    pipeline.put_source(b"no list".to_vec()).await.unwrap();
    assert!(matches!(fire(pipeline, event).await, Outcome::Failed(_)));
    assert_eq!(pipeline.ranker_failures().await.unwrap(), 1);
}
