//! The ranker function: settings, clients, loop.

use std::process::ExitCode;
use std::sync::Arc;

use chrono::Utc;
use domain::contract::Service;
use function::Trigger;
use ranker::handler::Ranker;
use ranker::settings::Settings;
use ranker::source::S3Source;
use ranker::topic::SnsTopic;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let function = match function::start(Service::Ranker, Settings::read).await {
        Ok(function) => function,
        Err(refused) => return refused.into(),
    };
    let Settings { source, topic_arn, top_n } = &function.settings;
    let source = S3Source::new(&function.connections.aws, source);
    let topic = SnsTopic::new(&function.connections.aws, topic_arn);
    let ranker = Arc::new(Ranker::new(source, topic, *top_n, function.metrics()));
    function
        .serve(Trigger::SCHEDULE, move |event, _deadline| {
            let ranker = Arc::clone(&ranker);
            async move { ranker.handle(event, Utc::now()).await }
        })
        .await
}
