//! The enricher function: settings, clients, loop.

use std::process::ExitCode;
use std::sync::Arc;

use domain::contract::Service;
use enricher::api_key::SsmKeyStore;
use enricher::bucket::S3Bucket;
use enricher::clock::Clock;
use enricher::handler::Enricher;
use enricher::omdb::{Budget, HttpError, Omdb, OmdbHttp};
use enricher::queue::SqsQueue;
use enricher::senders;
use enricher::settings::Settings;
use function::Connections;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let function = match function::start(Service::Enricher, Settings::read).await {
        Ok(function) => function,
        Err(refused) => return refused.into(),
    };
    let Settings { bucket, kms_key_arn, api_key_parameter, queue_url, visibility_timeout, omdb } = &function.settings;
    let http = match Connections::http().map_err(HttpError::from).and_then(|http| OmdbHttp::new(http, omdb)) {
        Ok(http) => http,
        Err(error) => {
            tracing::error!(reason = %error, "the function refuses to start");
            return ExitCode::FAILURE;
        }
    };
    let aws = &function.connections.aws;
    let keys = SsmKeyStore::new(aws, api_key_parameter);
    let bucket = S3Bucket::new(aws, bucket, kms_key_arn);
    let budget = Budget::new(bucket.clone(), omdb.daily_limit, Clock::system());
    let omdb = Omdb::new(http, keys, budget, omdb.max_attempts, function.metrics());
    let queue = SqsQueue::new(aws, queue_url, *visibility_timeout);
    let enricher = Arc::new(Enricher::new(bucket, omdb, queue, Clock::system(), function.metrics()));
    function
        .serve(senders::TRIGGER, move |event, deadline| {
            let enricher = Arc::clone(&enricher);
            async move { Box::pin(enricher.handle(event, deadline)).await }
        })
        .await
}
