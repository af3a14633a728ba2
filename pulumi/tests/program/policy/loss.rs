//! What cannot be handed on is kept, for long enough, where someone looks.

use serde_json::{Value, json};

use super::queues::failure_queues;
use super::view::{Seen, View, document, texts};
use super::{Finding, Rule, remove};

const UNDELIVERED_IS_KEPT: Rule = Rule {
    demand: "whatever a topic or a rule cannot deliver goes to a queue after a bounded time",
    reason: "SNS and EventBridge drop it otherwise, a movie or a whole run, without a word; and EventBridge tries for a \
             day before it does, which is when the next run is due \
             (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html, \
             https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html)",
    find: |view| view.all().flat_map(|sender| drops(view, sender)).collect(),
    exceptions: &[],
};

const FAILURES_LAST: Rule = Rule {
    demand: "a queue for failures keeps them for as long as SQS can",
    reason: "what fails on a Friday must still be there when someone comes back from holidays; AWS advises the longest \
             (https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html)",
    find: |view| {
        let queues = failure_queues(view).into_iter();
        let short = queues.filter(|queue| queue.properties["messageRetentionSeconds"] != LONGEST_RETENTION_SECONDS);
        short.map(|queue| Finding::new(queue.name, "keeps failures for less than 14 days", queue.properties)).collect()
    },
    exceptions: &[],
};

const REDRIVEN: Rule = Rule {
    demand: "a queue moves what fails again and again to a queue that admits it, and no other queue may leave things there",
    reason: "SQS would otherwise deliver a poisoned message until it expires, and mix failures of different causes \
             (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html)",
    find: |view| {
        let poisoned = view.of_kind("aws:sqs:Queue").filter_map(|queue| not_redriven(view, queue));
        poisoned.chain(failure_queues(view).into_iter().filter_map(|queue| open_to_queues(queue))).collect()
    },
    exceptions: &[],
};

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>
const LONGEST_RETENTION_SECONDS: u64 = 1_209_600;
/// How long EventBridge tries by itself, and the most it takes
/// (<https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_RetryPolicy.html>).
const EVENT_AGE_SECONDS: u64 = 86_400;

fn drops(view: &View, sender: Seen) -> Vec<Finding> {
    let properties = sender.properties;
    let dead_letters = &document(&properties["redrivePolicy"])["deadLetterTargetArn"];
    let is_kept = |arn: &Value| view.referred_of_kind(arn, "aws:sqs:Queue").is_some();
    let faults = match sender.kind {
        "aws:sns:TopicSubscription" => vec![(is_for_people(properties) || is_kept(dead_letters), "drops messages")],
        "aws:cloudwatch:EventTarget" => vec![
            (is_kept(&properties["deadLetterConfig"]["arn"]), "drops events"),
            (has_retry_bound(&properties["retryPolicy"]), "tries for as long as EventBridge likes"),
            // https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-use-resource-based.html
            (properties.get("roleArn").is_none(), "has a role, by which deliveries to functions and queues may fail"),
        ],
        _ => Vec::new(),
    };
    let faults = faults.into_iter().filter(|(is_right, _)| !is_right);
    faults.map(|(_, what)| Finding::new(sender.name, what, properties)).collect()
}

/// SNS keeps no dead letters of what it tells people: they would be told too late.
pub(super) fn is_for_people(subscription: &Value) -> bool {
    ["email", "email-json", "sms"].iter().any(|protocol| subscription["protocol"] == *protocol)
}

fn has_retry_bound(policy: &Value) -> bool {
    let age = policy["maximumEventAgeInSeconds"].as_u64();
    age.is_some_and(|seconds| seconds < EVENT_AGE_SECONDS) && policy["maximumRetryAttempts"].is_u64()
}

/// Queues from which a function takes.
fn not_redriven(view: &View, queue: Seen) -> Option<Finding> {
    let is_read = !view.referring("aws:lambda:EventSourceMapping", "eventSourceArn", queue).is_empty();
    let redrive = queue.properties.get("redrivePolicy").map(document);
    let Some(redrive) = redrive else {
        return is_read.then(|| Finding::new(queue.name, "never gives up on a message", queue.properties));
    };
    let target = view.referred_of_kind(&redrive["deadLetterTargetArn"], "aws:sqs:Queue");
    let what = if redrive["maxReceiveCount"].as_u64().is_none_or(|count| count == 0) {
        "does not tell after how many times it gives up"
    } else if !target.is_some_and(|target| admits_queue(view, target, queue)) {
        "its dead-letter queue does not admit it"
    } else {
        return None;
    };
    Some(Finding::new(queue.name, what, queue.properties))
}

fn admits_queue(view: &View, target: Seen, source: Seen) -> bool {
    let allow = document(&target.properties["redriveAllowPolicy"]);
    let sources: Vec<_> = texts(&allow["sourceQueueArns"]).into_iter().map(|arn| view.resolved(arn)).collect();
    allow["redrivePermission"] == "byQueue" && view.arn_of(source).is_some_and(|arn| sources == [arn])
}

fn open_to_queues(queue: Seen) -> Option<Finding> {
    let permission = &document(&queue.properties["redriveAllowPolicy"])["redrivePermission"];
    let is_closed = permission == "byQueue" || permission == "denyAll";
    (!is_closed).then(|| Finding::new(queue.name, "admits dead letters of any queue", queue.properties))
}

#[test]
fn what_cannot_be_handed_on_is_kept() {
    UNDELIVERED_IS_KEPT.assert_kept();
    FAILURES_LAST.assert_kept();
    REDRIVEN.assert_kept();
}

#[test]
fn a_target_or_subscription_that_drops_what_it_cannot_deliver_is_caught() {
    let target = |change: fn(&mut Value)| {
        UNDELIVERED_IS_KEPT.assert_catches("scheduleTarget", |resources| change(&mut resources["scheduleTarget"]));
    };
    target(|target| remove(target, "deadLetterConfig"));
    target(|target| target["properties"]["deadLetterConfig"]["arn"] = json!("${moviesTopic.arn}"));
    target(|target| remove(target, "retryPolicy"));
    target(|target| target["properties"]["retryPolicy"] = json!({"maximumRetryAttempts": 20}));
    target(|target| target["properties"]["retryPolicy"] = json!({"maximumEventAgeInSeconds": 3_600}));
    target(|target| target["properties"]["retryPolicy"]["maximumEventAgeInSeconds"] = json!(86_400));
    target(|target| target["properties"]["roleArn"] = json!("${rankerRole.arn}"));
    UNDELIVERED_IS_KEPT.assert_catches("moviesSubscription", |resources| {
        remove(&mut resources["moviesSubscription"], "redrivePolicy");
    });
}

#[test]
fn failures_that_expire_early_are_caught() {
    for queue in ["deadLetterQueue", "undeliveredQueue", "rankerFailuresQueue"] {
        FAILURES_LAST.assert_catches(queue, |resources| remove(&mut resources[queue], "messageRetentionSeconds"));
        FAILURES_LAST.assert_catches(queue, |resources| {
            resources[queue]["properties"]["messageRetentionSeconds"] = json!(345_601);
        });
    }
}

#[test]
fn a_queue_that_cannot_get_rid_of_a_poisoned_message_is_caught() {
    REDRIVEN.assert_catches("moviesQueue", |resources| remove(&mut resources["moviesQueue"], "redrivePolicy"));
    for count in [json!(0), json!(null)] {
        REDRIVEN.assert_catches("moviesQueue", |resources| {
            resources["moviesQueue"]["properties"]["redrivePolicy"]["fn::toJSON"]["maxReceiveCount"] = count;
        });
    }
    for sources in [json!([]), json!(["arn:${partition}:sqs:${region}:${accountId}:other"])] {
        REDRIVEN.assert_catches("moviesQueue", |resources| {
            let allow = &mut resources["deadLetterQueue"]["properties"]["redriveAllowPolicy"];
            allow["fn::toJSON"]["sourceQueueArns"] = sources;
        });
    }
    REDRIVEN.assert_catches("undeliveredQueue", |resources| {
        remove(&mut resources["undeliveredQueue"], "redriveAllowPolicy");
    });
}
