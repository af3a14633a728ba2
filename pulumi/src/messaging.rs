//! Topic, queue, and a queue for everything that can fail on the way.
//!
//! ```text
//! schedule ─▶ ranker ─▶ topic ─▶ queue ─▶ enricher
//!    ╰──────────┤         │        ╰─ dead letters: movies the enricher could not enrich
//!               │         ╰─ undelivered: messages the topic could not put into the queue
//!               ╰─ ranker failures: schedule events that did not become a run
//! ```
//!
//! Each kind of failure has its own queue, because each has its own cause and its own remedy: a dead letter goes back
//! to the queue, an undelivered message never was in it (SQS cannot move it there by itself), a failed event is for
//! the ranker. One look at which queue fills tells where to look.

use domain::contract::environment::{FAILURE_RETENTION, QUEUE_RETENTION};
use serde_json::{Value, json};

use crate::config::Config;
use crate::policy::{Statement, allow, document, tls_only, to_json};
use crate::program::Stack;
use crate::resource::{Handle, Key, Queue, QueuePolicy, Topic, TopicPolicy, TopicSubscription};

/// The topic, within the names of a stack.
pub(crate) const TOPIC: &str = "movies";
/// The queue, within the names of a stack.
const QUEUE: &str = "movies";
/// The queue of schedule events that did not become a run, within the names of a stack.
pub(crate) const RANKER_FAILURES_QUEUE: &str = "ranker-failures";
/// The rule that starts a run, within the names of a stack.
pub(crate) const SCHEDULE_RULE: &str = "schedule";

/// AWS advises six times the function's timeout plus the batching window, so that a throttled batch is not delivered
/// a second time (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>).
const VISIBILITY_TIMEOUT_PER_FUNCTION_TIMEOUT: u32 = 6;

/// The path of a movie, and the queues for what leaves it.
#[derive(Debug)]
pub(crate) struct Messaging {
    pub(crate) topic: Handle<Topic>,
    pub(crate) queue: Handle<Queue>,
    /// Movies that the enricher could not enrich.
    pub(crate) dead_letters: Handle<Queue>,
    /// Messages that the topic could not put into the queue.
    pub(crate) undelivered: Handle<Queue>,
    /// Schedule events that did not become a run.
    pub(crate) ranker_failures: Handle<Queue>,
}

pub(crate) fn add(stack: &mut Stack, key: &Handle<Key>) -> Messaging {
    let topic = add_topic(stack, key);
    let dead_letters = add_dead_letter_queue(stack, key);
    let queue = add_queue(stack, key, &dead_letters);
    let undelivered = add_failure_queue(stack, "undeliveredQueue", "movies-undelivered", key);
    let ranker_failures = add_failure_queue(stack, "rankerFailuresQueue", RANKER_FAILURES_QUEUE, key);

    let topic_sends = || Some(("TopicSends", "sns.amazonaws.com", topic.arn().to_string()));
    let rule = Stack::arn("events", &format!("rule/{}", stack.name(SCHEDULE_RULE)));
    let rule_sends = Some(("RuleSends", "events.amazonaws.com", rule));
    let queue_policy = add_queue_policy(stack, "moviesQueuePolicy", &queue, topic_sends());
    add_queue_policy(stack, "deadLetterQueuePolicy", &dead_letters, None);
    let undelivered_policy = add_queue_policy(stack, "undeliveredQueuePolicy", &undelivered, topic_sends());
    add_queue_policy(stack, "rankerFailuresQueuePolicy", &ranker_failures, rule_sends);

    let subscription = json!({
        "topic": topic.arn(),
        "protocol": "sqs",
        "endpoint": queue.arn(),
        // The body stays as published, and message attributes, which carry the trace, reach the enricher.
        "rawMessageDelivery": true,
        "redrivePolicy": to_json(&json!({"deadLetterTargetArn": undelivered.arn()})),
    });
    let options = json!({"dependsOn": [queue_policy.itself(), undelivered_policy.itself()]});
    stack.resources.add_with::<TopicSubscription>("moviesSubscription", subscription, options);
    Messaging { topic, queue, dead_letters, undelivered, ranker_failures }
}

fn add_topic(stack: &mut Stack, key: &Handle<Key>) -> Handle<Topic> {
    let properties = json!({"name": stack.name(TOPIC), "kmsMasterKeyId": key.arn()});
    let topic = stack.resources.add::<Topic>("moviesTopic", properties);
    // It replaces SNS's default policy. Who may publish is told by roles.
    let policy = document([tls_only("sns:Publish", topic.arn())]);
    stack.resources.add::<TopicPolicy>("moviesTopicPolicy", json!({"arn": topic.arn(), "policy": policy}));
    topic
}

/// How long the queue hides a movie that an enricher has received.
pub(crate) fn visibility_timeout_seconds(config: &Config) -> u32 {
    VISIBILITY_TIMEOUT_PER_FUNCTION_TIMEOUT * config.enricher_timeout_seconds + config.batching_window_seconds
}

fn add_queue(stack: &mut Stack, key: &Handle<Key>, dead_letters: &Handle<Queue>) -> Handle<Queue> {
    let redrive = json!({"deadLetterTargetArn": dead_letters.arn(), "maxReceiveCount": stack.config.max_receive_count});
    let properties = json!({
        "name": stack.name(QUEUE),
        "visibilityTimeoutSeconds": visibility_timeout_seconds(stack.config),
        "messageRetentionSeconds": QUEUE_RETENTION.as_secs(),
        "kmsMasterKeyId": key.arn(),
        "redrivePolicy": to_json(&redrive),
    });
    stack.resources.add("moviesQueue", properties)
}

/// The queue's dead letters. Only the queue may leave some here.
fn add_dead_letter_queue(stack: &mut Stack, key: &Handle<Key>) -> Handle<Queue> {
    let source = Stack::arn("sqs", &stack.name(QUEUE));
    let allow = json!({"redrivePermission": "byQueue", "sourceQueueArns": [source]});
    let properties = failure_queue(stack, "movies-dead-letters", key, &allow);
    stack.resources.add("deadLetterQueue", properties)
}

/// A queue for failures that no other queue may use for its dead letters.
fn add_failure_queue(stack: &mut Stack, name: &'static str, thing: &str, key: &Handle<Key>) -> Handle<Queue> {
    let properties = failure_queue(stack, thing, key, &json!({"redrivePermission": "denyAll"}));
    stack.resources.add(name, properties)
}

fn failure_queue(stack: &Stack, thing: &str, key: &Handle<Key>, redrive_allow: &Value) -> Value {
    json!({
        "name": stack.name(thing),
        "messageRetentionSeconds": FAILURE_RETENTION.as_secs(),
        "kmsMasterKeyId": key.arn(),
        "redriveAllowPolicy": to_json(redrive_allow),
    })
}

/// Admits one sender (statement, service, ARN) besides the account's roles, and nobody without TLS.
fn add_queue_policy(
    stack: &mut Stack,
    name: &'static str,
    queue: &Handle<Queue>,
    sender: Option<(&str, &str, String)>,
) -> Handle<QueuePolicy> {
    let sends = |(sid, service, source): (&str, &str, String)| -> Statement {
        allow(sid).service(service).actions(&["sqs:SendMessage"], queue.arn()).when(
            "ArnEquals",
            "aws:SourceArn",
            source,
        )
    };
    let statements = sender.map(sends).into_iter().chain([tls_only("sqs:*", queue.arn())]);
    stack.resources.add(name, json!({"queueUrl": queue.url(), "policy": document(statements)}))
}
