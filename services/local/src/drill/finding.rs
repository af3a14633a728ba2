//! What came of a drill.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use alarms::{Event, State};
use domain::contract::PROJECT;
use pulumi::alarms::{ALARMS, Severity};
use serde::Serialize;

use super::{Drill, told};
use crate::deploy::STACK;
use crate::oncall::{Change, Received, Watch};

/// What came of a drill.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// The drill.
    pub name: &'static str,
    /// What was done.
    pub what: &'static str,
    /// The alarms that were to go off.
    pub expected: BTreeSet<&'static str>,
    /// Why these.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub because: &'static str,
    /// The alarms that went off, in the order of time.
    pub alarms: Vec<Alarmed>,
    /// What the person on call was told, in the order of time.
    pub told: Vec<Told>,
    /// The alarms that went off and are in nothing that was told, in the order of time: page or ticket stood at ALARM
    /// already, which sends one mail.
    pub silent: Vec<String>,
    /// Alarms that went off and were not to, and other things that were not to be.
    pub unexpected: Vec<String>,
    /// Alarms that were to go off and did not, and notifications that did not come.
    pub missing: Vec<String>,
    /// Why the drill could not be carried out; nothing was seen then. Absent when it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_carried_out: Option<String>,
    /// How long the drill took, in seconds.
    pub duration_s: f64,
}

/// An alarm that went off.
#[derive(Debug, Clone, Serialize)]
pub struct Alarmed {
    /// Its name within the names of the stack, as the runbook has it.
    pub alarm: String,
    /// Virtual minutes after the fault; below zero it went off before it.
    pub after_minutes: i64,
    /// When it was over again, in the same minutes; absent when it was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub over_after_minutes: Option<i64>,
    /// `page` or `ticket`; absent for one that tells nobody.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<&'static str>,
    /// What it says.
    pub description: String,
    /// Why it went off.
    pub reason: String,
}

/// A notification, as it arrived.
#[derive(Debug, Clone, Serialize)]
pub struct Told {
    /// Virtual minutes after the fault.
    pub after_minutes: i64,
    /// The subject of the message.
    pub subject: String,
    /// The message's `AlarmDescription`.
    pub text: String,
    /// The message's `NewStateValue`.
    pub state: String,
    /// The message's `AlarmName`.
    pub alarm: String,
    /// The alarms that the message names as its cause.
    pub causes: Vec<String>,
}

impl Finding {
    /// Whether exactly the expected alarms went off, each once, and exactly they were told, as often and as soon as they
    /// should be.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        self.not_carried_out.is_none() && self.unexpected.is_empty() && self.missing.is_empty()
    }

    /// What there is to say of a drill that could not be carried out.
    pub(super) fn not_carried_out(drill: &'static Drill, error: &anyhow::Error, took: Duration) -> Self {
        let nothing_seen = Findings::of(drill, 0).finding(took);
        Self { not_carried_out: Some(format!("{error:#}")), ..nothing_seen }
    }

    /// Whether this alarm went off.
    #[must_use]
    pub fn has(&self, alarm: &str) -> bool {
        self.alarms.iter().any(|alarmed| alarmed.alarm == alarm)
    }
}

/// A finding in the making.
#[derive(Debug)]
pub(super) struct Findings {
    drill: &'static Drill,
    fault_s: i64,
    alarms: Vec<Alarmed>,
    told: Vec<Told>,
}

impl Findings {
    pub(super) fn of(drill: &'static Drill, fault_s: i64) -> Self {
        Self { drill, fault_s, alarms: Vec::new(), told: Vec::new() }
    }

    /// Takes a change of an alarm into account. Composite alarms only repeat what the others say.
    pub(super) fn add(&mut self, change: &Change, watch: &Watch) {
        let Event::StateChanged { alarm: name, from, to, reason, .. } = &change.event else { return };
        let (alarm, after_minutes) = (thing_of(name), self.minutes_after(change));
        if Severity::ALL.iter().any(|severity| severity.notice().thing == alarm) {
            return;
        }
        match (from, to) {
            (_, State::Alarm) => self.alarms.push(Alarmed {
                severity: severity_of(&alarm),
                alarm,
                after_minutes,
                over_after_minutes: None,
                description: watch.alarm(name).map(|alarm| alarm.description().to_owned()).unwrap_or_default(),
                reason: reason.clone(),
            }),
            (State::Alarm, _) => {
                let open = self.alarms.iter_mut().rfind(|alarmed| alarmed.alarm == alarm);
                if let Some(alarmed) = open {
                    alarmed.over_after_minutes = Some(after_minutes);
                }
            }
            _ => {}
        }
    }

    /// Takes into account what the subscriber received of a change.
    pub(super) fn told(&mut self, change: &Change, received: Vec<Received>) {
        let after_minutes = self.minutes_after(change);
        self.told.extend(received.into_iter().map(|Received { subject, message }| {
            let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
            let children = message["TriggeringChildren"].as_array().into_iter().flatten();
            let causes = children.filter_map(|child| child["Arn"].as_str()?.rsplit(':').next().map(thing_of));
            let (state, alarm) = (text("NewStateValue"), thing_of(&text("AlarmName")));
            Told { after_minutes, subject, text: text("AlarmDescription"), state, alarm, causes: causes.collect() }
        }));
    }

    fn minutes_after(&self, change: &Change) -> i64 {
        (change.at_s - self.fault_s) / 60
    }

    /// Holds what was seen against what was to be.
    pub(super) fn end(self, took: Duration) -> Finding {
        let expected: BTreeSet<_> = self.drill.expected.iter().copied().collect();
        let seen: BTreeSet<_> = self.alarms.iter().map(|alarmed| alarmed.alarm.as_str()).collect();
        let mut unexpected: Vec<_> = seen.difference(&expected).map(|alarm| (*alarm).to_owned()).collect();
        let mut missing: Vec<_> = expected.difference(&seen).map(|alarm| (*alarm).to_owned()).collect();
        let early = self.alarms.iter().filter(|alarmed| alarmed.after_minutes < 0);
        unexpected.extend(early.map(|alarmed| format!("{}, before the fault", alarmed.alarm)));
        let (too_much, too_little) = told::compare(self.drill, &self.alarms, &self.told);
        unexpected.extend(too_much);
        missing.extend(too_little);
        unexpected.extend(repeated(&self.alarms));
        Finding { unexpected, missing, ..self.finding(took) }
    }

    /// What was seen, not yet judged.
    fn finding(self, took: Duration) -> Finding {
        let Self { drill, alarms, told, .. } = self;
        let is_told = |alarm: &str| told.iter().any(|told| told.causes.iter().any(|cause| cause == alarm));
        let silent = alarms.iter().filter(|alarmed| alarmed.severity.is_some() && !is_told(&alarmed.alarm));
        Finding {
            silent: silent.map(|alarmed| alarmed.alarm.clone()).collect(),
            name: drill.name,
            what: drill.what,
            expected: drill.expected.iter().copied().collect(),
            because: drill.because,
            alarms,
            told,
            unexpected: Vec::new(),
            missing: Vec::new(),
            not_carried_out: None,
            duration_s: (took.as_secs_f64() * 10.0).round() / 10.0,
        }
    }
}

fn repeated(alarms: &[Alarmed]) -> Vec<String> {
    let mut times = BTreeMap::<&str, usize>::new();
    for Alarmed { alarm, .. } in alarms {
        *times.entry(alarm).or_default() += 1;
    }
    let often = times.into_iter().filter(|(_, times)| *times > 1);
    often.map(|(alarm, times)| format!("{alarm} {times} times")).collect()
}

/// `dead-letters` of `movie-pipeline-local-dead-letters`.
pub(super) fn thing_of(alarm: &str) -> String {
    alarm.strip_prefix(&format!("{PROJECT}-{STACK}-")).unwrap_or(alarm).to_owned()
}

/// What the composite alarm that stands for this one is called.
pub(super) fn severity_of(alarm: &str) -> Option<&'static str> {
    let alarm = ALARMS.iter().find(|declared| declared.notice.thing == alarm)?;
    Some(alarm.severity.notice().thing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarmed(alarm: &str, after_minutes: i64) -> Alarmed {
        let (description, reason) = Default::default();
        let (alarm, severity) = (alarm.to_owned(), severity_of(alarm));
        Alarmed { alarm, after_minutes, over_after_minutes: None, severity, description, reason }
    }

    fn told(alarm: &str, state: &str, after_minutes: i64) -> Told {
        let (subject, text, causes) = Default::default();
        Told { after_minutes, subject, text, state: state.to_owned(), alarm: alarm.to_owned(), causes }
    }

    /// What comes of the drill `maintenance`, in whose first hour nobody may be told.
    fn finding(alarms: &[(&str, i64)], told_alarms: &[(&str, i64)]) -> Finding {
        let mut findings = Findings::of(Drill::find("maintenance").unwrap(), 0);
        findings.alarms = alarms.iter().map(|(alarm, after_minutes)| alarmed(alarm, *after_minutes)).collect();
        findings.told = told_alarms.iter().map(|(alarm, after_minutes)| told(alarm, "ALARM", *after_minutes)).collect();
        findings.told.push(told("ticket", "OK", 90));
        findings.end(Duration::ZERO)
    }

    const EXPECTED: [(&str, i64); 3] = [("maintenance", 1), ("dead-letters", 15), ("run-late", 300)];

    #[test]
    fn what_goes_off_and_is_told_as_it_should_be_is_as_expected() {
        let finding = finding(&EXPECTED, &[("page", 77)]);
        assert!(finding.is_as_expected(), "{finding}");
    }

    #[test]
    fn every_difference_is_told() {
        let of = |alarms: &[(&str, i64)], told: &[(&str, i64)]| {
            let finding = finding(alarms, told);
            (finding.unexpected, finding.missing)
        };
        let (none, page) = (Vec::<String>::new(), [("page", 77)]);
        let [maintenance, dead_letters, run_late] = EXPECTED;
        assert_eq!(of(&[maintenance, run_late], &page), (none.clone(), vec!["dead-letters".to_owned()]));
        let surplus = [maintenance, dead_letters, run_late, ("source-sours", 3)];
        assert_eq!(of(&surplus, &page), (vec!["source-sours".to_owned()], none.clone()));
        assert_eq!(of(&EXPECTED, &[]), (none.clone(), vec!["a page".to_owned()]));
        assert_eq!(of(&EXPECTED, &[("page", 77), ("ticket", 80)]), (vec!["a ticket".to_owned()], none.clone()));
        assert_eq!(of(&EXPECTED, &[("page", 16)]), (vec!["a page after 16 min already".to_owned()], none.clone()));
        let before = [maintenance, dead_letters, ("run-late", -60)];
        assert_eq!(of(&before, &page), (vec!["run-late, before the fault".to_owned()], none));
    }

    #[test]
    fn an_alarm_that_goes_off_again_is_unexpected() {
        let alarms = [EXPECTED[0], EXPECTED[1], ("dead-letters", 30), EXPECTED[2]];
        assert_eq!(finding(&alarms, &[("page", 77)]).unexpected, ["dead-letters 2 times"]);
    }
}
