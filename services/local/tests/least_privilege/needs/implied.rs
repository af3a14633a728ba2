//! What AWS does in the name of a function's role because of how the program sets the function up.

use local::{ACCOUNT_ID, REGION};
use pulumi::resource::Resource;

use super::{Keys, Need, key_use, request};
use crate::deployed::Deployed;
use crate::policy::Request;

/// What the program's resources imply.
pub(crate) fn by(deployed: &Deployed, keys: &Keys) -> anyhow::Result<Vec<Need>> {
    let mut needs = Vec::new();
    for function in deployed.all("aws:lambda:Function") {
        needs.extend(logging(deployed, function)?);
        needs.extend(environment(deployed, function)?);
    }
    for source in deployed.all("aws:lambda:EventSourceMapping") {
        needs.extend(event_source(deployed, source, keys)?);
    }
    for path in deployed.all("aws:lambda:FunctionEventInvokeConfig") {
        needs.extend(destination(deployed, path, keys)?);
    }
    Ok(needs)
}

/// Lambda makes a stream in the function's log group and writes to it
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html>). Both actions name the stream.
fn logging(deployed: &Deployed, function: &Resource) -> anyhow::Result<[Need; 2]> {
    let service = deployed.service(function, "/name")?;
    let group = deployed.property(function, "/loggingConfig/logGroup")?;
    let stream = format!("arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:{group}:log-stream:2026/11/22/[$LATEST]0f");
    let need = |action| Need { service, request: request(action, &stream), because: "Lambda writes its log" };
    Ok(["logs:CreateLogStream", "logs:PutLogEvents"].map(need))
}

/// Lambda decrypts the function's environment
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html>), for this function only
/// (<https://docs.aws.amazon.com/lambda/latest/dg/security-encryption-at-rest.html>).
fn environment(deployed: &Deployed, function: &Resource) -> anyhow::Result<Option<Need>> {
    let Some(key) = deployed.find(function, "/kmsKeyArn")? else { return Ok(None) };
    let name = deployed.property(function, "/name")?;
    let mut decrypt = key_use("kms:Decrypt", &key, "lambda");
    let arn = format!("arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{name}");
    decrypt.context.insert("kms:EncryptionContext:aws:lambda:FunctionArn", arn);
    let service = deployed.service(function, "/name")?;
    Ok(Some(Need { service, request: decrypt, because: "Lambda decrypts its environment" }))
}

/// Lambda polls the queue (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html>), and SQS decrypts
/// what it takes (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html>).
fn event_source(deployed: &Deployed, source: &Resource, keys: &Keys) -> anyhow::Result<Vec<Need>> {
    let service = deployed.service(source, "/functionName")?;
    let queue = deployed.property(source, "/eventSourceArn")?;
    let actions = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"];
    let poll = actions.map(|action| request(action, &queue)).into_iter();
    let requests = poll.chain(keys.of_thing(&queue).map(|key| key_use("kms:Decrypt", key, "sqs")));
    let need = |request: Request| Need { service, request, because: "Lambda polls its queue" };
    Ok(requests.map(need).collect())
}

/// Lambda sends what failed to its destination
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>), and SQS encrypts it
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html>).
fn destination(deployed: &Deployed, path: &Resource, keys: &Keys) -> anyhow::Result<Vec<Need>> {
    let service = deployed.service(path, "/functionName")?;
    let queue = deployed.property(path, "/destinationConfig/onFailure/destination")?;
    let uses = keys.of_thing(&queue).into_iter();
    let uses = uses.flat_map(|key| ["kms:Decrypt", "kms:GenerateDataKey"].map(|action| key_use(action, key, "sqs")));
    let requests = [request("sqs:SendMessage", &queue)].into_iter().chain(uses);
    let need = |request: Request| Need { service, request, because: "Lambda leaves failed events" };
    Ok(requests.map(need).collect())
}
