//! The storm itself.

use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use chrono::{DateTime, Days, Utc};
use domain::contract::Service;
use domain::invariants::{Violation, check};
use fastrand::Rng;
use pulumi::config::settings;

use super::Storm;
use super::outcome::Figures;
use super::plan::{Fault, Plan};
use super::source::source_of;
use super::trial::Trial;
use crate::omdb::{OmdbFault, OmdbStandIn};
use crate::options::Options;
use crate::permissions::Permissions;
use crate::recorder::{AwsFault, Operation};

/// After how long a message comes back that was not done: as short as SQS and the stand-in allow, since nobody wants to
/// wait as long as the deployed one does.
const REDELIVERY_DELAY: Duration = Duration::from_secs(2);

/// How often a message is tried before it is dead. Outages of some seconds shall not kill all movies.
const MAX_RECEIVE_COUNT: usize = 8;

/// More movies than OMDb is asked for.
const DAILY_LIMIT: usize = 1_000_000;

/// The day before the first run.
const EVE: &str = "2026-11-21T12:00:00Z";

/// How often is looked whether a fault is due.
const GLANCE: Duration = Duration::from_millis(5);

/// How often is looked at the queues, which takes calls to the local AWS.
const LOOK: Duration = Duration::from_millis(250);

/// How long the topic takes to answer the first publications: else rankers would be done before somebody looks, and none
/// could be killed at work.
const SLOW_TOPIC: Duration = Duration::from_secs(2);

/// How many publications that goes for: half of what the rankers of the smaller storms make, so that some of them have
/// published while others are at it.
const SLOW_PUBLICATIONS: usize = 10;

/// How many failed records show that OMDb is missed.
const MISSED: u32 = 5;

/// A storm that rages.
pub(super) struct Raging {
    storm: Storm,
    trial: Trial,
    plan: Plan,
    chance: Rng,
    figures: Figures,
    patience: Duration,
}

impl Raging {
    /// Starts the pipeline and fires the schedule of every run, in no order.
    pub(super) async fn begin(storm: Storm) -> anyhow::Result<Self> {
        let mut chance = Rng::with_seed(storm.seed);
        let plan = Plan::of(&storm, &mut chance);
        let trial = Trial::start(options(&storm)).await?;
        let recorder = trial.pipeline().recorder().context("the functions' calls are not recorded")?;
        recorder.fail(Operation::PublishBatch, AwsFault::Delay(SLOW_TOPIC), Some(SLOW_PUBLICATIONS));
        let eve: DateTime<Utc> = EVE.parse()?;
        let days = (1..=storm.runs).map(|day| eve + Days::new(day as u64));
        let mut days: Vec<_> = days.collect();
        chance.shuffle(&mut days);
        for number in 0..plan.unknown {
            omdb(&trial)?.fail(&format!("tt{:07}", 1_000_000 + number), OmdbFault::UnknownId);
        }
        for day in days {
            trial.fire(day).await?;
        }
        // Some ten times what it takes on two cores.
        let patience = Duration::from_secs(120 + (storm.runs * storm.movies / 20) as u64);
        Ok(Self { storm, trial, plan, chance, figures: Figures::default(), patience })
    }

    /// Everything from the first fault to the last question.
    pub(super) async fn live(mut self) -> anyhow::Result<(Figures, Vec<Violation>)> {
        self.kill_rankers().await?;
        self.rage().await?;
        self.say("at rest; checking");
        let mut violations = self.check(false).await?;
        omdb(&self.trial)?.heal();
        self.figures.dead = self.trial.redrive().await?;
        self.say(&format!("{} redriven", self.figures.dead));
        self.trial.until_at_rest(self.patience).await?;
        violations.extend(self.check(true).await?);
        self.figures.movies = self.trial.movies_published();
        self.figures.published = self.trial.published().len();
        self.figures.omdb_requests = omdb(&self.trial)?.total_requests();
        Ok((self.figures, violations))
    }

    /// Does what is due until nothing is to come any more and all is at rest.
    async fn rage(&mut self) -> anyhow::Result<()> {
        let (start, mut looked) = (Instant::now(), Instant::now());
        loop {
            if start.elapsed() > self.patience {
                bail!("the pipeline does not come to rest within {} s", self.patience.as_secs());
            }
            self.do_what_is_due().await?;
            if looked.elapsed() >= LOOK {
                if self.trial.is_at_rest().await? {
                    return Ok(());
                }
                looked = Instant::now();
            }
            tokio::time::sleep(GLANCE).await;
        }
    }

    async fn do_what_is_due(&mut self) -> anyhow::Result<()> {
        let asked = omdb(&self.trial)?.total_requests();
        while let Some((_, fault)) = self.plan.faults.pop_front_if(|(at, _)| *at <= asked) {
            match fault {
                Fault::KillEnricher => {
                    let killed = self.trial.kill(Service::Enricher, &mut self.chance)?;
                    self.figures.enrichers_killed += usize::from(killed);
                }
                Fault::KillOmdb => self.kill_omdb().await?,
                Fault::RestartAws => self.restart_aws().await?,
                Fault::PublishAgain => {
                    self.trial.publish_again(self.plan.again, &mut self.chance).await?;
                    self.figures.published_again += self.plan.again;
                }
            }
        }
        Ok(())
    }

    async fn kill_omdb(&mut self) -> anyhow::Result<()> {
        self.say("OMDb is killed");
        omdb(&self.trial)?.kill().await;
        self.trial.until_failed_or_at_rest(MISSED, self.patience).await?;
        omdb(&self.trial)?.revive()?;
        self.figures.omdb_outages += 1;
        Ok(())
    }

    /// The local AWS loses events that Lambda has not done yet, so all must be published before. OMDb is away meanwhile,
    /// so that not all is stored before.
    async fn restart_aws(&mut self) -> anyhow::Result<()> {
        self.say("OMDb is killed; as soon as all is published, the local AWS is restarted");
        omdb(&self.trial)?.kill().await;
        self.trial.until_published(self.patience).await?;
        self.trial.pipeline().restart_aws().await?;
        omdb(&self.trial)?.revive()?;
        self.figures.omdb_outages += 1;
        self.figures.restarts += 1;
        Ok(())
    }

    /// Before all else: rankers are done long before the rest is. All of them, since some of the processes may be idle.
    async fn kill_rankers(&mut self) -> anyhow::Result<()> {
        while let Some(messages) = self.plan.ranker_kills.pop_front() {
            self.trial.until_more_is_published(messages.saturating_sub(1), self.patience).await?;
            let at_work = self.trial.has_open_runs();
            let killed = self.trial.kill_all(Service::Ranker)?;
            self.figures.rankers_killed += if at_work { killed } else { 0 };
        }
        Ok(())
    }

    async fn check(&mut self, recovered: bool) -> anyhow::Result<Vec<Violation>> {
        let snapshot = self.trial.snapshot(recovered).await?;
        self.figures.writes = snapshot.history.iter().filter(|happened| happened.is_write()).count();
        Ok(check(&snapshot))
    }

    fn say(&self, what: &str) {
        self.storm.progress.say(&format!("· {what}"));
    }
}

fn options(storm: &Storm) -> Options {
    let set = |setting: &settings::Setting, value: String| (setting.name.to_owned(), value);
    Options {
        source: Some(source_of(storm.movies + storm.movies / 4)),
        top_n: storm.movies,
        configuration: [
            set(settings::MAX_RECEIVE_COUNT, MAX_RECEIVE_COUNT.to_string()),
            set(settings::OMDB_DAILY_LIMIT, DAILY_LIMIT.to_string()),
            set(settings::OMDB_MAX_ATTEMPTS, "1".to_owned()),
            // A line for each movie would be some ten thousand.
            set(settings::LOG_LEVEL, "warn".to_owned()),
        ]
        .into(),
        redelivery_delay: Some(REDELIVERY_DELAY),
        permissions: Permissions::Recorded,
        progress: storm.progress,
        ..Options::default()
    }
}

fn omdb(trial: &Trial) -> anyhow::Result<&OmdbStandIn> {
    trial.pipeline().omdb().context("the stand-in of OMDb does not run")
}
