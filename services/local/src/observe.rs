//! What can be seen of a running pipeline: objects, queues, metrics, logs.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric as CloudWatchMetric, MetricDataQuery, MetricStat};
use aws_sdk_s3::operation::get_object::GetObjectError;
use bytes::Bytes;
use domain::contract::metrics::{self, ENVIRONMENT_DIMENSION, Kind, Metric, NAMESPACE, SERVICE_DIMENSION};
use domain::contract::{Service, logs};
use serde_json::Value;

use crate::deploy::STACK;
use crate::depth::Depth;
use crate::pipeline::Pipeline;

/// The sums of all counters that CloudWatch has data for, by name.
pub type MetricSums = BTreeMap<&'static str, f64>;

impl Pipeline {
    /// The keys of all objects in the movies' bucket that begin with `prefix`, in order.
    pub async fn objects(&self, prefix: &str) -> anyhow::Result<Vec<String>> {
        let list = self.clients().s3.list_objects_v2().bucket(&self.deployment().movies_bucket).prefix(prefix);
        let mut pages = list.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.context("listing the movies' bucket")?;
            keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
        }
        Ok(keys)
    }

    /// An object of the movies' bucket; nothing when there is none of this key.
    pub async fn read_object(&self, key: &str) -> anyhow::Result<Option<Bytes>> {
        let get = self.clients().s3.get_object().bucket(&self.deployment().movies_bucket).key(key);
        match get.send().await {
            Ok(object) => Ok(Some(object.body.collect().await?.into_bytes())),
            Err(error) if error.as_service_error().is_some_and(GetObjectError::is_no_such_key) => Ok(None),
            Err(error) => Err(error).with_context(|| format!("reading {key}")),
        }
    }

    /// An object of the movies' bucket as JSON; nothing when there is none of this key.
    pub async fn read_json(&self, key: &str) -> anyhow::Result<Option<Value>> {
        let object = self.read_object(key).await?;
        object.map(|bytes| serde_json::from_slice(&bytes)).transpose().with_context(|| format!("{key} is not JSON"))
    }

    /// How many messages lie in the dead-letter queue.
    pub async fn dead_letters(&self) -> anyhow::Result<usize> {
        self.messages_in(&self.deployment().dead_letter_queue_url).await
    }

    /// How many events lie in the ranker's on-failure queue.
    pub async fn ranker_failures(&self) -> anyhow::Result<usize> {
        self.messages_in(&self.deployment().ranker_failures_queue_url).await
    }

    /// How many messages a queue has, those being worked on included.
    pub async fn messages_in(&self, queue_url: &str) -> anyhow::Result<usize> {
        Ok(Depth::of(&self.clients().sqs, queue_url).await.context("asking a queue")?.total())
    }

    /// The bodies of up to ten messages of a queue; they stay in it.
    pub async fn peek(&self, queue_url: &str) -> anyhow::Result<Vec<String>> {
        let receive = self.clients().sqs.receive_message().queue_url(queue_url);
        let received = receive.max_number_of_messages(10).visibility_timeout(0).send().await?;
        Ok(received.messages().iter().filter_map(|message| message.body().map(str::to_owned)).collect())
    }

    /// The sums of all counters since the pipeline was started, as CloudWatch has them.
    pub async fn metric_sums(&self) -> anyhow::Result<MetricSums> {
        let series = counters();
        let queries = series.iter().enumerate().map(|(index, (metric, service))| query(index, metric, *service));
        let now = std::time::SystemTime::now();
        let get = self.clients().cloudwatch.get_metric_data().set_metric_data_queries(Some(queries.collect()));
        let get = get.start_time(DateTime::from(self.started() - PERIOD)).end_time(DateTime::from(now + PERIOD));
        let answer = get.send().await.context("reading metrics")?;
        let mut sums = MetricSums::new();
        for result in answer.metric_data_results().iter().filter(|result| !result.values().is_empty()) {
            let index = result.id().and_then(|id| id.strip_prefix('m')?.parse::<usize>().ok());
            let (metric, _) =
                index.and_then(|index| series.get(index)).context("CloudWatch names an unknown series")?;
            *sums.entry(metric.name).or_default() += result.values().iter().sum::<f64>();
        }
        Ok(sums)
    }

    /// The sum of one counter since the pipeline was started; zero when CloudWatch has no data for it.
    pub async fn metric_sum(&self, metric: &Metric) -> anyhow::Result<f64> {
        Ok(self.metric_sums().await?.get(metric.name).copied().unwrap_or_default())
    }

    /// Every line that a function logged, Lambda's own included.
    pub async fn log_lines(&self, service: Service) -> anyhow::Result<Vec<String>> {
        let group = self.deployment().log_group(service);
        let mut pages = self.clients().logs.filter_log_events().log_group_name(group).into_paginator().send();
        let mut lines = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.with_context(|| format!("reading the log group {group}"))?;
            lines.extend(page.events().iter().filter_map(|event| event.message().map(str::to_owned)));
        }
        Ok(lines)
    }

    /// The log lines of a function that are JSON: its own.
    pub async fn log_records(&self, service: Service) -> anyhow::Result<Vec<Value>> {
        let lines = self.log_lines(service).await?;
        Ok(lines.iter().filter_map(|line| serde_json::from_str(line).ok()).filter(Value::is_object).collect())
    }

    /// What the functions logged as errors and warnings, each once, in the order of the flow.
    pub async fn complaints(&self) -> anyhow::Result<Vec<String>> {
        let mut complaints = Vec::new();
        for service in Service::ALL {
            for record in self.log_records(service).await? {
                complaints.extend(complaint(service, &record).filter(|complaint| !complaints.contains(complaint)));
            }
        }
        Ok(complaints)
    }
}

/// The length of one point of a series, and how far around the present is asked.
const PERIOD: Duration = Duration::from_mins(1);

fn counters() -> Vec<(&'static Metric, Service)> {
    let counters = metrics::ALL.iter().copied().filter(|metric| metric.kind == Kind::Counter);
    counters.flat_map(|metric| metric.services.iter().map(move |service| (metric, *service))).collect()
}

fn query(index: usize, metric: &Metric, service: Service) -> MetricDataQuery {
    let dimension = |name, value| Dimension::builder().name(name).value(value).build();
    let metric = CloudWatchMetric::builder()
        .namespace(NAMESPACE)
        .metric_name(metric.name)
        .dimensions(dimension(ENVIRONMENT_DIMENSION, STACK))
        .dimensions(dimension(SERVICE_DIMENSION, service.name()))
        .build();
    let sum = MetricStat::builder().metric(metric).period(60).stat("Sum").build();
    MetricDataQuery::builder().id(format!("m{index}")).metric_stat(sum).build()
}

/// `enricher: message: reason (imdb id)` of a record that is an error or a warning.
fn complaint(service: Service, record: &Value) -> Option<String> {
    let text = |field: &logs::Field| record.get(field.name).and_then(Value::as_str);
    // The Lambda runtime repeats the error that the function has logged already.
    let repeated = text(logs::TARGET).is_some_and(|target| target.starts_with("lambda_runtime"));
    if repeated || !matches!(text(logs::LEVEL)?, "ERROR" | "WARN") {
        return None;
    }
    let mut complaint = format!("{}: {}", service.name(), text(logs::MESSAGE).unwrap_or_default());
    if let Some(reason) = text(logs::REASON) {
        complaint = format!("{complaint}: {reason}");
    }
    if let Some(id) = text(logs::IMDB_ID) {
        complaint = format!("{complaint} ({id})");
    }
    Some(complaint)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_and_warnings_are_complaints_and_the_rest_is_not() {
        let record =
            |level| json!({"level": level, "message": "record failed", "reason": "unknown id", "imdb_id": "tt0000001"});
        let told = "enricher: record failed: unknown id (tt0000001)";
        assert_eq!(complaint(Service::Enricher, &record("ERROR")).as_deref(), Some(told));
        assert_eq!(complaint(Service::Enricher, &record("WARN")).as_deref(), Some(told));
        assert_eq!(complaint(Service::Enricher, &record("INFO")), None);
        assert_eq!(complaint(Service::Enricher, &json!({"time": "x"})), None);
        let repeated = json!({"level": "ERROR", "target": "lambda_runtime::layers", "message": "the same"});
        assert_eq!(complaint(Service::Enricher, &repeated), None);
    }

    #[test]
    fn every_counter_is_asked_for_each_service_that_emits_it() {
        let asked = counters();
        assert!(asked.contains(&(metrics::TELEMETRY_DROPPED, Service::Ranker)));
        assert!(asked.contains(&(metrics::TELEMETRY_DROPPED, Service::Enricher)));
        assert!(!asked.iter().any(|(metric, _)| *metric == metrics::OMDB_DURATION));
    }
}
