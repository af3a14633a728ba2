//! The program as a whole: what every resource shares, the resources in order, the outputs.

use domain::contract::PROJECT;
use serde_json::{Map, Value, json};

use crate::alarms::Watched;
use crate::config::{AssumedRole, Config, settings};
use crate::resource::{Provider, RENAMES, Resource, Resources, literal};
use crate::{alarms, dashboard, encryption, functions, messaging, queries, schedule, secrets, storage, traces};

/// The version of Pulumi's AWS provider. The type check of the program uses the same.
pub const AWS_PROVIDER_VERSION: &str = "7.48.0";

const DESCRIPTION: &str = "Ranks movies daily, enriches them by OMDb and stores them in a private bucket";

/// The account the stack lives in.
pub(crate) const ACCOUNT_ID: &str = "${accountId}";
/// The region the stack lives in.
pub(crate) const REGION: &str = "${region}";
/// The partition the stack lives in. Built for `aws`: the configuration refuses regions of others.
pub(crate) const PARTITION: &str = "${partition}";

/// A Pulumi program for the YAML runtime (<https://www.pulumi.com/docs/iac/languages-sdks/yaml/>).
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    pub(crate) stack: String,
    pub(crate) resources: Vec<Resource>,
    pub(crate) outputs: Map<String, Value>,
}

impl Program {
    /// The program as Pulumi reads it. JSON is YAML.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let resources: Map<_, _> =
            self.resources.iter().map(|resource| (resource.name.to_owned(), resource.to_json())).collect();
        json!({
            "name": PROJECT,
            "description": DESCRIPTION,
            "config": {secrets::OMDB_API_KEY_TEXT: {"type": "string", "secret": true, "name": settings::OMDB_API_KEY.name}},
            "variables": variables(),
            "resources": resources,
            "outputs": self.outputs,
        })
    }

    /// Every resource, in the order of the program. The first is the provider.
    #[must_use]
    pub fn resources(&self) -> &[Resource] {
        &self.resources
    }

    /// What the stack tells to whoever deploys it, by name.
    #[must_use]
    pub fn outputs(&self) -> &Map<String, Value> {
        &self.outputs
    }

    /// The stack this is the program of.
    #[must_use]
    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// What the program does, in a sentence.
    #[must_use]
    pub fn description(&self) -> &'static str {
        DESCRIPTION
    }
}

fn variables() -> Value {
    let invoke =
        |function: &str, part: &str| json!({"fn::invoke": {"function": function, "arguments": {}, "return": part}});
    json!({
        "accountId": invoke("aws:getCallerIdentity", "accountId"),
        "region": invoke("aws:getRegion", "region"),
        "partition": invoke("aws:getPartition", "partition"),
    })
}

/// What every resource is made from.
#[derive(Debug)]
pub(crate) struct Stack<'a> {
    pub(crate) config: &'a Config,
    pub(crate) resources: Resources,
}

impl Stack<'_> {
    /// The name of one of the stack's things in AWS. Project and stack stand in it, so that two stacks live in one
    /// account. A stack's own name has no hyphen, so `name("*")` means this stack's things and no other's.
    pub(crate) fn name(&self, thing: &str) -> String {
        format!("{PROJECT}-{}-{thing}", self.config.stack)
    }

    /// The ARN of a thing of this account, made from its name: for policies that the thing itself depends on, which a
    /// reference would close to a circle.
    pub(crate) fn arn(service: &str, resource: &str) -> String {
        format!("arn:{PARTITION}:{service}:{REGION}:{ACCOUNT_ID}:{resource}")
    }
}

/// The program of a stack.
#[must_use]
pub fn program(config: &Config) -> Program {
    let mut stack = Stack { config, resources: Resources::new(config.protect_resources, RENAMES) };
    add_provider(&mut stack);

    let key = encryption::add(&mut stack);
    let api_key = secrets::add(&mut stack, &key);
    let bucket = storage::add(&mut stack, &key);
    let messaging = messaging::add(&mut stack, &key);
    let ranker = functions::ranker::add(&mut stack, &key, &messaging);
    let enricher = functions::enricher::add(&mut stack, &key, &messaging, &bucket, &api_key);
    let rule = schedule::add(&mut stack, &ranker.function, &messaging.ranker_failures);
    let (ranker_function, enricher_function) = (&ranker.function, &enricher.function);
    let watched = Watched {
        config,
        messaging: &messaging,
        ranker: ranker_function,
        enricher: enricher_function,
        schedule: &rule,
    };
    let alarm_topic = alarms::add(&mut stack, &key, &watched);
    traces::add(&mut stack);
    queries::add(&mut stack, [&ranker, &enricher]);
    let dashboard = dashboard::add(&mut stack);

    let outputs = json!({
        "moviesBucket": bucket.name(),
        "topicArn": messaging.topic.arn(),
        "queueUrl": messaging.queue.url(),
        "deadLetterQueueUrl": messaging.dead_letters.url(),
        "subscriptionDeadLetterQueueUrl": messaging.undelivered.url(),
        "rankerFailuresQueueUrl": messaging.ranker_failures.url(),
        "rankerFunction": ranker.function.name(),
        "enricherFunction": enricher.function.name(),
        "rankerLogGroup": ranker.logs.name(),
        "enricherLogGroup": enricher.logs.name(),
        "scheduleRule": rule.name(),
        "omdbApiKeyParameter": api_key.name(),
        "kmsKeyArn": key.arn(),
        "alarmTopicArn": alarm_topic.arn(),
        "alarmsTell": alarms::whom(config),
        "dashboardName": dashboard.name(),
    });
    let Value::Object(outputs) = outputs else { unreachable!("it is written as an object above") };
    Program { stack: config.stack.clone(), resources: stack.resources.into_vec(), outputs }
}

/// The provider: its version, tags for everything, and what the stack says of how to reach AWS. A provider that the
/// program declares itself does not see the stack's `aws:` keys.
fn add_provider(stack: &mut Stack) {
    let tags = json!({"project": PROJECT, "stack": stack.config.stack});
    let mut properties = json!({"defaultTags": {"tags": tags}});
    let told = &stack.config.provider;
    if let Some(region) = &told.region {
        properties["region"] = json!(region);
    }
    if let Some(profile) = &told.profile {
        properties["profile"] = json!(literal(profile));
    }
    if !told.allowed_account_ids.is_empty() {
        properties["allowedAccountIds"] = json!(told.allowed_account_ids);
    }
    if !told.assume_roles.is_empty() {
        properties["assumeRoles"] = told.assume_roles.iter().map(assumed_role).collect();
    }
    stack.resources.add_with::<Provider>("aws", properties, json!({"version": AWS_PROVIDER_VERSION}));
}

fn assumed_role(role: &AssumedRole) -> Value {
    let mut properties = json!({"roleArn": role.role_arn});
    if let Some(external_id) = &role.external_id {
        // The engine knows whether the stack keeps it as a secret, we do not.
        properties["externalId"] = json!({"fn::secret": literal(external_id)});
    }
    for (name, value) in [("sessionName", &role.session_name), ("duration", &role.duration)] {
        if let Some(value) = value {
            properties[name] = json!(literal(value));
        }
    }
    properties
}
