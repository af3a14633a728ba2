//! The ranker: source → topic.

use domain::contract::{Service, environment};
use serde_json::json;

use super::{FunctionParts, Spec, use_key_through};
use crate::messaging::Messaging;
use crate::policy::{Statement, allow};
use crate::program::{PARTITION, Stack};
use crate::resource::{FunctionEventInvokeConfig, Handle, Key, literal};

/// One run at a time: a run that is started twice would read the source twice for the same messages.
const CONCURRENCY: u32 = 1;

/// What Lambda does by itself, written down
/// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>).
const RETRIES: u32 = 2;

/// The longest that Lambda keeps an event it cannot start, six hours: its own default.
const MAXIMUM_EVENT_AGE_SECONDS: u32 = 6 * 60 * 60;

pub(crate) fn add(stack: &mut Stack, key: &Handle<Key>, messaging: &Messaging) -> FunctionParts {
    let config = stack.config;
    let ranker = Spec {
        service: Service::Ranker,
        names: ["rankerLogs", "rankerRole", "rankerPolicy", "ranker"],
        description: "Ranks the source list and publishes the best movies",
        memory_mb: config.ranker_memory_mb,
        timeout_seconds: config.ranker_timeout_seconds,
        concurrency: CONCURRENCY,
        permissions: permissions(stack, key, messaging),
        variables: vec![
            (environment::SOURCE_BUCKET, config.source_bucket.clone()),
            (environment::SOURCE_KEY, literal(&config.source_key)),
            (environment::SOURCE_REGION, config.source_region.clone()),
            (environment::TOP_N, config.top_n.to_string()),
            (environment::TOPIC_ARN, messaging.topic.arn().to_string()),
        ],
    };
    let ranker = super::add(stack, key, ranker);
    add_failure_path(stack, &ranker, messaging);
    ranker
}

fn permissions(stack: &Stack, key: &Handle<Key>, messaging: &Messaging) -> Vec<Statement> {
    let config = stack.config;
    let source = format!("arn:{PARTITION}:s3:::{}/{}", config.source_bucket, literal(&config.source_key));
    vec![
        allow("ReadSource").actions(&["s3:GetObject"], source),
        allow("PublishMovies").actions(&["sns:Publish"], messaging.topic.arn()),
        allow("LeaveFailedEvents").actions(&["sqs:SendMessage"], messaging.ranker_failures.arn()),
        use_key_through("UseKeyToSend", &["kms:Decrypt", "kms:GenerateDataKey"], key, &["sns", "sqs"]),
    ]
}

/// Where an event goes when the ranker could not work it off.
fn add_failure_path(stack: &mut Stack, ranker: &FunctionParts, messaging: &Messaging) {
    let properties = json!({
        "functionName": ranker.function.name(),
        "qualifier": literal("$LATEST"),
        "maximumRetryAttempts": RETRIES,
        "maximumEventAgeInSeconds": MAXIMUM_EVENT_AGE_SECONDS,
        "destinationConfig": {"onFailure": {"destination": messaging.ranker_failures.arn()}},
    });
    // Lambda checks that the role may send there.
    let options = json!({"dependsOn": [ranker.permissions.itself()]});
    stack.resources.add_with::<FunctionEventInvokeConfig>("rankerFailurePath", properties, options);
}
