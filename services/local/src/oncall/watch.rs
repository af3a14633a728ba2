//! CloudWatch's evaluation of the alarms, minute by minute.

use alarms::{Alarm, Evaluator, Event, MetricStore, Resource, State};
use chrono::DateTime;

use super::late::Arrived;

const MINUTE_S: i64 = 60;

/// Alarms that are looked at once a minute.
#[derive(Debug)]
pub(crate) struct Watch {
    evaluator: Evaluator,
}

/// Something that happened to an alarm, with the states of all at that time.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    pub(crate) at_s: i64,
    pub(crate) event: Event,
    /// The alarms on metrics that stood at ALARM then.
    pub(crate) alarming: Vec<String>,
}

impl Watch {
    pub(crate) fn new(declared: &[Resource]) -> anyhow::Result<Self> {
        Ok(Self { evaluator: Evaluator::new(declared)? })
    }

    /// The alarm of a name.
    pub(crate) fn alarm(&self, name: &str) -> Option<&Alarm> {
        self.evaluator.alarms().iter().find(|alarm| alarm.name() == name)
    }

    /// Lets the minutes pass, both ends included, and tells what happened.
    pub(crate) fn look(&mut self, from_s: i64, to_s: i64, metrics: &MetricStore) -> Vec<Change> {
        let mut changes = Vec::new();
        for minute in 0..=(to_s - from_s) / MINUTE_S {
            let at_s = from_s + minute * MINUTE_S;
            let arrived = Arrived { of: metrics, by_s: at_s };
            let events = self.evaluator.tick(DateTime::from_timestamp(at_s, 0).unwrap_or_default(), &arrived);
            if !events.is_empty() {
                let alarming = self.alarming();
                changes.extend(events.into_iter().map(|event| Change { at_s, event, alarming: alarming.clone() }));
            }
        }
        changes
    }

    fn alarming(&self) -> Vec<String> {
        let metric = self.evaluator.alarms().iter().filter(|alarm| matches!(alarm, Alarm::Metric(_)));
        let names = metric.map(Alarm::name);
        names.filter(|name| self.evaluator.state(name) == Some(State::Alarm)).map(str::to_owned).collect()
    }
}
