//! What was told, held against what was to be told.

use std::collections::BTreeSet;

use pulumi::alarms::Severity;

use super::Drill;
use super::finding::{Alarmed, Told, severity_of};

/// How long it may take until an event is told, in virtual minutes: a movie is tried again for a quarter of it, and a
/// busy machine, whose every second is a minute, needs room.
const SOON_MINUTES: i64 = 60;

/// The heartbeat's 26 hours are over two hours after the fault, and `CloudWatch` reads up to three periods more.
const RUN_LATE_MINUTES: i64 = 5 * 60 + SOON_MINUTES;

/// Dead letters are old after four days, as CloudWatch counts them: hour by hour, and over more than a day by the hour.
const EXPIRE_MINUTES: i64 = (4 * 24 + 1) * 60 + SOON_MINUTES;

/// By when an alarm is told at the latest, in virtual minutes after the fault.
fn told_within_minutes(alarm: &str) -> i64 {
    match alarm {
        "run-late" => RUN_LATE_MINUTES,
        "dead-letters-expire" => EXPIRE_MINUTES,
        _ => SOON_MINUTES,
    }
}

/// What was told and was not to be, and what was to be told and was not.
pub(super) fn compare(drill: &Drill, alarms: &[Alarmed], told: &[Told]) -> (Vec<String>, Vec<String>) {
    let (mut unexpected, mut missing) = (foreign_causes(drill, told), Vec::new());
    for severity in Severity::ALL {
        let name = severity.notice().thing;
        let heard: Vec<_> = told.iter().filter(|told| told.alarm == name).collect();
        let alarming: Vec<_> = heard.iter().filter(|told| told.state == "ALARM").collect();
        let wanted = wanted(drill, severity);
        match (alarming.len(), wanted) {
            (0, 1..) => missing.push(format!("a {name}")),
            (1.., 0) => unexpected.push(format!("a {name}")),
            (times, _) if times > wanted => unexpected.push(format!("{name} told {times} times, not {wanted}")),
            (times, _) if times < wanted => missing.push(format!("{name} told {times} times, not {wanted}")),
            _ => {}
        }
        if let (Some(first), 1..) = (alarming.first(), wanted) {
            unexpected.extend(untimely(drill, name, first.after_minutes));
        }
        let mut on = alarms.iter().filter(|alarmed| alarmed.severity == Some(name));
        let is_over = on.all(|alarmed| alarmed.over_after_minutes.is_some());
        if is_over && heard.last().is_some_and(|last| last.state != "OK") {
            missing.push(format!("an OK of {name}"));
        }
    }
    (unexpected, missing)
}

/// How often this severity is to be told.
fn wanted(drill: &Drill, severity: Severity) -> usize {
    let name = severity.notice().thing;
    match severity {
        _ if !drill.expected.iter().any(|alarm| severity_of(alarm) == Some(name)) => 0,
        Severity::Page => drill.pages,
        Severity::Ticket => 1,
    }
}

fn untimely(drill: &Drill, severity: &str, first_minutes: i64) -> Option<String> {
    let expected = drill.expected.iter().filter(|alarm| severity_of(alarm) == Some(severity));
    let latest = drill.silent_minutes + expected.map(|alarm| told_within_minutes(alarm)).min()?;
    if first_minutes < drill.silent_minutes {
        return Some(format!("a {severity} after {first_minutes} min already"));
    }
    (first_minutes > latest).then(|| format!("a {severity} only after {first_minutes} min, not {latest}"))
}

/// Notifications that name an alarm which was not to go off.
fn foreign_causes(drill: &Drill, told: &[Told]) -> Vec<String> {
    let named = told.iter().flat_map(|told| told.causes.iter().map(|cause| (told.alarm.as_str(), cause.as_str())));
    let foreign: BTreeSet<_> = named.filter(|(_, cause)| !drill.expected.contains(cause)).collect();
    foreign.into_iter().map(|(severity, cause)| format!("a {severity} because of {cause}")).collect()
}

#[cfg(test)]
mod tests {
    use pulumi::alarms::ALARMS;

    use super::*;

    fn alarmed(alarm: &str, over_after_minutes: Option<i64>) -> Alarmed {
        let (description, reason) = Default::default();
        let severity = severity_of(alarm);
        Alarmed { alarm: alarm.to_owned(), after_minutes: 1, over_after_minutes, severity, description, reason }
    }

    fn told(alarm: &str, state: &str, after_minutes: i64, causes: &[&str]) -> Told {
        let (subject, text) = Default::default();
        let causes = causes.iter().map(|cause| (*cause).to_owned()).collect();
        Told { after_minutes, subject, text, state: state.to_owned(), alarm: alarm.to_owned(), causes }
    }

    const NOTHING: [Vec<String>; 2] = [Vec::new(), Vec::new()];

    /// What is unexpected and what is missing in a drill that tells this.
    fn odd(drill: &str, alarms: &[Alarmed], told: &[Told]) -> [Vec<String>; 2] {
        let (unexpected, missing) = compare(Drill::find(drill).unwrap(), alarms, told);
        [unexpected, missing]
    }

    #[test]
    fn a_cause_that_was_not_to_go_off_is_unexpected() {
        let told = [told("ticket", "ALARM", 2, &["source-sours", "source-shrank"])];
        let alarms = [alarmed("source-sours", None)];
        let [unexpected, missing] = odd("source-soured", &alarms, &told);
        assert_eq!((unexpected, missing), (vec!["a ticket because of source-shrank".to_owned()], vec![]));
    }

    #[test]
    fn what_is_told_more_or_less_often_than_expected_is_told_so() {
        let page = |times: usize| vec![told("page", "ALARM", 5, &["run-late"]); times];
        let on = [alarmed("run-late", None)];
        let [once, twice] = [page(1), page(2)];
        assert_eq!(odd("schedule-lost", &on, &twice), NOTHING);
        assert_eq!(odd("schedule-lost", &on, &once), [vec![], vec!["page told 1 times, not 2".to_owned()]]);
        assert_eq!(odd("schedule-silent", &on, &once), NOTHING);
        assert_eq!(odd("schedule-silent", &on, &twice), [vec!["page told 2 times, not 1".to_owned()], vec![]]);
    }

    #[test]
    fn an_event_is_told_soon_and_a_heartbeat_when_it_is_missed() {
        let late = |drill: &str, alarm: &str, severity: &str, after_minutes: i64| {
            odd(drill, &[alarmed(alarm, None)], &[told(severity, "ALARM", after_minutes, &[alarm])])
        };
        assert_eq!(late("schedule-silent", "run-late", "page", 301), NOTHING);
        assert_eq!(late("schedule-silent", "run-late", "page", 361)[0], ["a page only after 361 min, not 360"]);
        assert_eq!(late("poison-message", "dead-letters", "page", 60), NOTHING);
        assert_eq!(late("poison-message", "dead-letters", "page", 61)[0], ["a page only after 61 min, not 60"]);
    }

    #[test]
    fn where_all_is_over_an_ok_is_to_be_told() {
        let (alarm, ok) = (told("ticket", "ALARM", 2, &["source-sours"]), told("ticket", "OK", 17, &[]));
        let over = [alarmed("source-sours", Some(16))];
        let of = |told: &[Told]| odd("source-soured", &over, told);
        assert_eq!(of(&[alarm.clone(), ok]), NOTHING);
        assert_eq!(of(&[alarm]), [vec![], vec!["an OK of ticket".to_owned()]]);
    }

    #[test]
    fn the_slow_alarms_exist() {
        let slow = ALARMS.iter().filter(|alarm| told_within_minutes(alarm.notice.thing) > SOON_MINUTES);
        assert_eq!(slow.map(|alarm| alarm.notice.thing).collect::<Vec<_>>(), ["run-late", "dead-letters-expire"]);
    }
}
