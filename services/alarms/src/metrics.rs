//! Where statistics come from.

use std::collections::BTreeMap;

use crate::statistics::Statistic;

/// What identifies a metric: namespace, name and all of its dimensions
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Metric>).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Metric {
    /// Such as `AWS/SQS`.
    pub namespace: String,
    /// Such as `ApproximateNumberOfMessagesVisible`.
    pub name: String,
    /// Value by name. A metric with other dimensions is another metric: CloudWatch does not aggregate over them.
    pub dimensions: BTreeMap<String, String>,
}

/// One statistic of one metric.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Of what.
    pub metric: Metric,
    /// Only samples of this unit; `None` takes all of them
    /// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>).
    pub unit: Option<String>,
    /// Which value stands for a period.
    pub statistic: Statistic,
}

/// Consecutive periods that end together, the last one at `end_s`. A period holds its start and not its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Periods {
    /// End of the last period, in seconds since the epoch.
    pub end_s: i64,
    /// Length of each, in seconds; above zero.
    pub period_s: i64,
    /// How many.
    pub count: usize,
}

impl Periods {
    /// Start of the first period, in seconds since the epoch.
    #[must_use]
    pub fn start_s(self) -> i64 {
        self.end_s - self.period_s * i64::try_from(self.count).unwrap_or(i64::MAX / self.period_s)
    }

    /// Start of each period, the oldest first.
    pub fn starts_s(self) -> impl Iterator<Item = i64> {
        let first = self.start_s();
        (0_i64..).take(self.count).map(move |index| first + index * self.period_s)
    }
}

/// A source of statistics: [`MetricStore`](crate::MetricStore), or one that reads them elsewhere, as one
/// `GetMetricData` query with `StartTime` and `EndTime` of the periods does.
pub trait Metrics {
    /// The value of each period, the oldest first and `periods.count` of them; `None` where there is no data.
    fn values(&self, query: &Query, periods: Periods) -> Vec<Option<f64>>;
}
