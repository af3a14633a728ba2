//! One resource, one policy, one setting of each kind.

use serde_json::{Value, json};

use super::view::{Seen, View};
use super::{Finding, Rule};

const ONE_OF_EACH: Rule = Rule {
    demand: "whatever belongs to a resource is there once and belongs to one of the program's",
    reason: "two policies or settings of one thing overwrite each other on every deployment, and whichever comes last \
             counts, not the one that the other rules approved of",
    find: |view| {
        let parts = PARTS.iter().flat_map(|(kind, owner)| misplaced(view, kind, owner));
        parts.chain(view.all().flat_map(inline)).collect()
    },
    exceptions: &[],
};

/// Kinds that belong to another resource of which each has but one, and the property that tells which.
const PARTS: [(&str, &str); 8] = [
    ("aws:sqs:QueuePolicy", "queueUrl"),
    ("aws:sns:TopicPolicy", "arn"),
    ("aws:s3:BucketPolicy", "bucket"),
    ("aws:s3:BucketPublicAccessBlock", "bucket"),
    ("aws:s3:BucketServerSideEncryptionConfiguration", "bucket"),
    ("aws:s3:BucketVersioning", "bucket"),
    ("aws:s3:BucketLifecycleConfiguration", "bucket"),
    ("aws:lambda:FunctionEventInvokeConfig", "functionName"),
];

/// What queues, topics and buckets can also tell themselves.
const INLINE: [(&str, &[&str]); 3] = [
    ("aws:sqs:Queue", &["policy"]),
    ("aws:sns:Topic", &["policy"]),
    (
        "aws:s3:Bucket",
        &["policy", "acl", "grants", "serverSideEncryptionConfiguration", "versioning", "lifecycleRules"],
    ),
];

fn misplaced(view: &View, kind: &str, owner: &str) -> Vec<Finding> {
    let owner_of = |part: &Seen| view.referred(&part.properties[owner]).map(|owner| owner.name);
    let parts: Vec<_> = view.of_kind(kind).map(|part| (owner_of(&part), part)).collect();
    let fault = |(at, (owner, part)): (usize, &(Option<&str>, Seen))| {
        let what = match owner {
            None => "belongs to nothing in the program",
            Some(owner) if parts[..at].iter().any(|(before, _)| before == &Some(*owner)) => "is there a second time",
            Some(_) => return None,
        };
        Some(Finding::new(part.name, what, part.properties))
    };
    parts.iter().enumerate().filter_map(fault).collect()
}

fn inline(resource: Seen) -> Vec<Finding> {
    let names = INLINE.iter().find(|(kind, _)| *kind == resource.kind).map_or(&[][..], |(_, names)| names);
    let found = names.iter().filter(|name| resource.properties.get(**name).is_some());
    found.map(|name| Finding::new(resource.name, format!("tells its {name} itself"), resource.properties)).collect()
}

#[test]
fn nothing_is_told_twice() {
    ONE_OF_EACH.assert_kept();
}

#[test]
fn a_second_policy_or_setting_is_caught() {
    for name in ["moviesQueuePolicy", "moviesBucketPublicAccessBlock", "moviesBucketEncryption", "rankerFailurePath"] {
        ONE_OF_EACH.assert_catches("second", |resources| resources["second"] = resources[name].clone());
    }
    ONE_OF_EACH.assert_catches("moviesQueuePolicy", |resources| {
        resources["moviesQueuePolicy"]["properties"]["queueUrl"] =
            json!("https://sqs.eu-central-1.amazonaws.com/123456789012/movies");
    });
    let everyone = r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}"#;
    for (name, property, value) in
        [("deadLetterQueue", "policy", Value::from(everyone)), ("moviesBucket", "acl", json!("public-read"))]
    {
        ONE_OF_EACH.assert_catches(name, |resources| resources[name]["properties"][property] = value);
    }
}
