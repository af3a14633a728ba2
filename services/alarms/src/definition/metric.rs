//! Alarms on a metric or an expression.

use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use super::properties::Properties;
use super::queries::watched;
use super::{ActionLists, description};
use crate::math::Math;
use crate::metrics::Query;
use crate::missing_data::TreatMissingData;

const HOUR_S: u32 = 3_600;
const DAY_S: u32 = 86_400;
const WEEK_S: u32 = 604_800;

/// An alarm on a metric or an expression
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>).
#[derive(Debug, Clone, PartialEq)]
pub struct MetricAlarm {
    /// Name, unique within account and region.
    pub name: String,
    /// What the person on call reads first.
    pub description: String,
    /// Where its values come from.
    pub watched: Watched,
    /// Length of the period that a data point stands for, in seconds: 10, 20, 30 or a multiple of 60.
    pub period_s: u32,
    /// N: how many data points are judged.
    pub evaluation_periods: usize,
    /// M: how many of them have to breach; N unless given.
    pub datapoints_to_alarm: usize,
    /// How a value is compared.
    pub comparison: Comparison,
    /// With what, in the metric's unit.
    pub threshold: f64,
    /// What stands for missing data points.
    pub treat_missing_data: TreatMissingData,
    /// What a percentile of few samples does.
    pub low_samples: LowSamples,
    /// What its changes set off.
    pub actions: ActionLists,
}

/// Where an alarm's values come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Watched {
    /// A statistic of a metric.
    Metric(Query),
    /// An expression over several.
    Math(Math),
}

/// How a value is compared with the threshold; the value comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Comparison {
    /// `>=`
    #[serde(rename = "GreaterThanOrEqualToThreshold")]
    AtLeast,
    /// `>`
    #[serde(rename = "GreaterThanThreshold")]
    Above,
    /// `<`
    #[serde(rename = "LessThanThreshold")]
    Below,
    /// `<=`
    #[serde(rename = "LessThanOrEqualToThreshold")]
    AtMost,
}

impl Comparison {
    /// Whether the value breaches the threshold.
    #[must_use]
    pub fn breaches(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::AtLeast => value >= threshold,
            Self::Above => value > threshold,
            Self::Below => value < threshold,
            Self::AtMost => value <= threshold,
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtLeast => "at least",
            Self::Above => "above",
            Self::Below => "below",
            Self::AtMost => "at most",
        })
    }
}

/// What a percentile does while it has too few samples to mean much
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/percentiles-with-low-samples.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LowSamples {
    /// It is evaluated all the same. The default.
    #[default]
    Evaluate,
    /// The state stays.
    Ignore,
}

impl MetricAlarm {
    pub(super) fn read(name: &str, mut properties: Properties<'_>) -> Option<Self> {
        properties.required::<String>("name");
        let description = description(("name", name), &mut properties);
        let actions = ActionLists::read(&mut properties);
        let comparison = properties.required("comparisonOperator");
        let threshold = properties.required("threshold");
        let treat_missing_data = properties.optional("treatMissingData").unwrap_or_default();
        let low_samples = properties.optional("evaluateLowSampleCountPercentiles").unwrap_or_default();
        let watched = watched(&mut properties);
        let counts = counts(&mut properties);
        if let (Some((_, period_s)), Some((evaluation_periods, _))) = (&watched, counts) {
            check_range(*period_s, evaluation_periods, &mut properties);
        }
        // Tags change nothing about an evaluation.
        properties.optional::<Value>("tags");
        properties.finish();
        let ((watched, period_s), (evaluation_periods, datapoints_to_alarm)) = (watched?, counts?);
        Some(Self {
            name: name.to_owned(),
            description,
            watched,
            period_s,
            evaluation_periods: usize::try_from(evaluation_periods).ok()?,
            datapoints_to_alarm: usize::try_from(datapoints_to_alarm).ok()?,
            comparison: comparison?,
            threshold: threshold?,
            treat_missing_data,
            low_samples,
            actions,
        })
    }
}

/// N and M.
fn counts(properties: &mut Properties<'_>) -> Option<(u32, u32)> {
    let datapoints: Option<u32> = properties.optional("datapointsToAlarm");
    let periods: u32 = properties.required("evaluationPeriods")?;
    let datapoints = datapoints.unwrap_or(periods);
    if periods == 0 {
        properties.fault("evaluationPeriods", "must be at least 1");
    } else if !(1..=periods).contains(&datapoints) {
        properties
            .fault("datapointsToAlarm", format!("is {datapoints}, but must be 1 to {periods}, the number of periods"));
    }
    Some((periods, datapoints))
}

/// Limits: parameter `Period` of
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>.
fn check_range(period_s: u32, evaluation_periods: u32, properties: &mut Properties<'_>) {
    let limit_s = if period_s < HOUR_S { DAY_S } else { WEEK_S };
    let range_s = u64::from(period_s) * u64::from(evaluation_periods);
    if range_s > u64::from(limit_s) {
        let message =
            format!("{evaluation_periods} periods of {period_s} s are {range_s} s; at most {limit_s} s are allowed");
        properties.fault("evaluationPeriods", message);
    }
}
