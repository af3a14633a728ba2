//! Both functions, each with an AWS of its own, and what a sound answer of theirs is: figures of a function that fails
//! would be fine figures.

use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use domain::Movie;
use domain::contract::environment::{
    ENVIRONMENT, KMS_KEY_ARN, MOVIES_BUCKET, MOVIES_QUEUE_URL, MOVIES_QUEUE_VISIBILITY_TIMEOUT_SECONDS,
    OMDB_API_KEY_PARAMETER, OMDB_BASE_URL, OMDB_DAILY_LIMIT, OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SDK_DISABLED,
    SOURCE_BUCKET, SOURCE_KEY, SOURCE_REGION, TOP_N, TOPIC_ARN,
};
use serde_json::{Value, json};

use super::Bench;
use super::aws::{self, Aws};
use super::function::{Function, Used};
use super::input::{Events, best_of};
use crate::emulator::REGION;
use crate::leaks::Heard;
use crate::omdb::{OmdbFault, OmdbStandIn};
use crate::options::SAMPLE_SOURCE;

/// How many movies a run has: the default, and a full batch of the queue.
pub(super) const MOVIES: usize = 10;

/// Objects of a run: its movies and its list.
const OBJECTS: usize = MOVIES + 1;

/// As many requests to OMDb as may be allowed for a day: each round takes a day's worth of a free key.
const DAILY_LIMIT: &str = "1000000";

/// Whether a function sends telemetry. Logs are written in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Telemetry {
    On,
    Off,
}

fn common(aws: &Aws, telemetry: Telemetry) -> Vec<(&'static str, String)> {
    vec![
        (ENVIRONMENT.name, "bench".to_owned()),
        (OTEL_SDK_DISABLED.name, (telemetry == Telemetry::Off).to_string()),
        (OTEL_EXPORTER_OTLP_ENDPOINT.name, format!("http://{}", aws.address())),
    ]
}

/// The ranker and its source.
#[derive(Debug)]
pub(super) struct Ranker {
    pub(super) function: Function,
    aws: Aws,
    events: Events,
    top_n: usize,
}

impl Ranker {
    /// One that has asked for its first event, and whose source is the sample.
    pub(super) fn start(bench: &Bench, telemetry: Telemetry) -> anyhow::Result<Self> {
        Self::of_runs_of(bench, telemetry, MOVIES)
    }

    /// The same with runs of so many movies.
    pub(super) fn of_runs_of(bench: &Bench, telemetry: Telemetry, top_n: usize) -> anyhow::Result<Self> {
        let aws = Aws::start().context("starting a stand-in for AWS")?;
        aws.set_source(Bytes::from_static(SAMPLE_SOURCE));
        let mut environment = common(&aws, telemetry);
        environment.extend([
            (SOURCE_BUCKET.name, aws::SOURCE_BUCKET.to_owned()),
            (SOURCE_KEY.name, "list.json".to_owned()),
            (SOURCE_REGION.name, REGION.to_owned()),
            (TOP_N.name, top_n.to_string()),
            (TOPIC_ARN.name, "arn:aws:sns:eu-central-1:123456789012:bench".to_owned()),
        ]);
        let programs = bench.programs()?;
        let function = Function::start(programs, &programs.ranker, aws.address(), &environment)?;
        Ok(Self { function, aws, events: Events::new(), top_n })
    }

    pub(super) fn set_source(&self, list: Bytes) {
        self.aws.set_source(list);
    }

    /// One run.
    pub(super) fn run(&mut self) -> anyhow::Result<Used> {
        let event = self.events.scheduled()?.json().to_string();
        let used = self.function.invoke(event.into_bytes())?;
        let summary: Value = serde_json::from_slice(&used.answer)?;
        ensure!(
            summary["ranked"] == json!(self.top_n) && summary["rejected"] == 0,
            "the ranker answered with {summary}"
        );
        Ok(used)
    }
}

/// The enricher, its bucket and its OMDb.
#[derive(Debug)]
pub(super) struct Enricher {
    pub(super) function: Function,
    aws: Aws,
    pub(super) omdb: OmdbStandIn,
    events: Events,
    movies: Vec<Movie>,
}

impl Enricher {
    /// One that has asked for its first event, and whose OMDb takes so long for each answer.
    pub(super) fn start(bench: &Bench, telemetry: Telemetry, omdb_delay: Duration) -> anyhow::Result<Self> {
        let aws = Aws::start().context("starting a stand-in for AWS")?;
        let heard = Heard::default();
        let omdb = bench
            .runtime
            .block_on(OmdbStandIn::start(SAMPLE_SOURCE, &heard))
            .context("starting a stand-in for OMDb")?;
        if omdb_delay > Duration::ZERO {
            omdb.fail_all(OmdbFault::Delay(omdb_delay));
        }
        let mut environment = common(&aws, telemetry);
        environment.extend([
            (MOVIES_BUCKET.name, "bench-movies".to_owned()),
            (KMS_KEY_ARN.name, "arn:aws:kms:eu-central-1:123456789012:key/1234abcd".to_owned()),
            (OMDB_API_KEY_PARAMETER.name, "/bench/omdb-api-key".to_owned()),
            (MOVIES_QUEUE_URL.name, format!("http://{}/123456789012/bench", aws.address())),
            (MOVIES_QUEUE_VISIBILITY_TIMEOUT_SECONDS.name, "180".to_owned()),
            (OMDB_BASE_URL.name, omdb.base_url()),
            (OMDB_DAILY_LIMIT.name, DAILY_LIMIT.to_owned()),
        ]);
        let programs = bench.programs()?;
        let function = Function::start(programs, &programs.enricher, aws.address(), &environment)?;
        Ok(Self { function, aws, omdb, events: Events::new(), movies: best_of(SAMPLE_SOURCE, MOVIES)? })
    }

    /// From now on, S3 takes so long for each answer.
    pub(super) fn set_s3_delay(&self, delay: Duration) {
        self.aws.set_s3_delay(delay);
    }

    /// One batch, which is a whole run.
    pub(super) fn run(&mut self) -> anyhow::Result<Used> {
        let used = self.function.invoke(self.events.batch(&self.movies)?)?;
        let answer: Value = serde_json::from_slice(&used.answer)?;
        let stored = self.aws.take_runs();
        ensure!(
            answer["batchItemFailures"] == json!([]) && stored == OBJECTS,
            "the enricher stored {stored} objects instead of {OBJECTS} and answered with {answer}"
        );
        Ok(used)
    }
}

/// A function that does nothing.
pub(super) fn start_floor(bench: &Bench, aws: &Aws) -> anyhow::Result<Function> {
    let programs = bench.programs()?;
    Function::start(programs, &programs.floor, aws.address(), &[])
}
