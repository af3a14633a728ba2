//! Drills: one fault is put into a running pipeline, which is the drill's own, and what the person on call gets is held
//! against what they should.
//!
//! | Module | What it does |
//! |---|---|
//! | `table` | every drill on one page: what is done, which alarms are to go off, and why |
//! | `faults` | how each fault is made |
//! | `stage` | a pipeline of a drill's own, with gauges on it |
//! | `schedule` | EventBridge's part, which the local AWS does not play |
//! | `environments` | the functions' processes, to be killed or frozen |
//! | `exercise` | the drill itself: fault, virtual days, notifications |
//! | `finding`, `show` | what came of it, held against what was to come; for people |
//! | `told` | the notifications among it: how often, when, and why |
//! | `matrix` | the findings of all drills in one table |
//!
//! The fault is real and lasts for one run, as long as the pipeline needs, which is seconds. What the gauges saw is then
//! laid on virtual days (`oncall`): three good days before, the fault at noon, and a good run on each day after it, unless
//! the drill has a second fault, for the day after the first. What the enricher has hidden comes back when its time is
//! over, as it would on AWS (`oncall` tells how). What else a fault left in the queues stays there; nobody mends anything. The
//! alarms are looked at minute by minute.

pub(crate) mod environments;
mod exercise;
mod faults;
mod finding;
mod matrix;
mod schedule;
mod show;
mod stage;
mod table;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use futures_util::future::LocalBoxFuture;
use futures_util::{StreamExt, stream};
use serde_json::Value;

pub use exercise::{GoodRun, quiet_days};
pub use finding::{Alarmed, Finding, Told};
pub use matrix::Matrix;
pub use table::DRILLS;

use crate::options::Options;
use stage::Stage;

/// How many drills run at once on two cores: they mostly wait.
const AT_ONCE: usize = 6;

/// Makes a fault on a stage, and waits until it has done its harm.
type Act = for<'a> fn(&'a Stage) -> LocalBoxFuture<'a, anyhow::Result<()>>;

/// One drill.
#[derive(Debug)]
pub struct Drill {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What is done, in a line.
    pub what: &'static str,
    /// The alarms that are to go off, as the runbook's sections call them; all others are to stay quiet.
    pub expected: &'static [&'static str],
    /// Why these and no others, where that is not obvious.
    pub because: &'static str,
    /// How often a page is told, where an alarm that pages is expected: once, unless all is over before the next goes
    /// off.
    pub pages: usize,
    /// For how long nobody may be told, in virtual minutes after the fault.
    pub silent_minutes: i64,
    /// How long the alarms are watched after the fault, in virtual hours.
    pub watched_hours: i64,
    prepare: fn(&mut Options),
    act: Act,
    /// What happens to the run of the next day, while nobody has mended anything; without it, that run is well.
    next_day: Option<Act>,
}

impl Drill {
    /// The drill of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<&'static Self> {
        DRILLS.iter().find(|drill| drill.name == name)
    }

    /// Those after which nobody is told anything: nothing is wrong, or it mends by itself.
    fn quiet() -> impl Iterator<Item = &'static Self> {
        DRILLS.iter().filter(|drill| drill.expected.is_empty())
    }
}

/// Runs one drill with every alarm changed by `miswire`, which gets their properties: to see that the drill notices.
///
/// # Errors
/// The drill could not be carried out.
pub async fn run_miswired(drill: &'static Drill, miswire: fn(&mut Value)) -> anyhow::Result<Finding> {
    let good = Arc::new(GoodRun::record().await?);
    let finding = exercise::carry_out(drill, good, miswire).await;
    finding.with_context(|| format!("the drill {} could not be carried out", drill.name))
}

/// Runs these drills, several at once, and gives their findings in order; one that could not be carried out is a finding,
/// too. `done` hears of each as it ends.
///
/// # Errors
/// The run that is well, on which every drill rests, could not be recorded.
pub async fn run(drills: &[&'static Drill], done: impl Fn(&Finding)) -> anyhow::Result<Vec<Finding>> {
    let good = Arc::new(GoodRun::record().await?);
    let running = stream::iter(drills.iter().enumerate()).map(async |(place, drill)| {
        let start = Instant::now();
        let finding = exercise::carry_out(drill, Arc::clone(&good), |_| {}).await;
        let finding = finding.unwrap_or_else(|error| Finding::not_carried_out(drill, &error, start.elapsed()));
        done(&finding);
        (place, finding)
    });
    // Unordered, so that a long drill does not keep others from starting.
    let findings: BTreeMap<_, _> = running.buffer_unordered(AT_ONCE).collect().await;
    Ok(findings.into_values().collect())
}
