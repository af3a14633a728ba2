//! An AWS service that may use something of ours does so on behalf of this stack or account only.

use serde_json::{Value, json};

use super::view::{Seen, place, texts};
use super::{Exception, Finding, Rule, statement};

const CONFINED: Rule = Rule {
    demand: "every service that is let in is confined by source ARN or account",
    reason: "someone else's topic, rule or alarm could otherwise use the service to reach ours (a confused deputy)",
    find: |view| {
        let statements = view.statements().into_iter().filter(|(_, statement)| is_unconfined(statement));
        statements
            .map(|(resource, statement)| Finding::new(place(resource, &statement), "lets a service in", &statement))
            .collect()
    },
    exceptions: &[
        Exception {
            at: &["key/ScheduleLeavesFailedEvents"],
            reason: "EventBridge does not tell KMS on whose behalf it acts; the queue's ARN in the encryption context \
                     confines it, and the queue's policy admits this stack's rule alone",
            only_if: |statement| is_arn(&statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:sqs:arn"]),
        },
        Exception {
            at: &["key/LogsAreEncrypted"],
            reason: "CloudWatch Logs tells KMS the log group by the encryption context, as its guide writes the policy",
            only_if: |statement| is_arn(&statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]),
        },
        Exception {
            at: &["rankerRole/LambdaAssumes", "enricherRole/LambdaAssumes"],
            reason: "a role can only be given to a function of its own account, by whoever has iam:PassRole on it",
            only_if: |statement| {
                statement["Action"] == "sts:AssumeRole"
                    && statement["Principal"] == json!({"Service": "lambda.amazonaws.com"})
            },
        },
    ],
};

const NOBODY_ELSE: Rule = Rule {
    demand: "nobody but the account and AWS's services is let in",
    reason: "everyone in the world could use it",
    find: |view| {
        let statements = view.statements().into_iter();
        let statements = statements.filter(|(resource, statement)| admits_others(*resource, statement));
        statements
            .map(|(resource, statement)| Finding::new(place(resource, &statement), "lets others in", &statement))
            .collect()
    },
    exceptions: &[],
};

fn is_unconfined(statement: &Value) -> bool {
    let lets_in = statement["Effect"] == "Allow" && statement["Principal"].get("Service").is_some();
    lets_in && !is_confined(&statement["Condition"])
}

/// Whether a condition compares source ARN or account with one of this account. `…IfExists` compares only if it is told.
fn is_confined(condition: &Value) -> bool {
    let operators = ["StringEquals", "ArnEquals", "ArnLike"].map(|operator| &condition[operator]);
    operators.iter().any(|operator| {
        let of_account = operator["aws:SourceAccount"] == "${accountId}";
        of_account || is_arn(&operator["aws:SourceArn"])
    })
}

/// Whether this is an ARN of this account, or that of a resource of the program.
fn is_arn(value: &Value) -> bool {
    let is_ours = |arn: &str| {
        let reference = arn.strip_prefix("${").and_then(|rest| rest.strip_suffix(".arn}"));
        let account = arn.starts_with("arn:").then(|| arn.split(':').nth(4)).flatten();
        reference.is_some_and(|name| !name.contains('}')) || account == Some("${accountId}")
    };
    let arns = texts(value);
    !arns.is_empty() && arns.into_iter().all(is_ours)
}

/// Only a key has to name its account; elsewhere that would let in whoever IAM lets do everything of a kind.
fn admits_others(resource: Seen, statement: &Value) -> bool {
    let Some(principal) = statement.get("Principal") else { return statement.get("NotPrincipal").is_some() };
    let root = json!({"AWS": "arn:${partition}:iam::${accountId}:root"});
    let is_account = *principal == root && resource.kind == "aws:kms:Key";
    let services = principal.as_object().filter(|kinds| kinds.len() == 1).and_then(|kinds| kinds.get("Service"));
    let are_services =
        services.is_some_and(|services| texts(services).iter().all(|name| name.ends_with(".amazonaws.com")));
    statement["Effect"] == "Allow" && !is_account && !are_services
}

#[test]
fn every_service_is_confined_to_this_stack() {
    CONFINED.assert_kept();
    NOBODY_ELSE.assert_kept();
}

#[test]
fn a_service_that_is_not_confined_is_caught() {
    let change = |name: &'static str, sid: &'static str, change: fn(&mut Value)| {
        CONFINED.assert_catches(&format!("{name}/{sid}"), |resources| {
            let properties = resources[name]["properties"].as_object_mut().unwrap();
            let policy =
                ["policy", "assumeRolePolicy"].into_iter().find(|policy| properties.contains_key(*policy)).unwrap();
            change(statement(&mut properties[policy], sid));
        });
    };
    for (name, sid) in [
        ("key", "TopicSendsToQueues"),
        ("key", "AlarmsReachTheirTopic"),
        ("key", "ScheduleLeavesFailedEvents"),
        ("key", "LogsAreEncrypted"),
        ("moviesQueuePolicy", "TopicSends"),
        ("rankerFailuresQueuePolicy", "RuleSends"),
        ("alarmTopicPolicy", "AlarmsPublish"),
    ] {
        change(name, sid, |statement| drop(statement.as_object_mut().unwrap().shift_remove("Condition")));
        change(name, sid, |statement| statement["Condition"] = json!({"ArnLike": {"aws:SourceArn": "*"}}));
        change(name, sid, |statement| {
            statement["Condition"] = json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:*:*"}});
        });
        change(name, sid, |statement| {
            statement["Condition"] = json!({"StringEqualsIfExists": {"aws:SourceAccount": "${accountId}"}});
        });
    }
    change("rankerRole", "LambdaAssumes", |statement| {
        statement["Principal"] = json!({"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]});
    });
    CONFINED.assert_catches("schedulePermission/Permission", |resources| {
        super::remove(&mut resources["schedulePermission"], "sourceArn");
    });
    CONFINED.assert_catches_with_all_options("spansLogPolicy/XRayKeepsSpans", |resources| {
        let policy = &mut resources["spansLogPolicy"]["properties"]["policyDocument"];
        statement(policy, "XRayKeepsSpans").as_object_mut().unwrap().shift_remove("Condition");
    });
}

#[test]
fn whoever_else_is_let_in_is_caught() {
    let others = [json!("*"), json!({"AWS": "*"}), json!({"AWS": "123456789012"}), json!({"Service": "*"})];
    for principal in others {
        NOBODY_ELSE.assert_catches("moviesQueuePolicy/TopicSends", |resources| {
            let policy = &mut resources["moviesQueuePolicy"]["properties"]["policy"];
            statement(policy, "TopicSends")["Principal"] = principal;
        });
    }
    for principal in ["*", "123456789012", "arn:aws:iam::123456789012:root"] {
        NOBODY_ELSE.assert_catches("schedulePermission/Permission", |resources| {
            resources["schedulePermission"]["properties"]["principal"] = json!(principal);
        });
    }
    NOBODY_ELSE.assert_catches("rankerRole/LambdaAssumes", |resources| {
        let trust = &mut resources["rankerRole"]["properties"]["assumeRolePolicy"];
        statement(trust, "LambdaAssumes")["Principal"] = json!({"AWS": "arn:${partition}:iam::${accountId}:root"});
    });
}
