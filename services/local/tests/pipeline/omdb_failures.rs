use std::time::Duration;

use domain::contract::metrics;
use local::{OMDB_STAND_IN_KEY, OmdbFault, Options, Outcome, Permissions, Pipeline};

use crate::midnight::pass_midnight_if_within;
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
    assert_eq!(pipeline.objects("runs/").await.unwrap().len(), 9, "no list of an incomplete run");
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
    let others_stored = async |pipeline: &Pipeline| Ok((pipeline.objects("runs/").await?.len() >= 3).then_some(()));
    pipeline.eventually("the other three stored", PATIENCE, others_stored).await.unwrap();
    until_failed(&pipeline, 7).await;
    assert_eq!(pipeline.objects("runs/").await.unwrap().len(), 3);

    pipeline.omdb().unwrap().heal();
    assert_eq!(pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap(), Outcome::Completed);
    assert_eq!(pipeline.dead_letters().await.unwrap(), 0);
}

/// Waits until so many movies are hidden for as long as this at least.
async fn until_hidden(pipeline: &Pipeline, movies: usize, at_least: Duration) {
    let hidden = async |pipeline: &Pipeline| {
        let long = pipeline.hidden()?.into_iter().filter(|(_, time)| *time >= at_least);
        Ok((long.count() >= movies).then_some(()))
    };
    pipeline.eventually("hidden movies", PATIENCE, hidden).await.unwrap();
}

/// The limit is what one run takes. The second run finds nothing left, waits hidden instead of dying, though a message
/// is dead here after two receives, and is had when there are requests again.
#[tokio::test]
async fn two_runs_share_the_requests_of_a_day_and_what_gets_none_waits_hidden_for_the_next() {
    let mut options = recorded(2);
    options.configuration.insert("omdbDailyLimit".to_owned(), "15".to_owned());
    options.configuration.insert("omdbTimeoutMs".to_owned(), "5000".to_owned());
    // One film a batch: as many environments as may run at once share the count.
    options.configuration.insert("batchSize".to_owned(), "1".to_owned());
    let pipeline = Pipeline::start(options).await.unwrap();
    pass_midnight_if_within(2 * PATIENCE).await;
    let before = pipeline.event_at("2026-11-21T12:00:00Z".parse().unwrap()).unwrap();
    complete(&pipeline, &before).await;
    let event = noon(&pipeline);
    pipeline.fire(&event).await.unwrap();
    until_hidden(&pipeline, 5, Duration::from_secs(1)).await;

    assert_eq!(pipeline.omdb().unwrap().total_requests(), 15);
    let (key, count) = the_count(&pipeline).await;
    assert_eq!(count["requests"], 15);
    assert!(pipeline.metric_sum(metrics::OMDB_QUOTA_EXHAUSTED).await.unwrap() >= 1.0);
    let queue = &pipeline.deployment().queue_url;
    assert_eq!((pipeline.messages_in(queue).await.unwrap(), pipeline.dead_letters().await.unwrap()), (5, 0));

    // As on a new day, which has no count yet.
    let bucket = &pipeline.deployment().movies_bucket;
    pipeline.clients().s3.delete_object().bucket(bucket).key(key).send().await.unwrap();
    assert_eq!(pipeline.show_hidden().await.unwrap(), 5);
    assert_eq!(pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap(), Outcome::Completed);
    assert_eq!(pipeline.omdb().unwrap().total_requests(), 20);
    assert_eq!(the_count(&pipeline).await.1["requests"], 5);
}

/// The key and the text of the latest count.
async fn the_count(pipeline: &Pipeline) -> (String, serde_json::Value) {
    let key = pipeline.objects(domain::quota::PREFIX).await.unwrap().pop().unwrap();
    let count = pipeline.read_json(&key).await.unwrap().unwrap();
    (key, count)
}

/// What fails comes back as late as deployed, but for what is made visible: on a busy machine, a batch takes longer than
/// the three seconds of the other tests, and each delivery counts here.
fn recorded(max_receive_count: usize) -> Options {
    Options { permissions: Permissions::Recorded, redelivery_delay: None, ..failing(max_receive_count) }
}

#[tokio::test]
async fn a_used_up_quota_stops_the_batch_from_asking_and_a_later_delivery_makes_up_for_it() {
    let pipeline = Pipeline::start(Options { top_n: 40, ..recorded(2) }).await.unwrap();
    pipeline.omdb().unwrap().fail_all(OmdbFault::QuotaExhausted);
    let event = noon(&pipeline);
    pipeline.fire(&event).await.unwrap();
    until_hidden(&pipeline, 40, Duration::from_secs(1)).await;
    until_failed(&pipeline, 1).await;
    assert!(pipeline.metric_sum(metrics::OMDB_QUOTA_EXHAUSTED).await.unwrap() >= 1.0);
    assert_eq!(pipeline.objects("runs/").await.unwrap(), Vec::<String>::new());
    assert_eq!(pipeline.dead_letters().await.unwrap(), 0);

    pipeline.omdb().unwrap().heal();
    assert_eq!(pipeline.show_hidden().await.unwrap(), 40);
    assert_eq!(pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap(), Outcome::Completed);
}

#[tokio::test]
async fn a_key_that_was_changed_is_fetched_again_without_a_new_deployment() {
    let pipeline = Pipeline::start(recorded(TRIES_ENOUGH)).await.unwrap();
    let (before, event) = (pipeline.event_at("2026-11-21T12:00:00Z".parse().unwrap()).unwrap(), noon(&pipeline));
    complete(&pipeline, &before).await;

    pipeline.put_omdb_key("no-longer-valid").await.unwrap();
    pipeline.omdb().unwrap().fail_all(OmdbFault::InvalidKey);
    pipeline.fire(&event).await.unwrap();
    let rejected =
        async |pipeline: &Pipeline| Ok((pipeline.metric_sum(metrics::OMDB_AUTH_REJECTED).await? >= 1.0).then_some(()));
    pipeline.eventually("the key rejected", PATIENCE, rejected).await.unwrap();
    until_hidden(&pipeline, 10, Duration::from_mins(30)).await;

    pipeline.put_omdb_key(OMDB_STAND_IN_KEY).await.unwrap();
    pipeline.omdb().unwrap().heal();
    assert_eq!(pipeline.show_hidden().await.unwrap(), 10);
    assert_eq!(pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap(), Outcome::Completed);
}
