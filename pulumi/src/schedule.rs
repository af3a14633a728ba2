//! The daily rule that starts a run.

use serde_json::json;

use crate::messaging::SCHEDULE_RULE;
use crate::program::Stack;
use crate::resource::{EventRule, EventTarget, Function, FunctionPermission, Handle, Queue};

/// After an hour of failing to reach the ranker the event is left in a queue and an alarm goes off, while the day is
/// young. EventBridge alone would try for a day.
const MAXIMUM_EVENT_AGE_SECONDS: u32 = 60 * 60;

/// Enough to fill that hour with the growing pauses that EventBridge makes
/// (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html>).
const RETRIES: u32 = 20;

pub(crate) fn add(stack: &mut Stack, ranker: &Handle<Function>, failures: &Handle<Queue>) -> Handle<EventRule> {
    let rule = json!({
        "name": stack.name(SCHEDULE_RULE),
        "description": "Starts a run",
        "scheduleExpression": stack.config.schedule,
        "state": "ENABLED",
    });
    let rule = stack.resources.add::<EventRule>("schedule", rule);
    let permission = json!({
        "action": "lambda:InvokeFunction",
        "function": ranker.name(),
        "principal": "events.amazonaws.com",
        "sourceArn": rule.arn(),
    });
    stack.resources.add::<FunctionPermission>("schedulePermission", permission);
    let target = json!({
        "rule": rule.name(),
        "targetId": "ranker",
        "arn": ranker.arn(),
        "retryPolicy": {"maximumRetryAttempts": RETRIES, "maximumEventAgeInSeconds": MAXIMUM_EVENT_AGE_SECONDS},
        "deadLetterConfig": {"arn": failures.arn()},
    });
    stack.resources.add::<EventTarget>("scheduleTarget", target);
    rule
}
