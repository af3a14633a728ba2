//! What CloudWatch publishes when a composite alarm takes its actions.
//!
//! The fields are those of "Schema when a composite alarm changes state"
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html>). It names them and
//! no more; what stands in them is as in messages of CloudWatch that others have published: times in UTC with
//! milliseconds and `+0000`, the region's name in words, a child as its ARN with state and time.
//!
//! Only AWS itself shows:
//!
//! - the words of `NewStateReason`; here they are the evaluator's
//! - which children are listed; here it is all that stand at ALARM, at the time of the message
//! - `StateChangeTime` of actions that were held back; here it is when they are taken
//! - the mail: by e-mail SNS sends a text that CloudWatch makes of these fields, with at most ten children, not this JSON

use alarms::{Alarm, Event, State};
use chrono::DateTime;
use serde_json::{Value, json};

use super::watch::Change;
use crate::emulator::{ACCOUNT_ID, REGION};

/// What CloudWatch calls the [`REGION`] in its messages.
const REGION_NAME: &str = "EU (Frankfurt)";

/// The subject is cut at a hundred characters (<https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>).
const MAX_SUBJECT_LENGTH: usize = 100;

/// What is published, as subject and JSON. `rule` is the alarm's rule as declared.
pub(super) fn notification(change: &Change, alarm: &Alarm, rule: &str, children: &[String]) -> (String, Value) {
    let (state, reason) = (change.event.state(), reason(&change.event));
    let at = DateTime::from_timestamp(change.at_s, 0).unwrap_or_default();
    let time = at.format("%Y-%m-%dT%H:%M:%S%.3f%z").to_string();
    let children: Vec<_> = children
        .iter()
        .map(|child| json!({"Arn": alarm_arn(child), "State": {"Value": State::Alarm, "Timestamp": time}}))
        .collect();
    let subject = format!("{state}: \"{}\" in {REGION_NAME}", alarm.name());
    let message = json!({
        "AlarmName": alarm.name(),
        "AlarmDescription": alarm.description(),
        "AWSAccountId": ACCOUNT_ID,
        "NewStateValue": state,
        "NewStateReason": reason,
        "StateChangeTime": time,
        "Region": REGION_NAME,
        "AlarmArn": alarm_arn(alarm.name()),
        "OldStateValue": old_state(&change.event),
        "OKActions": alarm.actions().ok,
        "AlarmActions": alarm.actions().alarm,
        "InsufficientDataActions": alarm.actions().insufficient_data,
        "AlarmRule": rule,
        "TriggeringChildren": children,
    });
    (subject.chars().take(MAX_SUBJECT_LENGTH).collect(), message)
}

fn alarm_arn(name: &str) -> String {
    format!("arn:aws:cloudwatch:{REGION}:{ACCOUNT_ID}:alarm:{name}")
}

fn reason(event: &Event) -> &str {
    match event {
        Event::StateChanged { reason, .. } | Event::ActionsResumed { reason, .. } => reason,
    }
}

/// Actions that were held back are taken for a state that the alarm is in already.
fn old_state(event: &Event) -> State {
    match event {
        Event::StateChanged { from, .. } => *from,
        Event::ActionsResumed { state, .. } => *state,
    }
}

#[cfg(test)]
mod tests {
    use alarms::{Actions, Evaluator, Resource};

    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:movie-pipeline-local-alarms";
    const LATE: &str = "movie-pipeline-local-run-late";
    const PAGE: &str = "movie-pipeline-local-page";

    /// A composite alarm and the alarm that it looks at.
    fn declared() -> Evaluator {
        let late = json!({
            "name": LATE, "namespace": "N", "metricName": "M", "statistic": "Sum", "period": 60, "evaluationPeriods": 1,
            "threshold": 1, "comparisonOperator": "LessThanThreshold", "treatMissingData": "breaching",
        });
        let page = json!({
            "alarmName": PAGE, "alarmDescription": "Act now.", "alarmRule": format!("ALARM(\"{LATE}\")"),
            "alarmActions": [TOPIC], "okActions": [TOPIC],
        });
        let resource =
            |kind: &str, properties| Resource { resource_type: format!("aws:cloudwatch:{kind}"), properties };
        Evaluator::new(&[resource("MetricAlarm", late), resource("CompositeAlarm", page)]).unwrap()
    }

    fn published(from: State, to: State, children: &[String]) -> (String, Value) {
        let at = DateTime::from_timestamp(1_795_348_800, 0).unwrap();
        let (reason, actions) = ("because".to_owned(), Actions::Taken(vec![TOPIC.to_owned()]));
        let event = Event::StateChanged { alarm: PAGE.to_owned(), at, from, to, reason, actions };
        let change = Change { at_s: at.timestamp(), event, alarming: children.to_vec() };
        let evaluator = declared();
        let page = evaluator.alarms().iter().find(|alarm| alarm.name() == PAGE).unwrap();
        notification(&change, page, "the rule", children)
    }

    #[test]
    fn a_composite_alarm_that_goes_off_is_told_as_cloudwatch_tells_it() {
        let (subject, message) = published(State::Ok, State::Alarm, &[LATE.to_owned()]);
        assert_eq!(subject, r#"ALARM: "movie-pipeline-local-page" in EU (Frankfurt)"#);
        let expected = json!({
            "AlarmName": "movie-pipeline-local-page",
            "AlarmDescription": "Act now.",
            "AWSAccountId": "123456789012",
            "NewStateValue": "ALARM",
            "NewStateReason": "because",
            "StateChangeTime": "2026-11-22T12:00:00.000+0000",
            "Region": "EU (Frankfurt)",
            "AlarmArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:movie-pipeline-local-page",
            "OKActions": [TOPIC],
            "AlarmActions": [TOPIC],
            "InsufficientDataActions": [],
            "OldStateValue": "OK",
            "AlarmRule": "the rule",
            "TriggeringChildren": [{
                "Arn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:movie-pipeline-local-run-late",
                "State": {"Value": "ALARM", "Timestamp": "2026-11-22T12:00:00.000+0000"},
            }],
        });
        assert_eq!(message, expected);
    }

    #[test]
    fn its_end_is_told_in_the_same_fields() {
        let (subject, message) = published(State::Alarm, State::Ok, &[]);
        assert_eq!(subject, r#"OK: "movie-pipeline-local-page" in EU (Frankfurt)"#);
        assert_eq!((&message["OldStateValue"], &message["NewStateValue"]), (&json!("ALARM"), &json!("OK")));
        assert_eq!(message["TriggeringChildren"], json!([]));
    }
}
