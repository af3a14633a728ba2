//! The enricher function: settings, clients, loop.

use std::process::ExitCode;
use std::sync::Arc;

use domain::contract::Service;
use enricher::api_key::SsmKeyStore;
use enricher::bucket::S3Bucket;
use enricher::handler::Enricher;
use enricher::omdb::{Omdb, OmdbHttp};
use enricher::senders;
use enricher::settings::Settings;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let function = match function::start(Service::Enricher, Settings::read).await {
        Ok(function) => function,
        Err(refused) => return refused.into(),
    };
    let Settings { bucket, kms_key_arn, api_key_parameter, omdb } = &function.settings;
    let http = match OmdbHttp::new(function.connections.http(), omdb) {
        Ok(http) => http,
        Err(error) => {
            tracing::error!(reason = %error, "the function refuses to start");
            return ExitCode::FAILURE;
        }
    };
    let keys = SsmKeyStore::new(&function.connections.aws, api_key_parameter);
    let omdb = Omdb::new(http, keys, omdb.max_attempts, function.metrics());
    let bucket = S3Bucket::new(&function.connections.aws, bucket, kms_key_arn);
    let enricher = Arc::new(Enricher::new(bucket, omdb, function.metrics()));
    function
        .serve(senders::TRIGGER, move |event, deadline| {
            let enricher = Arc::clone(&enricher);
            async move { enricher.handle(event, deadline).await }
        })
        .await
}
