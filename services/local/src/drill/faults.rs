//! How each fault is made.

use std::time::Duration;

use anyhow::Context;
use aws_sdk_sqs::types::QueueAttributeName;
use domain::contract::Service;
use domain::contract::environment::OMDB_MAX_ATTEMPTS;
use domain::contract::metrics::{ENVIRONMENT_DIMENSION, MAINTENANCE_METRIC, NAMESPACE};
use domain::ranking::DEFAULT_TOP_N;
use domain::rest::Rest;
use pulumi::config::settings::MAX_RECEIVE_COUNT;
use rustix::process::Signal;
use serde_json::{Value, json};

use super::environments;
use super::stage::Stage;
use crate::deploy::{SOURCE_BUCKET, SOURCE_KEY, STACK};
use crate::omdb::OmdbFault;
use crate::options::SAMPLE_SOURCE;
use crate::pipeline::Pipeline;
use crate::recorder::{AwsFault, Operation};

/// Everything works.
pub(super) async fn nothing(stage: &Stage) -> anyhow::Result<()> {
    stage.fire().await?;
    stage.until_complete().await
}

/// OMDb fails every movie, at every attempt.
pub(super) async fn omdb(stage: &Stage, fault: OmdbFault) -> anyhow::Result<()> {
    stage.omdb()?.fail_all(fault);
    stage.fire().await?;
    stage.until_dead(DEFAULT_TOP_N).await
}

/// OMDb rejects the key. Each movie is hidden after each of its receives, and dead after the last.
pub(super) async fn omdb_key_rejected(stage: &Stage) -> anyhow::Result<()> {
    let receives: usize = MAX_RECEIVE_COUNT.default.context("there is no default number of receives")?.parse()?;
    stage.let_only_hidden_come_back().await?;
    stage.omdb()?.fail_all(OmdbFault::InvalidKey);
    stage.fire().await?;
    for receive in 1..=receives {
        stage.until_hidden(receive * DEFAULT_TOP_N).await?;
        stage.let_rest(Rest::UntilKeyIsMended).await?;
    }
    stage.until_dead(DEFAULT_TOP_N).await
}

/// OMDb's requests of the day are used up; the next day has requests again.
pub(super) async fn omdb_quota(stage: &Stage) -> anyhow::Result<()> {
    stage.let_only_hidden_come_back().await?;
    stage.omdb()?.fail_all(OmdbFault::QuotaExhausted);
    stage.fire().await?;
    until_the_day_ends(stage, DEFAULT_TOP_N).await?;
    stage.omdb()?.heal();
    stage.let_rest(Rest::UntilNextDay).await?;
    stage.until_complete().await
}

/// Another run of the same day has left only so many of the requests that a day is allowed.
pub(super) async fn omdb_daily_limit(stage: &Stage, left: usize) -> anyhow::Result<()> {
    stage.let_only_hidden_come_back().await?;
    let earlier = stage.pipeline.event_at("2026-11-22T11:00:00Z".parse()?)?;
    stage.pipeline.fire(&earlier).await?;
    stage.until_latest_is(&earlier.run).await?;
    stage.fire().await?;
    until_the_day_ends(stage, DEFAULT_TOP_N - left).await?;
    forget_requests(&stage.pipeline).await?;
    stage.let_rest(Rest::UntilNextDay).await?;
    stage.until_complete().await
}

/// Lets the day pass on which so many movies are hidden. SQS hides them for less time than a day has after noon, so they
/// are tried once more in vain.
async fn until_the_day_ends(stage: &Stage, movies: usize) -> anyhow::Result<()> {
    stage.until_hidden(movies).await?;
    stage.let_rest(Rest::UntilNextDay).await?;
    stage.until_hidden(2 * movies).await
}

/// As on a new day, which has had none.
async fn forget_requests(pipeline: &Pipeline) -> anyhow::Result<()> {
    for count in pipeline.objects(domain::quota::PREFIX).await? {
        let delete = pipeline.clients().s3.delete_object().bucket(&pipeline.deployment().movies_bucket).key(count);
        delete.send().await.context("deleting the count of the day's requests")?;
    }
    Ok(())
}

/// The event of a run comes a second time, as EventBridge may send it, when all its movies are stored.
pub(super) async fn schedule_repeats(stage: &Stage) -> anyhow::Result<()> {
    nothing(stage).await?;
    stage.fire().await?;
    stage.until_stored_before(DEFAULT_TOP_N).await
}

/// OMDb is late, but answers in time.
pub(super) async fn omdb_slow(stage: &Stage, delay_ms: u64) -> anyhow::Result<()> {
    stage.omdb()?.fail_all(OmdbFault::Delay(Duration::from_millis(delay_ms)));
    nothing(stage).await
}

/// OMDb fails one of the films at every attempt of its first delivery.
pub(super) async fn omdb_hiccup(stage: &Stage) -> anyhow::Result<()> {
    let attempts = OMDB_MAX_ATTEMPTS.default.context("there is no default number of attempts")?.parse()?;
    let best = best_of_sample()?;
    stage.omdb()?.fail(&best, OmdbFault::Status(503));
    stage.fire().await?;
    stage.until_omdb_is_asked_for(&best, attempts).await?;
    stage.omdb()?.heal();
    stage.until_complete().await
}

/// OMDb does not know one of the films.
pub(super) async fn omdb_unknown_id(stage: &Stage) -> anyhow::Result<()> {
    stage.omdb()?.fail(&best_of_sample()?, OmdbFault::UnknownId);
    stage.fire().await?;
    stage.until_dead(1).await
}

/// OMDb is down while a maintenance window is open.
pub(super) async fn maintenance(stage: &Stage) -> anyhow::Result<()> {
    use aws_sdk_cloudwatch::types::{Dimension, MetricDatum};
    let stack = Dimension::builder().name(ENVIRONMENT_DIMENSION).value(STACK).build();
    let open = MetricDatum::builder().metric_name(MAINTENANCE_METRIC).dimensions(stack).value(1.0).build();
    let put = stage.pipeline.clients().cloudwatch.put_metric_data().namespace(NAMESPACE).metric_data(open);
    put.send().await.context("opening a maintenance window")?;
    omdb(stage, OmdbFault::Status(503)).await
}

/// There is no source object.
pub(super) async fn source_missing(stage: &Stage) -> anyhow::Result<()> {
    let delete = stage.pipeline.clients().s3.delete_object().bucket(SOURCE_BUCKET).key(SOURCE_KEY);
    delete.send().await.context("deleting the source")?;
    stage.fire().await?;
    stage.until_given_up().await
}

/// The source ends in the middle.
pub(super) async fn source_cut_off(stage: &Stage) -> anyhow::Result<()> {
    stage.pipeline.put_source(SAMPLE_SOURCE[..SAMPLE_SOURCE.len() / 2].to_vec()).await?;
    stage.fire().await?;
    stage.until_given_up().await
}

/// The source is sound, but has only so many items.
pub(super) async fn source_shrunk(stage: &Stage, items: usize) -> anyhow::Result<()> {
    let mut source = sample()?;
    source["items"].as_array_mut().context("the sample has no items")?.truncate(items);
    stage.pipeline.put_source(source.to_string().into_bytes()).await?;
    nothing(stage).await
}

/// Some of the source's items cannot be ranked.
pub(super) async fn source_soured(stage: &Stage) -> anyhow::Result<()> {
    let mut source = sample()?;
    for item in [20, 21, 22] {
        source["items"][item]["imDbRating"] = json!("not yet rated");
    }
    stage.pipeline.put_source(source.to_string().into_bytes()).await?;
    nothing(stage).await
}

fn best_of_sample() -> anyhow::Result<String> {
    Ok(sample()?["items"][0]["id"].as_str().context("the sample's first film has no id")?.to_owned())
}

fn sample() -> anyhow::Result<Value> {
    serde_json::from_slice(SAMPLE_SOURCE).context("the sample is not JSON")
}

/// Something comes over the topic that is no movie, beside a run that is well.
pub(super) async fn poison_message(stage: &Stage) -> anyhow::Result<()> {
    stage.pipeline.publish("this is no movie", None).await?;
    nothing(stage).await?;
    stage.until_dead(1).await
}

/// AWS refuses the ranker what it needs.
pub(super) async fn ranker_refused(stage: &Stage, operation: Operation, refusal: AwsFault) -> anyhow::Result<()> {
    stage.fail_aws(operation, refusal, None)?;
    stage.fire().await?;
    stage.until_given_up().await
}

/// AWS refuses the enricher what it needs.
pub(super) async fn enricher_refused(stage: &Stage, operation: Operation, refusal: AwsFault) -> anyhow::Result<()> {
    stage.fail_aws(operation, refusal, None)?;
    stage.fire().await?;
    stage.until_dead(DEFAULT_TOP_N).await
}

/// AWS fails some calls and then works again.
pub(super) async fn aws_hiccup<const N: usize>(
    stage: &Stage,
    faults: [(Operation, AwsFault, usize); N],
) -> anyhow::Result<()> {
    for (operation, fault, times) in faults {
        stage.fail_aws(operation, fault, times)?;
    }
    nothing(stage).await
}

/// CloudWatch takes no metrics.
pub(super) async fn metrics_down(stage: &Stage, refusal: AwsFault) -> anyhow::Result<()> {
    stage.fail_aws(Operation::PutMetricData, refusal, None)?;
    nothing(stage).await
}

/// The enricher's process gets this signal in the middle of its work.
pub(super) async fn enricher_hit(stage: &Stage, signal: Signal) -> anyhow::Result<()> {
    // Longer than it takes to find the process on a busy machine; whoever waits for the answer is hit before it comes.
    stage.omdb()?.fail_all(OmdbFault::Delay(Duration::from_secs(4)));
    stage.fire().await?;
    stage.until_omdb_is_asked().await?;
    environments::signal(&stage.pipeline, Service::Enricher, signal)?;
    stage.omdb()?.heal();
    stage.until_complete().await
}

/// One enricher may run at a time, and somebody else's work keeps it busy.
pub(super) async fn enricher_throttled(stage: &Stage) -> anyhow::Result<()> {
    const OTHER: &str = "tt9999999";
    one_at_a_time(&stage.pipeline, Service::Enricher).await?;
    stage.omdb()?.fail(OTHER, OmdbFault::Delay(Duration::from_secs(4)));
    let message = json!({
        "schema_version": 1, "run": "2026-11-21T12-00-00Z", "ranking": "0123456789abcdef", "position": 1, "of": 2,
        "movie": {"id": OTHER, "title": "A film", "imDbRating": "9"},
    });
    let event = json!({"Records": [{"messageId": "other", "body": message.to_string()}]});
    let run = async {
        stage.until_omdb_is_asked().await?;
        nothing(stage).await
    };
    let (other, run) = tokio::join!(stage.pipeline.invoke(Service::Enricher, &event), run);
    other?;
    run
}

/// Two schedule events come at once.
pub(super) async fn ranker_throttled(stage: &Stage) -> anyhow::Result<()> {
    let earlier = stage.pipeline.event_at("2026-11-22T11:00:00Z".parse()?)?;
    // What the ranker reserves as deployed.
    one_at_a_time(&stage.pipeline, Service::Ranker).await?;
    let slow = AwsFault::Delay(Duration::from_millis(500));
    stage.fail_aws(Operation::GetObject, slow, 1)?;
    stage.pipeline.fire(&earlier).await?;
    nothing(stage).await
}

/// The local AWS forgets the reserved concurrency of a template.
async fn one_at_a_time(pipeline: &Pipeline, service: Service) -> anyhow::Result<()> {
    let limit = pipeline.clients().lambda.put_function_concurrency();
    let limit = limit.function_name(pipeline.deployment().function(service)).reserved_concurrent_executions(1);
    limit.send().await.with_context(|| format!("limiting the concurrency of the {}", service.name()))?;
    Ok(())
}

/// Nobody takes movies off the queue.
pub(super) async fn enricher_disconnected(stage: &Stage) -> anyhow::Result<()> {
    let (lambda, deployment) = (&stage.pipeline.clients().lambda, stage.pipeline.deployment());
    let list = lambda.list_event_source_mappings().function_name(&deployment.enricher_function).send().await?;
    for mapping in list.event_source_mappings() {
        let update = lambda.update_event_source_mapping().set_uuid(mapping.uuid().map(str::to_owned)).enabled(false);
        update.send().await.context("disabling the event source mapping")?;
    }
    stage.fire().await?;
    stage.until_in(&deployment.queue_url, DEFAULT_TOP_N).await
}

/// EventBridge may not start the ranker any more; `is_lost`: nor leave the event in its dead-letter queue.
pub(super) async fn schedule_refused(stage: &Stage, is_lost: bool) -> anyhow::Result<()> {
    stage.forbid_starting().await?;
    let queue = &stage.pipeline.deployment().ranker_failures_queue_url;
    if is_lost {
        close(&stage.pipeline, queue).await?;
    }
    stage.fire().await
}

/// The topic may not put messages into the queue any more; `is_lost`: nor into that for undelivered ones.
pub(super) async fn delivery_refused(stage: &Stage, is_lost: bool) -> anyhow::Result<()> {
    let undelivered = crate::oncall::url_of_undelivered(&stage.pipeline).await?;
    close(&stage.pipeline, &stage.pipeline.deployment().queue_url).await?;
    if is_lost {
        close(&stage.pipeline, &undelivered).await?;
    }
    stage.fire().await?;
    #[expect(clippy::cast_precision_loss, reason = "at most 1,000")]
    let movies = DEFAULT_TOP_N as f64;
    stage.until_counted("NumberOfNotificationsFailed", movies).await
}

/// Takes everybody out of a queue's policy.
async fn close(pipeline: &Pipeline, queue_url: &str) -> anyhow::Result<()> {
    let nobody = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*",
    }]});
    let set = pipeline.clients().sqs.set_queue_attributes().queue_url(queue_url);
    set.attributes(QueueAttributeName::Policy, nobody.to_string()).send().await.context("closing a queue")?;
    Ok(())
}

/// The event fails, and the queue for failed events is gone.
pub(super) async fn failed_event_lost(stage: &Stage) -> anyhow::Result<()> {
    let (clients, deployment) = (stage.pipeline.clients(), stage.pipeline.deployment());
    clients.s3.delete_object().bucket(SOURCE_BUCKET).key(SOURCE_KEY).send().await.context("deleting the source")?;
    let delete = clients.sqs.delete_queue().queue_url(&deployment.ranker_failures_queue_url);
    delete.send().await.context("deleting the queue of ranker failures")?;
    stage.fire().await?;
    stage.until_counted("DestinationDeliveryFailures", 1.0).await
}
