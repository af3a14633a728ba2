//! What a service does for the stack it may do, and it may do no more.

use serde_json::{Value, json};

use super::deliveries::{Delivery, deliveries};
use super::evaluation::Request;
use super::view::{View, place, texts};
use super::{Finding, Rule, remove_resource, remove_statement, statement};

const ADMITTED: Rule = Rule {
    demand: "whatever a service delivers, the policy of its target admits",
    reason: "the service is refused otherwise, and the movie, the event or the alarm is lost without a word",
    find: |view| deliveries(view).iter().filter_map(|delivery| refused(view, delivery)).collect(),
    exceptions: &[],
};

const NEEDED: Rule = Rule {
    demand: "a service is let in only to do what the stack needs of it",
    reason: "whoever can make the service act for them could otherwise use what nobody watches; a statement that fits \
             nothing is most often one that should fit something",
    find: |view| {
        let requests: Vec<_> = deliveries(view).iter().flat_map(|delivery| requests(view, delivery)).collect();
        let statements = view.statements();
        statements
            .iter()
            .flat_map(|(resource, statement)| {
                let needless = needless(view, statement, &requests);
                needless.into_iter().map(move |what| Finding::new(place(*resource, statement), what, statement))
            })
            .collect()
    },
    exceptions: &[],
};

/// What the policy of the target has against the delivery.
pub(super) fn refused(view: &View, delivery: &Delivery) -> Option<Finding> {
    let (request, statements) = delivery.entry(view)?;
    let what = format!("refuses {} to {}", request.action, delivery.told());
    let target = delivery.target;
    (!view.permits(&statements, &request)).then(|| Finding::new(target.name, what, target.properties))
}

fn requests(view: &View, delivery: &Delivery) -> Vec<Request> {
    let entry = delivery.entry(view).map(|(request, _)| request);
    entry.into_iter().chain(delivery.key_use(view).into_iter().flat_map(|(_, requests)| requests)).collect()
}

/// What a statement lets services do that nothing in the program needs.
fn needless(view: &View, statement: &Value, requests: &[Request]) -> Vec<String> {
    let is_needed = |service: &str, action: &str| {
        requests.iter().any(|request| {
            request.service.as_deref() == Some(service)
                && request.action == action
                && view.speaks_of(statement, request)
        })
    };
    let services = texts(&statement["Principal"]["Service"]).into_iter().filter(|_| statement["Effect"] == "Allow");
    let actions = texts(&statement["Action"]);
    let pairs = services.flat_map(|service| actions.iter().map(move |action| (service, *action)));
    let pairs = pairs.filter(|(service, action)| !is_needed(service, action));
    pairs.map(|(service, action)| format!("nothing in the program needs {action} of {service}")).collect()
}

const OTHER_TOPIC: &str = "arn:${partition}:sns:${region}:${accountId}:movie-pipeline-dev-other";

#[test]
fn services_may_do_what_they_do_for_the_stack_and_no_more() {
    ADMITTED.assert_kept();
    NEEDED.assert_kept();
}

/// The rules are only as good as what they are derived from.
#[test]
fn deliveries_are_derived_from_subscriptions_targets_alarms_logs_functions_and_spans() {
    let program = crate::common::all_options_program().to_json();
    let found = deliveries(&View::new(&program));
    let between = |service: &str, target: &str| {
        found.iter().filter(|delivery| delivery.service == service && delivery.target.name == target).count()
    };
    for (service, target) in [
        ("sns.amazonaws.com", "moviesQueue"),
        ("sns.amazonaws.com", "undeliveredQueue"),
        ("events.amazonaws.com", "ranker"),
        ("events.amazonaws.com", "rankerFailuresQueue"),
        ("cloudwatch.amazonaws.com", "alarmTopic"),
        ("logs.${region}.amazonaws.com", "rankerLogs"),
        ("logs.${region}.amazonaws.com", "enricherLogs"),
        ("lambda.amazonaws.com", "rankerRole"),
        ("lambda.amazonaws.com", "enricherRole"),
        ("xray.amazonaws.com", "spansDestination"),
    ] {
        assert!(between(service, target) > 0, "{service} to {target}");
    }
}

#[test]
fn a_target_that_refuses_its_sender_is_caught() {
    for (queue, policy, sid) in [
        ("moviesQueue", "moviesQueuePolicy", "TopicSends"),
        ("undeliveredQueue", "undeliveredQueuePolicy", "TopicSends"),
        ("rankerFailuresQueue", "rankerFailuresQueuePolicy", "RuleSends"),
    ] {
        ADMITTED.assert_catches(queue, |resources| remove_resource(resources, policy));
        ADMITTED.assert_catches(queue, |resources| remove_statement(resources, policy, sid));
        for source in [OTHER_TOPIC, "${alarmTopic.arn}", "arn:${partition}:sns:${region}:${accountId}:movies"] {
            ADMITTED.assert_catches(queue, |resources| {
                let statement = statement(&mut resources[policy]["properties"]["policy"], sid);
                statement["Condition"]["ArnEquals"]["aws:SourceArn"] = json!(source);
            });
        }
        ADMITTED.assert_catches(queue, |resources| {
            let refuse = json!({"Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"});
            resources[policy]["properties"]["policy"]["fn::toJSON"]["Statement"].as_array_mut().unwrap().push(refuse);
        });
    }
    ADMITTED.assert_catches("moviesQueue", |resources| {
        resources["moviesSubscription"]["properties"]["topic"] = json!("${alarmTopic.arn}");
        resources["undeliveredQueuePolicy"]["properties"]["policy"]["fn::toJSON"]["Statement"][0]["Condition"]
            ["ArnEquals"]["aws:SourceArn"] = json!("${alarmTopic.arn}");
    });
}

#[test]
fn a_function_or_role_that_refuses_its_caller_is_caught() {
    ADMITTED.assert_catches("ranker", |resources| remove_resource(resources, "schedulePermission"));
    for (name, value) in [
        ("action", json!("lambda:GetFunction")),
        ("principal", json!("sns.amazonaws.com")),
        ("sourceArn", json!("arn:${partition}:events:${region}:${accountId}:rule/other")),
        ("function", json!("${enricher.name}")),
    ] {
        ADMITTED.assert_catches("ranker", |resources| resources["schedulePermission"]["properties"][name] = value);
    }
    ADMITTED.assert_catches("enricherRole", |resources| {
        let trust = &mut resources["enricherRole"]["properties"]["assumeRolePolicy"];
        statement(trust, "LambdaAssumes")["Principal"]["Service"] = json!("ec2.amazonaws.com");
    });
    ADMITTED.assert_catches_with_all_options("spansDestination", |resources| {
        remove_resource(resources, "spansLogPolicy");
    });
}

#[test]
fn a_topic_that_admits_other_alarms_only_is_caught() {
    for alarms in ["alarm:movie-pipeline-prod-*", "alarm:movie-pipeline-dev-", "alarm/movie-pipeline-dev-*"] {
        ADMITTED.assert_catches("alarmTopic", |resources| {
            let pattern = format!("arn:${{partition}}:cloudwatch:${{region}}:${{accountId}}:{alarms}");
            let policy = &mut resources["alarmTopicPolicy"]["properties"]["policy"];
            statement(policy, "AlarmsPublish")["Condition"]["ArnLike"]["aws:SourceArn"] = json!(pattern);
        });
    }
}

#[test]
fn a_service_that_is_let_in_for_nothing_is_caught() {
    let catches = |name: &'static str, sid: &'static str, change: &dyn Fn(&mut Value)| {
        NEEDED.assert_catches(&format!("{name}/{sid}"), |resources| {
            change(statement(&mut resources[name]["properties"]["policy"], sid));
        });
    };
    catches("moviesQueuePolicy", "TopicSends", &|sends| {
        sends["Action"] = json!(["sqs:SendMessage", "sqs:ReceiveMessage"]);
    });
    catches("moviesQueuePolicy", "TopicSends", &|sends| {
        sends["Principal"]["Service"] = json!(["sns.amazonaws.com", "s3.amazonaws.com"]);
    });
    catches("moviesQueuePolicy", "TopicSends", &|sends| {
        sends["Condition"]["ArnEquals"]["aws:SourceArn"] = json!("${alarmTopic.arn}");
    });
    catches("key", "TopicSendsToQueues", &|sends| sends["Principal"]["Service"] = json!("s3.amazonaws.com"));
    NEEDED.assert_catches("schedulePermission/Permission", |resources| {
        resources["scheduleTarget"]["properties"]["arn"] =
            json!("arn:aws:lambda:eu-central-1:123456789012:function:other");
    });
    NEEDED.assert_catches_with_all_options("spansLogPolicy/XRayKeepsSpans", |resources| {
        remove_resource(resources, "spansDestination");
    });
}
