//! Messages are neither delivered twice for want of patience nor lost for want of time or notice.

use pulumi::config::settings::FAILED_MESSAGES_ALARM_THRESHOLD;
use serde_json::json;

use super::view::{Seen, View, document};
use super::{Finding, Rule, remove};

const HIDDEN_LONG_ENOUGH: Rule = Rule {
    demand: "a queue hides a message for six times its function's timeout and the batching window",
    reason: "a batch that Lambda throttles and tries again would otherwise be delivered to a second function meanwhile \
             (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html)",
    find: |view| view.of_kind("aws:lambda:EventSourceMapping").filter_map(|source| impatient(view, source)).collect(),
    exceptions: &[],
};

const DEAD_LETTERS_LAST_LONGER: Rule = Rule {
    demand: "a dead-letter queue keeps messages for longer than the queue they come from",
    reason: "a dead letter keeps the age it had, so it could otherwise expire on arrival",
    find: |view| view.of_kind("aws:sqs:Queue").filter_map(|queue| short_lived(view, queue)).collect(),
    exceptions: &[],
};

const FAILURES_ARE_TOLD: Rule = Rule {
    demand: "every queue that can hold failures has an alarm on the messages in it",
    reason: "a movie or a run would be missing and nobody would know",
    find: |view| {
        let silent = failure_queues(view).into_iter().filter(|queue| !has_alarm(view, *queue));
        silent.map(|queue| Finding::new(queue.name, "no alarm tells of its messages", queue.properties)).collect()
    },
    exceptions: &[],
};

/// Lambda's default (<https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html>).
const FUNCTION_TIMEOUT_SECONDS: u64 = 3;
/// SQS's defaults (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html>).
const VISIBILITY_TIMEOUT_SECONDS: u64 = 30;
const RETENTION_SECONDS: u64 = 345_600;

fn impatient(view: &View, source: Seen) -> Option<Finding> {
    let queue = view.referred_of_kind(&source.properties["eventSourceArn"], "aws:sqs:Queue")?;
    let function = view.referred_of_kind(&source.properties["functionName"], "aws:lambda:Function")?;
    let hidden = queue.properties["visibilityTimeoutSeconds"].as_u64().unwrap_or(VISIBILITY_TIMEOUT_SECONDS);
    let timeout = function.properties["timeout"].as_u64().unwrap_or(FUNCTION_TIMEOUT_SECONDS);
    let window = source.properties["maximumBatchingWindowInSeconds"].as_u64().unwrap_or(0);
    let what = format!("{hidden} s for 6 × {timeout} s and a batching window of {window} s");
    (hidden < 6 * timeout + window).then(|| Finding::new(queue.name, what, queue.properties))
}

fn short_lived(view: &View, queue: Seen) -> Option<Finding> {
    let redrive = queue.properties.get("redrivePolicy")?;
    let target = view.referred_of_kind(&document(redrive)["deadLetterTargetArn"], "aws:sqs:Queue");
    let kept = |queue: Seen| queue.properties["messageRetentionSeconds"].as_u64().unwrap_or(RETENTION_SECONDS);
    let lasts = target.is_some_and(|target| kept(target) > kept(queue));
    (!lasts).then(|| Finding::new(queue.name, "its dead letters may expire before they are seen", queue.properties))
}

/// Every queue that something names as the place for what fails.
pub(super) fn failure_queues<'a>(view: &View<'a>) -> Vec<Seen<'a>> {
    let named = view.all().flat_map(|resource| {
        let properties = resource.properties;
        [
            &document(&properties["redrivePolicy"])["deadLetterTargetArn"],
            &properties["deadLetterConfig"]["arn"],
            &properties["deadLetterConfig"]["targetArn"],
            &properties["destinationConfig"]["onFailure"]["destination"],
            &properties["destinationConfig"]["onFailure"]["destinationArn"],
        ]
    });
    let mut queues: Vec<_> = named.filter_map(|arn| view.referred_of_kind(arn, "aws:sqs:Queue")).collect();
    queues.sort_by_key(|queue| queue.name);
    queues.dedup_by_key(|queue| queue.name);
    queues
}

/// Whether an alarm that pages goes off within minutes of the number of messages that the setting allows at most.
/// Missing data is good: SQS stops reporting a queue that nobody used for six hours
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/monitoring-using-cloudwatch.html>).
fn has_alarm(view: &View, queue: Seen) -> bool {
    let name = json!({"QueueName": format!("${{{}.name}}", queue.name)});
    let pages = |alarm: Seen| {
        let rule = view.named("pageAlarm").and_then(|page| page.properties["alarmRule"].as_str());
        rule.is_some_and(|rule| rule.contains(&format!("ALARM(\"${{{}.name}}\")", alarm.name)))
    };
    view.of_kind("aws:cloudwatch:MetricAlarm").any(|alarm| {
        let properties = alarm.properties;
        let threshold = properties["threshold"].to_string();
        let number = |name: &str| properties[name].as_u64().unwrap_or(u64::MAX);
        properties["namespace"] == "AWS/SQS"
            && properties["metricName"] == "ApproximateNumberOfMessagesVisible"
            && properties["dimensions"] == name
            && properties["statistic"] == "Maximum"
            && properties["comparisonOperator"] == "GreaterThanOrEqualToThreshold"
            && properties["treatMissingData"] == "notBreaching"
            && FAILED_MESSAGES_ALARM_THRESHOLD.allowed.accepts(&threshold)
            && number("period").saturating_mul(number("evaluationPeriods")) <= 5 * 60
            && pages(alarm)
    })
}

#[test]
fn a_message_is_hidden_for_long_enough() {
    HIDDEN_LONG_ENOUGH.assert_kept();
}

#[test]
fn a_message_that_shows_too_early_is_caught() {
    HIDDEN_LONG_ENOUGH.assert_catches("moviesQueue", |resources| {
        resources["moviesQueue"]["properties"]["visibilityTimeoutSeconds"] = json!(180);
    });
    HIDDEN_LONG_ENOUGH.assert_catches("moviesQueue", |resources| {
        remove(&mut resources["moviesQueue"], "visibilityTimeoutSeconds");
    });
    HIDDEN_LONG_ENOUGH
        .assert_catches("moviesQueue", |resources| resources["enricher"]["properties"]["timeout"] = json!(900));
    HIDDEN_LONG_ENOUGH.assert_catches("moviesQueue", |resources| {
        remove(&mut resources["enricher"], "timeout");
        resources["moviesQueue"]["properties"]["visibilityTimeoutSeconds"] = json!(17);
    });
}

#[test]
fn dead_letters_outlive_the_messages_of_their_queue() {
    DEAD_LETTERS_LAST_LONGER.assert_kept();
}

#[test]
fn dead_letters_that_expire_too_early_are_caught() {
    DEAD_LETTERS_LAST_LONGER.assert_catches("moviesQueue", |resources| {
        remove(&mut resources["deadLetterQueue"], "messageRetentionSeconds");
    });
    DEAD_LETTERS_LAST_LONGER.assert_catches("moviesQueue", |resources| {
        resources["moviesQueue"]["properties"]["messageRetentionSeconds"] = json!(1_209_600);
    });
}

#[test]
fn every_queue_for_failures_has_an_alarm() {
    let (_, program) = &crate::common::programs()[0];
    let names: Vec<_> = failure_queues(&View::new(program)).iter().map(|queue| queue.name).collect();
    assert_eq!(names, ["deadLetterQueue", "rankerFailuresQueue", "undeliveredQueue"]);
    FAILURES_ARE_TOLD.assert_kept();
}

#[test]
fn a_queue_that_fills_unnoticed_is_caught() {
    let alarms = [
        ("deadLetterQueue", "deadLettersAlarm"),
        ("undeliveredQueue", "undeliveredAlarm"),
        ("rankerFailuresQueue", "rankerFailuresAlarm"),
    ];
    for (queue, alarm) in alarms {
        FAILURES_ARE_TOLD
            .assert_catches(queue, |resources| drop(resources.as_object_mut().unwrap().shift_remove(alarm)));
        FAILURES_ARE_TOLD.assert_catches(queue, |resources| {
            resources[alarm]["properties"]["metricName"] = json!("NumberOfMessagesSent");
        });
        let useless = [
            ("threshold", json!(1_000_000)),
            ("threshold", json!(0)),
            ("evaluationPeriods", json!(1_000)),
            ("period", json!(86_400)),
            ("treatMissingData", json!("breaching")),
            ("treatMissingData", json!(null)),
            ("statistic", json!("Minimum")),
        ];
        for (name, value) in useless {
            FAILURES_ARE_TOLD.assert_catches(queue, |resources| resources[alarm]["properties"][name] = value);
        }
        FAILURES_ARE_TOLD.assert_catches(queue, |resources| {
            let rule = &mut resources["pageAlarm"]["properties"]["alarmRule"];
            *rule = json!(rule.as_str().unwrap().replace(&format!("{alarm}.name"), "runLateAlarm.name"));
        });
    }
    FAILURES_ARE_TOLD.assert_catches("moviesQueue", |resources| {
        resources["scheduleTarget"]["properties"]["deadLetterConfig"]["arn"] = json!("${moviesQueue.arn}");
    });
}
