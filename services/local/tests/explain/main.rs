//! `cargo local explain` on the local AWS.
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

mod faults;
mod movies;
#[path = "../program/mod.rs"]
mod program;
mod runs;
mod x_ray;

use std::process::Output;
use std::time::Duration;

use domain::contract::{Service, metrics};
use domain::enriched::LATEST_KEY;
use local::{Configuration, OmdbFault, Options, Outcome, PATIENCE, Pipeline, ScheduledEvent, Span};
use serde_json::Value;
use tokio::process::Command;

use self::program::ended_with;

/// OpenTelemetry's number of the kind of an invocation's span.
const SERVER: i32 = 2;

/// Records that fail come back after two seconds, and lie in the dead-letter queue after this many tries.
fn failing(max_receive_count: usize, top_n: usize) -> Options {
    Options {
        top_n,
        configuration: Configuration::from([
            ("maxReceiveCount".to_owned(), max_receive_count.to_string()),
            ("omdbMaxAttempts".to_owned(), "2".to_owned()),
        ]),
        redelivery_delay: Some(Duration::from_secs(2)),
        ..Options::default()
    }
}

/// The ids of the sample's first films, which are its best.
fn sample_ids<const N: usize>() -> [String; N] {
    let sample: Value = serde_json::from_slice(local::SAMPLE_SOURCE).unwrap();
    std::array::from_fn(|index| sample["items"][index]["id"].as_str().unwrap().to_owned())
}

/// An event of this very second, as the schedule sends it.
fn now(pipeline: &Pipeline) -> ScheduledEvent {
    pipeline.event_at(std::time::SystemTime::now().into()).unwrap()
}

/// Fires an event, of whose films the second fails at OMDb until this many records have failed.
async fn redelivered(pipeline: &Pipeline, event: &ScheduledEvent, id: &str) {
    pipeline.omdb().unwrap().fail(id, OmdbFault::Status(503));
    pipeline.fire(event).await.unwrap();
    let failed = async |pipeline: &Pipeline| {
        let failures = pipeline.metric_sum(metrics::ENRICHMENT_FAILURES).await?;
        Ok((failures >= 1.0).then_some(()))
    };
    pipeline.eventually("a failed record", PATIENCE, failed).await.unwrap();
    pipeline.omdb().unwrap().heal();
    assert_eq!(pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap(), Outcome::Completed);
}

/// `cargo local explain …` on a pipeline.
async fn explain(pipeline: &Pipeline, arguments: &[&str]) -> Output {
    program::on(pipeline, "explain", arguments).await
}

fn command(arguments: &[&str]) -> Command {
    program::command("explain", arguments)
}

/// What it tells once that ends with `end`: log lines and spans of an invocation arrive after its work is done.
async fn told(pipeline: &Pipeline, arguments: &[&str], end: &str) -> String {
    let ask = async |pipeline: &Pipeline| {
        let told = ended_with(0, &explain(pipeline, arguments).await);
        Ok(told.contains(end).then_some(told))
    };
    pipeline.eventually(end, PATIENCE, ask).await.unwrap()
}

/// Waits for the spans of the invocation that completed the run; the one around all its work ends last.
async fn until_traced(pipeline: &Pipeline) {
    let traced = async |pipeline: &Pipeline| {
        let spans = pipeline.traces().spans();
        let is_latest = |span: &&Span| span.attributes.get("aws.s3.key").is_some_and(|key| key == LATEST_KEY);
        let latest = spans.iter().find(|span| span.name == "S3.PutObject" && is_latest(span));
        let around = |span: &&Span, of: &Span| {
            let is_enricher = span.service == Service::Enricher.name() && span.kind == SERVER;
            is_enricher && (span.start_unix_nano..span.end_unix_nano).contains(&of.start_unix_nano)
        };
        Ok(latest.and_then(|latest| spans.iter().find(|span| around(span, latest)).map(|_| ())))
    };
    pipeline.eventually("the spans of the last invocation", PATIENCE, traced).await.unwrap();
}

async fn json(pipeline: &Pipeline, arguments: &[&str]) -> Value {
    let output = explain(pipeline, &[arguments, &["--json"]].concat()).await;
    ended_with(0, &output);
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Asserts that a text has these parts, each after the one before.
fn in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some(found) = rest.find(part) else { panic!("{part:?} is missing, or comes too early, in:\n{text}") };
        rest = &rest[found + part.len()..];
    }
}
