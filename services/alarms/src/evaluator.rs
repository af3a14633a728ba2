//! The states of a set of alarms as time passes.
//!
//! Sources: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html>,
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html>. A composite alarm is
//! evaluated when it is new and when one of the alarms of its rule changes, as
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html> tells. Where they are
//! silent, chosen: within a tick, metric alarms come first, in the order of the set, then composite alarms, each after
//! those it looks at; a composite alarm has no delay of its own.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::definition::{self, Alarm, MetricAlarm, Resource};
use crate::evaluate::{evaluate, interval_s};
use crate::event::{Actions, Event};
use crate::fault::Faults;
use crate::graph;
use crate::metrics::Metrics;
use crate::state::State;
use crate::suppression::{Outcome, SuppressedBy, Suppression};

/// A set of alarms and their states.
#[derive(Debug)]
pub struct Evaluator {
    alarms: Vec<Alarm>,
    standings: Vec<Standing>,
    /// The composite alarms, each after those that it looks at.
    composites: Vec<usize>,
    by_name: HashMap<String, usize>,
}

/// Where an alarm stands.
#[derive(Debug)]
struct Standing {
    state: State,
    reason: String,
    /// End of the data that was last evaluated, in seconds since the epoch.
    evaluated_s: Option<i64>,
    suppression: Suppression,
    /// Whether it changed at this tick.
    changed: bool,
}

/// No alarm has this name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no alarm `{0}`")]
pub struct UnknownAlarm(pub String);

impl Evaluator {
    /// Reads a set of alarms; each starts in `INSUFFICIENT_DATA`.
    ///
    /// # Errors
    /// [`Faults`]: everything that is wrong with the set, at once.
    pub fn new(resources: &[Resource]) -> Result<Self, Faults> {
        let mut faults = Vec::new();
        let read = resources.iter().enumerate();
        let alarms: Vec<Alarm> = read.filter_map(|(i, resource)| definition::read(resource, i, &mut faults)).collect();
        let declared: Vec<&str> = resources.iter().filter_map(definition::declared_name).collect();
        graph::check_names(&alarms, &declared, &mut faults);
        let composites = graph::order(&alarms, &mut faults);
        if !faults.is_empty() {
            return Err(Faults(faults));
        }
        let by_name = alarms.iter().enumerate().map(|(index, alarm)| (alarm.name().to_owned(), index)).collect();
        let standings = alarms.iter().map(|_| Standing::new()).collect();
        Ok(Self { alarms, standings, composites, by_name })
    }

    /// The alarms, in the order of the set.
    #[must_use]
    pub fn alarms(&self) -> &[Alarm] {
        &self.alarms
    }

    /// The state of an alarm; `None` when there is none of this name.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<State> {
        self.by_name.get(name).map(|index| self.standings[*index].state)
    }

    /// What holds back a composite alarm's actions, as of the last tick.
    #[must_use]
    pub fn suppressed_by(&self, name: &str) -> Option<SuppressedBy> {
        self.by_name.get(name).and_then(|index| self.standings[*index].suppression.by())
    }

    /// Lets time reach `now` and tells what happened, in order. Only `now` is evaluated, not what lies between two
    /// ticks: tick once a minute, or every ten seconds with periods below a minute. Alarms whose time has not come, and
    /// ticks that go back in time, evaluate nothing.
    pub fn tick(&mut self, now: DateTime<Utc>, metrics: &impl Metrics) -> Vec<Event> {
        let mut events = Vec::new();
        self.begin();
        for (alarm, standing) in self.alarms.iter().zip(&mut self.standings) {
            if let Alarm::Metric(metric) = alarm {
                events.extend(standing.evaluate(alarm, metric, now, metrics));
            }
        }
        self.evaluate_composites(now, &mut events);
        events
    }

    /// Puts an alarm into a state, as `SetAlarmState` does: with its actions, and until its next evaluation, which for
    /// a composite alarm is the next change of an alarm of its rule.
    pub fn set_state(
        &mut self,
        name: &str,
        state: State,
        reason: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<Event>, UnknownAlarm> {
        let index = *self.by_name.get(name).ok_or_else(|| UnknownAlarm(name.to_owned()))?;
        let mut events = Vec::new();
        self.begin();
        let from = self.standings[index].change(state, reason.to_owned());
        match &self.alarms[index] {
            alarm @ Alarm::Metric(_) => events.extend(from.map(|from| self.standings[index].taken(alarm, from, now))),
            Alarm::Composite(_) => {
                // It is no longer new: its rule waits for a change.
                self.standings[index].evaluated_s.get_or_insert(now.timestamp());
                self.settle(index, from, now, &mut events);
            }
        }
        self.evaluate_composites(now, &mut events);
        Ok(events)
    }

    fn begin(&mut self) {
        self.standings.iter_mut().for_each(|standing| standing.changed = false);
    }

    fn evaluate_composites(&mut self, now: DateTime<Utc>, events: &mut Vec<Event>) {
        for position in 0..self.composites.len() {
            let index = self.composites[position];
            let from = self.evaluate_rule(index, now);
            self.settle(index, from, now, events);
        }
    }

    /// The state it left, if the rule moved it.
    fn evaluate_rule(&mut self, index: usize, now: DateTime<Utc>) -> Option<State> {
        let Alarm::Composite(alarm) = &self.alarms[index] else { return None };
        let children = alarm.rule.alarms().into_iter().filter_map(|name| self.by_name.get(name));
        let causes: Vec<String> =
            children.filter(|child| self.standings[**child].changed).map(|c| self.tell(*c)).collect();
        let is_new = self.standings[index].evaluated_s.replace(now.timestamp()).is_none();
        if causes.is_empty() && !is_new {
            return None;
        }
        let alarm_now = alarm.rule.holds(&|name| self.state(name));
        let (state, verb) = if alarm_now { (State::Alarm, "holds") } else { (State::Ok, "does not hold") };
        let causes = if causes.is_empty() { "it is new".to_owned() } else { causes.join(", ") };
        self.standings[index].change(state, format!("The rule {verb}: {causes}"))
    }

    fn tell(&self, index: usize) -> String {
        format!("{} is {}", self.alarms[index].name(), self.standings[index].state)
    }

    /// Takes a composite alarm's actions, or holds them back.
    fn settle(&mut self, index: usize, from: Option<State>, now: DateTime<Utc>, events: &mut Vec<Event>) {
        let alarm = &self.alarms[index];
        let Alarm::Composite(composite) = alarm else { return };
        let Some(suppressor) = &composite.suppressor else {
            events.extend(from.map(|from| self.standings[index].taken(alarm, from, now)));
            return;
        };
        let in_alarm = self.state(&suppressor.alarm) == Some(State::Alarm);
        let standing = &mut self.standings[index];
        let outcome = standing.suppression.step(now.timestamp(), from.is_some(), in_alarm, suppressor.periods);
        events.extend(match (from, outcome) {
            (Some(from), Outcome::Suppressed(by)) => Some(standing.suppressed(alarm, from, now, by)),
            (Some(from), _) => Some(standing.taken(alarm, from, now)),
            (None, Outcome::Act) => Some(standing.resumed(alarm, now)),
            (None, _) => None,
        });
    }
}

impl Standing {
    fn new() -> Self {
        Self {
            state: State::InsufficientData,
            reason: "Not evaluated yet".to_owned(),
            evaluated_s: None,
            suppression: Suppression::default(),
            changed: false,
        }
    }

    fn evaluate(
        &mut self,
        alarm: &Alarm,
        metric: &MetricAlarm,
        now: DateTime<Utc>,
        source: &impl Metrics,
    ) -> Option<Event> {
        let now_s = now.timestamp();
        let end_s = now_s - now_s.rem_euclid(interval_s(metric));
        if self.evaluated_s.is_some_and(|evaluated_s| evaluated_s >= end_s) {
            return None;
        }
        self.evaluated_s = Some(end_s);
        let evaluation = evaluate(metric, source, end_s);
        let state = evaluation.state.filter(|state| *state != self.state)?;
        let from = self.change(state, evaluation.reason(metric, state))?;
        Some(self.taken(alarm, from, now))
    }

    /// The state it left, if this is another one.
    fn change(&mut self, state: State, reason: String) -> Option<State> {
        if state == self.state {
            return None;
        }
        self.reason = reason;
        self.changed = true;
        Some(std::mem::replace(&mut self.state, state))
    }

    fn taken(&self, alarm: &Alarm, from: State, now: DateTime<Utc>) -> Event {
        self.changed_event(alarm, from, now, Actions::Taken(self.actions(alarm)))
    }

    fn suppressed(&self, alarm: &Alarm, from: State, now: DateTime<Utc>, by: SuppressedBy) -> Event {
        self.changed_event(alarm, from, now, Actions::Suppressed { by, withheld: self.actions(alarm) })
    }

    fn changed_event(&self, alarm: &Alarm, from: State, at: DateTime<Utc>, actions: Actions) -> Event {
        let (alarm, reason) = (alarm.name().to_owned(), self.reason.clone());
        Event::StateChanged { alarm, at, from, to: self.state, reason, actions }
    }

    fn resumed(&self, alarm: &Alarm, at: DateTime<Utc>) -> Event {
        let (name, reason) = (alarm.name().to_owned(), self.reason.clone());
        Event::ActionsResumed { alarm: name, at, state: self.state, reason, actions: self.actions(alarm) }
    }

    fn actions(&self, alarm: &Alarm) -> Vec<String> {
        alarm.actions().on(self.state).to_vec()
    }
}
