//! Waiting for a run, and telling how it ended.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::Context;
use domain::Run;
use domain::contract::{Service, metrics};
use domain::enriched::{LATEST_KEY, movies_by_ranking, run_list_key, run_prefix};
use serde_json::Value;

use crate::observe::MetricSums;
use crate::pipeline::Pipeline;

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every movie is stored and the list is assembled.
    Completed,
    /// It will not complete, with the reason and what the functions complained of.
    Failed(Vec<String>),
}

/// How far a run is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct State {
    /// Whether the run's assembled list and a latest list at least as new stand.
    listed: bool,
    /// How many of its movies are stored.
    pub(crate) stored: usize,
    /// How many messages lie in the dead-letter queue.
    pub(crate) dead_letters: usize,
    /// How many events lie in the ranker's on-failure queue.
    ranker_failures: usize,
    /// What CloudWatch has.
    pub(crate) metrics: MetricSums,
    /// Whether spans of every service have arrived.
    traced: bool,
}

/// What a state means.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Running,
    /// All is done, but the last telemetry, which is sent after the work, is not all there.
    Settling,
    Completed,
    Failed(String),
}

/// How long telemetry may arrive after the work is done: the functions' own budget is 2 s.
const SETTLING: Duration = Duration::from_secs(10);

impl Pipeline {
    /// Waits until a run has ended, one way or the other, or for `timeout`.
    ///
    /// It has completed when its list and the latest list stand and the metrics account for it.
    pub async fn wait_for_run(&self, run: &Run, timeout: Duration) -> anyhow::Result<Outcome> {
        let start = Instant::now();
        let mut settling_since = None;
        let mut stored = 0;
        loop {
            let state = self.state(run).await?;
            if state.stored > stored {
                stored = state.stored;
                self.progress().say(&format!("  {stored} movies stored"));
            }
            match state.verdict() {
                Verdict::Completed => return Ok(Outcome::Completed),
                Verdict::Failed(reason) => return self.failed(reason).await,
                Verdict::Running if start.elapsed() > timeout => return self.failed(state.overdue(timeout)).await,
                Verdict::Settling if settling_since.get_or_insert_with(Instant::now).elapsed() > SETTLING => {
                    return self.settle(&state).await;
                }
                Verdict::Running | Verdict::Settling => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    async fn failed(&self, reason: String) -> anyhow::Result<Outcome> {
        let mut reasons = vec![reason];
        reasons.extend(self.complaints().await?);
        Ok(Outcome::Failed(reasons))
    }

    /// Missing traces do not make a run fail; missing metrics do, since it cannot be accounted for.
    async fn settle(&self, state: &State) -> anyhow::Result<Outcome> {
        if state.accounted_for() {
            self.progress().say("  not every function has sent its traces");
            return Ok(Outcome::Completed);
        }
        let reason =
            format!("every movie is stored, but CloudWatch's metrics do not account for it: {:?}", state.metrics);
        self.failed(reason).await
    }

    pub(crate) async fn state(&self, run: &Run) -> anyhow::Result<State> {
        let keys = self.objects(&run_prefix(run)).await?;
        let rankings = movies_by_ranking(run, keys.iter().map(String::as_str));
        let spans = self.traces().spans();
        Ok(State {
            listed: keys.contains(&run_list_key(run)) && self.latest_is_at_least(run).await?,
            stored: rankings.values().map(BTreeMap::len).max().unwrap_or_default(),
            dead_letters: self.dead_letters().await?,
            ranker_failures: self.ranker_failures().await?,
            metrics: self.metric_sums().await?,
            traced: Service::ALL.iter().all(|service| spans.iter().any(|span| span.service == service.name())),
        })
    }

    async fn latest_is_at_least(&self, run: &Run) -> anyhow::Result<bool> {
        let Some(latest) = self.read_json(LATEST_KEY).await? else { return Ok(false) };
        let name = latest.get("run").and_then(Value::as_str).context("the latest list names no run")?;
        Ok(Run::parse(name)? >= *run)
    }
}

impl State {
    fn verdict(&self) -> Verdict {
        if self.ranker_failures > 0 {
            let reason = "the ranker failed at every attempt; the schedule's event lies in its on-failure queue";
            return Verdict::Failed(reason.to_owned());
        }
        if self.listed {
            return if self.accounted_for() && self.traced { Verdict::Completed } else { Verdict::Settling };
        }
        let ranked = self.counted(metrics::MOVIES_RANKED);
        if self.dead_letters > 0 && self.stored + self.dead_letters >= ranked.max(1) {
            return Verdict::Failed(format!("{} of {ranked} movies lie in the dead-letter queue", self.dead_letters));
        }
        Verdict::Running
    }

    /// Whether the metrics tell at least what the bucket shows. They may tell more: of other runs, or of a movie that
    /// two enrichers stored at once.
    fn accounted_for(&self) -> bool {
        self.counted(metrics::MOVIES_RANKED) >= self.stored
            && self.counted(metrics::MOVIES_ENRICHED) >= self.stored
            && self.counted(metrics::RUNS_COMPLETED) > 0
    }

    pub(crate) fn counted(&self, metric: &metrics::Metric) -> usize {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of things")]
        self.metrics.get(metric.name).map_or(0, |sum| sum.round() as usize)
    }

    /// The counters as the whole numbers they are.
    pub(crate) fn counts(&self) -> BTreeMap<&'static str, u64> {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of things")]
        self.metrics.iter().map(|(name, sum)| (*name, sum.round() as u64)).collect()
    }

    fn overdue(&self, timeout: Duration) -> String {
        let ranked = self.counted(metrics::MOVIES_RANKED);
        let failures = self.counted(metrics::ENRICHMENT_FAILURES);
        format!(
            "the run was not complete within {} s: {ranked} movies ranked, {} stored, {failures} attempts failed",
            timeout.as_secs(),
            self.stored
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(ranked: f64, enriched: f64, completed: f64) -> MetricSums {
        MetricSums::from([
            (metrics::MOVIES_RANKED.name, ranked),
            (metrics::MOVIES_ENRICHED.name, enriched),
            (metrics::RUNS_COMPLETED.name, completed),
        ])
    }

    #[test]
    fn a_run_has_completed_when_its_list_stands_and_the_metrics_account_for_it() {
        let listed = State { listed: true, stored: 2, traced: true, ..State::default() };
        assert_eq!(listed.verdict(), Verdict::Settling);
        let accounted = State { metrics: counted(2.0, 2.0, 1.0), ..listed.clone() };
        assert_eq!(accounted.verdict(), Verdict::Completed);
        assert_eq!(State { traced: false, ..accounted }.verdict(), Verdict::Settling);
    }

    #[test]
    fn a_run_goes_on_while_movies_are_neither_stored_nor_dead() {
        let half = State { stored: 1, dead_letters: 1, metrics: counted(3.0, 1.0, 0.0), ..State::default() };
        assert_eq!(half.verdict(), Verdict::Running);
        assert!(matches!(State { stored: 2, ..half }.verdict(), Verdict::Failed(_)));
    }

    #[test]
    fn a_run_has_failed_when_the_event_lies_in_the_on_failure_queue() {
        assert!(matches!(State { ranker_failures: 1, ..State::default() }.verdict(), Verdict::Failed(_)));
    }
}
