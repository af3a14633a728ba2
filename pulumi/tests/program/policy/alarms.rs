//! An alarm that goes off is heard, by one of the composite alarms.

mod metrics;
mod windows;

pub(crate) use metrics::{metric_fault, watched};

use serde_json::{Value, json};

use super::deliveries::deliveries_of;
use super::key::locked_out;
use super::reach::refused;
use super::view::{Seen, View};
use super::{Finding, Rule, remove, remove_resource, statement};
use crate::common::references;

const METRIC_ALARM: &str = "aws:cloudwatch:MetricAlarm";
const COMPOSITE_ALARM: &str = "aws:cloudwatch:CompositeAlarm";

const STOOD_FOR: Rule = Rule {
    demand: "every metric alarm but a suppressor is part of exactly one composite alarm, and has no actions of its own",
    reason: "nobody hears it otherwise; or somebody hears it twice, or during maintenance",
    find: |view| view.of_kind(METRIC_ALARM).filter_map(|alarm| stray(view, alarm)).collect(),
    exceptions: &[],
};

const HEARD: Rule = Rule {
    demand: "every composite alarm tells a topic that CloudWatch may publish to and whose key it may use of its going off \
             and of its end",
    reason: "CloudWatch otherwise changes the alarm's state, fails to publish, and nobody is told (aws-cdk#11121)",
    find: |view| view.of_kind(COMPOSITE_ALARM).filter_map(|alarm| unheard(view, alarm)).collect(),
    exceptions: &[],
};

const QUIET_IN_MAINTENANCE: Rule = Rule {
    demand: "every composite alarm is kept quiet by an alarm of the stack that is no part of it and ends by itself",
    reason: "whoever maintains the stack wakes somebody otherwise, or nobody is woken any more",
    find: |view| view.of_kind(COMPOSITE_ALARM).filter_map(|alarm| loud(view, alarm)).collect(),
    exceptions: &[],
};

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html>
const RULE_FITS: Rule = Rule {
    demand: "the rule of a composite alarm is `ALARM` of alarms of the stack, joined by `OR`, and within AWS's limits",
    reason: "AWS refuses a rule with other names, of more than 100 alarms or of more than 10,240 characters",
    find: |view| view.of_kind(COMPOSITE_ALARM).filter_map(|alarm| unruly(view, alarm)).collect(),
    exceptions: &[],
};

/// The alarms that a composite alarm stands for, by their names in the program.
fn children(composite: Seen<'_>) -> Vec<&str> {
    let rule = composite.properties["alarmRule"].as_str().unwrap_or_default();
    references(rule).into_iter().filter_map(|reference| reference.strip_suffix(".name")).collect()
}

fn suppressor<'a>(view: &View<'a>, composite: Seen<'a>) -> Option<Seen<'a>> {
    view.referred_of_kind(&composite.properties["actionsSuppressor"]["alarm"], METRIC_ALARM)
}

fn stray(view: &View, alarm: Seen) -> Option<Finding> {
    let composites = || view.of_kind(COMPOSITE_ALARM);
    let parents = composites().flat_map(children).filter(|child| *child == alarm.name).count();
    let suppresses = composites().any(|one| suppressor(view, one).is_some_and(|found| found.name == alarm.name));
    let acts = ["alarmActions", "okActions", "insufficientDataActions"];
    let what = match (parents, suppresses) {
        _ if acts.iter().any(|actions| alarm.properties.get(*actions).is_some()) => "has actions of its own",
        (0, true) | (1, false) => return None,
        (0, false) => "is part of no composite alarm",
        (_, true) => "is part of what it keeps quiet",
        (_, false) => "is part of several, or several times",
    };
    Some(Finding::new(alarm.name, what, alarm.properties))
}

fn unheard(view: &View, alarm: Seen) -> Option<Finding> {
    let tells = |actions: &str| {
        let actions = alarm.properties[actions].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_topic = |action| view.referred_of_kind(action, "aws:sns:Topic").is_some();
        !actions.is_empty() && actions.iter().all(is_topic)
    };
    let deliveries = deliveries_of(view, alarm);
    let what = if !tells("alarmActions") {
        "tells no topic of the stack that it goes off"
    } else if !tells("okActions") {
        "tells no topic of the stack that it is over"
    } else if alarm.properties.get("actionsEnabled") == Some(&Value::Bool(false)) {
        "its actions are off"
    } else if deliveries.iter().any(|delivery| refused(view, delivery).is_some()) {
        "CloudWatch may not publish to its topic"
    } else if deliveries.iter().any(|delivery| !locked_out(view, delivery).is_empty()) {
        "CloudWatch may not use the key of its topic"
    } else {
        return None;
    };
    Some(Finding::new(alarm.name, what, alarm.properties))
}

fn loud(view: &View, alarm: Seen) -> Option<Finding> {
    let told = &alarm.properties["actionsSuppressor"];
    let waits = ["waitPeriod", "extensionPeriod"].iter().all(|period| told[*period].as_u64() > Some(0));
    let what = match suppressor(view, alarm) {
        None => "is kept quiet by no metric alarm of the stack",
        Some(found) if children(alarm).contains(&found.name) => "is kept quiet by what should set it off",
        Some(found) if found.properties["treatMissingData"] != "notBreaching" => "its maintenance never ends",
        Some(_) if !waits => "does not wait for its suppressor",
        Some(_) => return None,
    };
    Some(Finding::new(alarm.name, what, alarm.properties))
}

fn unruly(view: &View, alarm: Seen) -> Option<Finding> {
    let rule = alarm.properties["alarmRule"].as_str().unwrap_or_default();
    let is_ours = |name: &str| view.of_kind(METRIC_ALARM).any(|alarm| alarm.name == name);
    let is_alarm_of_ours = |term: &str| {
        let reference = term.strip_prefix("ALARM(\"${").and_then(|rest| rest.strip_suffix(".name}\")"));
        reference.is_some_and(is_ours)
    };
    let what = if !rule.split(" OR ").all(is_alarm_of_ours) {
        "has something else in its rule"
    } else if children(alarm).len() > 100 {
        "stands for more than 100 alarms"
    } else if view.resolved(rule).len() > 10_240 {
        "has too long a rule"
    } else {
        return None;
    };
    Some(Finding::new(alarm.name, what, alarm.properties))
}

#[test]
fn every_alarm_is_stood_for_by_one_composite_alarm_that_is_heard() {
    STOOD_FOR.assert_kept();
    HEARD.assert_kept();
    QUIET_IN_MAINTENANCE.assert_kept();
    RULE_FITS.assert_kept();
}

#[test]
fn an_alarm_that_no_composite_one_or_several_stand_for_is_caught() {
    const ALARM: &str = "deadLettersAlarm";
    let change_rule = |resources: &mut Value, name: &str, from: &str, to: &str| {
        let rule = &mut resources[name]["properties"]["alarmRule"];
        let changed = rule.as_str().unwrap().replace(from, to);
        assert_ne!(*rule, changed);
        *rule = json!(changed);
    };
    let term = format!("ALARM(\"${{{ALARM}.name}}\") OR ");
    STOOD_FOR.assert_catches(ALARM, |resources| change_rule(resources, "pageAlarm", &term, ""));
    for composite in ["pageAlarm", "ticketAlarm"] {
        STOOD_FOR.assert_catches(ALARM, |resources| {
            let rule = resources[composite]["properties"]["alarmRule"].as_str().unwrap();
            resources[composite]["properties"]["alarmRule"] = json!(format!("{term}{rule}"));
        });
    }
    for actions in ["alarmActions", "okActions", "insufficientDataActions"] {
        STOOD_FOR
            .assert_catches(ALARM, |resources| resources[ALARM]["properties"][actions] = json!(["${alarmTopic.arn}"]));
    }
    STOOD_FOR.assert_catches("maintenanceAlarm", |resources| {
        change_rule(resources, "pageAlarm", ALARM, "maintenanceAlarm");
        change_rule(
            resources,
            "ticketAlarm",
            "rankerErrorsAlarm",
            &format!("{ALARM}.name}}\") OR ALARM(\"${{rankerErrorsAlarm"),
        );
    });
}

#[test]
fn a_composite_alarm_that_nobody_hears_is_caught() {
    const ALARM: &str = "pageAlarm";
    for name in ["alarmActions", "okActions"] {
        for actions in [json!([]), json!(["arn:aws:sns:eu-central-1:123456789012:elsewhere"]), json!(null)] {
            HEARD.assert_catches(ALARM, |resources| resources[ALARM]["properties"][name] = actions);
        }
    }
    HEARD.assert_catches(ALARM, |resources| resources[ALARM]["properties"]["actionsEnabled"] = json!(false));
}

#[test]
fn a_topic_that_alarms_cannot_reach_is_caught() {
    // Both composite alarms share the topic, so one is taken out.
    let catches = |change: fn(&mut Value)| {
        HEARD.assert_catches("pageAlarm", |resources| {
            remove_resource(resources, "ticketAlarm");
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
    catches(|resources| remove_resource(resources, "alarmTopicPolicy"));
}

#[test]
fn a_composite_alarm_that_maintenance_does_not_keep_quiet_or_does_for_ever_is_caught() {
    const ALARM: &str = "ticketAlarm";
    let catches = |name: &str, value: Value| {
        QUIET_IN_MAINTENANCE
            .assert_catches(ALARM, |resources| resources[ALARM]["properties"]["actionsSuppressor"][name] = value);
    };
    for alarm in ["movie-pipeline-other-maintenance", "${pageAlarm.alarmName}", "${sourceShrankAlarm.name}"] {
        catches("alarm", json!(alarm));
    }
    catches("waitPeriod", json!(0));
    catches("extensionPeriod", json!(null));
    QUIET_IN_MAINTENANCE.assert_catches(ALARM, |resources| remove(&mut resources[ALARM], "actionsSuppressor"));
    QUIET_IN_MAINTENANCE.assert_catches(ALARM, |resources| {
        remove_resource(resources, "pageAlarm");
        resources["maintenanceAlarm"]["properties"]["treatMissingData"] = json!("breaching");
    });
}

#[test]
fn a_rule_that_aws_refuses_or_that_says_something_else_is_caught() {
    const ALARM: &str = "pageAlarm";
    let catches = |rule: &str| {
        RULE_FITS.assert_catches(ALARM, |resources| resources[ALARM]["properties"]["alarmRule"] = json!(rule));
    };
    let run_late = "ALARM(\"${runLateAlarm.name}\")";
    for rule in ["", "ALARM(\"run-late\")", "OK(\"${runLateAlarm.name}\")", "ALARM(\"${rumLateAlarm.name}\")"] {
        catches(rule);
    }
    catches(&format!("{run_late} AND {run_late}"));
    catches(&[run_late; 101].join(" OR "));
    RULE_FITS.assert_catches(ALARM, |resources| {
        resources["runLateAlarm"]["properties"]["name"] = json!("x".repeat(10_240));
    });
}
