//! What CloudWatch publishes when a composite alarm takes its actions.
//!
//! The fields are those of the notifications that CloudWatch sends by SNS
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html>) and of a composite
//! alarm (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_CompositeAlarm.html>). No page of AWS
//! gives the whole message of a composite alarm; what is not documented is left out.

use alarms::{Alarm, Event, State};
use chrono::DateTime;
use serde_json::{Value, json};

use super::watch::Change;
use crate::emulator::{ACCOUNT_ID, REGION};

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
    let subject = format!("{state}: \"{}\" in {REGION}", alarm.name());
    let message = json!({
        "AlarmName": alarm.name(),
        "AlarmDescription": alarm.description(),
        "AWSAccountId": ACCOUNT_ID,
        "NewStateValue": state,
        "NewStateReason": reason,
        "StateChangeTime": time,
        "Region": REGION,
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
