//! The drill itself: the fault, the virtual days around it, and what is told meanwhile.

use std::collections::BTreeMap;
use std::sync::Arc;

use alarms::{Event, Resource, State};
use anyhow::{Context, bail};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::finding::{Finding, Findings, thing_of};
use super::stage::Stage;
use super::{AT_ONCE, Act, Drill};
use crate::oncall::{Change, Day, Desk, Recording, Timeline, Watch, declared};
use crate::pipeline::Pipeline;

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 60 * MINUTE_S;
const DAY_S: i64 = 24 * HOUR_S;

/// Noon of the day that the fault is on: 2026-11-22T12:00:00Z.
const FAULT_S: i64 = 1_795_348_800;

/// Good days before it. The alarms are looked at from an hour after the first run on: until there is one, a new stack's
/// alarm on late runs is on.
const DAYS_BEFORE: i64 = 3;

/// What the gauges see of a run that is well; good days are made from such.
#[derive(Debug)]
pub struct GoodRun {
    recording: Recording,
    declared: Vec<Resource>,
}

impl GoodRun {
    /// Runs a pipeline of its own for it, in which nothing is wrong.
    ///
    /// # Errors
    /// The pipeline cannot be started, or the run does not complete.
    pub async fn record() -> anyhow::Result<Self> {
        Self::of(Drill::quiet().next().context("there is no quiet drill")?).await
    }

    /// One of each shape that a good day may have: undisturbed, and with each of the faults that mend by themselves.
    ///
    /// # Errors
    /// A pipeline cannot be started, or a run does not complete.
    pub async fn record_each_shape() -> anyhow::Result<Vec<Self>> {
        stream::iter(Drill::quiet()).map(Self::of).buffered(AT_ONCE).try_collect().await
    }

    async fn of(quiet: &'static Drill) -> anyhow::Result<Self> {
        let performed = perform(quiet, quiet.act).await;
        let (pipeline, recording) = performed.with_context(|| format!("recording a run that is {}", quiet.name))?;
        Ok(Self { recording, declared: declared(pipeline.program())? })
    }
}

/// Makes a fault on a pipeline of its own.
async fn perform(drill: &Drill, act: Act) -> anyhow::Result<(Pipeline, Recording)> {
    let stage = Stage::set(drill).await?;
    if let Err(error) = act(&stage).await {
        let complaints = match stage.pipeline.complaints().await {
            Ok(complaints) => complaints.join("; "),
            Err(unread) => format!("their logs cannot be read: {unread:#}"),
        };
        bail!("{error:#}; what the functions complained of: {complaints}");
    }
    stage.clear().await
}

/// Carries a drill out, to its last notification.
pub(super) async fn carry_out(
    drill: &'static Drill,
    good: Arc<GoodRun>,
    miswire: fn(&mut Value),
) -> anyhow::Result<Finding> {
    let start = std::time::Instant::now();
    let (pipeline, fault) = perform(drill, drill.act).await?;
    let mut faults = vec![fault];
    if let Some(act) = drill.next_day {
        faults.push(perform(drill, act).await.context("on the next day")?.1);
    }
    let mut declared = declared(pipeline.program()).context("reading the program's alarms")?;
    for alarm in &mut declared {
        miswire(&mut alarm.properties);
    }
    let mut watch = Watch::new(&declared)?;
    // It takes a processor for a while; the other drills must go on meanwhile.
    let look = move || {
        let changes = changes_around(&faults, &good, drill.watched_hours, &mut watch);
        (watch, changes)
    };
    let (watch, changes) = tokio::task::spawn_blocking(look).await?;
    let desk = Desk::open(pipeline.clients(), &declared).await?;
    let mut findings = Findings::of(drill, FAULT_S);
    for change in &changes {
        findings.add(change, &watch);
        if change.at_s >= FAULT_S {
            let received = desk.act(change, &watch).await?;
            for told in &received {
                pipeline.heard().keep("a notification", format!("{told:?}"));
            }
            findings.told(change, received);
        }
    }
    Ok(findings.end(start.elapsed()))
}

/// `faults` are those of the day and, if there is a second, of the next.
fn changes_around(faults: &[Recording], good: &GoodRun, watched_hours: i64, watch: &mut Watch) -> Vec<Change> {
    let (start_s, end_s) = (FAULT_S - DAYS_BEFORE * DAY_S, FAULT_S + watched_hours * HOUR_S);
    let noons = (start_s..end_s).step_by(usize::try_from(DAY_S).unwrap_or(usize::MAX));
    let days = noons.map(|fired_s| {
        let day = usize::try_from((fired_s - FAULT_S) / DAY_S).ok();
        Day { fired_s, recording: day.and_then(|day| faults.get(day)).unwrap_or(&good.recording) }
    });
    let metrics = Timeline { start_s, end_s, days: days.collect() }.metrics();
    watch.look(start_s + HOUR_S, end_s, &metrics)
}

/// The alarms that go off on so many good days, each with its first event: none, if they are any good. The days take
/// turns with these runs. The schedule is late by up to an hour, as EventBridge may be; on one day it may be left out, to
/// see that this is noticed.
///
/// # Errors
/// There is no run, or the alarms cannot be evaluated.
pub fn quiet_days(runs: &[GoodRun], days: i64, left_out: Option<i64>) -> anyhow::Result<BTreeMap<String, Event>> {
    const LATE_S: i64 = 37 * MINUTE_S + 11;
    let declared = &runs.first().context("there is no run to make days from")?.declared;
    let (start_s, end_s) = (FAULT_S, FAULT_S + days * DAY_S);
    let fired = (0..days).zip(runs.iter().cycle()).filter(|(day, _)| Some(*day) != left_out);
    let fired = fired
        .map(|(day, run)| Day { fired_s: start_s + day * DAY_S + day * LATE_S % HOUR_S, recording: &run.recording });
    let metrics = Timeline { start_s, end_s, days: fired.collect() }.metrics();
    let changes = Watch::new(declared)?.look(start_s + HOUR_S, end_s, &metrics);
    let mut alarming = BTreeMap::new();
    for Change { event, .. } in changes {
        if event.state() == State::Alarm {
            alarming.entry(thing_of(event.alarm())).or_insert(event);
        }
    }
    Ok(alarming)
}
