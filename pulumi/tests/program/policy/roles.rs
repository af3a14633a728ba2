//! What Lambda does in a function's name, the function's role may do.

use serde_json::{Value, json};

use super::evaluation::Request;
use super::view::{Seen, View, place, statements_of, texts};
use super::{Finding, Rule, remove_resource, remove_statement, statement};

const ROLE_SUFFICES: Rule = Rule {
    demand: "a function's role may do what Lambda does by it: take from the queue, leave what failed, write the log",
    reason: "the queue is not read, the failed event is dropped, or the log stays empty, and no call of ours fails",
    find: |view| view.of_kind("aws:lambda:Function").flat_map(|function| missing(view, function)).collect(),
    exceptions: &[],
};

const KEY_USE_IS_CONFINED: Rule = Rule {
    demand: "a role uses a key only through a service, or for one thing by its encryption context",
    reason: "whoever takes over a function could otherwise decrypt whatever the key encrypts, wherever it came from \
             (https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html)",
    find: |view| {
        let statements = view.statements().into_iter().filter(|(resource, statement)| {
            resource.kind == "aws:iam:RolePolicy" && statement["Effect"] == "Allow" && is_free_with_key(statement)
        });
        statements
            .map(|(resource, statement)| Finding::new(place(resource, &statement), "uses the key freely", &statement))
            .collect()
    },
    exceptions: &[],
};

fn is_free_with_key(statement: &Value) -> bool {
    let uses_key = texts(&statement["Action"]).iter().any(|action| action.starts_with("kms:"));
    let condition = statement["Condition"]["StringEquals"].as_object();
    let confines = |key: &String| key == "kms:ViaService" || key.starts_with("kms:EncryptionContext:");
    uses_key && !condition.is_some_and(|condition| condition.keys().any(confines))
}

fn missing(view: &View, function: Seen) -> Vec<Finding> {
    let role = view.referred_of_kind(&function.properties["role"], "aws:iam:Role");
    let policies = role.map(|role| view.referring("aws:iam:RolePolicy", "role", role)).unwrap_or_default();
    let statements: Vec<_> =
        policies.into_iter().flat_map(|policy| statements_of(policy).into_iter().cloned()).collect();
    let asked = [logs(view, function), source(view, function), failures(view, function), environment(view, function)];
    let refused = asked.into_iter().flatten().filter(|request| !view.permits(&statements, request));
    let what = |request: Request| format!("its role may not {} on {}", request.action, request.resource);
    refused.map(|request| Finding::new(function.name, what(request), function.properties)).collect()
}

fn requests(actions: &[&'static str], resource: &str, context: &[(&'static str, &str)]) -> Vec<Request> {
    let context: Vec<_> = context.iter().map(|(key, told)| (*key, (*told).to_owned())).collect();
    let request = |action| Request { service: None, action, resource: resource.to_owned(), context: context.clone() };
    actions.iter().copied().map(request).collect()
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html>; the group is the stack's.
fn logs(view: &View, function: Seen) -> Vec<Request> {
    let group = view.referred(&function.properties["loggingConfig"]["logGroup"]);
    let Some(arn) = group.and_then(|group| view.arn_of(group)) else { return Vec::new() };
    requests(&["logs:CreateLogStream", "logs:PutLogEvents"], &format!("{arn}:log-stream:2026/01/01/[$LATEST]1"), &[])
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>
fn source(view: &View, function: Seen) -> Vec<Request> {
    let sources = view.referring("aws:lambda:EventSourceMapping", "functionName", function);
    let queues = sources.iter().filter_map(|source| view.referred(&source.properties["eventSourceArn"]));
    let take = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
    queues.flat_map(|queue| with_queue(view, queue, &take, &["kms:Decrypt"])).collect()
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>
fn failures(view: &View, function: Seen) -> Vec<Request> {
    let settings = view.referring("aws:lambda:FunctionEventInvokeConfig", "functionName", function);
    let destination = |of: &Seen| view.referred(&of.properties["destinationConfig"]["onFailure"]["destination"]);
    let queues = settings.iter().filter_map(destination);
    let use_key = ["kms:Decrypt", "kms:GenerateDataKey"];
    queues.flat_map(|queue| with_queue(view, queue, &["sqs:SendMessage"], &use_key)).collect()
}

/// What is asked of a queue, and through SQS of its key.
fn with_queue(view: &View, queue: Seen, actions: &[&'static str], key_actions: &[&'static str]) -> Vec<Request> {
    let arn = view.arn_of(queue).unwrap_or_default();
    let context =
        [("kms:ViaService", "sqs.${region}.amazonaws.com"), ("kms:EncryptionContext:aws:sqs:arn", arn.as_str())];
    let mut asked = requests(actions, &arn, &[]);
    if let Some(key) = queue.properties["kmsMasterKeyId"].as_str() {
        asked.extend(requests(key_actions, key, &context));
    }
    asked
}

/// Lambda decrypts a function's environment as the function's role
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html>).
fn environment(view: &View, function: Seen) -> Vec<Request> {
    let Some(key) = function.properties["kmsKeyArn"].as_str() else { return Vec::new() };
    let arn = view.arn_of(function).unwrap_or_default();
    requests(&["kms:Decrypt"], key, &[("kms:EncryptionContext:aws:lambda:FunctionArn", &arn)])
}

#[test]
fn the_roles_suffice_for_what_lambda_does_by_them() {
    ROLE_SUFFICES.assert_kept();
    KEY_USE_IS_CONFINED.assert_kept();
}

#[test]
fn a_role_that_uses_the_key_freely_is_caught() {
    for (policy, sid) in [
        ("rankerPolicy", "UseKeyToSend"),
        ("enricherPolicy", "UseKeyToRead"),
        ("enricherPolicy", "UseKeyToStore"),
        ("enricherPolicy", "DecryptOwnEnvironment"),
    ] {
        KEY_USE_IS_CONFINED.assert_catches(&format!("{policy}/{sid}"), |resources| {
            let statement = statement(&mut resources[policy]["properties"]["policy"], sid);
            statement.as_object_mut().unwrap().shift_remove("Condition");
        });
    }
}

#[test]
fn a_role_that_falls_short_is_caught() {
    for (function, policy, sid) in [
        ("ranker", "rankerPolicy", "LeaveFailedEvents"),
        ("ranker", "rankerPolicy", "UseKeyToSend"),
        ("ranker", "rankerPolicy", "WriteLogs"),
        ("ranker", "rankerPolicy", "DecryptOwnEnvironment"),
        ("enricher", "enricherPolicy", "TakeFromQueue"),
        ("enricher", "enricherPolicy", "UseKeyToRead"),
        ("enricher", "enricherPolicy", "WriteLogs"),
    ] {
        ROLE_SUFFICES.assert_catches(function, |resources| remove_statement(resources, policy, sid));
        ROLE_SUFFICES.assert_catches(function, |resources| remove_resource(resources, policy));
        ROLE_SUFFICES.assert_catches(function, |resources| {
            statement(&mut resources[policy]["properties"]["policy"], sid)["Effect"] = json!("Deny");
        });
    }
    let change = |function: &'static str, change: fn(&mut Value)| ROLE_SUFFICES.assert_catches(function, change);
    change("ranker", |resources| {
        let policy = &mut resources["rankerPolicy"]["properties"]["policy"];
        statement(policy, "LeaveFailedEvents")["Resource"] = json!("${deadLetterQueue.arn}");
    });
    change("ranker", |resources| {
        let policy = &mut resources["rankerPolicy"]["properties"]["policy"];
        statement(policy, "UseKeyToSend")["Condition"]["StringEquals"]["kms:ViaService"] =
            json!(["sns.${region}.amazonaws.com"]);
    });
    change("enricher", |resources| {
        let policy = &mut resources["enricherPolicy"]["properties"]["policy"];
        statement(policy, "WriteLogs")["Resource"] = json!("${enricherLogs.arn}");
    });
    change("enricher", |resources| resources["enricher"]["properties"]["role"] = json!("${rankerRole.arn}"));
}
