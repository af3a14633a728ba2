//! Metrics → CloudWatch: the conversion, and the call.
//!
//! Limits are those of
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html> and
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>.

use std::error::Error;
use std::time::SystemTime;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::builders::MetricDatumBuilder;
use aws_sdk_cloudwatch::types::{Dimension, MetricDatum, StandardUnit};
use domain::contract::Service;
use domain::contract::metrics::{self, ENVIRONMENT_DIMENSION, NAMESPACE, SERVICE_DIMENSION};
use opentelemetry_sdk::metrics::data::{
    AggregatedMetrics, ExponentialBucket, ExponentialHistogramDataPoint, Metric, MetricData, ResourceMetrics,
    ScopeMetrics,
};

/// How many data go into one call. CloudWatch takes 1,000 and 1 MB; 150 values and counts written out are about 15 KB,
/// so this many never come near either. A service has a dozen metrics, so a flush is one call.
pub(crate) const DATA_PER_CALL: usize = 50;

/// The most values that CloudWatch takes in one datum.
const VALUES_PER_DATUM: usize = 150;

/// Sends metrics of one service to CloudWatch.
#[derive(Debug)]
pub(crate) struct Export {
    client: Client,
    dimensions: Vec<Dimension>,
}

impl Export {
    pub(crate) fn new(client: Client, service: Service, environment: &str) -> Self {
        Self { client, dimensions: dimensions(service, environment) }
    }

    pub(crate) fn convert(&self, collected: &ResourceMetrics) -> Vec<MetricDatum> {
        convert(collected, &self.dimensions)
    }

    pub(crate) async fn put(&self, data: &[MetricDatum]) -> Result<(), Box<dyn Error + Send + Sync>> {
        let call = self.client.put_metric_data().namespace(NAMESPACE).set_metric_data(Some(data.to_vec()));
        call.send().await?;
        Ok(())
    }
}

/// The dimensions of every datum. Attributes of a measurement do not become dimensions: each of their values would be
/// one more metric to pay for, and CloudWatch never adds up across them. It allows 30.
fn dimensions(service: Service, environment: &str) -> Vec<Dimension> {
    [(ENVIRONMENT_DIMENSION, environment), (SERVICE_DIMENSION, service.name())]
        .map(|(name, value)| Dimension::builder().name(name).value(value).build())
        .to_vec()
}

/// One datum for each sum and each histogram.
fn convert(collected: &ResourceMetrics, dimensions: &[Dimension]) -> Vec<MetricDatum> {
    collected
        .scope_metrics()
        .flat_map(ScopeMetrics::metrics)
        .flat_map(|metric| {
            let datum = || {
                MetricDatum::builder()
                    .metric_name(metric.name())
                    .unit(unit(metric.name()))
                    .set_dimensions(Some(dimensions.to_vec()))
            };
            metric_data(metric, datum)
        })
        .collect()
}

fn unit(name: &str) -> StandardUnit {
    metrics::find(name).map_or(StandardUnit::None, |metric| metric.unit.cloudwatch().into())
}

fn metric_data(metric: &Metric, datum: impl Fn() -> MetricDatumBuilder) -> Vec<MetricDatum> {
    match metric.data() {
        AggregatedMetrics::U64(MetricData::Sum(sum)) => {
            let at = DateTime::from(sum.time());
            sum.data_points().map(|point| datum().timestamp(at).value(float(point.value())).build()).collect()
        }
        AggregatedMetrics::F64(MetricData::ExponentialHistogram(histogram)) => {
            histogram.data_points().flat_map(|point| histogram_data(point, histogram.time(), &datum)).collect()
        }
        // `Metrics` makes counters of u64 and exponential histograms of f64, and nothing else.
        _ => Vec::new(),
    }
}

/// Values and how often each was seen, so that CloudWatch can take percentiles; a datum takes up to 150 of them.
fn histogram_data(
    point: &ExponentialHistogramDataPoint<f64>,
    time: SystemTime,
    datum: impl Fn() -> MetricDatumBuilder,
) -> Vec<MetricDatum> {
    values_and_counts(point)
        .chunks(VALUES_PER_DATUM)
        .map(|chunk| {
            let (values, counts) = chunk.iter().copied().unzip();
            datum().timestamp(DateTime::from(time)).set_values(Some(values)).set_counts(Some(counts)).build()
        })
        .collect()
}

/// One value for each bucket that holds something, in ascending order.
fn values_and_counts(point: &ExponentialHistogramDataPoint<f64>) -> Vec<(f64, f64)> {
    let mut seen: Vec<_> = buckets(point.negative_bucket(), point.scale()).map(|(value, n)| (-value, n)).collect();
    seen.reverse();
    seen.push((0.0, point.zero_count()));
    seen.extend(buckets(point.positive_bucket(), point.scale()));
    let (min, max) = (point.min().unwrap_or(f64::MIN), point.max().unwrap_or(f64::MAX));
    let of = |(value, count): (f64, u64)| (value.max(min).min(max), float(count));
    seen.into_iter().filter(|(_, count)| *count > 0).map(of).collect()
}

/// The middle of each bucket and its count. A bucket with index `i` reaches from `base^i` to `base^(i+1)`, where
/// `base = 2^(2^-scale)` (<https://opentelemetry.io/docs/specs/otel/metrics/data-model/#exponentialhistogram>); its
/// geometric middle is off by the same share of the value on either side.
fn buckets(bucket: &ExponentialBucket, scale: i8) -> impl Iterator<Item = (f64, u64)> {
    let width = (-f64::from(scale)).exp2();
    (bucket.offset()..)
        .zip(bucket.counts())
        .map(move |(index, count)| (((f64::from(index) + 0.5) * width).exp2(), count))
}

#[expect(clippy::cast_precision_loss, reason = "CloudWatch counts in doubles; exact up to 2^53")]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests;
