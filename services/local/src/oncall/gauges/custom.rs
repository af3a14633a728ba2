//! Metrics that the local AWS has: those that the functions report, and Lambda's throttles.

use std::time::{Duration, SystemTime};

use alarms::Metric;
use anyhow::Context;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric as WireMetric, MetricDataQuery, MetricDataResult, MetricStat};
use domain::contract::metrics::NAMESPACE;

use crate::aws::Clients;
use crate::oncall::recording::Observation;

/// What is asked of every metric: together they tell all of a second that an alarm without percentiles can ask.
const STATISTICS: [&str; 4] = ["SampleCount", "Sum", "Minimum", "Maximum"];

/// The most queries of one call
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>), less what would tear the
/// statistics of a metric apart.
const MAX_METRICS_PER_CALL: usize = 500 / STATISTICS.len();

/// One second of a metric: how many values, their sum, the least, the greatest.
type Second = [f64; STATISTICS.len()];

/// Everything that was reported since then, whatever it is called: an alarm on another name must not find anything.
pub(super) async fn read(clients: &Clients, fired: SystemTime) -> anyhow::Result<Vec<Observation>> {
    let metrics = list(clients).await?;
    let mut observations = Vec::new();
    for metrics in metrics.chunks(MAX_METRICS_PER_CALL) {
        let queries = metrics.iter().enumerate().flat_map(|(index, metric)| queries(index, metric));
        let get = clients.cloudwatch.get_metric_data().set_metric_data_queries(Some(queries.collect()));
        // A second is told by its beginning.
        let start = DateTime::from(fired - Duration::from_secs(1));
        let end = DateTime::from(SystemTime::now() + Duration::from_secs(1));
        let answer = get.start_time(start).end_time(end).send().await.context("reading metrics")?;
        for (index, metric) in metrics.iter().enumerate() {
            observations.extend(observed(metric, index, answer.metric_data_results(), fired)?);
        }
    }
    Ok(observations)
}

async fn list(clients: &Clients) -> anyhow::Result<Vec<WireMetric>> {
    let mut metrics = Vec::new();
    for list in [
        clients.cloudwatch.list_metrics().namespace(NAMESPACE),
        clients.cloudwatch.list_metrics().namespace("AWS/Lambda").metric_name("Throttles"),
    ] {
        let mut pages = list.into_paginator().send();
        while let Some(page) = pages.next().await {
            metrics.extend_from_slice(page.context("listing metrics")?.metrics());
        }
    }
    Ok(metrics)
}

fn queries(index: usize, metric: &WireMetric) -> impl Iterator<Item = MetricDataQuery> {
    STATISTICS.into_iter().map(move |statistic| {
        let stat = MetricStat::builder().metric(metric.clone()).period(1).stat(statistic).build();
        MetricDataQuery::builder().id(id(index, statistic)).metric_stat(stat).build()
    })
}

fn id(index: usize, statistic: &str) -> String {
    format!("{}{index}", statistic.to_lowercase())
}

fn observed(
    metric: &WireMetric,
    index: usize,
    results: &[MetricDataResult],
    fired: SystemTime,
) -> anyhow::Result<Vec<Observation>> {
    let of = |statistic| {
        let wanted = id(index, statistic);
        results.iter().find(|result| result.id() == Some(&wanted)).with_context(|| format!("no result {wanted}"))
    };
    let [count, sum, least, greatest] = STATISTICS.map(of);
    let (count, sum, least, greatest) = (count?, sum?, least?, greatest?);
    let metric = identity(metric);
    let mut observations = Vec::new();
    for (second, at) in count.timestamps().iter().enumerate() {
        let value = |result: &MetricDataResult| result.values().get(second).copied().context("a second is incomplete");
        let at = SystemTime::try_from(*at).context("a time out of range")?.duration_since(fired).unwrap_or_default();
        let values = values_of([value(count)?, value(sum)?, value(least)?, value(greatest)?]);
        let observe = |(value, count)| Observation { metric: metric.clone(), at, value, count };
        observations.extend(values.into_iter().map(observe));
    }
    Ok(observations)
}

fn identity(metric: &WireMetric) -> Metric {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let dimension = |dimension: &Dimension| (text(dimension.name()), text(dimension.value()));
    Metric {
        namespace: text(metric.namespace()),
        name: text(metric.metric_name()),
        dimensions: metric.dimensions().iter().map(dimension).collect(),
    }
}

/// Values, and how often each, that have these statistics.
fn values_of([count, sum, least, greatest]: Second) -> Vec<(f64, f64)> {
    if count <= 1.0 {
        return vec![(sum, count)];
    }
    let mut values = vec![(least, 1.0), (greatest, 1.0)];
    let between = count - 2.0;
    if between > 0.0 {
        values.push(((sum - least - greatest) / between, between));
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_a_second_have_its_statistics() {
        for second in [[1.0, 7.0, 7.0, 7.0], [2.0, 250.0, 0.0, 250.0], [5.0, 20.0, 1.0, 10.0]] {
            let values = values_of(second);
            let count: f64 = values.iter().map(|(_, count)| count).sum();
            let sum: f64 = values.iter().map(|(value, count)| value * count).sum();
            let least = values.iter().map(|(value, _)| *value).fold(f64::INFINITY, f64::min);
            let greatest = values.iter().map(|(value, _)| *value).fold(f64::NEG_INFINITY, f64::max);
            assert_eq!(format!("{:?}", [count, sum, least, greatest]), format!("{second:?}"));
        }
    }
}
