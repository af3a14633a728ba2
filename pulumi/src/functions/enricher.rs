//! The enricher: queue → bucket.

use domain::contract::{Service, environment};
use domain::enriched::LATEST_KEY;
use domain::quota::PREFIX as OMDB_REQUESTS;
use serde_json::json;

use super::{FunctionParts, Spec, use_key_through};
use crate::messaging::{Messaging, visibility_timeout_seconds};
use crate::policy::{Statement, allow};
use crate::program::Stack;
use crate::resource::{Bucket, EventSourceMapping, Handle, Key, Parameter, literal};
use crate::storage::RUNS;

pub(crate) fn add(
    stack: &mut Stack,
    key: &Handle<Key>,
    messaging: &Messaging,
    bucket: &Handle<Bucket>,
    api_key: &Handle<Parameter>,
) -> FunctionParts {
    let config = stack.config;
    let enricher = Spec {
        service: Service::Enricher,
        names: ["enricherLogs", "enricherRole", "enricherPolicy", "enricher"],
        description: "Enriches movies by OMDb and stores them",
        memory_mb: config.enricher_memory_mb,
        timeout_seconds: config.enricher_timeout_seconds,
        concurrency: config.enricher_maximum_concurrency,
        permissions: permissions(key, messaging, bucket, api_key),
        variables: vec![
            (environment::MOVIES_BUCKET, bucket.name().to_string()),
            (environment::KMS_KEY_ARN, key.arn().to_string()),
            (environment::OMDB_API_KEY_PARAMETER, api_key.name().to_string()),
            (environment::OMDB_BASE_URL, literal(&config.omdb_base_url)),
            (environment::OMDB_CONNECT_TIMEOUT_MS, config.omdb_connect_timeout_ms.to_string()),
            (environment::OMDB_TIMEOUT_MS, config.omdb_timeout_ms.to_string()),
            (environment::OMDB_MAX_ATTEMPTS, config.omdb_max_attempts.to_string()),
            (environment::OMDB_DAILY_LIMIT, config.omdb_daily_limit.to_string()),
            (environment::MOVIES_QUEUE_URL, messaging.queue.url().to_string()),
            (
                environment::MOVIES_QUEUE_VISIBILITY_TIMEOUT_SECONDS,
                visibility_timeout_seconds(stack.config).to_string(),
            ),
        ],
    };
    let enricher = super::add(stack, key, enricher);
    add_source(stack, &enricher, messaging);
    enricher
}

fn permissions(
    key: &Handle<Key>,
    messaging: &Messaging,
    bucket: &Handle<Bucket>,
    api_key: &Handle<Parameter>,
) -> Vec<Statement> {
    let objects = [format!("{RUNS}*"), LATEST_KEY.to_owned(), format!("{OMDB_REQUESTS}*")];
    let objects = objects.map(|key| format!("{}/{key}", bucket.arn()));
    vec![
        // What Lambda asks for to poll a queue: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        allow("TakeFromQueue")
            .actions(&["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], messaging.queue.arn()),
        // For what the enricher hides for longer than the queue would.
        allow("HideMovies").actions(&["sqs:ChangeMessageVisibility"], messaging.queue.arn()),
        allow("ReadApiKey").actions(&["ssm:GetParameter"], api_key.arn()),
        allow("ReadAndStoreMovies").actions(&["s3:GetObject", "s3:PutObject"], objects),
        // `IfExists`: S3 answers "not found" instead of "denied" for a missing object only to whoever may list, and
        // then there is no prefix to compare (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html).
        allow("ListRuns").actions(&["s3:ListBucket"], bucket.arn()).when(
            "StringLikeIfExists",
            "s3:prefix",
            format!("{RUNS}*"),
        ),
        use_key_through("UseKeyToRead", &["kms:Decrypt"], key, &["s3", "sqs", "ssm"]),
        use_key_through("UseKeyToStore", &["kms:GenerateDataKey"], key, &["s3"]),
    ]
}

/// How the queue feeds the enricher.
fn add_source(stack: &mut Stack, enricher: &FunctionParts, messaging: &Messaging) {
    let properties = json!({
        "eventSourceArn": messaging.queue.arn(),
        "functionName": enricher.function.name(),
        "batchSize": stack.config.batch_size,
        "maximumBatchingWindowInSeconds": stack.config.batching_window_seconds,
        // Only the movies that failed go back to the queue.
        "functionResponseTypes": ["ReportBatchItemFailures"],
        "scalingConfig": {"maximumConcurrency": stack.config.enricher_maximum_concurrency},
    });
    // Lambda checks that the role may read from the queue.
    let options = json!({"dependsOn": [enricher.permissions.itself()]});
    stack.resources.add_with::<EventSourceMapping>("enricherSource", properties, options);
}
