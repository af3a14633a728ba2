//! The Pulumi program → the local AWS.
//!
//! What is deployed is the program that `pulumi up` deploys, in its CloudFormation form. Only what no template can
//! hold is done by calls of its own: uploading the code, and the OMDb key, since CloudFormation makes no `SecureString`.
//! What the local AWS cannot make is left out, see `left_out`.

mod left_out;

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use aws_sdk_cloudformation::types::{Capability, Parameter, ResourceStatus, Stack, StackStatus};
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use aws_sdk_ssm::types::ParameterType;
use domain::contract::{PROJECT, Service};
use pulumi::Program;
use pulumi::template::CODE_BUCKET_PARAMETER;
use serde_json::{Map, Value};

use crate::artefacts::Artefacts;
use crate::aws::Clients;
use crate::emulator::REGION;
use crate::fault::Fault;
use crate::permissions::Permissions;

/// The stack's name, the value of the dimension `Environment` of every metric.
pub const STACK: &str = "local";

/// The stand-in for the public bucket.
pub const SOURCE_BUCKET: &str = "local-source";

/// The key of the source list in it.
pub const SOURCE_KEY: &str = "Top250Movies.json";

/// Where the functions' packages and the template are uploaded to.
pub(crate) const CODE_BUCKET: &str = "local-code";

/// How long the stack may take; it takes about half a second.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Configuration of the Pulumi program, by key without the project's name.
pub type Configuration = BTreeMap<String, String>;

/// What was deployed: the outputs of the program, under its names.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "the outputs of the Pulumi program, described there")]
pub struct Deployment {
    pub movies_bucket: String,
    pub topic_arn: String,
    pub queue_url: String,
    pub dead_letter_queue_url: String,
    pub ranker_failures_queue_url: String,
    pub ranker_function: String,
    pub enricher_function: String,
    pub ranker_log_group: String,
    pub enricher_log_group: String,
    pub schedule_rule: String,
    pub omdb_api_key_parameter: String,
    pub kms_key_arn: String,
}

/// Deploys a program with these packages; its roles as the local AWS needs them.
pub(crate) async fn deploy(
    clients: &Clients,
    program: &Program,
    artefacts: &Artefacts,
    permissions: &Permissions,
) -> anyhow::Result<Deployment> {
    let mut template = pulumi::template::cloudformation(program)?.body;
    permissions.adapt(&mut template)?;
    create_bucket(clients, CODE_BUCKET).await?;
    create_bucket(clients, SOURCE_BUCKET).await?;
    for (service, package) in artefacts {
        upload(clients, &code_key(*service), package.clone()).await?;
    }
    upload(clients, TEMPLATE_KEY, left_out::without_unknown(template).into()).await?;
    create_stack(clients).await?;
    let outputs = wait_for_outputs(clients).await?;
    Deployment::read(&outputs)
}

/// The program of a configuration. One that the program refuses is the caller's fault.
pub(crate) fn program(configuration: &Configuration) -> Result<Program, Fault> {
    let prefixed = configuration.iter().map(|(key, value)| (format!("{PROJECT}:{key}"), Value::from(value.as_str())));
    let json = Value::Object(prefixed.collect::<Map<_, _>>()).to_string();
    let config = pulumi::Config::read(STACK, Some(&json)).map_err(|error| Fault::Configuration(error.to_string()))?;
    Ok(pulumi::program(&config))
}

async fn create_bucket(clients: &Clients, name: &str) -> anyhow::Result<()> {
    let here = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::from(REGION)).build();
    let create = clients.s3.create_bucket().bucket(name).create_bucket_configuration(here);
    create.send().await.with_context(|| format!("creating the bucket {name}"))?;
    Ok(())
}

const TEMPLATE_KEY: &str = "template.json";

fn code_key(service: Service) -> String {
    format!("{}.zip", service.name())
}

async fn upload(clients: &Clients, key: &str, body: bytes::Bytes) -> anyhow::Result<()> {
    let put = clients.s3.put_object().bucket(CODE_BUCKET).key(key).body(body.into());
    // Hashing 50 MB takes a second in a build without optimisation, and nothing is gained on the way to this machine.
    put.customize().disable_payload_signing().send().await.with_context(|| format!("uploading {key}"))?;
    Ok(())
}

async fn create_stack(clients: &Clients) -> anyhow::Result<()> {
    let code_bucket = Parameter::builder().parameter_key(CODE_BUCKET_PARAMETER).parameter_value(CODE_BUCKET).build();
    let create = clients
        .cloudformation
        .create_stack()
        .stack_name(STACK)
        // A template in a request may have 51,200 bytes, one in a bucket 1 MB
        // (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html).
        .template_url(format!("https://s3.{REGION}.amazonaws.com/{CODE_BUCKET}/{TEMPLATE_KEY}"))
        .parameters(code_bucket)
        .capabilities(Capability::CapabilityNamedIam);
    create.send().await.context("creating the stack")?;
    Ok(())
}

async fn wait_for_outputs(clients: &Clients) -> anyhow::Result<HashMap<String, String>> {
    let start = Instant::now();
    while start.elapsed() < TIMEOUT {
        let answer = clients.cloudformation.describe_stacks().stack_name(STACK).send().await?;
        let stack = answer.stacks().first().context("the stack is gone")?;
        match stack.stack_status() {
            Some(StackStatus::CreateComplete) => return Ok(outputs_of(stack)),
            Some(StackStatus::CreateInProgress) => tokio::time::sleep(Duration::from_millis(50)).await,
            status => bail!("the stack ended as {status:?}: {}", failures(clients).await?),
        }
    }
    bail!("the stack was not complete within {} s", TIMEOUT.as_secs())
}

fn outputs_of(stack: &Stack) -> HashMap<String, String> {
    let outputs = stack.outputs().iter();
    outputs.filter_map(|output| Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()))).collect()
}

/// Which resources could not be made, and why.
async fn failures(clients: &Clients) -> anyhow::Result<String> {
    let answer = clients.cloudformation.describe_stack_events().stack_name(STACK).send().await?;
    let events = answer.stack_events().iter();
    let failed = events.filter(|event| event.resource_status() == Some(&ResourceStatus::CreateFailed));
    let reasons = failed.map(|event| {
        let name = event.logical_resource_id().unwrap_or_default();
        format!("{name}: {}", event.resource_status_reason().unwrap_or("no reason given"))
    });
    Ok(reasons.collect::<Vec<_>>().join("; "))
}

impl Deployment {
    fn read(outputs: &HashMap<String, String>) -> anyhow::Result<Self> {
        let output = |name: &str| outputs.get(name).cloned().with_context(|| format!("the stack has no output {name}"));
        Ok(Self {
            movies_bucket: output("moviesBucket")?,
            topic_arn: output("topicArn")?,
            queue_url: output("queueUrl")?,
            dead_letter_queue_url: output("deadLetterQueueUrl")?,
            ranker_failures_queue_url: output("rankerFailuresQueueUrl")?,
            ranker_function: output("rankerFunction")?,
            enricher_function: output("enricherFunction")?,
            ranker_log_group: output("rankerLogGroup")?,
            enricher_log_group: output("enricherLogGroup")?,
            schedule_rule: output("scheduleRule")?,
            omdb_api_key_parameter: output("omdbApiKeyParameter")?,
            kms_key_arn: output("kmsKeyArn")?,
        })
    }

    /// The name of a service's function.
    #[must_use]
    pub fn function(&self, service: Service) -> &str {
        match service {
            Service::Ranker => &self.ranker_function,
            Service::Enricher => &self.enricher_function,
        }
    }

    /// The log group of a service's function.
    #[must_use]
    pub fn log_group(&self, service: Service) -> &str {
        match service {
            Service::Ranker => &self.ranker_log_group,
            Service::Enricher => &self.enricher_log_group,
        }
    }

    /// The ARN of the schedule's rule.
    #[must_use]
    pub fn rule_arn(&self) -> String {
        let name = &self.schedule_rule;
        format!("arn:aws:events:{REGION}:{}:rule/{name}", crate::emulator::ACCOUNT_ID)
    }
}

/// Puts the OMDb key where the enricher reads it.
pub(crate) async fn put_api_key(clients: &Clients, deployment: &Deployment, key: &str) -> anyhow::Result<()> {
    let put = clients.ssm.put_parameter().name(&deployment.omdb_api_key_parameter).value(key);
    let put = put.r#type(ParameterType::SecureString).key_id(&deployment.kms_key_arn).overwrite(true);
    // The error is reworded, so that no part of the request can be shown with it.
    put.send().await.map_err(|error| {
        let code = error.as_service_error().and_then(aws_sdk_ssm::error::ProvideErrorMetadata::code);
        anyhow::anyhow!("the OMDb key could not be put into the parameter store: {}", code.unwrap_or("no answer"))
    })?;
    Ok(())
}
