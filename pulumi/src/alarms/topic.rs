//! The topic that alarms tell, and who hears it.

use serde_json::json;

use crate::config::Config;
use crate::policy::{allow, document, tls_only};
use crate::program::{ACCOUNT_ID, Stack};
use crate::resource::{Handle, Key, Topic, TopicPolicy, TopicSubscription, literal};

/// Whom alarms tell. It stands among the outputs, which `pulumi preview` shows: nothing else about a stack that wakes nobody
/// looks wrong.
pub(crate) fn whom(config: &Config) -> &'static str {
    match config.alarm_email {
        Some(_) => "the address in alarmEmail, once it has confirmed the mail that AWS sends it",
        None => "nobody: pulumi config set alarmEmail you@example.com, or subscribe to the alarm topic yourself",
    }
}

pub(super) fn add(stack: &mut Stack, key: &Handle<Key>) -> Handle<Topic> {
    let properties = json!({"name": stack.name("alarms"), "kmsMasterKeyId": key.arn()});
    let topic = stack.resources.add::<Topic>("alarmTopic", properties);
    // A composite alarm's ARN reads like any other's.
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
