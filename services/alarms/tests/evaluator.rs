//! States of alarms as time passes.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod common;

use alarms::{Actions, Event, MetricStore, State};
use proptest::prelude::*;

use common::{MINUTE_S, at, composite_alarm, evaluator, metric_alarm, record};
use serde_json::json;

const HOUR_S: i64 = 3_600;

/// Minutes after noon, and the state that the alarm `a` goes into then, over so many minutes.
fn changes(alarm: serde_json::Value, store: &MetricStore, minutes: i64) -> Vec<(i64, State)> {
    let mut evaluator = evaluator(&[metric_alarm("a", alarm)]);
    (0..=minutes)
        .flat_map(|minute| evaluator.tick(at(minute * MINUTE_S), store).into_iter().map(move |event| (minute, event)))
        .map(|(minute, event)| (minute, event.state()))
        .collect()
}

#[test]
fn an_alarm_starts_without_enough_data_and_tells_each_change_once() {
    let mut evaluator = evaluator(&[metric_alarm("a", json!({}))]);
    assert_eq!(evaluator.state("a"), Some(State::InsufficientData));
    assert_eq!(evaluator.state("b"), None);
    let mut store = MetricStore::default();
    let events = evaluator.tick(at(0), &store);
    let [Event::StateChanged { alarm, from, to, actions, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((alarm.as_str(), *from, *to), ("a", State::InsufficientData, State::Ok));
    assert_eq!(*actions, Actions::Taken(vec!["arn:ok".to_owned()]));
    record(&mut store, 0, 5.0);
    let events = evaluator.tick(at(60), &store);
    let [Event::StateChanged { to, reason, at: when, .. }] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!((*to, *when), (State::Alarm, at(60)));
    assert_eq!(events[0].taken(), ["arn:alarm"]);
    assert_eq!(reason, "1 of the last 1 data points of 60 s are at least 1 (ALARM from 1); newest first: [5.0]");
    assert_eq!(evaluator.tick(at(120), &store), []);
}

/// `EXTRA_DATA_POINTS`: the last data point counts until it leaves the evaluation range.
#[test]
fn a_single_breach_holds_for_the_evaluation_range() {
    let mut store = MetricStore::default();
    record(&mut store, 5 * MINUTE_S, 1.0);
    let expected = [(0, State::Ok), (6, State::Alarm), (9, State::Ok)];
    assert_eq!(changes(json!({}), &store, 60), expected);
}

/// The example of
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html>: at the end of minute 5 the
/// data of minutes 1 to 5, at the end of minute 6 that of minutes 2 to 6.
#[test]
fn a_period_of_five_minutes_slides_by_a_minute() {
    let mut store = MetricStore::default();
    record(&mut store, 2 * MINUTE_S, 1.0);
    record(&mut store, 6 * MINUTE_S, 1.0);
    // Only a window that holds minutes 2 to 6 has both samples: the one that ends at 7.
    let alarm = json!({"period": 300, "threshold": 2, "treatMissingData": "missing"});
    assert_eq!(changes(alarm, &store, 7).last(), Some(&(7, State::Alarm)));
}

#[test]
fn an_alarm_is_evaluated_once_for_each_minute_however_often_time_is_told() {
    let mut evaluator = evaluator(&[metric_alarm("a", json!({}))]);
    let mut store = MetricStore::default();
    evaluator.tick(at(60), &store);
    record(&mut store, 30, 1.0);
    assert_eq!(evaluator.tick(at(119), &store), []);
    assert_eq!(evaluator.tick(at(0), &store), []);
    assert_eq!(evaluator.tick(at(121), &store).len(), 1);
}

#[test]
fn a_period_of_ten_seconds_is_evaluated_every_ten_seconds() {
    let mut evaluator = evaluator(&[metric_alarm("a", json!({"period": 10}))]);
    let mut store = MetricStore::default();
    record(&mut store, 5, 1.0);
    let changed: Vec<(i64, State)> = (0..=60)
        .flat_map(|second| evaluator.tick(at(second), &store).into_iter().map(move |event| (second, event.state())))
        .collect();
    assert_eq!(changed, [(0, State::Ok), (10, State::Alarm), (40, State::Ok)]);
}

/// The example of a multi-day alarm on
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html>, at three days of one.
#[test]
fn an_alarm_over_more_than_a_day_sees_data_up_to_the_full_hour_only() {
    let mut store = MetricStore::default();
    record(&mut store, 2 * MINUTE_S, 1.0);
    record(&mut store, 103 * MINUTE_S, -1.0);
    let alarm = json!({"period": 86_400, "evaluationPeriods": 3, "datapointsToAlarm": 1});
    assert_eq!(changes(alarm, &store, 180), [(0, State::Ok), (60, State::Alarm), (120, State::Ok)]);
}

/// The alarm "run is late" of the design: each hour of 26 without a run.
#[test]
fn a_heartbeat_fires_once_its_last_beat_has_left_the_evaluation_range() {
    let mut store = MetricStore::default();
    record(&mut store, 10, 1.0);
    let alarm = json!({
        "period": 3_600, "evaluationPeriods": 26, "comparisonOperator": "LessThanThreshold", "threshold": 1,
        "treatMissingData": "breaching",
    });
    let mut evaluator = evaluator(&[metric_alarm("late", alarm)]);
    // Before the first tick there was no run for a long time.
    let at_hour = |hour: i64| at(hour * HOUR_S);
    let changed: Vec<(i64, State)> = (0..=40)
        .flat_map(|hour| evaluator.tick(at_hour(hour), &store).into_iter().map(move |event| (hour, event.state())))
        .collect();
    assert_eq!(changed, [(0, State::Alarm), (1, State::Ok), (29, State::Alarm)]);
}

#[test]
fn a_percentile_of_few_samples_keeps_the_state_if_told_to() {
    let mut store = MetricStore::default();
    for sample in 0..1_000 {
        record(&mut store, if sample < 999 { 0 } else { 60 }, 5.0);
    }
    let alarm = |low: &str| {
        json!({
            "statistic": null, "extendedStatistic": "p99", "evaluationPeriods": 2, "datapointsToAlarm": 1,
            "evaluateLowSampleCountPercentiles": low,
        })
    };
    assert_eq!(changes(alarm("ignore"), &store, 3), [(2, State::Alarm)]);
    assert_eq!(changes(alarm("evaluate"), &store, 3)[1], (1, State::Alarm));
}

#[test]
fn a_composite_alarm_follows_its_children_within_the_tick() {
    let mut evaluator = evaluator(&[
        composite_alarm("outer", "ALARM(inner)", json!({})),
        composite_alarm("inner", "ALARM(a) AND NOT ALARM(b)", json!({})),
        metric_alarm("a", json!({"alarmActions": [], "okActions": []})),
        metric_alarm("b", json!({"metricName": "Other"})),
    ]);
    let mut store = MetricStore::default();
    evaluator.tick(at(0), &store);
    assert_eq!(evaluator.state("outer"), Some(State::Ok));
    record(&mut store, 0, 1.0);
    let events = evaluator.tick(at(60), &store);
    let told: Vec<(&str, State, &[String])> =
        events.iter().map(|event| (event.alarm(), event.state(), event.taken())).collect();
    let page = ["arn:page".to_owned()];
    assert_eq!(told, [("a", State::Alarm, &[][..]), ("inner", State::Alarm, &page), ("outer", State::Alarm, &page)]);
    let Event::StateChanged { reason, .. } = &events[2] else { panic!("{events:?}") };
    assert_eq!(reason, "The rule holds: inner is ALARM");
}

#[test]
fn actions_that_are_not_enabled_are_not_taken() {
    let mut evaluator = evaluator(&[metric_alarm("a", json!({"actionsEnabled": false}))]);
    let events = evaluator.tick(at(0), &MetricStore::default());
    assert_eq!((events.len(), events[0].taken()), (1, &[][..]));
}

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_SetAlarmState.html>
#[test]
fn a_state_set_by_hand_lasts_until_the_next_evaluation() {
    let mut evaluator = evaluator(&[metric_alarm("a", json!({})), composite_alarm("c", "ALARM(a)", json!({}))]);
    let store = MetricStore::default();
    evaluator.tick(at(0), &store);
    let events = evaluator.set_state("a", State::Alarm, "a drill", at(10)).unwrap();
    let told: Vec<(&str, State)> = events.iter().map(|event| (event.alarm(), event.state())).collect();
    assert_eq!(told, [("a", State::Alarm), ("c", State::Alarm)]);
    assert_eq!(evaluator.tick(at(60), &store).len(), 2);

    evaluator.set_state("c", State::Alarm, "a drill", at(70)).unwrap();
    evaluator.tick(at(120), &store);
    assert_eq!(evaluator.state("c"), Some(State::Alarm), "no alarm of its rule changed");
    assert!(evaluator.set_state("nobody", State::Ok, "", at(130)).is_err());
}

#[test]
fn thirty_quiet_days_of_25_alarms_change_nothing_after_the_first_minute() {
    let resources: Vec<_> = (0..25)
        .map(|index| {
            let (metric, period) = if index < 8 { ("Value", 60) } else { ("Silent", 300) };
            let periods = 1 + index % 5;
            metric_alarm(
                &format!("a{index}"),
                json!({"metricName": metric, "period": period, "evaluationPeriods": periods}),
            )
        })
        .collect();
    let mut evaluator = evaluator(&resources);
    let mut store = MetricStore::default();
    let minutes = 30 * 24 * 60;
    for minute in 0..minutes {
        record(&mut store, minute * MINUTE_S, 0.0);
    }
    assert_eq!(evaluator.tick(at(0), &store).len(), 25);
    for minute in 1..=minutes {
        assert_eq!(evaluator.tick(at(minute * MINUTE_S), &store), [], "minute {minute}");
    }
}

proptest! {
    /// The naive reading of M of N, against the whole way from samples to states.
    #[test]
    fn with_a_sample_a_minute_an_alarm_is_m_of_the_last_n_minutes(
        values in prop::collection::vec(0_u8..4, 5..40), n in 1_usize..6, m in 1_usize..6, treat in 0_usize..4,
    ) {
        prop_assume!(m <= n);
        let treat = ["breaching", "notBreaching", "ignore", "missing"][treat];
        let alarm = json!({
            "evaluationPeriods": n, "datapointsToAlarm": m, "threshold": 2, "treatMissingData": treat,
        });
        let mut evaluator = evaluator(&[metric_alarm("a", alarm)]);
        let mut store = MetricStore::default();
        for (minute, value) in (0..).zip(&values) {
            record(&mut store, minute * MINUTE_S, f64::from(*value));
            evaluator.tick(at((minute + 1) * MINUTE_S), &store);
            let seen = &values[..=usize::try_from(minute).unwrap()];
            if seen.len() >= n {
                let breaches = seen[seen.len() - n..].iter().filter(|value| **value >= 2).count();
                let expected = if breaches >= m { State::Alarm } else { State::Ok };
                prop_assert_eq!(evaluator.state("a"), Some(expected));
            }
        }
    }

    #[test]
    fn without_data_a_not_breaching_alarm_never_fires(
        period in 1_u32..10, n in 1_usize..6, threshold in -2.0..2.0_f64, percentile in any::<bool>(),
    ) {
        let mut alarm = json!({"period": period * 60, "evaluationPeriods": n, "threshold": threshold});
        if percentile {
            alarm["statistic"] = json!(null);
            alarm["extendedStatistic"] = json!("p90");
        }
        let told = changes(alarm, &MetricStore::default(), 60);
        prop_assert_eq!(told, [(0, State::Ok)]);
    }
}
