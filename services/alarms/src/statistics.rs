//! Samples of a period → one value.
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Statistics-definitions.html>. It does not
//! say how a percentile falls between two samples. Chosen: the nearest rank, so that a percentile is always a value
//! that was seen. CloudWatch approximates on large sets, so the last digits may differ there.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::store::Sample;

/// Which value stands for a period.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub enum Statistic {
    /// The sum of all values.
    Sum,
    /// The lowest value.
    Minimum,
    /// The highest value.
    Maximum,
    /// Sum by sample count.
    Average,
    /// How many samples.
    SampleCount,
    /// `p99.9`: the value that so many percent of the samples do not exceed; 0 to 100.
    Percentile(f64),
}

impl Statistic {
    /// The statistic of a period's samples; `None` without any. A percentile is `None`, too, when a value is negative:
    /// CloudWatch has none then
    /// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Percentiles>).
    #[must_use]
    pub fn of(self, samples: &[Sample]) -> Option<f64> {
        if samples.is_empty() {
            return None;
        }
        let values = || samples.iter().map(|sample| sample.value);
        let sum = || samples.iter().map(|sample| sample.value * sample.count).sum::<f64>();
        let count = || samples.iter().map(|sample| sample.count).sum::<f64>();
        match self {
            Self::Sum => Some(sum()),
            Self::Minimum => values().reduce(f64::min),
            Self::Maximum => values().reduce(f64::max),
            Self::Average => Some(sum() / count()),
            Self::SampleCount => Some(count()),
            Self::Percentile(percent) => percentile(samples, percent),
        }
    }
}

fn percentile(samples: &[Sample], percent: f64) -> Option<f64> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(|one, other| one.value.total_cmp(&other.value));
    if sorted.first()?.value < 0.0 {
        return None;
    }
    let total: f64 = sorted.iter().map(|sample| sample.count).sum();
    let rank = (total * percent / 100.0).ceil().max(1.0);
    let mut passed = 0.0;
    let reached = sorted.iter().find(|sample| {
        passed += sample.count;
        passed >= rank
    });
    reached.or(sorted.last()).map(|sample| sample.value)
}

/// Why a text is no statistic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not supported: give Sum, Minimum, Maximum, Average, SampleCount or a percentile such as p99 or p99.9"
)]
pub struct StatisticError(String);

impl FromStr for Statistic {
    type Err = StatisticError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "Sum" => Ok(Self::Sum),
            "Minimum" => Ok(Self::Minimum),
            "Maximum" => Ok(Self::Maximum),
            "Average" => Ok(Self::Average),
            "SampleCount" => Ok(Self::SampleCount),
            _ => percent(text).map(Self::Percentile).ok_or_else(|| StatisticError(text.to_owned())),
        }
    }
}

fn percent(text: &str) -> Option<f64> {
    let digits = text.strip_prefix('p')?;
    let is_plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let percent = digits.parse().ok().filter(|_| is_plain)?;
    (0.0..=100.0).contains(&percent).then_some(percent)
}

impl TryFrom<String> for Statistic {
    type Error = StatisticError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percentile(percent) => write!(f, "p{percent}"),
            // The names of the others are CloudWatch's.
            other => write!(f, "{other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(statistic: &str, samples: &[(f64, f64)]) -> Option<f64> {
        let samples: Vec<Sample> = samples.iter().map(|&(value, count)| Sample { at_s: 0, value, count }).collect();
        statistic.parse::<Statistic>().unwrap().of(&samples)
    }

    #[test]
    fn each_statistic_weighs_a_value_by_its_count() {
        let samples = [(2.0, 3.0), (10.0, 1.0)];
        let expected =
            [("Sum", 16.0), ("Minimum", 2.0), ("Maximum", 10.0), ("Average", 4.0), ("SampleCount", 4.0), ("p75", 2.0)];
        for (statistic, value) in expected {
            assert_eq!(of(statistic, &samples), Some(value), "{statistic}");
        }
        assert_eq!(of("p75.1", &samples), Some(10.0));
    }

    #[test]
    fn a_percentile_is_the_value_of_its_rank() {
        let hundred: Vec<(f64, f64)> = (1..=100).map(|value| (f64::from(value), 1.0)).collect();
        for (statistic, value) in [("p0", 1.0), ("p50", 50.0), ("p99", 99.0), ("p99.5", 100.0), ("p100", 100.0)] {
            assert_eq!(of(statistic, &hundred), Some(value), "{statistic}");
        }
    }

    #[test]
    fn a_negative_value_leaves_no_percentile() {
        assert_eq!(of("p50", &[(-1.0, 1.0), (1.0, 1.0)]), None);
        assert_eq!(of("Minimum", &[(-1.0, 1.0), (1.0, 1.0)]), Some(-1.0));
    }

    #[test]
    fn what_is_no_statistic_is_refused_by_name() {
        for text in ["sum", "p101", "p-1", "p", "pinf", "tm90", "IQM", "p1e1"] {
            assert!(text.parse::<Statistic>().unwrap_err().to_string().contains(text), "{text}");
        }
    }

    #[test]
    fn a_statistic_is_written_as_it_is_read() {
        for text in ["Sum", "SampleCount", "p99.9", "p50"] {
            assert_eq!(text.parse::<Statistic>().unwrap().to_string(), text);
        }
    }
}
