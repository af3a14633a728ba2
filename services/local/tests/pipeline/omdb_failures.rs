use std::time::Duration;

use domain::contract::metrics;
use local::{OMDB_STAND_IN_KEY, OmdbFault, Options, Outcome, Pipeline};

use crate::{PATIENCE, TRIES_ENOUGH, complete, failing, noon, sample_ids};

/// Waits until the enricher has counted this many failures.
async fn until_failed(pipeline: &Pipeline, records: u32) {
    let failed = async |pipeline: &Pipeline| {
        let failures = pipeline.metric_sum(metrics::ENRICHMENT_FAILURES).await?;
        Ok((failures >= f64::from(records)).then_some(()))
    };
    pipeline.eventually("failed records", PATIENCE, failed).await.unwrap();
}

#[tokio::test]
async fn a_film_that_omdb_does_not_know_ends_in_the_dead_letter_queue_while_the_others_are_stored() {
    let pipeline = Pipeline::start(failing(3)).await.unwrap();
    let id = sample_ids(4)[3].clone();
    pipeline.omdb().unwrap().fail(&id, OmdbFault::UnknownId);
    let event = noon(&pipeline);
    pipeline.fire(&event).await.unwrap();
    let Outcome::Failed(reasons) = pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap() else {
        panic!("a run without one of its films completed");
    };
    assert_eq!(reasons[0], "1 of 10 movies lie in the dead-letter queue");
    assert!(reasons.iter().any(|reason| reason.contains(&id)), "{reasons:?}");

    let dead = pipeline.peek(&pipeline.deployment().dead_letter_queue_url).await.unwrap();
    assert_eq!(dead.len(), 1);
    let message = domain::MovieMessage::parse(&dead[0]).unwrap();
    assert_eq!((message.movie.id.as_str(), message.run), (id.as_str(), event.run));
    assert_eq!(pipeline.objects("").await.unwrap().len(), 9, "no list of an incomplete run");
}

#[tokio::test]
async fn every_failure_of_omdb_fails_its_own_record_alone_and_is_made_up_for_by_a_later_delivery() {
    let pipeline = Pipeline::start(failing(TRIES_ENOUGH)).await.unwrap();
    let faults = [
        OmdbFault::Status(500),
        OmdbFault::Status(503),
        OmdbFault::TooManyRequests { retry_after_s: 1 },
        OmdbFault::HtmlPage,
        OmdbFault::Delay(Duration::from_secs(5)),
        OmdbFault::OversizedBody,
        OmdbFault::CutConnection,
    ];
    let ids = sample_ids(faults.len());
    for (id, fault) in ids.iter().zip(faults) {
        pipeline.omdb().unwrap().fail(id, fault);
    }
    let event = noon(&pipeline);
    pipeline.fire(&event).await.unwrap();
    let others_stored = async |pipeline: &Pipeline| Ok((pipeline.objects("").await?.len() >= 3).then_some(()));
    pipeline.eventually("the other three stored", PATIENCE, others_stored).await.unwrap();
    until_failed(&pipeline, 7).await;
    assert_eq!(pipeline.objects("").await.unwrap().len(), 3);

    pipeline.omdb().unwrap().heal();
    assert_eq!(pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap(), Outcome::Completed);
    assert_eq!(pipeline.dead_letters().await.unwrap(), 0);
}

#[tokio::test]
async fn a_used_up_quota_stops_the_batch_from_asking_and_a_later_delivery_makes_up_for_it() {
    let pipeline = Pipeline::start(Options { top_n: 40, ..failing(TRIES_ENOUGH) }).await.unwrap();
    pipeline.omdb().unwrap().fail_all(OmdbFault::QuotaExhausted);
    let event = noon(&pipeline);
    pipeline.fire(&event).await.unwrap();
    until_failed(&pipeline, 1).await;
    assert!(pipeline.metric_sum(metrics::OMDB_QUOTA_EXHAUSTED).await.unwrap() >= 1.0);
    assert_eq!(pipeline.objects("").await.unwrap(), Vec::<String>::new());

    pipeline.omdb().unwrap().heal();
    assert_eq!(pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap(), Outcome::Completed);
}

#[tokio::test]
async fn a_key_that_was_changed_is_fetched_again_without_a_new_deployment() {
    let pipeline = Pipeline::start(failing(TRIES_ENOUGH)).await.unwrap();
    let (before, event) = (pipeline.event_at("2026-11-21T12:00:00Z".parse().unwrap()).unwrap(), noon(&pipeline));
    complete(&pipeline, &before).await;

    pipeline.put_omdb_key("no longer valid").await.unwrap();
    pipeline.omdb().unwrap().fail_all(OmdbFault::InvalidKey);
    pipeline.fire(&event).await.unwrap();
    until_failed(&pipeline, 1).await;
    assert!(pipeline.metric_sum(metrics::OMDB_AUTH_REJECTED).await.unwrap() >= 1.0);

    pipeline.put_omdb_key(OMDB_STAND_IN_KEY).await.unwrap();
    pipeline.omdb().unwrap().heal();
    assert_eq!(pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap(), Outcome::Completed);
}
