//! Metrics as an alarm sees them at a time: those of AWS's own services arrive late.

use alarms::{MetricStore, Metrics, Periods, Query};

const MINUTE_S: i64 = 60;

/// How late they are after the end of their minute: chosen, as the most that an alarm has to bear with on an ordinary day.
/// AWS promises nothing, and says that the first ones of a queue that nobody used for hours may take a quarter of an hour
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-monitoring-using-cloudwatch.html>): what
/// lies in a queue for failures is told as much later then.
const LATE_S: i64 = 3 * MINUTE_S;

/// What has arrived by a time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Arrived<'a> {
    pub(super) of: &'a MetricStore,
    /// In seconds since the epoch.
    pub(super) by_s: i64,
}

impl Metrics for Arrived<'_> {
    fn values(&self, query: &Query, periods: Periods) -> Vec<Option<f64>> {
        let mut values = self.of.values(query, periods);
        if query.metric.namespace.starts_with("AWS/") {
            for (start_s, value) in periods.starts_s().zip(&mut values) {
                // Not even its first minute.
                if start_s + MINUTE_S + LATE_S > self.by_s {
                    *value = None;
                }
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use alarms::{Metric, Sample, Statistic};

    use super::*;

    #[test]
    fn metrics_of_aws_arrive_three_minutes_late_and_ours_at_once() {
        for (namespace, seen) in [("AWS/SQS", [Some(1.0), None]), ("MoviePipeline", [Some(1.0), Some(1.0)])] {
            let metric = Metric {
                namespace: namespace.to_owned(),
                name: "n".to_owned(),
                dimensions: std::iter::empty().collect(),
            };
            let mut store = MetricStore::default();
            for minute in 0..10 {
                store.record(&metric, None, Sample { at_s: minute * MINUTE_S, value: 1.0, count: 1.0 });
            }
            let query = Query { metric, unit: None, statistic: Statistic::Maximum };
            let arrived = Arrived { of: &store, by_s: 600 };
            let values = arrived.values(&query, Periods { end_s: 600, period_s: MINUTE_S, count: 4 });
            assert_eq!([values[0], values[3]], seen, "{namespace}");
        }
    }
}
