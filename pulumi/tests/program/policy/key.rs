//! The key lets those use it who must: the services that write to what it encrypts, and the account.

use serde_json::{Value, json};

use super::deliveries::{Delivery, deliveries};
use super::evaluation::Request;
use super::view::{View, statements_of, texts};
use super::{Finding, Rule, remove, remove_statement, statement};

const KEY_SERVES: Rule = Rule {
    demand: "the policy of a key lets every service use it that writes to what it encrypts",
    reason: "the service cannot write otherwise: messages, events, alarms and logs are lost, or cannot even be set up",
    find: |view| deliveries(view).iter().flat_map(|delivery| locked_out(view, delivery)).collect(),
    exceptions: &[],
};

const ADMINISTERED: Rule = Rule {
    demand: "every key lets its account administer it",
    reason: "IAM has no say over a key otherwise: the functions' roles cannot use it, and nobody can ever change its \
             policy again (https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html)",
    find: |view| {
        let keys = view.of_kind("aws:kms:Key").filter(|key| {
            !statements_of(*key).iter().any(|statement| {
                statement["Effect"] == "Allow"
                    && statement["Principal"] == json!({"AWS": "arn:${partition}:iam::${accountId}:root"})
                    && texts(&statement["Action"]).contains(&"kms:*")
                    && statement.get("Condition").is_none()
            })
        });
        keys.map(|key| Finding::new(key.name, "its policy does not name the account", key.properties)).collect()
    },
    exceptions: &[],
};

/// What the key of the target does not let the service do.
pub(super) fn locked_out(view: &View, delivery: &Delivery) -> Vec<Finding> {
    let Some((key, requests)) = delivery.key_use(view) else { return Vec::new() };
    let statements: Vec<_> = statements_of(key).into_iter().cloned().collect();
    let is_off = key.properties.get("isEnabled").is_some_and(|enabled| enabled != true);
    let refused = requests.iter().filter(|request| is_off || !view.permits(&statements, request));
    let what = |request: &Request| format!("refuses {} to {}", request.action, delivery.told());
    refused.map(|request| Finding::new(key.name, what(request), key.properties)).collect()
}

#[test]
fn the_key_serves_whoever_needs_it() {
    KEY_SERVES.assert_kept();
    ADMINISTERED.assert_kept();
}

#[test]
fn a_service_that_cannot_use_the_key_it_needs_is_caught() {
    const USERS: [(&str, &str, &str); 4] = [
        ("TopicSendsToQueues", "aws:SourceArn", "arn:${partition}:sns:${region}:${accountId}:movie-pipeline-dev-other"),
        ("AlarmsReachTheirTopic", "aws:SourceArn", "arn:${partition}:cloudwatch:${region}:${accountId}:alarm:other-*"),
        (
            "ScheduleLeavesFailedEvents",
            "kms:EncryptionContext:aws:sqs:arn",
            "arn:${partition}:sqs:${region}:${accountId}:movie-pipeline-dev-movies",
        ),
        (
            "LogsAreEncrypted",
            "kms:EncryptionContext:aws:logs:arn",
            "arn:${partition}:logs:${region}:${accountId}:log-group:/aws/lambda/movie-pipeline-prod-*",
        ),
    ];
    for (sid, key, other) in USERS {
        let change = |change: &dyn Fn(&mut Value)| {
            KEY_SERVES.assert_catches("key", |resources| {
                change(statement(&mut resources["key"]["properties"]["policy"], sid));
            });
        };
        KEY_SERVES.assert_catches("key", |resources| remove_statement(resources, "key", sid));
        change(&|statement| statement["Condition"]["ArnLike"][key] = json!(other));
        change(&|statement| statement["Principal"]["Service"] = json!("s3.amazonaws.com"));
        change(&|statement| statement["Action"] = json!(["kms:Decrypt"]));
        change(&|statement| statement["Effect"] = json!("Deny"));
    }
    KEY_SERVES.assert_catches("key", |resources| resources["key"]["properties"]["isEnabled"] = json!(false));
    // A condition on what EventBridge does not tell shuts it out.
    KEY_SERVES.assert_catches("key", |resources| {
        let policy = &mut resources["key"]["properties"]["policy"];
        statement(policy, "ScheduleLeavesFailedEvents")["Condition"]["StringEquals"]["aws:SourceAccount"] =
            json!("${accountId}");
    });
}

#[test]
fn a_resource_that_comes_to_need_the_key_is_seen_without_being_named() {
    KEY_SERVES.assert_catches("key", |resources| {
        resources["auditLogs"] = json!({
            "type": "aws:cloudwatch:LogGroup",
            "properties": {"name": "/audit/movies", "retentionInDays": 30, "kmsKeyId": "${key.arn}"},
        });
    });
    KEY_SERVES.assert_catches("key", |resources| {
        resources["scheduleTarget"]["properties"]["deadLetterConfig"]["arn"] = json!("${undeliveredQueue.arn}");
    });
    KEY_SERVES.assert_catches("key", |resources| {
        resources["moreMovies"] = json!({"type": "aws:sns:Topic", "properties": {"name": "more"}});
        resources["moreSubscription"] = json!({
            "type": "aws:sns:TopicSubscription",
            "properties": {"topic": "${moreMovies.arn}", "protocol": "sqs", "endpoint": "${moviesQueue.arn}"},
        });
    });
}

#[test]
fn a_key_that_its_account_cannot_administer_is_caught() {
    ADMINISTERED.assert_catches("key", |resources| remove_statement(resources, "key", "AccountAdministers"));
    ADMINISTERED.assert_catches("key", |resources| {
        let policy = &mut resources["key"]["properties"]["policy"];
        statement(policy, "AccountAdministers")["Action"] = json!(["kms:Decrypt"]);
    });
    ADMINISTERED.assert_catches("key", |resources| remove(&mut resources["key"], "policy"));
}
