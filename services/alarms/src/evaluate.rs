//! One evaluation of a metric alarm.
//!
//! When, and over which window: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html>
//! and `.../alarm-evaluation-window.html`. The default window slides: a period of five minutes ends at each full
//! minute, not only at :00, :05, :10.

use crate::definition::{LowSamples, MetricAlarm, Watched};
use crate::math::eval::Series;
use crate::metrics::{Metrics, Periods, Query};
use crate::missing_data::{EXTRA_DATA_POINTS, judge};
use crate::state::State;
use crate::statistics::Statistic;

const MINUTE_S: i64 = 60;
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 86_400;

/// How often an alarm of a period below a minute is evaluated, in seconds.
const HIGH_RESOLUTION_S: i64 = 10;

/// Time from one evaluation to the next, in seconds. Alarms over more than a day are evaluated once an hour with the
/// data up to the full hour; AWS does not say at which minute. Chosen: at the full hour.
pub(crate) fn interval_s(alarm: &MetricAlarm) -> i64 {
    let period_s = i64::from(alarm.period_s);
    if period_s < MINUTE_S {
        HIGH_RESOLUTION_S
    } else if alarm.evaluation_periods as u64 * u64::from(alarm.period_s) > DAY_S.unsigned_abs() {
        HOUR_S
    } else {
        MINUTE_S
    }
}

/// What an alarm saw.
pub(crate) struct Evaluation {
    /// The values of the evaluation range, the oldest first.
    values: Series,
    /// The state they lead to; `None` keeps the present one.
    pub(crate) state: Option<State>,
}

pub(crate) fn evaluate(alarm: &MetricAlarm, metrics: &impl Metrics, end_s: i64) -> Evaluation {
    let count = alarm.evaluation_periods + EXTRA_DATA_POINTS;
    let periods = Periods { end_s, period_s: i64::from(alarm.period_s), count };
    let values = values(alarm, metrics, periods);
    if has_too_few_samples(alarm, metrics, periods) {
        return Evaluation { values, state: None };
    }
    let breaching: Vec<Option<bool>> =
        values.iter().map(|value| value.map(|value| alarm.comparison.breaches(value, alarm.threshold))).collect();
    let state = judge(&breaching, alarm.evaluation_periods, alarm.datapoints_to_alarm, alarm.treat_missing_data);
    Evaluation { values, state }
}

fn values(alarm: &MetricAlarm, metrics: &impl Metrics, periods: Periods) -> Series {
    match &alarm.watched {
        Watched::Metric(query) => metrics.values(query, periods),
        Watched::Math(math) => {
            let inputs: Vec<Series> = math.inputs().iter().map(|query| metrics.values(query, periods)).collect();
            math.values(&inputs)
        }
    }
}

/// Fewer than 10 / (1 - percentile) samples, or than 10 / percentile below the median
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html>). "During the
/// evaluation period" is taken as the N most recent periods together.
fn has_too_few_samples(alarm: &MetricAlarm, metrics: &impl Metrics, periods: Periods) -> bool {
    let Watched::Metric(query) = &alarm.watched else { return false };
    let Statistic::Percentile(percent) = query.statistic else { return false };
    if alarm.low_samples == LowSamples::Evaluate {
        return false;
    }
    let tail_percent = if percent < 50.0 { percent } else { 100.0 - percent };
    let sample_counts = Query { statistic: Statistic::SampleCount, ..query.clone() };
    let recent = Periods { count: alarm.evaluation_periods, ..periods };
    let samples: f64 = metrics.values(&sample_counts, recent).into_iter().flatten().sum();
    // In percent and multiplied out; the tolerance is for tails such as 100 - 99.9, which is not exactly 0.1. The page
    // leaves out p0 and p100, whose tails are empty.
    tail_percent > 0.0 && samples * tail_percent < 1_000.0 - 1e-6
}

impl Evaluation {
    /// Why the alarm is in this state, for people.
    pub(crate) fn reason(&self, alarm: &MetricAlarm, state: State) -> String {
        let MetricAlarm { evaluation_periods: n, datapoints_to_alarm: m, comparison, threshold, period_s, .. } = alarm;
        let seen: Vec<f64> = self.values.iter().rev().flatten().copied().take(*n).collect();
        let breaches = seen.iter().filter(|value| comparison.breaches(**value, *threshold)).count();
        let missing = n - seen.len();
        let missing = match (missing, state) {
            (0, _) => String::new(),
            (_, State::InsufficientData) => return format!("No data in {} periods of {period_s} s", self.values.len()),
            _ => format!("; {missing} missing, treated as {:?}", alarm.treat_missing_data),
        };
        format!(
            "{breaches} of the last {n} data points of {period_s} s are {comparison} {threshold} \
             (ALARM from {m}); newest first: {seen:?}{missing}"
        )
    }
}
