//! A pipeline of a drill's own, with gauges on it.

use std::time::Duration;

use anyhow::Context;
use domain::Run;
use domain::contract::{Service, logs};
use domain::enriched::LATEST_KEY;
use domain::rest::{Rest, Waited};
use serde_json::Value;

use super::Drill;
use crate::depth::Depth;
use crate::omdb::OmdbStandIn;
use crate::oncall::{ASYNC_RETRY_DELAY, Gauges, REDELIVERY_DELAY, Recording};
use crate::options::Options;
use crate::permissions::Permissions;
use crate::pipeline::{PATIENCE, Pipeline};
use crate::recorder::{AwsFault, Operation};
use crate::schedule::ScheduledEvent;

/// The run that a drill is about. Each drill has a pipeline of its own, so all have the same.
const NOON: &str = "2026-11-22T12:00:00Z";

/// Where a drill takes place.
#[derive(Debug)]
pub(super) struct Stage {
    pub(super) pipeline: Pipeline,
    pub(super) gauges: Gauges,
    pub(super) event: ScheduledEvent,
}

impl Stage {
    /// Starts the pipeline as the drill wants it.
    pub(super) async fn set(drill: &Drill) -> anyhow::Result<Self> {
        let mut options = Options {
            redelivery_delay: Some(REDELIVERY_DELAY),
            async_retry_delay: ASYNC_RETRY_DELAY,
            // So that what the functions ask of AWS can be refused on the way.
            permissions: Permissions::Recorded,
            ..Options::default()
        };
        (drill.prepare)(&mut options);
        let pipeline = Pipeline::start(options).await?;
        let event = pipeline.event_at(NOON.parse()?)?;
        let gauges = Gauges::start(&pipeline).await?;
        Ok(Self { pipeline, gauges, event })
    }

    /// The pipeline, and what the gauges saw.
    pub(super) async fn clear(self) -> anyhow::Result<(Pipeline, Recording)> {
        let recording = self.gauges.finish(&self.pipeline).await?;
        Ok((self.pipeline, recording))
    }

    pub(super) fn omdb(&self) -> anyhow::Result<&OmdbStandIn> {
        self.pipeline.omdb().context("the stand-in of OMDb does not run")
    }

    /// From now on AWS fails the functions so: the next `times`, or always.
    pub(super) fn fail_aws(
        &self,
        operation: Operation,
        fault: AwsFault,
        times: impl Into<Option<usize>>,
    ) -> anyhow::Result<()> {
        self.pipeline.recorder().context("the functions' calls are not recorded")?.fail(operation, fault, times.into());
        Ok(())
    }

    /// Waits until the run is complete.
    pub(super) async fn until_complete(&self) -> anyhow::Result<()> {
        self.until_latest_is(&self.event.run).await
    }

    pub(super) async fn until_latest_is(&self, run: &Run) -> anyhow::Result<()> {
        let is_latest = async |pipeline: &Pipeline| {
            let latest = pipeline.read_json(LATEST_KEY).await?;
            let name = latest.as_ref().and_then(|latest| latest.get("run")).and_then(Value::as_str);
            Ok((name == Some(run.as_str())).then_some(()))
        };
        self.pipeline.eventually("the run's list", PATIENCE, is_latest).await
    }

    /// Waits until so many movies are dead letters.
    pub(super) async fn until_dead(&self, movies: usize) -> anyhow::Result<()> {
        let queue = &self.pipeline.deployment().dead_letter_queue_url;
        self.until_in(queue, movies).await.context("dead letters")
    }

    /// Waits until Lambda has given up on the event and left it in the queue for that.
    pub(super) async fn until_given_up(&self) -> anyhow::Result<()> {
        let queue = &self.pipeline.deployment().ranker_failures_queue_url;
        self.until_in(queue, 1).await.context("the failed event")
    }

    /// Waits until a queue holds so many messages.
    pub(super) async fn until_in(&self, queue_url: &str, messages: usize) -> anyhow::Result<()> {
        let holds = async |pipeline: &Pipeline| Ok((pipeline.messages_in(queue_url).await? >= messages).then_some(()));
        self.pipeline.eventually(&format!("{messages} messages in {queue_url}"), PATIENCE, holds).await
    }

    /// Waits until the gauges have counted so much of a metric.
    pub(super) async fn until_counted(&self, metric: &str, sum: f64) -> anyhow::Result<()> {
        let counted = async |_: &Pipeline| Ok((self.gauges.noted(metric) >= sum).then_some(()));
        self.pipeline.eventually(&format!("{metric} of {sum}"), PATIENCE, counted).await
    }

    /// Waits until so many movies came that were stored already.
    pub(super) async fn until_stored_before(&self, movies: usize) -> anyhow::Result<()> {
        let came = async |pipeline: &Pipeline| {
            let records = pipeline.log_records(Service::Enricher).await?;
            let counts = records.iter().filter_map(|record| record.get(logs::ALREADY_STORED.name)?.as_u64());
            Ok((counts.sum::<u64>() >= movies as u64).then_some(()))
        };
        self.pipeline.eventually("movies that were stored already", PATIENCE, came).await
    }

    /// From now on no movie comes back by itself while a drill lasts, so that each receive is one of a hidden movie.
    pub(super) async fn let_only_hidden_come_back(&self) -> anyhow::Result<()> {
        self.pipeline.set_redelivery_delay(2 * PATIENCE).await
    }

    /// Lets the virtual time pass for which the enricher hides movies for this, had the run begun at its event, and gives
    /// them back.
    pub(super) async fn let_rest(&self, rest: Rest) -> anyhow::Result<()> {
        let passed = self.gauges.leapt();
        let waited =
            Waited { since_sent: passed, since_received: Duration::ZERO, visibility_timeout: REDELIVERY_DELAY };
        let time = rest.length(self.event.run.time() + passed, waited, 0.5);
        self.gauges.leap(time.context("a movie of this age is not hidden any more")?, self.show_hidden()).await
    }

    /// Makes what is hidden visible, until somebody has received it: where SQS hands it out at once, the local AWS takes
    /// seconds.
    async fn show_hidden(&self) -> anyhow::Result<()> {
        self.pipeline.show_hidden().await?;
        let received = async |pipeline: &Pipeline| {
            let depth = Depth::of(&pipeline.clients().sqs, &pipeline.deployment().queue_url).await?;
            Ok((depth.visible == 0).then_some(()))
        };
        self.pipeline.eventually("what was hidden is received", PATIENCE, received).await
    }

    /// Waits until the enricher has hidden so many movies, each time counted.
    pub(super) async fn until_hidden(&self, movies: usize) -> anyhow::Result<()> {
        let hidden = async |pipeline: &Pipeline| Ok((pipeline.hidden()?.len() >= movies).then_some(()));
        self.pipeline.eventually("hidden movies", PATIENCE, hidden).await
    }

    /// Waits until OMDb was asked so often for one film.
    pub(super) async fn until_omdb_is_asked_for(&self, imdb_id: &str, times: usize) -> anyhow::Result<()> {
        let asked =
            async |pipeline: &Pipeline| Ok(pipeline.omdb().filter(|omdb| omdb.requests(imdb_id) >= times).map(|_| ()));
        self.pipeline.eventually(&format!("{times} requests for {imdb_id}"), PATIENCE, asked).await
    }

    /// Waits until OMDb was asked.
    pub(super) async fn until_omdb_is_asked(&self) -> anyhow::Result<()> {
        let asked =
            async |pipeline: &Pipeline| Ok(pipeline.omdb().filter(|omdb| omdb.total_requests() > 0).map(|_| ()));
        self.pipeline.eventually("a request to OMDb", PATIENCE, asked).await
    }
}
