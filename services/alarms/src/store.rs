//! Samples in memory, as a source of statistics.

use std::collections::HashMap;

use crate::metrics::{Metric, Metrics, Periods, Query};

/// A value that was published, as often as `count` says: one entry of `Values` and `Counts` of a `MetricDatum`
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// When, in seconds since the epoch.
    pub at_s: i64,
    /// The value, in its metric's unit.
    pub value: f64,
    /// How often; above zero.
    pub count: f64,
}

/// Every sample that was recorded. Nothing expires: thirty days of 25 metrics at one sample a minute are about 26 MB.
#[derive(Debug, Default)]
pub struct MetricStore {
    metrics: HashMap<Metric, Vec<Stream>>,
}

/// The samples of one metric in one unit, in the order of time.
#[derive(Debug)]
struct Stream {
    unit: Option<String>,
    samples: Vec<Sample>,
}

impl MetricStore {
    /// Adds a sample, in any order of time.
    pub fn record(&mut self, metric: &Metric, unit: Option<&str>, sample: Sample) {
        if !self.metrics.contains_key(metric) {
            self.metrics.insert(metric.clone(), Vec::new());
        }
        if let Some(streams) = self.metrics.get_mut(metric) {
            stream(streams, unit).insert(sample);
        }
    }
}

fn stream<'a>(streams: &'a mut Vec<Stream>, unit: Option<&str>) -> &'a mut Stream {
    let index = streams.iter().position(|stream| stream.unit.as_deref() == unit).unwrap_or(streams.len());
    if index == streams.len() {
        streams.push(Stream { unit: unit.map(str::to_owned), samples: Vec::new() });
    }
    &mut streams[index]
}

impl Stream {
    fn insert(&mut self, sample: Sample) {
        let index = self.samples.partition_point(|earlier| earlier.at_s <= sample.at_s);
        self.samples.insert(index, sample);
    }
}

/// The samples from one time up to another, which is not included.
fn between(samples: &[Sample], from_s: i64, to_s: i64) -> &[Sample] {
    let start = samples.partition_point(|sample| sample.at_s < from_s);
    let length = samples[start..].partition_point(|sample| sample.at_s < to_s);
    &samples[start..start + length]
}

impl Metrics for MetricStore {
    fn values(&self, query: &Query, periods: Periods) -> Vec<Option<f64>> {
        let streams = self.metrics.get(&query.metric).map_or(&[][..], Vec::as_slice);
        let in_range: Vec<&[Sample]> = streams
            .iter()
            .filter(|stream| query.unit.is_none() || query.unit == stream.unit)
            .map(|stream| between(&stream.samples, periods.start_s(), periods.end_s))
            .filter(|samples| !samples.is_empty())
            .collect();
        if in_range.is_empty() {
            // Most metrics are quiet most of the time.
            return vec![None; periods.count];
        }
        let of_period = |start_s: i64| -> Vec<Sample> {
            in_range.iter().flat_map(|samples| between(samples, start_s, start_s + periods.period_s)).copied().collect()
        };
        periods.starts_s().map(|start_s| query.statistic.of(&of_period(start_s))).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::statistics::Statistic;

    fn metric() -> Metric {
        Metric { namespace: "Test".to_owned(), name: "Value".to_owned(), dimensions: [].into() }
    }

    fn query(unit: Option<&str>) -> Query {
        Query { metric: metric(), unit: unit.map(str::to_owned), statistic: Statistic::Sum }
    }

    fn store(samples: &[(i64, Option<&str>)]) -> MetricStore {
        let mut store = MetricStore::default();
        for &(at_s, unit) in samples {
            store.record(&metric(), unit, Sample { at_s, value: 1.0, count: 1.0 });
        }
        store
    }

    #[test]
    fn a_period_holds_its_start_and_not_its_end() {
        let store = store(&[(120, None), (59, None), (60, None), (119, None)]);
        let periods = Periods { end_s: 180, period_s: 60, count: 4 };
        assert_eq!(store.values(&query(None), periods), [None, Some(1.0), Some(2.0), Some(1.0)]);
    }

    #[test]
    fn a_query_with_a_unit_sees_only_samples_of_that_unit() {
        let store = store(&[(0, None), (0, Some("Count")), (0, Some("Seconds")), (1, Some("Count"))]);
        let periods = Periods { end_s: 60, period_s: 60, count: 1 };
        assert_eq!(store.values(&query(Some("Count")), periods), [Some(2.0)]);
        assert_eq!(store.values(&query(None), periods), [Some(4.0)]);
    }

    #[test]
    fn other_dimensions_are_another_metric() {
        let store = store(&[(0, None)]);
        let mut other = query(None);
        other.metric.dimensions.insert("QueueName".to_owned(), "movies".to_owned());
        assert_eq!(store.values(&other, Periods { end_s: 60, period_s: 60, count: 1 }), [None]);
    }

    proptest! {
        #[test]
        fn no_sample_is_lost_or_counted_twice(times in prop::collection::vec(0_i64..600, 0..50), period_s in 1_i64..90) {
            let samples: Vec<(i64, Option<&str>)> = times.iter().map(|&at_s| (at_s, None)).collect();
            let periods = Periods { end_s: period_s * 600, period_s, count: 600 };
            let total: f64 = store(&samples).values(&query(None), periods).into_iter().flatten().sum();
            prop_assert!((total - f64::from(u32::try_from(times.len()).unwrap())).abs() < 1e-9);
        }
    }
}
