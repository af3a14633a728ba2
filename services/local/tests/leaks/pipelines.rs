//! Pipelines with faults that bring the key near to what others read.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use domain::contract::metrics;
use local::{Leak, OMDB_STAND_IN_KEY, OmdbFault, Options, Outcome, PATIENCE, Permissions, Pipeline};
use serde_json::Value;

fn sample_id(index: usize) -> String {
    let sample: Value = serde_json::from_slice(local::SAMPLE_SOURCE).unwrap();
    sample["items"][index]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_run_that_meets_every_failure_with_the_key_in_it_lets_it_out_nowhere() {
    let configuration = [("maxReceiveCount", "2"), ("omdbMaxAttempts", "1"), ("logLevel", "debug")];
    let options = Options {
        configuration: configuration.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        redelivery_delay: Some(Duration::from_secs(3)),
        permissions: Permissions::Recorded,
        ..Options::default()
    };
    let pipeline = Pipeline::start(options).await.unwrap();
    let omdb = pipeline.omdb().unwrap();
    omdb.fail(&sample_id(0), OmdbFault::PageWithRequest);
    omdb.fail(&sample_id(1), OmdbFault::CutConnection);
    omdb.fail(&sample_id(2), OmdbFault::InvalidKey);
    let event = pipeline.event_at("2026-11-22T12:00:00Z".parse().unwrap()).unwrap();
    pipeline.fire(&event).await.unwrap();
    let ended = pipeline.showing_hidden(pipeline.wait_for_run(&event.run, PATIENCE)).await.unwrap();
    assert!(matches!(ended, Outcome::Failed(_)), "{ended:?}");
    assert!(pipeline.metric_sum(metrics::OMDB_REQUESTS).await.unwrap() >= 3.0);
    assert_eq!(pipeline.end(), []);
}

#[tokio::test]
async fn a_pipeline_whose_key_got_out_fails_the_test_that_it_belongs_to_without_showing_the_key() {
    let pipeline = Pipeline::start(Options::default()).await.unwrap();
    pipeline.publish(&format!("apikey={OMDB_STAND_IN_KEY}"), None).await.unwrap();
    pipeline.clients().sqs.create_queue().queue_name("leak").send().await.unwrap();
    let queue = pipeline.clients().sqs.get_queue_url().queue_name("leak").send().await.unwrap().queue_url.unwrap();
    pipeline.clients().sqs.send_message().queue_url(queue).message_body(OMDB_STAND_IN_KEY).send().await.unwrap();
    let panic = catch_unwind(AssertUnwindSafe(|| drop(pipeline))).unwrap_err();
    let told = panic.downcast_ref::<String>().unwrap();
    assert!(told.starts_with("the OMDb key got out:\n") && told.contains("services.sqs._queues"), "{told}");
    local::assert_no_canary("the panic", told.as_bytes());
}

#[tokio::test]
async fn a_local_aws_that_crashed_is_searched_as_far_as_it_left_anything() {
    let pipeline = Pipeline::start(Options::default()).await.unwrap();
    let group = i32::try_from(pipeline.emulator().process_group()).unwrap();
    let leader = rustix::process::Pid::from_raw(group).unwrap();
    rustix::process::kill_process(leader, rustix::process::Signal::KILL).unwrap();
    let has_ended = async |pipeline: &Pipeline| Ok(pipeline.emulator().log_if_ended());
    pipeline.eventually("the end of the local AWS", PATIENCE, has_ended).await.unwrap();
    assert_eq!(pipeline.end(), Vec::<Leak>::new());
}
