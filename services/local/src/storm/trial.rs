//! A pipeline that faults are put into, with all that the invariants need to know of it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use aws_sdk_sns::types::PublishBatchRequestEntry;
use chrono::{DateTime, Utc};
use domain::Run;
use domain::contract::environment::OMDB_DAILY_LIMIT;
use domain::contract::{Service, metrics};
use domain::invariants::Snapshot;
use fastrand::Rng;
use pulumi::config::settings;
use rustix::process::{Signal, kill_process};

use super::snapshot;
use super::witness::Witness;
use crate::dead_letters::DeadLetters;
use crate::deploy::STACK;
use crate::drill::environments::processes_of;
use crate::endpoint::Endpoint;
use crate::options::Options;
use crate::pipeline::Pipeline;

/// How often is looked whether something has happened that is waited for.
const GLANCE: Duration = Duration::from_millis(5);

/// How often is looked whether all is at rest, which takes calls to the local AWS.
const LOOK: Duration = Duration::from_millis(200);

/// Longer than a function works on a batch, on a busy machine.
const LONG_DELAY: Duration = Duration::from_secs(30);

/// A pipeline with a witness on its topic.
#[derive(Debug)]
pub struct Trial {
    pipeline: Pipeline,
    witness: Witness,
    accepted: Mutex<Vec<Run>>,
    daily_limit: AtomicU32,
}

impl Trial {
    /// Starts a pipeline that can be restarted.
    ///
    /// # Errors
    /// Those of [`Pipeline::start`].
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let daily_limit = daily_limit_of(&options)?;
        let pipeline = Pipeline::start(Options { is_durable: true, ..options }).await?;
        let witness = Witness::attach(&pipeline).await?;
        Ok(Self { pipeline, witness, accepted: Mutex::default(), daily_limit: daily_limit.into() })
    }

    /// How often OMDb may be asked on a day.
    pub(super) fn daily_limit(&self) -> u32 {
        self.daily_limit.load(Ordering::Relaxed)
    }

    /// Lets OMDb be asked so often on a day from now on.
    ///
    /// # Errors
    /// The local AWS does not take it.
    pub async fn set_daily_limit(&self, requests: u32) -> anyhow::Result<()> {
        self.daily_limit.store(requests, Ordering::Relaxed);
        self.pipeline.set_variable(Service::Enricher, OMDB_DAILY_LIMIT.name, &requests.to_string()).await
    }

    /// The pipeline.
    #[must_use]
    pub fn pipeline(&self) -> &Pipeline {
        &self.pipeline
    }

    /// Fires the schedule of a time.
    ///
    /// # Errors
    /// The event was not accepted.
    pub async fn fire(&self, time: DateTime<Utc>) -> anyhow::Result<Run> {
        let event = self.pipeline.event_at(time)?;
        self.pipeline.fire(&event).await?;
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).push(event.run.clone());
        Ok(event.run)
    }

    /// The runs whose events were accepted.
    #[must_use]
    pub fn accepted(&self) -> Vec<Run> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn published(&self) -> Vec<String> {
        self.witness.bodies()
    }

    pub(super) async fn dead_letters(&self) -> anyhow::Result<DeadLetters> {
        let endpoint = Endpoint::local(&self.pipeline.emulator().endpoint(), STACK)?;
        Ok(Box::pin(DeadLetters::open(endpoint)).await?)
    }

    /// How many messages the topic has accepted, repeated ones included.
    ///
    /// # Errors
    /// The local AWS does not answer.
    pub async fn published_so_far(&self) -> anyhow::Result<usize> {
        self.witness.look(&self.pipeline).await?;
        Ok(self.witness.count())
    }

    /// Waits until the topic has accepted more messages than so many; gives how many that are.
    ///
    /// # Errors
    /// It has not, within `patience`.
    pub async fn until_more_is_published(&self, messages: usize, patience: Duration) -> anyhow::Result<usize> {
        self.until("nothing is published", patience, async || Ok(self.published_so_far().await? > messages)).await?;
        Ok(self.witness.count())
    }

    /// How many different movies the topic has accepted, as far as was looked.
    pub(super) fn movies_published(&self) -> usize {
        self.witness.movies()
    }

    /// Waits until OMDb was asked so often.
    ///
    /// # Errors
    /// It was not, within `patience`.
    pub async fn until_asked(&self, requests: usize, patience: Duration) -> anyhow::Result<()> {
        let start = Instant::now();
        let omdb = self.pipeline.omdb().context("the stand-in of OMDb does not run")?;
        while omdb.total_requests() < requests {
            if start.elapsed() > patience {
                bail!("OMDb was asked {} times instead of {requests}", omdb.total_requests());
            }
            tokio::time::sleep(GLANCE).await;
        }
        Ok(())
    }

    /// Waits until every accepted event is published whole, or has failed.
    ///
    /// # Errors
    /// They are not, within `patience`.
    pub async fn until_published(&self, patience: Duration) -> anyhow::Result<()> {
        self.until("the events are neither published nor failed", patience, async || self.events_are_done().await).await
    }

    /// Waits until the enricher has counted so many more failed records than now.
    ///
    /// # Errors
    /// It has not, within `patience`.
    pub async fn until_failed(&self, records: u32, patience: Duration) -> anyhow::Result<()> {
        let wanted = self.failures().await? + f64::from(records);
        self.until("no record fails", patience, async || Ok(self.failures().await? >= wanted)).await
    }

    /// The same, or until nothing is on its way that could fail: a small storm may be over by then.
    pub(super) async fn until_failed_or_at_rest(&self, records: u32, patience: Duration) -> anyhow::Result<()> {
        let wanted = self.failures().await? + f64::from(records);
        let is_over = async || Ok(self.failures().await? >= wanted || self.is_at_rest().await?);
        self.until("no record fails, and the pipeline does not come to rest", patience, is_over).await
    }

    /// How many failed records the enricher has counted.
    async fn failures(&self) -> anyhow::Result<f64> {
        self.pipeline.metric_sum(metrics::ENRICHMENT_FAILURES).await
    }

    /// Waits until nothing is on its way any more: every event is published whole or has failed, and the movies' queue
    /// is empty.
    ///
    /// # Errors
    /// It does not come to rest within `patience`.
    pub async fn until_at_rest(&self, patience: Duration) -> anyhow::Result<()> {
        self.until("the pipeline does not come to rest", patience, async || self.is_at_rest().await).await
    }

    pub(super) async fn is_at_rest(&self) -> anyhow::Result<bool> {
        Ok(self.events_are_done().await?
            && self.pipeline.messages_in(&self.pipeline.deployment().queue_url).await? == 0
            // Nothing came in meanwhile, which might lie in the queue by now.
            && self.witness.look(&self.pipeline).await? == 0)
    }

    async fn events_are_done(&self) -> anyhow::Result<bool> {
        self.witness.look(&self.pipeline).await?;
        let open = self.open_runs();
        Ok(open == 0 || self.pipeline.ranker_failures().await? >= open)
    }

    /// Whether a run is not published whole yet, as far as was looked.
    pub(super) fn has_open_runs(&self) -> bool {
        self.open_runs() > 0
    }

    fn open_runs(&self) -> usize {
        let whole = self.witness.whole_runs();
        self.accepted().iter().filter(|run| !whole.contains(*run)).count()
    }

    async fn until(
        &self,
        otherwise: &str,
        patience: Duration,
        has_happened: impl AsyncFn() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let start = Instant::now();
        while !has_happened().await? {
            if start.elapsed() > patience {
                bail!("{otherwise} within {} s", patience.as_secs());
            }
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    /// Kills one of the processes that run a function, whichever chance says; tells whether there was one.
    ///
    /// # Errors
    /// The processes cannot be looked at.
    pub fn kill(&self, service: Service, chance: &mut Rng) -> anyhow::Result<bool> {
        let processes = processes_of(&self.pipeline, service)?;
        // One that has ended meanwhile cannot be killed any more.
        Ok(chance.choice(processes).is_some_and(|process| kill_process(process, Signal::KILL).is_ok()))
    }

    /// Kills all processes that run a function; tells how many.
    pub(super) fn kill_all(&self, service: Service) -> anyhow::Result<usize> {
        let processes = processes_of(&self.pipeline, service)?;
        Ok(processes.into_iter().filter(|process| kill_process(*process, Signal::KILL).is_ok()).count())
    }

    /// Publishes some of what was published once more, whichever chance says, in batches as the ranker does.
    ///
    /// # Errors
    /// The topic does not accept them.
    pub async fn publish_again(&self, messages: usize, chance: &mut Rng) -> anyhow::Result<()> {
        let bodies = chance.choose_multiple(self.published(), messages);
        for batch in bodies.chunks(10) {
            let entry = |(index, body): (usize, &String)| {
                PublishBatchRequestEntry::builder().id(index.to_string()).message(body).build()
            };
            let entries = batch.iter().enumerate().map(entry).collect::<Result<_, _>>()?;
            let publish = self.pipeline.clients().sns.publish_batch();
            let publish = publish
                .topic_arn(&self.pipeline.deployment().topic_arn)
                .set_publish_batch_request_entries(Some(entries));
            publish.send().await.context("publishing messages again")?;
        }
        Ok(())
    }

    /// Sends everything that failed for good on its way again; gives how much that was. From then on a message stays out
    /// of sight longer than anybody works on it, since what comes too often is dead however well it goes.
    ///
    /// # Errors
    /// The queues for failures cannot be read.
    pub async fn redrive(&self) -> anyhow::Result<usize> {
        self.pipeline.set_redelivery_delay(LONG_DELAY).await?;
        let queues = self.dead_letters().await?;
        let letters = Box::pin(queues.letters()).await?;
        Box::pin(queues.redrive_letters(&letters.iter().collect::<Vec<_>>())).await?;
        Ok(letters.len())
    }

    /// Everything that the invariants look at, of a pipeline at rest. `recovered`: nothing has failed since all that had
    /// was redriven.
    ///
    /// # Errors
    /// The pipeline is not at rest, or does not answer.
    pub async fn snapshot(&self, recovered: bool) -> anyhow::Result<Snapshot> {
        snapshot::read(self, recovered).await
    }
}

/// As configured, or by default.
fn daily_limit_of(options: &Options) -> anyhow::Result<u32> {
    let setting = settings::OMDB_DAILY_LIMIT;
    let told = options.configuration.get(setting.name).map(String::as_str).or(setting.default);
    let told = told.with_context(|| format!("{} has no default", setting.name))?;
    told.parse().with_context(|| format!("{} is {told}", setting.name))
}
