//! M of N, and what an alarm makes of missing data.
//!
//! Sources: "Configuring how CloudWatch alarms treat missing data"
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html>) with its two tables
//! of examples, which are the tests in `tests/missing_data_tables.rs`.
//!
//! Where the page is silent or its text and its tables part, chosen:
//!
//! - **How many data points are read.** "A higher number than Evaluation Periods"; the only figure given is 5 for 3.
//!   [`EXTRA_DATA_POINTS`] is therefore 2 at every N and period. It agrees with what a user saw with a period of a day
//!   and N of 1: an alarm on missing data fired after three or four days (<https://stackoverflow.com/a/72093282>).
//!   Once data stops, an alarm thus holds for two periods more than M of N tells, and a heartbeat of N periods fires after
//!   N + 2 of them.
//! - **Premature alarm state.** By its text, `0 - X - -` at 2 of 3 would be an alarm; the table says OK. So the rule
//!   needs every existing data point to breach, and the oldest of them to be at least as old as M data points.
//! - **Too young for it**, such as `- - - X -` at 3 of 3: "not immediately ALARM". `missing` gives OK, as for every
//!   other mix of too few data points; `ignore` keeps the state, as it does one period later.

use serde::Deserialize;

use crate::state::State;

/// How many data points CloudWatch reads beyond Evaluation Periods, in case some are missing.
pub const EXTRA_DATA_POINTS: usize = 2;

/// What stands for data points that are missing
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum TreatMissingData {
    /// Missing is bad.
    Breaching,
    /// Missing is good.
    NotBreaching,
    /// The state stays.
    Ignore,
    /// Without any data point, the state is `INSUFFICIENT_DATA`. The default.
    #[default]
    Missing,
}

/// The state that the data points of the evaluation range lead to; `None` keeps the one the alarm has.
///
/// `breaching` has the newest data point last: whether it breaches the threshold, `None` where it is missing.
/// `evaluation_periods` is N, `datapoints_to_alarm` M, with 1 ≤ M ≤ N ≤ number of data points.
#[must_use]
pub fn judge(
    breaching: &[Option<bool>],
    evaluation_periods: usize,
    datapoints_to_alarm: usize,
    treat: TreatMissingData,
) -> Option<State> {
    let existing: Vec<bool> = breaching.iter().rev().flatten().copied().take(evaluation_periods).collect();
    let breaches = existing.iter().filter(|&&breaches| breaches).count();
    let missing = evaluation_periods - existing.len();
    let decided = |breaches: usize| Some(if breaches >= datapoints_to_alarm { State::Alarm } else { State::Ok });
    if missing == 0 || breaches >= datapoints_to_alarm {
        return decided(breaches);
    }
    let all_breach = breaches == existing.len();
    match treat {
        TreatMissingData::Breaching => decided(breaches + missing),
        TreatMissingData::NotBreaching => decided(breaches),
        TreatMissingData::Ignore => (!all_breach).then_some(State::Ok),
        TreatMissingData::Missing if existing.is_empty() => Some(State::InsufficientData),
        TreatMissingData::Missing if all_breach && oldest_age(breaching) >= datapoints_to_alarm => Some(State::Alarm),
        TreatMissingData::Missing => Some(State::Ok),
    }
}

/// Age of the oldest existing data point, in data points: 1 for the newest of the range, 0 without any.
fn oldest_age(breaching: &[Option<bool>]) -> usize {
    breaching.iter().position(Option::is_some).map_or(0, |index| breaching.len() - index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point() -> impl Strategy<Value = Option<bool>> {
        prop_oneof![Just(None), Just(Some(true)), Just(Some(false))]
    }

    /// Data points with N and M that fit them.
    fn situation() -> impl Strategy<Value = (Vec<Option<bool>>, usize, usize)> {
        (1_usize..8).prop_flat_map(|n| (prop::collection::vec(point(), n + EXTRA_DATA_POINTS), Just(n), 1..=n))
    }

    proptest! {
        /// The naive reading of M of N: the last N data points, counted.
        #[test]
        fn without_gaps_every_treatment_counts_m_of_the_last_n(
            points in prop::collection::vec(any::<bool>(), 9), n in 1_usize..8, m in 1_usize..8,
        ) {
            prop_assume!(m <= n);
            let alarm = points[points.len() - n..].iter().filter(|breaches| **breaches).count() >= m;
            let expected = Some(if alarm { State::Alarm } else { State::Ok });
            let points: Vec<Option<bool>> = points.into_iter().map(Some).collect();
            for treat in [
                TreatMissingData::Breaching, TreatMissingData::NotBreaching, TreatMissingData::Ignore,
                TreatMissingData::Missing,
            ] {
                prop_assert_eq!(judge(&points, n, m, treat), expected);
            }
        }

        #[test]
        fn not_breaching_alarms_only_on_m_real_breaches((points, n, m) in situation()) {
            let breaches = points.iter().filter(|point| **point == Some(true)).count();
            if judge(&points, n, m, TreatMissingData::NotBreaching) == Some(State::Alarm) {
                prop_assert!(breaches >= m);
            }
        }

        #[test]
        fn breaching_alarms_wherever_another_treatment_does((points, n, m) in situation()) {
            for treat in [TreatMissingData::NotBreaching, TreatMissingData::Ignore, TreatMissingData::Missing] {
                if judge(&points, n, m, treat) == Some(State::Alarm) {
                    prop_assert_eq!(judge(&points, n, m, TreatMissingData::Breaching), Some(State::Alarm));
                }
            }
        }

        #[test]
        fn data_is_insufficient_only_when_there_is_none((points, n, m) in situation()) {
            let insufficient = judge(&points, n, m, TreatMissingData::Missing) == Some(State::InsufficientData);
            prop_assert_eq!(insufficient, points.iter().all(Option::is_none));
        }

        #[test]
        fn only_ignore_keeps_the_state((points, n, m) in situation()) {
            for treat in [TreatMissingData::Breaching, TreatMissingData::NotBreaching, TreatMissingData::Missing] {
                prop_assert!(judge(&points, n, m, treat).is_some());
            }
        }
    }
}
