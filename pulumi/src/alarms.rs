//! The alarms, and the topic that they tell.
//!
//! ```text
//! metric alarms of the table ─▶ page   ─▶ alarm topic ─▶ whoever is on call
//!                             ╰▶ ticket ─╯
//!              maintenance keeps both quiet
//! ```
//!
//! | File | |
//! |---|---|
//! | `table` | every alarm on one page: whom it wakes, what it watches, when it goes off |
//! | `notices` | what each is called and says; `dashboards/runbook.md` has a section for each |
//! | `signal` | metrics, thresholds and windows as CloudWatch writes them |
//! | `composites` | page, ticket, maintenance |
//! | `mail` | what page and ticket say |
//! | `topic` | who is told |
//!
//! A new stack has no run yet, so `run-late` goes off with it and is over with the first run: start one, or open a
//! maintenance window first.

mod composites;
mod mail;
mod notices;
mod signal;
mod table;
mod topic;

use domain::contract::Service;
use serde_json::{Map, Value, json};

use crate::config::Config;
use crate::messaging::Messaging;
use crate::program::Stack;
use crate::resource::{EventRule, Function, Handle, Key, MetricAlarm, Topic, literal};
use signal::{Breach, Signal, Window};

pub use notices::{DESCRIPTION_BYTES, Notice};
pub use table::ALARMS;
pub(crate) use topic::whom;

/// Whom an alarm wakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Somebody, now: movies are missing, or will be.
    Page,
    /// Nobody; somebody has a look in the next days.
    Ticket,
}

impl Severity {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Page, Self::Ticket];

    /// The composite alarm of this severity.
    #[must_use]
    pub const fn notice(self) -> &'static Notice {
        match self {
            Self::Page => &notices::PAGE,
            Self::Ticket => &notices::TICKET,
        }
    }
}

/// The alarm that keeps the composite ones quiet.
pub const MAINTENANCE: &Notice = &notices::MAINTENANCE;

/// An alarm on a metric.
#[derive(Debug)]
pub struct Alarm {
    /// What it is called and says.
    pub notice: &'static Notice,
    /// Whom it wakes.
    pub severity: Severity,
    signal: Signal,
    breach: Breach,
    window: Window,
}

/// What alarms look at.
#[derive(Debug)]
pub(crate) struct Watched<'a> {
    pub(crate) config: &'a Config,
    pub(crate) messaging: &'a Messaging,
    pub(crate) ranker: &'a Handle<Function>,
    pub(crate) enricher: &'a Handle<Function>,
    pub(crate) schedule: &'a Handle<EventRule>,
}

impl Watched<'_> {
    fn function(&self, service: Service) -> &Handle<Function> {
        match service {
            Service::Ranker => self.ranker,
            Service::Enricher => self.enricher,
        }
    }
}

pub(crate) fn add(stack: &mut Stack, key: &Handle<Key>, watched: &Watched) -> Handle<Topic> {
    let topic = topic::add(stack, key);
    let maintenance = composites::add_maintenance(stack);
    for severity in Severity::ALL {
        let alarms = ALARMS.iter().filter(|alarm| alarm.severity == severity);
        let alarms: Vec<_> = alarms.map(|alarm| alarm.add(stack, watched)).collect();
        composites::add(stack, severity, &alarms, &maintenance, &topic);
    }
    topic
}

impl Alarm {
    /// From which value on, or below which, it goes off.
    pub(crate) fn threshold(&self, config: &Config) -> u32 {
        self.breach.threshold(config)
    }

    /// How many periods in a row have to be alarming.
    pub(crate) fn periods(&self, config: &Config) -> u32 {
        (self.window.periods)(config)
    }

    fn add(&self, stack: &mut Stack, watched: &Watched) -> Handle<MetricAlarm> {
        let Self { notice, signal, breach, window, .. } = self;
        let periods = self.periods(stack.config);
        let mut properties = Map::new();
        properties.insert("name".to_owned(), json!(stack.name(notice.thing)));
        properties.insert("alarmDescription".to_owned(), json!(describe(stack.config, notice)));
        properties.extend(signal.properties(watched, window.period_seconds));
        let rest = json!({
            "comparisonOperator": breach.operator(),
            "threshold": self.threshold(stack.config),
            "evaluationPeriods": periods,
            "datapointsToAlarm": window.alarming.of(periods),
            "treatMissingData": window.missing,
        });
        properties.extend(rest.as_object().cloned().unwrap_or_default());
        stack.resources.add(notice.name, Value::Object(properties))
    }
}

fn describe(config: &Config, notice: &Notice) -> String {
    notice.description(&literal(&config.runbook_url))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_stack_without_an_address_says_that_nobody_is_told_and_what_to_do() {
        let told = |values: Option<&str>| whom(&Config::read("dev", values).unwrap());
        assert!(told(None).starts_with("nobody: pulumi config set alarmEmail "));
        assert!(
            told(Some(r#"{"movie-pipeline:alarmEmail": "on-call@example.com"}"#)).contains("once it has confirmed")
        );
    }

    #[test]
    fn no_two_alarms_share_a_name() {
        let composites = Severity::ALL.map(Severity::notice).into_iter().chain([MAINTENANCE]);
        let notices: Vec<_> = ALARMS.iter().map(|alarm| alarm.notice).chain(composites).collect();
        let unique = |of: fn(&Notice) -> &str| notices.iter().map(|notice| of(notice)).collect::<BTreeSet<_>>().len();
        assert_eq!([unique(|notice| notice.name), unique(|notice| notice.thing)], [notices.len(); 2]);
    }
}
