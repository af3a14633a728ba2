//! The two functions: what they share. What each may do and is told stands in its own module.

pub(crate) mod enricher;
pub(crate) mod ranker;

use domain::contract::Service;
use domain::contract::environment::{self, Variable};
use domain::contract::metrics::NAMESPACE;
use serde_json::{Map, Value, json};

use crate::policy::{Statement, allow, document, lambda_assumes};
use crate::program::{REGION, Stack};
use crate::resource::{Function, Handle, Key, LogGroup, Role, RolePolicy};
use crate::traces;

/// A function with what belongs to it.
#[derive(Debug)]
pub(crate) struct FunctionParts {
    pub(crate) function: Handle<Function>,
    pub(crate) logs: Handle<LogGroup>,
    /// Whoever feeds the function waits for it: without its permissions it fails.
    pub(crate) permissions: Handle<RolePolicy>,
}

/// What sets one function apart from the other.
struct Spec {
    service: Service,
    /// Names within the program: log group, role, policy, function.
    names: [&'static str; 4],
    description: &'static str,
    memory_mb: u32,
    timeout_seconds: u32,
    /// How many may run at once.
    concurrency: u32,
    /// What it may do, besides what every function may.
    permissions: Vec<Statement>,
    /// What it is told, besides what every function is.
    variables: Vec<(&'static Variable, String)>,
}

fn add(stack: &mut Stack, key: &Handle<Key>, spec: Spec) -> FunctionParts {
    let Spec { service, names: [logs_name, role_name, policy_name, function_name], .. } = spec;
    let name = stack.name(service.name());
    let logs = add_log_group(stack, logs_name, &name, key);
    let role = json!({
        "name": name,
        "description": format!("What the {} may do", service.name()),
        "assumeRolePolicy": lambda_assumes(),
    });
    let role = stack.resources.add::<Role>(role_name, role);
    let shared = every_function(&name, &logs, key).into_iter().chain(traces::send(stack.config));
    let statements = spec.permissions.into_iter().chain(shared);
    let policy = json!({"name": service.name(), "role": role.name(), "policy": document(statements)});
    let permissions = stack.resources.add::<RolePolicy>(policy_name, policy);

    let mut properties = json!({
        "name": name,
        "description": spec.description,
        "role": role.arn(),
        "runtime": "provided.al2023",
        "handler": "bootstrap",
        "architectures": [stack.config.architecture.name()],
        "code": {"fn::fileArchive": archive(service)},
        "memorySize": spec.memory_mb,
        "timeout": spec.timeout_seconds,
        "kmsKeyArn": key.arn(),
        "environment": {"variables": variables(stack, service, &spec.variables)},
        "loggingConfig": logging(stack, &logs),
    });
    if stack.config.reserve_concurrency {
        properties["reservedConcurrentExecutions"] = json!(spec.concurrency);
    }
    let options = json!({"dependsOn": [permissions.itself()]});
    let function = stack.resources.add_with(function_name, properties, options);
    FunctionParts { function, logs, permissions }
}

/// Where `cargo local package` leaves a function, seen from this crate's folder, which is where Pulumi looks from.
fn archive(service: Service) -> String {
    format!("../target/lambda/{}/bootstrap.zip", service.name())
}

fn add_log_group(stack: &mut Stack, name: &'static str, function: &str, key: &Handle<Key>) -> Handle<LogGroup> {
    let properties = json!({
        "name": format!("/aws/lambda/{function}"),
        "retentionInDays": stack.config.log_retention_days,
        "kmsKeyId": key.arn(),
    });
    stack.resources.add(name, properties)
}

/// Lambda drops lines below the level it is told, so it is told ours
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>).
fn logging(stack: &Stack, logs: &Handle<LogGroup>) -> Value {
    json!({
        "logFormat": "JSON",
        "applicationLogLevel": stack.config.log_level.to_uppercase(),
        "systemLogLevel": "INFO",
        "logGroup": logs.name(),
    })
}

/// What every function may do: write its log, report its metrics, and have Lambda decrypt its environment. The grant
/// that Lambda makes for the latter is lost when a role is removed and made again under its name.
fn every_function(name: &str, logs: &Handle<LogGroup>, key: &Handle<Key>) -> [Statement; 3] {
    let function = Stack::arn("lambda", &format!("function:{name}"));
    [
        allow("WriteLogs").actions(&["logs:CreateLogStream", "logs:PutLogEvents"], format!("{}:*", logs.arn())),
        // PutMetricData knows no resources; the namespace is what AWS offers instead.
        allow("ReportMetrics").actions(&["cloudwatch:PutMetricData"], "*").when(
            "StringEquals",
            "cloudwatch:namespace",
            NAMESPACE,
        ),
        allow("DecryptOwnEnvironment").actions(&["kms:Decrypt"], key.arn()).when(
            "StringEquals",
            "kms:EncryptionContext:aws:lambda:FunctionArn",
            function,
        ),
    ]
}

/// The use of the key through services of this region only
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service>).
fn use_key_through(sid: &str, actions: &[&str], key: &Handle<Key>, services: &[&str]) -> Statement {
    let services: Vec<_> = services.iter().map(|service| format!("{service}.{REGION}.amazonaws.com")).collect();
    allow(sid).actions(actions, key.arn()).when("StringEquals", "kms:ViaService", services)
}

/// Exactly what the service reads, in the contract's order. A variable that neither the function nor the stack sets
/// is set to its default, so that a look at the function in AWS tells everything.
fn variables(stack: &Stack, service: Service, own: &[(&Variable, String)]) -> Map<String, Value> {
    let config = stack.config;
    let shared = [
        (environment::ENVIRONMENT, config.stack.clone()),
        (environment::LOG_LEVEL, config.log_level.clone()),
        (environment::OTEL_EXPORTER_OTLP_ENDPOINT, traces::endpoint(config)),
    ];
    let set = |variable: &Variable| {
        let value = own.iter().chain(&shared).find(|(of, _)| *of == variable).map(|(_, value)| value.as_str());
        value.or(variable.default).map(|value| (variable.name.to_owned(), json!(value)))
    };
    service.variables().into_iter().filter_map(set).collect()
}
