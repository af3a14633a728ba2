//! The ARNs in policies are those of the stack's own resources.

use domain::contract::PROJECT;
use serde_json::{Value, json};

use super::arns::fits;
use super::loss::is_for_people;
use super::view::{Seen, View, place, texts};
use super::{Exception, Finding, Rule, statement};
use crate::common::{each_text, programs};

const OURS: Rule = Rule {
    demand: "every ARN in a policy is that of something in the program",
    reason: "a statement for what does not exist permits nothing that is needed, and lets in whoever makes it",
    find: |view| {
        let ours: Vec<_> = view.all().filter_map(|resource| view.arn_of(resource)).collect();
        let statements = view.statements();
        statements
            .iter()
            .flat_map(|(resource, statement)| {
                let strange = strange_arns(view, statement, &ours).into_iter();
                let strange = strange.chain(wide_patterns(view, statement, &ours));
                strange.map(move |what| Finding::new(place(*resource, statement), what, statement))
            })
            .collect()
    },
    exceptions: &[
        Exception {
            at: &["rankerPolicy/ReadSource"],
            reason: "the bucket with the source list belongs to others; the stack tells which object it reads",
            only_if: |statement| statement["Action"] == json!(["s3:GetObject"]) && statement["Resource"].is_string(),
        },
        Exception {
            at: &["spansLogPolicy/XRayKeepsSpans"],
            reason: "X-Ray makes these log groups itself, and its traces have no ARN of their own",
            only_if: |statement| {
                let groups = ["aws/spans", "/aws/application-signals/data"];
                let groups = groups
                    .map(|group| format!("arn:${{partition}}:logs:${{region}}:${{accountId}}:log-group:{group}:*"));
                statement["Resource"] == json!(groups)
            },
        },
    ],
};

const STAYS_HERE: Rule = Rule {
    demand: "a topic or a rule delivers to resources of the program, or tells people",
    reason: "what is ranked would leave the stack, and no rule here sees where it goes",
    find: |view| view.all().filter_map(|sender| leaving(view, sender)).collect(),
    exceptions: &[],
};

const TOLD_BY_ALARMS: Rule = Rule {
    demand: "people are told by a topic that alarms act on, and one address of the stack's choice at most",
    reason: "movies would go to somebody's mail box, or alarms to one that nobody set; SNS sends what it has to whoever \
             is subscribed",
    find: |view| {
        let people: Vec<_> =
            view.of_kind("aws:sns:TopicSubscription").filter(|sent| is_for_people(sent.properties)).collect();
        let strangers = people.iter().enumerate().filter(|(at, sent)| *at > 0 || !is_of_alarms(view, **sent));
        strangers.map(|(_, sent)| Finding::new(sent.name, "tells people", sent.properties)).collect()
    },
    exceptions: &[],
};

/// Whether alarms act on the topic of a subscription.
fn is_of_alarms(view: &View, subscription: Seen) -> bool {
    let topic = &subscription.properties["topic"];
    let acts = |alarm: Seen| alarm.properties["alarmActions"].as_array().is_some_and(|actions| actions.contains(topic));
    view.of_kind("aws:cloudwatch:CompositeAlarm").any(acts)
}

fn strange_arns(view: &View, statement: &Value, ours: &[String]) -> Vec<String> {
    let mut named: Vec<_> = texts(&statement["Resource"]).into_iter().map(|text| view.resolved(text)).collect();
    each_text(&statement["Condition"], &mut |text| named.push(view.resolved(text)));
    let is_ours = |named: &String| ours.iter().any(|arn| fits(named, arn) || lies_within(named, arn));
    let strange = named.into_iter().filter(|named| named.starts_with("arn:") && !is_ours(named));
    strange.map(|named| format!("nothing in the program is {named}")).collect()
}

/// Patterns in conditions that fit things of another stack besides ours.
fn wide_patterns(view: &View, statement: &Value, ours: &[String]) -> Vec<String> {
    let stack = view.stack().unwrap_or_default();
    let (own, other) = (format!("{PROJECT}-{stack}-"), format!("{PROJECT}-other-"));
    let others: Vec<_> = ours.iter().filter(|arn| arn.contains(&own)).map(|arn| arn.replace(&own, &other)).collect();
    let mut patterns = Vec::new();
    each_text(&statement["Condition"], &mut |text| patterns.push(view.resolved(text)));
    let wide = patterns.into_iter().filter(|pattern| others.iter().any(|other| fits(pattern, other)));
    wide.map(|pattern| format!("{pattern} fits other stacks as well")).collect()
}

/// What a topic or a rule of the stack hands to something elsewhere.
fn leaving(view: &View, sender: Seen) -> Option<Finding> {
    let target = match sender.kind {
        "aws:sns:TopicSubscription" if !is_for_people(sender.properties) => &sender.properties["endpoint"],
        "aws:cloudwatch:EventTarget" => &sender.properties["arn"],
        _ => return None,
    };
    let leaves = view.referred(target).is_none();
    leaves.then(|| Finding::new(sender.name, format!("delivers to {target}"), sender.properties))
}

/// An object of a bucket, a stream of a log group.
fn lies_within(named: &str, arn: &str) -> bool {
    named.strip_prefix(arn).is_some_and(|rest| rest.starts_with(['/', ':']))
}

#[test]
fn the_arns_in_policies_are_those_of_resources() {
    OURS.assert_kept();
    STAYS_HERE.assert_kept();
    TOLD_BY_ALARMS.assert_kept();
}

#[test]
fn nobody_is_told_but_the_address_that_the_stack_sets() {
    for (configuration, program) in programs() {
        let told: Vec<_> = View::new(&program)
            .of_kind("aws:sns:TopicSubscription")
            .filter(|sent| is_for_people(sent.properties))
            .map(|sent| sent.properties["endpoint"].clone())
            .collect();
        let set = if configuration == "all options" { vec![json!("on-call@example.com")] } else { Vec::new() };
        assert_eq!(told, set, "{configuration}");
    }
}

#[test]
fn a_stranger_who_is_told_is_caught() {
    let stranger = |topic: &str, protocol: &str| {
        let properties = json!({"topic": topic, "protocol": protocol, "endpoint": "stranger@example.com"});
        json!({"type": "aws:sns:TopicSubscription", "properties": properties})
    };
    for protocol in ["email", "email-json", "sms"] {
        let of_movies = stranger("${moviesTopic.arn}", protocol);
        TOLD_BY_ALARMS.assert_catches("stranger", |resources| resources["stranger"] = of_movies);
        let second = stranger("${alarmTopic.arn}", protocol);
        TOLD_BY_ALARMS.assert_catches_with_all_options("stranger", |resources| resources["stranger"] = second);
    }
    TOLD_BY_ALARMS.assert_catches_with_all_options("alarmEmailSubscription", |resources| {
        resources["alarmEmailSubscription"]["properties"]["topic"] = json!("${moviesTopic.arn}");
    });
}

#[test]
fn a_pattern_that_fits_things_of_other_stacks_is_caught() {
    for (policy, sid, operator, key, pattern) in [
        ("key", "AlarmsReachTheirTopic", "ArnLike", "aws:SourceArn", "cloudwatch:${region}:${accountId}:alarm:*"),
        ("key", "LogsAreEncrypted", "ArnLike", "kms:EncryptionContext:aws:logs:arn", "logs:${region}:${accountId}:*"),
        ("alarmTopicPolicy", "AlarmsPublish", "ArnLike", "aws:SourceArn", "cloudwatch:*:*:alarm:movie-pipeline-*"),
        ("moviesQueuePolicy", "TopicSends", "ArnEquals", "aws:SourceArn", "sns:${region}:${accountId}:*-movies"),
    ] {
        OURS.assert_catches(&format!("{policy}/{sid}"), |resources| {
            let statement = statement(&mut resources[policy]["properties"]["policy"], sid);
            statement["Condition"][operator][key] = json!(format!("arn:${{partition}}:{pattern}"));
        });
    }
}

#[test]
fn a_delivery_to_something_elsewhere_is_caught() {
    for (name, property, arn) in [
        ("moviesSubscription", "endpoint", "arn:aws:sqs:eu-central-1:123456789012:other"),
        ("scheduleTarget", "arn", "arn:aws:lambda:eu-central-1:123456789012:function:other"),
    ] {
        STAYS_HERE.assert_catches(name, |resources| resources[name]["properties"][property] = json!(arn));
    }
}

#[test]
fn an_arn_of_nothing_in_the_program_is_caught() {
    for (policy, sid, operator, key, arn) in [
        ("key", "TopicSendsToQueues", "ArnLike", "aws:SourceArn", "sns:${region}:${accountId}:movies"),
        (
            "key",
            "TopicSendsToQueues",
            "ArnLike",
            "aws:SourceArn",
            "sqs:${region}:${accountId}:movie-pipeline-dev-alarms",
        ),
        ("key", "AlarmsReachTheirTopic", "ArnLike", "aws:SourceArn", "cloudwatch:${region}:${accountId}:alarm:dev-*"),
        (
            "key",
            "LogsAreEncrypted",
            "ArnLike",
            "kms:EncryptionContext:aws:logs:arn",
            "logs:${region}:${accountId}:log-group:/aws/lambda/other-*",
        ),
        ("moviesQueuePolicy", "TopicSends", "ArnEquals", "aws:SourceArn", "sns:${region}:${accountId}:other"),
        (
            "rankerFailuresQueuePolicy",
            "RuleSends",
            "ArnEquals",
            "aws:SourceArn",
            "events:${region}:${accountId}:rule/movie-pipeline-dev-other",
        ),
        (
            "enricherPolicy",
            "DecryptOwnEnvironment",
            "StringEquals",
            "kms:EncryptionContext:aws:lambda:FunctionArn",
            "lambda:${region}:${accountId}:function:movie-pipeline-prod-enricher",
        ),
    ] {
        let arn = format!("arn:${{partition}}:{arn}");
        // Alone, and beside the right one.
        for beside in [false, true] {
            OURS.assert_catches(&format!("{policy}/{sid}"), |resources| {
                let statement = statement(&mut resources[policy]["properties"]["policy"], sid);
                let named = &mut statement["Condition"][operator][key];
                *named = if beside { json!([named.clone(), arn]) } else { json!(arn) };
            });
        }
    }
    OURS.assert_catches("schedulePermission/Permission", |resources| {
        let other = "arn:${partition}:events:${region}:${accountId}:rule/other";
        resources["schedulePermission"]["properties"]["sourceArn"] = json!(other);
    });
}

#[test]
fn a_role_that_reaches_for_what_is_not_ours_is_caught() {
    for (policy, sid, resource) in [
        ("enricherPolicy", "ReadApiKey", "arn:${partition}:ssm:${region}:${accountId}:parameter/other"),
        ("enricherPolicy", "TakeFromQueue", "arn:${partition}:sqs:${region}:${accountId}:movie-pipeline-prod-movies"),
        ("enricherPolicy", "ReadAndStoreMovies", "arn:${partition}:s3:::${moviesBucket.bucket}-other/runs/*"),
        ("rankerPolicy", "WriteLogs", "${rankerLogs.arn}-other:*"),
    ] {
        OURS.assert_catches(&format!("{policy}/{sid}"), |resources| {
            statement(&mut resources[policy]["properties"]["policy"], sid)["Resource"] = json!([resource]);
        });
    }
    OURS.assert_catches("rankerPolicy/ReadSource", |resources| {
        let read = statement(&mut resources["rankerPolicy"]["properties"]["policy"], "ReadSource");
        read["Action"] = json!(["s3:GetObject", "s3:PutObject"]);
    });
}
