//! The examples of "Configuring how CloudWatch alarms treat missing data", row by row
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html>, section "How alarm
//! state is evaluated when data is missing"). `0` is within the threshold, `X` breaches it, `-` is missing; the newest
//! data point is on the right. The evaluation range is 5.

use alarms::State;
use alarms::missing_data::{EXTRA_DATA_POINTS, TreatMissingData, judge};

const OK: Option<State> = Some(State::Ok);
const ALARM: Option<State> = Some(State::Alarm);
const INSUFFICIENT_DATA: Option<State> = Some(State::InsufficientData);
const RETAIN: Option<State> = None;

const EVALUATION_PERIODS: usize = 3;

/// Data points, then the states under missing, ignore, breaching, not breaching: the columns of the tables.
type Row = (&'static str, [Option<State>; 4]);

fn points(text: &str) -> Vec<Option<bool>> {
    let point = |symbol: &str| match symbol {
        "0" => Some(false),
        "X" => Some(true),
        "-" => None,
        other => panic!("{other} is no data point"),
    };
    text.split(' ').map(point).collect()
}

fn check(datapoints_to_alarm: usize, rows: &[Row]) {
    let treatments = [
        TreatMissingData::Missing,
        TreatMissingData::Ignore,
        TreatMissingData::Breaching,
        TreatMissingData::NotBreaching,
    ];
    for (text, expected) in rows {
        let points = points(text);
        assert_eq!(points.len(), EVALUATION_PERIODS + EXTRA_DATA_POINTS, "the published evaluation range");
        let states = treatments.map(|treat| judge(&points, EVALUATION_PERIODS, datapoints_to_alarm, treat));
        assert_eq!(states, *expected, "{text} at {datapoints_to_alarm} of {EVALUATION_PERIODS}");
    }
}

#[test]
fn the_published_table_of_three_out_of_three_holds() {
    check(
        3,
        &[
            ("0 - X - X", [OK, OK, OK, OK]),
            ("0 - - - -", [OK, OK, OK, OK]),
            ("- - - - -", [INSUFFICIENT_DATA, RETAIN, ALARM, OK]),
            ("0 X X - X", [ALARM, ALARM, ALARM, ALARM]),
            ("- - X - -", [ALARM, RETAIN, ALARM, OK]),
        ],
    );
}

#[test]
fn the_published_table_of_two_out_of_three_holds() {
    check(
        2,
        &[
            ("0 - X - X", [ALARM, ALARM, ALARM, ALARM]),
            ("0 0 X 0 X", [ALARM, ALARM, ALARM, ALARM]),
            ("0 - X - -", [OK, OK, ALARM, OK]),
            ("- - - - 0", [OK, OK, ALARM, OK]),
            ("- - - X -", [ALARM, RETAIN, ALARM, OK]),
        ],
    );
}

/// Section "Avoiding premature transitions to alarm state" of the same page.
#[test]
fn a_breach_that_may_be_answered_by_the_next_data_point_is_no_alarm_yet() {
    for text in ["- - - - X", "- - - X -"] {
        for treat in [TreatMissingData::Missing, TreatMissingData::Ignore] {
            assert_ne!(judge(&points(text), EVALUATION_PERIODS, 3, treat), ALARM, "{text} {treat:?}");
        }
    }
    for text in ["- - - X 0", "- - X - 0"] {
        assert_eq!(judge(&points(text), EVALUATION_PERIODS, 3, TreatMissingData::Missing), OK, "{text}");
    }
}

/// The sentence after the first table: the data point that is not breaching leaves the range, and the alarm fires.
#[test]
fn missing_data_that_counts_as_breaching_alarms_once_the_last_good_data_point_is_gone() {
    let judge = |text: &str| judge(&points(text), EVALUATION_PERIODS, 3, TreatMissingData::Breaching);
    assert_eq!([judge("0 - - - -"), judge("- - - - -")], [OK, ALARM]);
}
