//! Policies name actions and resources.

use serde_json::{Value, json};

use super::view::{Seen, View, place, statements_of, texts};
use super::{Exception, Finding, Rule, statement};
use crate::common::each_text;

const ACTIONS: Rule = Rule {
    demand: "every action is named",
    reason: "`*` grants what nobody thought of, and what AWS will add",
    find: |view| {
        allowing(
            view,
            |statement| texts(&statement["Action"]).iter().any(|action| action.contains(['*', '?'])),
            "names no action",
        )
    },
    exceptions: &[Exception {
        at: &["key/AccountAdministers"],
        reason: "without it nobody could administer the key, see \"Default key policy\" in KMS's guide; it lets IAM \
                 decide, it grants nothing by itself",
        only_if: |statement| {
            let root = json!({"AWS": "arn:${partition}:iam::${accountId}:root"});
            statement["Principal"] == root && statement["Action"] == json!(["kms:*"])
        },
    }],
};

const RESOURCES: Rule = Rule {
    demand: "every resource is named where AWS knows one",
    reason: "a fault in one function could otherwise reach what belongs to others",
    find: |view| {
        let is_broad = |resource: &str| is_broad(&view.resolved(resource));
        allowing(view, |statement| texts(&statement["Resource"]).into_iter().any(is_broad), "names no resource")
    },
    exceptions: &[
        Exception {
            at: &["rankerPolicy/ReportMetrics", "enricherPolicy/ReportMetrics"],
            reason: "PutMetricData knows no resource; the namespace is what AWS offers instead",
            only_if: |statement| {
                statement["Action"] == json!(["cloudwatch:PutMetricData"])
                    && statement["Condition"]["StringEquals"]["cloudwatch:namespace"].is_string()
            },
        },
        Exception {
            at: &["rankerPolicy/SendTraces", "enricherPolicy/SendTraces"],
            reason: "X-Ray's actions for sending traces know neither a resource nor a condition",
            only_if: |statement| {
                texts(&statement["Action"])
                    .iter()
                    .all(|action| ["xray:PutTraceSegments", "xray:PutSpans"].contains(action))
            },
        },
        Exception {
            at: &[
                "key/AccountAdministers",
                "key/TopicSendsToQueues",
                "key/AlarmsReachTheirTopic",
                "key/ScheduleLeavesFailedEvents",
                "key/LogsAreEncrypted",
            ],
            reason: "in the policy of a key `*` is this key",
            only_if: |statement| texts(&statement["Action"]).iter().all(|action| action.starts_with("kms:")),
        },
    ],
};

const READABLE: Rule = Rule {
    demand: "every permission stands in a policy that these rules read",
    reason: "a policy of AWS's, or one kept as a text, would pass all of them",
    find: |view| view.all().filter_map(unreadable).collect(),
    exceptions: &[],
};

fn allowing(view: &View, is_broad: impl Fn(&Value) -> bool, what: &str) -> Vec<Finding> {
    let broad = |statement: &Value| {
        let is_other = statement.get("NotAction").is_some() || statement.get("NotResource").is_some();
        statement["Effect"] == "Allow" && (is_other || is_broad(statement))
    };
    let found = view.statements().into_iter().filter(|(_, statement)| broad(statement));
    found.map(|(resource, statement)| Finding::new(place(resource, &statement), what, &statement)).collect()
}

/// Whether a wildcard stands for whole resources. It may only stand for what lies within a named one: objects below a
/// prefix of a bucket, the streams of a log group. All of the same kind, `parameter/*`, are as good as `*`, and a name
/// that goes on, `…-movies*`, takes in the next one that begins like it.
fn is_broad(resource: &str) -> bool {
    let is_wild = |text: &str| text.contains(['*', '?']);
    let parts: Vec<_> = resource.splitn(6, ':').collect();
    let [_, _, service, _, _, name] = parts[..] else { return is_wild(resource) };
    let named = match service {
        "s3" => name.strip_suffix("/*").filter(|prefix| prefix.contains('/')).unwrap_or(name),
        "logs" => name.strip_suffix(":*").filter(|group| group.contains(':')).unwrap_or(name),
        _ => name,
    };
    is_wild(named) || parts[..5].iter().any(|part| is_wild(part))
}

fn unreadable(resource: Seen) -> Option<Finding> {
    let mut has_text = false;
    each_text(resource.properties, &mut |text| has_text |= text.contains("\"Statement\""));
    if has_text {
        return Some(Finding::new(resource.name, "keeps a policy as a text", resource.properties));
    }
    let has_none = statements_of(resource).is_empty();
    let elsewhere = ["managedPolicyArns", "inlinePolicies", "permissionsBoundary"];
    let fault = match resource.kind {
        "aws:iam:Role" if elsewhere.iter().any(|name| resource.properties.get(*name).is_some()) => {
            "it takes other policies"
        }
        "aws:iam:Role"
        | "aws:iam:RolePolicy"
        | "aws:kms:Key"
        | "aws:s3:BucketPolicy"
        | "aws:sns:TopicPolicy"
        | "aws:sqs:QueuePolicy"
        | "aws:cloudwatch:LogResourcePolicy" => has_none.then_some("its policy cannot be read")?,
        kind if kind.starts_with("aws:iam:") => "say here how its permissions are read",
        _ => return None,
    };
    Some(Finding::new(resource.name, fault, resource.properties))
}

#[test]
fn every_action_and_resource_is_named() {
    ACTIONS.assert_kept();
    RESOURCES.assert_kept();
    READABLE.assert_kept();
}

#[test]
fn an_action_that_is_not_named_is_caught() {
    for action in ["*", "s3:*", "s3:Get*", "s3:?etObject"] {
        ACTIONS.assert_catches("rankerPolicy/ReadSource", |resources| {
            statement(&mut resources["rankerPolicy"]["properties"]["policy"], "ReadSource")["Action"] = json!([action]);
        });
    }
    ACTIONS.assert_catches("key/LogsAreEncrypted", |resources| {
        statement(&mut resources["key"]["properties"]["policy"], "LogsAreEncrypted")["Action"] = json!("kms:*");
    });
    ACTIONS.assert_catches("enricherPolicy/ReadApiKey", |resources| {
        let read = statement(&mut resources["enricherPolicy"]["properties"]["policy"], "ReadApiKey");
        read["NotAction"] = read.as_object_mut().unwrap().shift_remove("Action").unwrap();
    });
    // The exception is for the account, and for nobody else.
    ACTIONS.assert_catches("key/AccountAdministers", |resources| {
        let administers = statement(&mut resources["key"]["properties"]["policy"], "AccountAdministers");
        administers["Principal"] = json!({"AWS": "*"});
    });
}

#[test]
fn a_resource_that_is_not_named_is_caught() {
    for resource in [
        "*",
        "arn:*",
        "arn:${partition}:ssm:${region}:${accountId}:*",
        "arn:${partition}:ssm:${region}:${accountId}:parameter/*",
        "arn:${partition}:ssm:${region}:${accountId}:parameter*",
        "arn:${partition}:ssm:*:*:parameter/movie-pipeline/dev/omdb-api-key",
        "${omdbApiKeyParameter.arn}*",
        "${moviesQueue.arn}*",
        "arn:${partition}:lambda:${region}:${accountId}:function:*",
        "arn:${partition}:logs:${region}:${accountId}:log-group:*",
        "arn:${partition}:logs:${region}:${accountId}:log-group:/aws/lambda/*:*",
        "arn:aws:s3:::*",
        "arn:aws:s3:::*/*",
        "arn:aws:s3:::*/runs/*",
        "${moviesBucket.arn}*",
        "${moviesBucket.arn}/*",
    ] {
        RESOURCES.assert_catches("enricherPolicy/ReadApiKey", |resources| {
            let policy = &mut resources["enricherPolicy"]["properties"]["policy"];
            statement(policy, "ReadApiKey")["Resource"] = json!([resource]);
        });
    }
    RESOURCES.assert_catches("moviesQueuePolicy/TopicSends", |resources| {
        statement(&mut resources["moviesQueuePolicy"]["properties"]["policy"], "TopicSends")["Resource"] = json!("*");
    });
    // The exceptions hold for what they were made for.
    RESOURCES.assert_catches("rankerPolicy/ReportMetrics", |resources| {
        let report = statement(&mut resources["rankerPolicy"]["properties"]["policy"], "ReportMetrics");
        report.as_object_mut().unwrap().shift_remove("Condition");
    });
    RESOURCES.assert_catches_with_all_options("enricherPolicy/SendTraces", |resources| {
        let send = statement(&mut resources["enricherPolicy"]["properties"]["policy"], "SendTraces");
        send["Action"] = json!(["xray:PutSpans", "xray:GetTraceSummaries"]);
    });
}

#[test]
fn a_permission_that_the_rules_cannot_read_is_caught() {
    READABLE.assert_catches("rankerPolicy", |resources| {
        resources["rankerPolicy"]["properties"]["policy"] = json!(r#"{"Statement": []}"#);
    });
    READABLE.assert_catches("deadLetterQueue", |resources| {
        resources["deadLetterQueue"]["properties"]["policy"] =
            json!(r#"{"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}]}"#);
    });
    READABLE.assert_catches("rankerRole", |resources| {
        resources["rankerRole"]["properties"]["managedPolicyArns"] =
            json!(["arn:aws:iam::aws:policy/AdministratorAccess"]);
    });
    READABLE.assert_catches("more", |resources| {
        resources["more"] = json!({"type": "aws:iam:RolePolicyAttachment", "properties": {}});
    });
}
