//! Telemetry that cannot be delivered: the run must not notice.

mod switch;

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::contract::environment::TELEMETRY_FLUSH_TIMEOUT_MS;
use domain::contract::{Service, logs, metrics};
use domain::enriched::run_list_key;
use local::{
    AwsFault, AwsRequest, Call, Configuration, OmdbFault, Operation, Options, Permissions, Pipeline, Recorder,
    ScheduledEvent,
};
use serde_json::{Value, json};
use switch::{Mood, Switch};

use crate::{PATIENCE, complete, noon};

/// The variable that sends CloudWatch's calls elsewhere
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>).
const CLOUDWATCH_ENDPOINT: &str = "AWS_ENDPOINT_URL_CLOUDWATCH";

/// How much later than the work's last log line the flush's may stand on a busy machine, beyond the budget.
const SLACK: Duration = Duration::from_secs(1);

#[tokio::test]
async fn collector_and_cloudwatch_that_hang_in_the_middle_of_a_run_change_nothing_of_it() {
    run_without_telemetry(Mood::Hangs, &ENRICHING).await;
}

#[tokio::test]
async fn collector_and_cloudwatch_that_go_in_the_middle_of_a_run_change_nothing_of_it() {
    run_without_telemetry(Mood::Gone, &ENRICHING).await;
}

#[tokio::test]
async fn collector_and_cloudwatch_that_hang_while_the_ranker_publishes_change_nothing_of_its_run() {
    run_without_telemetry(Mood::Hangs, &RANKING).await;
}

#[tokio::test]
async fn collector_and_cloudwatch_that_go_while_the_ranker_publishes_change_nothing_of_its_run() {
    run_without_telemetry(Mood::Gone, &RANKING).await;
}

/// What a function is in the middle of.
struct Work {
    service: Service,
    /// The last line that it logs of it.
    done: &'static str,
    /// What it then counts.
    metric: &'static metrics::Metric,
}

const RANKING: Work = Work { service: Service::Ranker, done: "the run is published", metric: metrics::MOVIES_RANKED };
const ENRICHING: Work =
    Work { service: Service::Enricher, done: "the batch is processed", metric: metrics::MOVIES_ENRICHED };

async fn run_without_telemetry(mood: Mood, work: &Work) {
    let (collector, cloudwatch) = (Switch::bind().await, Switch::bind().await);
    let configuration = Configuration::from([("otlpEndpoint".to_owned(), collector.endpoint())]);
    let options = Options { configuration, permissions: Permissions::Recorded, ..Options::default() };
    let pipeline = Pipeline::start(options).await.unwrap();
    collector.set(Mood::Passes(pipeline.traces().endpoint()));
    cloudwatch.set(Mood::Passes(pipeline.emulator().endpoint()));
    for service in Service::ALL {
        pipeline.set_variable(service, CLOUDWATCH_ENDPOINT, &cloudwatch.endpoint()).await.unwrap();
    }
    let yesterday = pipeline.event_at("2026-11-21T12:00:00Z".parse().unwrap()).unwrap();
    complete(&pipeline, &yesterday).await;
    assert!(cloudwatch.connections() > 0, "metrics went past the switch");

    let today = noon(&pipeline);
    fire_until_in_the_middle_of(&pipeline, &today, work.service).await;
    let metrics_before = pipeline.metric_sum(work.metric).await.unwrap();
    collector.set(mood.clone());
    cloudwatch.set(mood);
    let listed = async |pipeline: &Pipeline| pipeline.read_object(&run_list_key(&today.run)).await;
    pipeline.eventually("the run's list", PATIENCE, listed).await.unwrap();

    assert_eq!(objects(&pipeline, &today).await, objects(&pipeline, &yesterday).await);
    assert_eq!(pipeline.omdb().unwrap().total_requests(), 20);
    assert_eq!(pipeline.messages_in(&pipeline.deployment().queue_url).await.unwrap(), 0);
    assert_eq!(pipeline.dead_letters().await.unwrap(), 0);
    // Of the day before: nothing is done again.
    let again = match work.service {
        Service::Ranker => yesterday.json().clone(),
        Service::Enricher => json!({"Records": []}),
    };
    assert_loss_is_noted_within_the_budget(&pipeline, work, &again).await;
    let metrics_after = pipeline.metric_sum(work.metric).await.unwrap();
    assert!((metrics_after - metrics_before).abs() < 0.5, "metrics arrived though nothing could");
}

/// Fires an event, and is back while this function is at work on it.
async fn fire_until_in_the_middle_of(pipeline: &Pipeline, event: &ScheduledEvent, service: Service) {
    let late = Duration::from_secs(2);
    let recorder = pipeline.recorder().unwrap();
    let (spans_before, sources_before) = (pipeline.traces().spans().len(), sources_read(recorder));
    match service {
        Service::Ranker => recorder.fail(Operation::PublishBatch, AwsFault::Delay(late), Some(1)),
        Service::Enricher => pipeline.omdb().unwrap().fail_all(OmdbFault::Delay(late / 2)),
    }
    pipeline.fire(event).await.unwrap();
    let begun = async |pipeline: &Pipeline| {
        let begun = match service {
            Service::Ranker => sources_read(recorder) > sources_before,
            // The ranker has sent its spans, and the enricher waits for OMDb.
            Service::Enricher => {
                let spans = pipeline.traces().spans();
                spans[spans_before..].iter().any(|span| span.service == Service::Ranker.name())
            }
        };
        Ok(begun.then_some(()))
    };
    pipeline.eventually("the function at work", PATIENCE, begun).await.unwrap();
}

fn sources_read(recorder: &Recorder) -> usize {
    let is_source =
        |call: &Call| call.caller == Some(Service::Ranker) && matches!(call.request, AwsRequest::GetObject { .. });
    recorder.calls().iter().filter(|call| is_source(call)).count()
}

/// The objects of a run by their keys within it, with its name taken out of both.
async fn objects(pipeline: &Pipeline, event: &ScheduledEvent) -> BTreeMap<String, String> {
    let run = event.run.as_str();
    let mut objects = BTreeMap::new();
    for key in pipeline.objects(&format!("runs/{run}/")).await.unwrap() {
        let bytes = pipeline.read_object(&key).await.unwrap().unwrap();
        objects.insert(key.replace(run, "RUN"), String::from_utf8(bytes.to_vec()).unwrap().replace(run, "RUN"));
    }
    assert_eq!(objects.len(), 11);
    objects
}

/// The last thing that an invocation logs of its work comes before the flush, what was lost comes after it.
async fn assert_loss_is_noted_within_the_budget(pipeline: &Pipeline, work: &Work, again: &Value) {
    let noted = async |pipeline: &Pipeline| {
        // What a function prints after its response reaches the log with its next invocation.
        pipeline.invoke(work.service, again).await?;
        let lines = pipeline.log_records(work.service).await?;
        let has = |message: &str| lines.iter().any(|line| line[logs::MESSAGE.name] == message);
        Ok((has("spans were not delivered") && has("metrics were not delivered")).then_some(lines))
    };
    let mut lines = pipeline.eventually("the loss in the log", PATIENCE, noted).await.unwrap();
    // The log has them as they came in.
    lines.sort_by_key(time);
    let budget = TELEMETRY_FLUSH_TIMEOUT_MS.default.unwrap().parse().map(Duration::from_millis).unwrap();
    let mut worked = None;
    for line in &lines {
        let message = line[logs::MESSAGE.name].as_str().unwrap();
        if message == work.done {
            worked = Some(time(line));
        } else if message.ends_with("were not delivered") {
            let took = (time(line) - worked.unwrap()).to_std().unwrap();
            assert!(took <= budget + SLACK, "{took:?} for a flush of {budget:?}: {line}");
        }
    }
}

fn time(line: &Value) -> DateTime<Utc> {
    line[logs::TIMESTAMP.name].as_str().unwrap().parse().unwrap()
}
