//! What many measurements come to.

use serde::Serialize;

/// Measurements of one thing. The median, since a busy machine only ever adds to a measurement.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
    pub(crate) rounds: usize,
}

impl Summary {
    /// Nothing has no summary.
    pub(crate) fn of(measured: &[f64]) -> Option<Self> {
        let mut sorted = measured.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        Some(Self { median: median(&sorted), min, max, rounds: sorted.len() })
    }

    /// A figure that does not vary.
    pub(crate) fn exact(value: f64) -> Self {
        Self { median: value, min: value, max: value, rounds: 1 }
    }
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) { f64::midpoint(sorted[middle - 1], sorted[middle]) } else { sorted[middle] }
}

/// The slope of the line that fits the points best, both axes logarithmic: by which power of `x` does `y` grow? Least
/// squares; not a number for fewer than two different `x`.
pub(crate) fn log_log_slope(points: &[(f64, f64)]) -> f64 {
    let logs: Vec<_> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let count = super::number(logs.len());
    let mean = |of: fn(&(f64, f64)) -> f64| logs.iter().map(of).sum::<f64>() / count;
    let (mean_x, mean_y) = (mean(|(x, _)| *x), mean(|(_, y)| *y));
    let covariance: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    let variance: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    covariance / variance
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_one_in_the_middle_or_between_the_two() {
        let summary = |measured: &[f64]| Summary::of(measured).unwrap();
        assert_eq!(summary(&[9.0, 1.0, 2.0]), Summary { median: 2.0, min: 1.0, max: 9.0, rounds: 3 });
        assert_eq!(summary(&[4.0, 1.0, 2.0, 9.0]).median.to_string(), "3");
        assert_eq!(Summary::of(&[]), None);
    }

    #[test]
    fn the_slope_is_the_power_by_which_the_one_grows_with_the_other() {
        for power in [0.0, 0.5, 1.0, 2.0] {
            let points = [10.0_f64, 100.0, 5_000.0].map(|x| (x, 3.0 * x.powf(power)));
            assert!((log_log_slope(&points) - power).abs() < 1e-9, "{power}");
        }
        assert!(log_log_slope(&[(10.0, 1.0)]).is_nan());
    }
}
