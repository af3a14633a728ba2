//! What the picture shows is on, and everything passes.

use serde_json::{Value, json};

use super::view::{Seen, View, place};
use super::{Finding, Rule, statement};

const INTACT: Rule = Rule {
    demand: "nothing is filtered, switched off or forbidden, but plain HTTP",
    reason: "a run, a movie or an alarm would stop without a fault, and no queue would keep it",
    find: |view| {
        let altered = SETTINGS.iter().flat_map(|setting| altered(view, setting));
        altered.chain(forbidding(view)).collect()
    },
    exceptions: &[],
};

/// A property that has this value if it is there at all; nothing: it must not be there.
type Setting = (&'static str, &'static str, Option<&'static str>);

const SETTINGS: [Setting; 14] = [
    ("aws:lambda:EventSourceMapping", "enabled", Some("true")),
    ("aws:lambda:EventSourceMapping", "filterCriteria", None),
    ("aws:cloudwatch:EventRule", "state", Some("\"ENABLED\"")),
    ("aws:cloudwatch:EventRule", "isEnabled", Some("true")),
    // The run takes its name from the event's time.
    ("aws:cloudwatch:EventTarget", "input", None),
    ("aws:cloudwatch:EventTarget", "inputPath", None),
    ("aws:cloudwatch:EventTarget", "inputTransformer", None),
    ("aws:sns:TopicSubscription", "filterPolicy", None),
    ("aws:sns:TopicSubscription", "filterPolicyScope", None),
    ("aws:cloudwatch:MetricAlarm", "actionsEnabled", Some("true")),
    ("aws:cloudwatch:CompositeAlarm", "actionsEnabled", Some("true")),
    ("aws:kms:Key", "isEnabled", Some("true")),
    // Both hold a message back without showing it to anyone.
    ("aws:sqs:Queue", "delaySeconds", Some("0")),
    ("aws:sqs:Queue", "fifoQueue", Some("false")),
];

fn altered(view: &View, (kind, property, wanted): &Setting) -> Vec<Finding> {
    let is_altered = |resource: &Seen| {
        let told = resource.properties.get(*property);
        told.is_some_and(|told| wanted.is_none_or(|wanted| format!("{told}") != wanted))
    };
    let altered = view.of_kind(kind).filter(is_altered);
    altered.map(|found| Finding::new(found.name, format!("sets its {property}"), found.properties)).collect()
}

/// Statements that forbid something else than plain HTTP.
fn forbidding(view: &View) -> Vec<Finding> {
    let plain_http = json!({"Bool": {"aws:SecureTransport": "false"}});
    let forbids = |statement: &Value| statement["Effect"] != "Allow" && statement["Condition"] != plain_http;
    let found = view.statements().into_iter().filter(|(_, statement)| forbids(statement));
    found.map(|(of, statement)| Finding::new(place(of, &statement), "forbids something", &statement)).collect()
}

#[test]
fn nothing_is_filtered_switched_off_or_forbidden() {
    INTACT.assert_kept();
}

#[test]
fn what_is_filtered_or_switched_off_is_caught() {
    for (name, property, value) in [
        ("enricherSource", "enabled", json!(false)),
        ("enricherSource", "enabled", json!("false")),
        ("enricherSource", "filterCriteria", json!({"filters": [{"pattern": "{}"}]})),
        ("schedule", "state", json!("DISABLED")),
        ("schedule", "isEnabled", json!(false)),
        ("scheduleTarget", "input", json!("{}")),
        ("scheduleTarget", "inputPath", json!("$.detail")),
        ("scheduleTarget", "inputTransformer", json!({"inputTemplate": "{}"})),
        ("moviesSubscription", "filterPolicy", json!(r#"{"genre": ["Drama"]}"#)),
        ("moviesSubscription", "filterPolicyScope", json!("MessageBody")),
        ("deadLettersAlarm", "actionsEnabled", json!(false)),
        ("pageAlarm", "actionsEnabled", json!(false)),
        ("key", "isEnabled", json!(false)),
        ("moviesQueue", "delaySeconds", json!(900)),
        ("moviesQueue", "fifoQueue", json!(true)),
    ] {
        INTACT.assert_catches(name, |resources| resources[name]["properties"][property] = value);
    }
}

#[test]
fn a_policy_that_forbids_something_is_caught() {
    for (policy, action) in
        [("moviesBucketPolicy", "s3:PutObject"), ("moviesQueuePolicy", "sqs:SendMessage"), ("enricherPolicy", "kms:*")]
    {
        INTACT.assert_catches(&format!("{policy}/No"), |resources| {
            let statements = &mut resources[policy]["properties"]["policy"]["fn::toJSON"]["Statement"];
            let deny = json!({"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"});
            statements.as_array_mut().unwrap().push(deny);
        });
    }
    for condition in [json!(null), json!({"Bool": {"aws:SecureTransport": "true"}})] {
        INTACT.assert_catches("moviesTopicPolicy/TlsOnly", |resources| {
            statement(&mut resources["moviesTopicPolicy"]["properties"]["policy"], "TlsOnly")["Condition"] = condition;
        });
    }
}
