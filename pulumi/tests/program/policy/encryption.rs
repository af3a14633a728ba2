//! Everything is encrypted by the customer key.

use serde_json::{Value, json};

use super::view::{Seen, View};
use super::{Finding, Rule, remove};

const ENCRYPTED: Rule = Rule {
    demand: "whatever stores something is encrypted by the stack's own key",
    reason: "AWS's keys admit everyone in the account whom the service admits, and their use is not ours to end",
    find: |view| view.all().filter_map(|resource| fault(view, resource)).collect(),
    exceptions: &[],
};

const ROTATED: Rule = Rule {
    demand: "the key changes by itself",
    reason: "what one key encrypted would otherwise grow for as long as the stack stands",
    find: |view| {
        let keys = view.of_kind("aws:kms:Key").filter(|key| key.properties["enableKeyRotation"] != true);
        keys.map(|key| Finding::new(key.name, "does not rotate", key.properties)).collect()
    },
    exceptions: &[],
};

/// What stores nothing: settings, permissions, connections.
const HOLDS_NOTHING: [&str; 25] = [
    "pulumi:providers:aws",
    "aws:kms:Key",
    "aws:kms:Alias",
    "aws:s3:BucketVersioning",
    "aws:s3:BucketServerSideEncryptionConfiguration",
    "aws:s3:BucketPublicAccessBlock",
    "aws:s3:BucketLifecycleConfiguration",
    "aws:s3:BucketPolicy",
    "aws:sns:TopicPolicy",
    "aws:sns:TopicSubscription",
    "aws:sqs:QueuePolicy",
    "aws:cloudwatch:LogResourcePolicy",
    "aws:xray:TraceSegmentDestination",
    "aws:xray:IndexingRule",
    "aws:iam:Role",
    "aws:iam:RolePolicy",
    "aws:lambda:Permission",
    "aws:lambda:FunctionEventInvokeConfig",
    "aws:lambda:EventSourceMapping",
    "aws:cloudwatch:EventRule",
    "aws:cloudwatch:EventTarget",
    "aws:cloudwatch:MetricAlarm",
    "aws:cloudwatch:CompositeAlarm",
    "aws:cloudwatch:QueryDefinition",
    "aws:cloudwatch:Dashboard",
];

fn fault(view: &View, resource: Seen) -> Option<Finding> {
    let properties = resource.properties;
    let key = match resource.kind {
        "aws:sqs:Queue" | "aws:sns:Topic" => &properties["kmsMasterKeyId"],
        "aws:cloudwatch:LogGroup" => &properties["kmsKeyId"],
        "aws:lambda:Function" => &properties["kmsKeyArn"],
        "aws:ssm:Parameter" if properties["type"] == "SecureString" => &properties["keyId"],
        "aws:s3:Bucket" => key_of_bucket(view, resource),
        kind if HOLDS_NOTHING.contains(&kind) => return None,
        kind => return Some(Finding::new(resource.name, format!("say here how {kind} is encrypted"), properties)),
    };
    let is_ours = view.referred_of_kind(key, "aws:kms:Key").is_some();
    (!is_ours).then(|| Finding::new(resource.name, format!("its key is {key}"), properties))
}

fn key_of_bucket<'a>(view: &View<'a>, bucket: Seen) -> &'a Value {
    let configurations = view.referring("aws:s3:BucketServerSideEncryptionConfiguration", "bucket", bucket);
    let by_default = configurations.first().map(|of| &of.properties["rules"][0]["applyServerSideEncryptionByDefault"]);
    by_default.filter(|rule| rule["sseAlgorithm"] == "aws:kms").map_or(&Value::Null, |rule| &rule["kmsMasterKeyId"])
}

#[test]
fn whatever_stores_something_is_encrypted_by_the_customer_key() {
    ENCRYPTED.assert_kept();
    ROTATED.assert_kept();
}

#[test]
fn what_is_not_encrypted_by_the_customer_key_is_caught() {
    let without = [
        ("deadLetterQueue", "kmsMasterKeyId"),
        ("alarmTopic", "kmsMasterKeyId"),
        ("enricherLogs", "kmsKeyId"),
        ("ranker", "kmsKeyArn"),
        ("omdbApiKeyParameter", "keyId"),
    ];
    for (name, property) in without {
        ENCRYPTED.assert_catches(name, |resources| remove(&mut resources[name], property));
        ENCRYPTED.assert_catches(name, |resources| resources[name]["properties"][property] = json!("alias/aws/sqs"));
    }
    ENCRYPTED.assert_catches("omdbApiKeyParameter", |resources| {
        resources["omdbApiKeyParameter"]["properties"]["type"] = json!("String");
    });
    ENCRYPTED.assert_catches("moviesBucket", |resources| {
        let rule = &mut resources["moviesBucketEncryption"]["properties"]["rules"][0];
        rule["applyServerSideEncryptionByDefault"] = json!({"sseAlgorithm": "AES256"});
    });
    ENCRYPTED.assert_catches("moviesBucket", |resources| {
        resources.as_object_mut().unwrap().shift_remove("moviesBucketEncryption");
    });
    ROTATED.assert_catches("key", |resources| resources["key"]["properties"]["enableKeyRotation"] = json!(false));
}

#[test]
fn a_kind_that_the_rule_does_not_know_is_caught() {
    ENCRYPTED.assert_catches("movies", |resources| {
        resources["movies"] = json!({"type": "aws:dynamodb:Table", "properties": {}});
    });
}
