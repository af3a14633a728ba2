//! What a run costs is computed from what it uses; here that is held against a run, and README.md against the outcome.
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Stdio};

use domain::contract::Service;
use domain::quota::PREFIX as OMDB_REQUESTS;
use local::{
    Answer, AwsRequest, Configuration, Estimate, Facts, Measured, Options, PATIENCE, Permissions, Pipeline, RunUse,
    Span,
};
use serde_json::{Value, json};

/// The enricher is given a whole run as one batch, as the deployed queue would, since the local AWS does not wait for a
/// batch to fill. Then the schedule starts the same run, of which only the ranker's part is looked at.
#[tokio::test]
async fn a_run_uses_what_is_paid_for() {
    let pipeline = Pipeline::start(Options { permissions: Permissions::Recorded, ..Options::default() }).await.unwrap();
    let event = pipeline.event_at("2026-11-22T12:00:00Z".parse().unwrap()).unwrap();
    let answer = pipeline.invoke(Service::Enricher, &batch(event.run.as_str())).await.unwrap();
    assert_eq!(answer, Answer::Success(json!({"batchItemFailures": []})));
    let enricher = Seen::of(Service::Enricher, &pipeline).await;
    assert_object_bytes(&pipeline).await;
    pipeline.fire(&event).await.unwrap();
    let ranker = Seen::of(Service::Ranker, &pipeline).await;

    let run = RunUse::of(&Facts::of(pipeline.program()).unwrap());
    assert_requests(&run, &[enricher.calls, ranker.calls].concat());
    let spans = (enricher.spans + ranker.spans).to_string();
    assert_eq!(spans, run.spans.to_string(), "spans of a run");
    let movies = f64::from(MOVIES) * Measured::MOVIE_LOG_BYTES;
    assert_bounded("the ranker's log", ranker.log_bytes, Measured::INVOCATION_LOG_BYTES);
    assert_bounded("the enricher's log", enricher.log_bytes, Measured::INVOCATION_LOG_BYTES + movies);
}

/// As many as a run has by default.
const MOVIES: u32 = 10;

/// All movies of a run in one event of the queue.
fn batch(run: &str) -> Value {
    let source: Value = serde_json::from_slice(local::SAMPLE_SOURCE).unwrap();
    let movies = source["items"].as_array().unwrap().iter().take(MOVIES as usize);
    let record = |(index, movie): (usize, &Value)| {
        let body = json!({"schema_version": 1, "run": run, "ranking": "0123456789abcdef", "position": index + 1, "of": MOVIES, "movie": movie});
        json!({"messageId": index.to_string(), "body": body.to_string(), "eventSource": "aws:sqs"})
    };
    json!({"Records": movies.enumerate().map(record).collect::<Vec<_>>()})
}

/// What was seen of a function's one invocation.
struct Seen {
    calls: Vec<AwsRequest>,
    spans: usize,
    log_bytes: usize,
}

/// Of reading and writing the count of requests to OMDb, the first of each. The estimate has one of each for ten movies;
/// a movie that comes a moment later than the others makes more, which happens when the machine is busy.
fn without_further_counts<T>(all: impl Iterator<Item = T>, kind: impl Fn(&T) -> Option<&'static str>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    all.filter(|one| kind(one).is_none_or(|kind| seen.insert(kind))).collect()
}

fn kind_of_count(request: &AwsRequest) -> Option<&'static str> {
    let (kind, object) = match request {
        AwsRequest::GetObject { object } => ("read", object),
        AwsRequest::PutObject { object, .. } => ("written", object),
        _ => return None,
    };
    object.contains(OMDB_REQUESTS).then_some(kind)
}

fn kind_of_counting_span(span: &Span) -> Option<&'static str> {
    let kind = if span.name == "S3.GetObject" { "read" } else { "written" };
    span.attributes.get("aws.s3.key").filter(|key| key.starts_with(OMDB_REQUESTS)).map(|_| kind)
}

impl Seen {
    /// Waits for the metrics and the spans, which are sent after the answer.
    async fn of(service: Service, pipeline: &Pipeline) -> Self {
        let calls = |pipeline: &Pipeline| -> Vec<_> {
            let calls = pipeline.recorder().unwrap().calls().into_iter();
            let calls = calls.filter(|call| call.caller == Some(service)).map(|call| call.request);
            without_further_counts(calls, kind_of_count)
        };
        let spans = |pipeline: &Pipeline| {
            let spans = pipeline.traces().spans().into_iter().filter(|span| span.service == service.name());
            without_further_counts(spans, kind_of_counting_span).len()
        };
        let told = async |pipeline: &Pipeline| {
            let has_metrics = calls(pipeline).iter().any(|call| matches!(call, AwsRequest::PutMetricData { .. }));
            Ok((has_metrics && spans(pipeline) > 0).then_some(()))
        };
        pipeline.eventually("metrics and spans", PATIENCE, told).await.unwrap();
        let lines = pipeline.log_lines(service).await.unwrap();
        let log_bytes = lines.iter().filter(|line| line.starts_with('{')).map(String::len).sum();
        Self { calls: calls(pipeline), spans: spans(pipeline), log_bytes }
    }
}

fn assert_requests(run: &RunUse, calls: &[AwsRequest]) {
    use AwsRequest::{GetObject, GetParameter, HeadObject, ListObjectsV2, PublishBatch, PutMetricData, PutObject};
    let count = |is: fn(&&AwsRequest) -> bool| calls.iter().filter(is).count().to_string();
    let taken_and_found = [
        (run.s3_writes, count(|call| matches!(call, PutObject { .. } | ListObjectsV2 { .. }))),
        (run.s3_reads, count(|call| matches!(call, GetObject { .. } | HeadObject { .. }))),
        (run.sns_requests, count(|call| matches!(call, PublishBatch { .. }))),
        (run.ssm_requests, count(|call| matches!(call, GetParameter { .. }))),
        (run.put_metric_data, count(|call| matches!(call, PutMetricData { .. }))),
    ];
    for (taken, found) in taken_and_found {
        assert_eq!(taken.to_string(), found, "services/local/src/cost/usage.rs takes {run:?}, the run made {calls:?}");
    }
}

async fn assert_object_bytes(pipeline: &Pipeline) {
    let keys = pipeline.objects("runs/").await.unwrap();
    assert_eq!(keys.len(), MOVIES as usize + 1);
    for key in keys {
        let bytes = pipeline.read_object(&key).await.unwrap().unwrap().len();
        let movies = if key.ends_with("Movies.json") { f64::from(MOVIES) } else { 1.0 };
        assert_bounded(&key, bytes, movies * Measured::MOVIE_BYTES);
    }
}

/// Within the bound, and not so far below that the estimate misleads.
#[track_caller]
fn assert_bounded(what: &str, found: usize, bound: f64) {
    let found = f64::from(u32::try_from(found).unwrap());
    assert!(found <= bound && found >= bound / 4.0, "{what}: {found} bytes, {bound} are taken in the estimate");
}

/// What stands around the table in README.md.
const BEGIN: &str = "what `cargo local cost` prints; BLESS=1 cargo test --workspace --test cost renews it -->\n\n";
const END: &str = "\n<!-- to here -->";

#[test]
fn the_readme_shows_what_the_stack_costs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).expect("README.md has the comment before the table");
    let (shown, after) = rest.split_once(END).expect("README.md has the comment after the table");
    let estimate = Estimate::of(&Configuration::new()).unwrap().to_string();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, [before, BEGIN, &estimate, END, after].concat()).unwrap();
        return;
    }
    assert!(
        shown == estimate,
        "README.md no longer shows what the stack costs. `BLESS=1 cargo test --workspace --test cost` writes it anew; \
         review the difference. The program says:\n{estimate}"
    );
}

#[test]
fn the_command_prints_the_table_or_one_json_object() {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
        command.arg("cost").args(arguments).stdin(Stdio::null()).output().unwrap()
    };
    let estimate = Estimate::of(&Configuration::new()).unwrap();
    assert_eq!(String::from_utf8(run(&[]).stdout).unwrap(), estimate.to_string());
    let json: Value = serde_json::from_slice(&run(&["--json", "--set", "topN=250"]).stdout).unwrap();
    assert_eq!(json["facts"]["movies_per_run"], 250);
    assert_eq!(json["lines"][0]["price"]["page"], "kms/pricing/");
    let refused = run(&["--set", "topN=0"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8(refused.stderr).unwrap().contains("movie-pipeline:topN is \"0\""));
}
