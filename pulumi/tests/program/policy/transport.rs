//! Buckets are private, and nothing is reached by plain HTTP.

use serde_json::{Value, json};

use super::view::{Seen, View, statements_of, texts};
use super::{Finding, Rule, remove, statement};

const PRIVATE: Rule = Rule {
    demand: "every bucket blocks public access in all four ways",
    reason: "one policy or one object written with a public ACL would otherwise publish what is stored",
    find: |view| {
        let open = view.of_kind("aws:s3:Bucket").filter(|bucket| !blocks_public_access(view, *bucket));
        open.map(|bucket| Finding::new(bucket.name, "does not block public access", bucket.properties)).collect()
    },
    exceptions: &[],
};

const TLS_ONLY: Rule = Rule {
    demand: "every bucket, topic and queue refuses plain HTTP",
    reason: "AWS answers it otherwise, and whoever listens reads movies, messages and signed requests",
    find: |view| POLICIES.iter().flat_map(|of| open_to_plain_http(view, of)).collect(),
    exceptions: &[],
};

const NOTHING_LEAVES_BY_HTTP: Rule = Rule {
    demand: "no topic sends by plain HTTP",
    reason: "whoever listens on the way reads movies and alarms",
    find: |view| {
        let open = view.of_kind("aws:sns:TopicSubscription").filter(|sent| sent.properties["protocol"] == "http");
        open.map(|sent| Finding::new(sent.name, "sends by plain HTTP", sent.properties)).collect()
    },
    exceptions: &[],
};

/// A kind that has a policy of its own.
struct PolicyOf {
    kind: &'static str,
    policy: &'static str,
    /// The property by which the policy refers to what it belongs to.
    owner: &'static str,
    /// What must be refused.
    action: &'static str,
    /// What comes after the ARN, each to be refused.
    resources: &'static [&'static str],
}

const POLICIES: [PolicyOf; 3] = [
    PolicyOf {
        kind: "aws:s3:Bucket",
        policy: "aws:s3:BucketPolicy",
        owner: "bucket",
        action: "s3:*",
        resources: &["", "/*"],
    },
    // The only action of a topic that carries movies; SNS knows no `sns:*` in a topic's policy.
    PolicyOf {
        kind: "aws:sns:Topic",
        policy: "aws:sns:TopicPolicy",
        owner: "arn",
        action: "sns:Publish",
        resources: &[""],
    },
    PolicyOf {
        kind: "aws:sqs:Queue",
        policy: "aws:sqs:QueuePolicy",
        owner: "queueUrl",
        action: "sqs:*",
        resources: &[""],
    },
];

fn blocks_public_access(view: &View, bucket: Seen) -> bool {
    const WAYS: [&str; 4] = ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"];
    let blocks = view.referring("aws:s3:BucketPublicAccessBlock", "bucket", bucket);
    blocks.iter().any(|block| WAYS.iter().all(|way| block.properties[*way] == true))
}

fn open_to_plain_http(view: &View, of: &PolicyOf) -> Vec<Finding> {
    let refuses = |owner: Seen| {
        let policies = view.referring(of.policy, of.owner, owner);
        policies.iter().flat_map(|policy| statements_of(*policy)).any(|statement| {
            let arn = format!("${{{}.arn}}", owner.name);
            refuses_plain_http(statement, of.action)
                && of
                    .resources
                    .iter()
                    .all(|rest| texts(&statement["Resource"]).contains(&format!("{arn}{rest}").as_str()))
        })
    };
    let open = view.of_kind(of.kind).filter(|owner| !refuses(*owner));
    open.map(|owner| Finding::new(owner.name, "answers plain HTTP", owner.properties)).collect()
}

fn refuses_plain_http(statement: &Value, action: &str) -> bool {
    statement["Effect"] == "Deny"
        && statement["Principal"] == "*"
        && statement["Condition"] == json!({"Bool": {"aws:SecureTransport": "false"}})
        && texts(&statement["Action"]).contains(&action)
}

#[test]
fn every_bucket_blocks_public_access() {
    PRIVATE.assert_kept();
}

#[test]
fn a_bucket_that_may_become_public_is_caught() {
    for way in ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"] {
        let block = "moviesBucketPublicAccessBlock";
        PRIVATE.assert_catches("moviesBucket", |resources| resources[block]["properties"][way] = json!(false));
        PRIVATE.assert_catches("moviesBucket", |resources| remove(&mut resources[block], way));
    }
}

#[test]
fn plain_http_is_refused_everywhere() {
    TLS_ONLY.assert_kept();
    NOTHING_LEAVES_BY_HTTP.assert_kept();
}

#[test]
fn a_subscription_by_plain_http_is_caught() {
    NOTHING_LEAVES_BY_HTTP.assert_catches("moviesSubscription", |resources| {
        let subscription = &mut resources["moviesSubscription"]["properties"];
        subscription["protocol"] = json!("http");
        subscription["endpoint"] = json!("http://movies.example");
    });
}

#[test]
fn what_answers_plain_http_is_caught() {
    let change = |name: &'static str, policy: &'static str, change: fn(&mut Value)| {
        TLS_ONLY.assert_catches(name, |resources| {
            change(statement(&mut resources[policy]["properties"]["policy"], "TlsOnly"));
        });
    };
    for (name, policy) in [
        ("moviesBucket", "moviesBucketPolicy"),
        ("alarmTopic", "alarmTopicPolicy"),
        ("deadLetterQueue", "deadLetterQueuePolicy"),
    ] {
        change(name, policy, |statement| statement["Effect"] = json!("Allow"));
        change(name, policy, |statement| statement["Condition"]["Bool"]["aws:SecureTransport"] = json!("true"));
        change(name, policy, |statement| statement["Action"] = json!(["s3:GetObject"]));
        change(name, policy, |statement| statement["Resource"] = json!(["${moviesBucket.arn}/*"]));
    }
}
