//! The alarm topic and the alarms. Each alarm has a section in `dashboards/runbook.md`, which its description names.

use serde_json::json;

use crate::messaging::Messaging;
use crate::policy::{allow, document, tls_only};
use crate::program::{ACCOUNT_ID, Stack};
use crate::resource::{Handle, Key, MetricAlarm, Queue, Topic, TopicPolicy, TopicSubscription, literal};

/// A minute: dead letters are rare, and each one is a movie or a run that is missing.
const PERIOD_SECONDS: u32 = 60;

pub(crate) fn add(stack: &mut Stack, key: &Handle<Key>, messaging: &Messaging) -> Handle<Topic> {
    let topic = add_topic(stack, key);
    for alarm in queue_alarms(messaging) {
        add_queue_alarm(stack, &topic, &alarm);
    }
    topic
}

fn add_topic(stack: &mut Stack, key: &Handle<Key>) -> Handle<Topic> {
    let properties = json!({"name": stack.name("alarms"), "kmsMasterKeyId": key.arn()});
    let topic = stack.resources.add::<Topic>("alarmTopic", properties);
    let alarms = Stack::arn("cloudwatch", &format!("alarm:{}", stack.name("*")));
    let alarms_publish = allow("AlarmsPublish")
        .service("cloudwatch.amazonaws.com")
        .actions(&["sns:Publish"], topic.arn())
        .when("StringEquals", "aws:SourceAccount", ACCOUNT_ID)
        .when("ArnLike", "aws:SourceArn", alarms);
    let policy = document([alarms_publish, tls_only("sns:Publish", topic.arn())]);
    stack.resources.add::<TopicPolicy>("alarmTopicPolicy", json!({"arn": topic.arn(), "policy": policy}));
    if let Some(email) = &stack.config.alarm_email {
        let properties = json!({"topic": topic.arn(), "protocol": "email", "endpoint": literal(email)});
        stack.resources.add::<TopicSubscription>("alarmEmailSubscription", properties);
    }
    topic
}

/// An alarm on a queue that should be empty.
struct QueueAlarm<'a> {
    /// Name within the program.
    name: &'static str,
    /// Name within the names of a stack; the runbook's section is headed by it.
    thing: &'static str,
    queue: &'a Handle<Queue>,
    /// What happened and what to look at.
    description: &'static str,
}

fn queue_alarms(messaging: &Messaging) -> [QueueAlarm<'_>; 3] {
    [
        QueueAlarm {
            name: "deadLettersAlarm",
            thing: "dead-letters",
            queue: &messaging.dead_letters,
            description: "Movies could not be enriched and lie in the dead-letter queue; their runs are incomplete. \
                          Look at the reason in the enricher's log.",
        },
        QueueAlarm {
            name: "undeliveredAlarm",
            thing: "undelivered",
            queue: &messaging.undelivered,
            description: "The topic could not put messages into the queue; their runs are incomplete. \
                          Look at the policies of queue and key.",
        },
        QueueAlarm {
            name: "rankerFailuresAlarm",
            thing: "ranker-failures",
            queue: &messaging.ranker_failures,
            description: "A schedule event did not become a run. Look at the ranker's log.",
        },
    ]
}

/// On visible messages: messages that SQS moves by itself are not counted as sent.
fn add_queue_alarm(stack: &mut Stack, topic: &Handle<Topic>, alarm: &QueueAlarm) {
    let QueueAlarm { name, thing, queue, description } = alarm;
    let properties = json!({
        "name": stack.name(thing),
        "alarmDescription": format!("{description} Runbook: dashboards/runbook.md, section {thing}."),
        "namespace": "AWS/SQS",
        "metricName": "ApproximateNumberOfMessagesVisible",
        "dimensions": {"QueueName": queue.name()},
        "statistic": "Maximum",
        "comparisonOperator": "GreaterThanOrEqualToThreshold",
        "threshold": stack.config.failed_messages_alarm_threshold,
        "period": PERIOD_SECONDS,
        "evaluationPeriods": 1,
        "datapointsToAlarm": 1,
        // SQS stops reporting a queue that nobody used for six hours.
        "treatMissingData": "notBreaching",
        "alarmActions": [topic.arn()],
        "okActions": [topic.arn()],
    });
    stack.resources.add::<MetricAlarm>(name, properties);
}
