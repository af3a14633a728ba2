//! An alarm that goes off is heard.

use domain::contract::PROJECT;
use serde_json::{Value, json};

use super::view::{Seen, View, statements_of, texts};
use super::{Finding, Rule, statement};

const HEARD: Rule = Rule {
    demand: "every alarm acts on a topic that CloudWatch may publish to and whose key it may use",
    reason: "CloudWatch otherwise changes the alarm's state, fails to publish, and nobody is told (aws-cdk#11121)",
    find: |view| view.of_kind("aws:cloudwatch:MetricAlarm").filter_map(|alarm| unheard(view, alarm)).collect(),
    exceptions: &[],
};

fn unheard(view: &View, alarm: Seen) -> Option<Finding> {
    let actions = alarm.properties["alarmActions"].as_array().cloned().unwrap_or_default();
    let topics: Vec<_> = actions.iter().filter_map(|action| view.referred_of_kind(action, "aws:sns:Topic")).collect();
    let what = if topics.is_empty() || topics.len() < actions.len() {
        "acts on no topic of the stack"
    } else if alarm.properties.get("actionsEnabled") == Some(&Value::Bool(false)) {
        "its actions are off"
    } else if !topics.iter().all(|topic| may_publish(view, *topic)) {
        "CloudWatch may not publish to its topic"
    } else if !topics.iter().all(|topic| may_use_key(view, *topic)) {
        "CloudWatch may not use the key of its topic"
    } else {
        return None;
    };
    Some(Finding::new(alarm.name, what, alarm.properties))
}

fn may_publish(view: &View, topic: Seen) -> bool {
    let policies = view.referring("aws:sns:TopicPolicy", "arn", topic);
    let arn = format!("${{{}.arn}}", topic.name);
    let mut statements = policies.iter().flat_map(|policy| statements_of(*policy));
    statements.any(|one| lets_alarms(one, &["sns:Publish"]) && texts(&one["Resource"]).contains(&arn.as_str()))
}

/// What CloudWatch needs of the key of an encrypted topic
/// (<https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html>).
fn may_use_key(view: &View, topic: Seen) -> bool {
    let key = view.referred_of_kind(&topic.properties["kmsMasterKeyId"], "aws:kms:Key");
    let statements = key.map(statements_of).unwrap_or_default();
    statements.into_iter().any(|one| lets_alarms(one, &["kms:Decrypt", "kms:GenerateDataKey"]))
}

/// Whether a statement lets CloudWatch do this on behalf of the stack's alarms: a condition that names other alarms
/// would shut ours out.
fn lets_alarms(statement: &Value, actions: &[&str]) -> bool {
    let allowed = texts(&statement["Action"]);
    let source = statement["Condition"]["ArnLike"]["aws:SourceArn"].as_str();
    statement["Effect"] == "Allow"
        && texts(&statement["Principal"]["Service"]).contains(&"cloudwatch.amazonaws.com")
        && actions.iter().all(|action| allowed.contains(action))
        && source.is_none_or(|source| source.contains(&format!(":alarm:{PROJECT}-")))
}

#[test]
fn every_alarm_is_heard() {
    HEARD.assert_kept();
}

#[test]
fn an_alarm_that_nobody_hears_is_caught() {
    const ALARM: &str = "deadLettersAlarm";
    for actions in [json!([]), json!(["arn:aws:sns:eu-central-1:123456789012:elsewhere"]), json!(null)] {
        HEARD.assert_catches(ALARM, |resources| resources[ALARM]["properties"]["alarmActions"] = actions);
    }
    HEARD.assert_catches(ALARM, |resources| resources[ALARM]["properties"]["actionsEnabled"] = json!(false));
}

#[test]
fn a_topic_that_alarms_cannot_reach_is_caught() {
    // All alarms share the topic, so the other ones are taken out.
    let catches = |change: fn(&mut Value)| {
        HEARD.assert_catches("deadLettersAlarm", |resources| {
            for name in ["undeliveredAlarm", "rankerFailuresAlarm"] {
                resources.as_object_mut().unwrap().shift_remove(name);
            }
            change(resources);
        });
    };
    catches(|resources| {
        let key = &mut resources["key"]["properties"]["policy"];
        statement(key, "AlarmsReachTheirTopic")["Action"] = json!(["kms:Decrypt"]);
    });
    catches(|resources| {
        let key = &mut resources["key"]["properties"]["policy"];
        statement(key, "AlarmsReachTheirTopic")["Principal"]["Service"] = json!("events.amazonaws.com");
    });
    catches(|resources| {
        let alarms = json!("arn:${partition}:cloudwatch:${region}:${accountId}:alarm:other-*");
        let key = &mut resources["key"]["properties"]["policy"];
        statement(key, "AlarmsReachTheirTopic")["Condition"]["ArnLike"]["aws:SourceArn"] = alarms;
    });
    catches(|resources| {
        let topic = &mut resources["alarmTopicPolicy"]["properties"]["policy"];
        statement(topic, "AlarmsPublish")["Resource"] = json!("${moviesTopic.arn}");
    });
    catches(|resources| drop(resources.as_object_mut().unwrap().shift_remove("alarmTopicPolicy")));
}
