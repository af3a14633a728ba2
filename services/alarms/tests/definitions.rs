//! What a set of alarms may be, and what it is told when it is not.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

#[expect(dead_code, reason = "each test file uses its part of it")]
mod common;

use alarms::definition::{Alarm, Comparison, LowSamples, Watched};
use alarms::missing_data::TreatMissingData;
use alarms::{Evaluator, Resource, Statistic};
use common::{composite_alarm, evaluator, metric_alarm};
use serde_json::{Value, json};

/// The faults of a set, each as it is shown.
fn faults(resources: &[Resource]) -> Vec<String> {
    Evaluator::new(resources).unwrap_err().0.iter().map(ToString::to_string).collect()
}

fn query(id: &str, period: u32) -> Value {
    json!({"id": id, "metric": {"namespace": "Test", "metricName": id, "period": period, "stat": "Sum"}})
}

fn math_alarm(queries: Value) -> Resource {
    let mut alarm = metric_alarm("math", json!({}));
    let properties = alarm.properties.as_object_mut().unwrap();
    properties.retain(|name, _| !matches!(name.as_str(), "namespace" | "metricName" | "statistic" | "period"));
    properties.insert("metricQueries".to_owned(), queries);
    alarm
}

#[test]
fn an_alarm_is_read_with_everything_it_says() {
    let changes = json!({
        "alarmDescription": "too slow", "dimensions": {"Service": "enricher"}, "statistic": null,
        "extendedStatistic": "p99", "unit": "Milliseconds", "period": 300, "evaluationPeriods": 3,
        "datapointsToAlarm": 2, "threshold": 1.5, "comparisonOperator": "LessThanThreshold",
        "treatMissingData": "breaching", "actionsEnabled": false, "evaluateLowSampleCountPercentiles": "ignore",
        "tags": {"team": "movies"},
    });
    let evaluator = evaluator(&[metric_alarm("slow", changes)]);
    let Alarm::Metric(alarm) = &evaluator.alarms()[0] else { panic!("no metric alarm") };
    assert_eq!((alarm.name.as_str(), alarm.description.as_str()), ("slow", "too slow"));
    assert_eq!((alarm.period_s, alarm.evaluation_periods, alarm.datapoints_to_alarm), (300, 3, 2));
    assert_eq!((alarm.comparison, alarm.threshold), (Comparison::Below, 1.5));
    assert_eq!((alarm.treat_missing_data, alarm.low_samples), (TreatMissingData::Breaching, LowSamples::Ignore));
    let Watched::Metric(query) = &alarm.watched else { panic!("no metric") };
    assert_eq!((query.statistic, query.unit.as_deref()), (Statistic::Percentile(99.0), Some("Milliseconds")));
    assert_eq!(query.metric.dimensions, [("Service".to_owned(), "enricher".to_owned())].into());
    assert!(!alarm.actions.enabled);
}

#[test]
fn what_is_not_said_has_the_defaults_of_cloudwatch() {
    let changes = json!({"evaluationPeriods": 4, "treatMissingData": null});
    let evaluator = evaluator(&[metric_alarm("plain", changes)]);
    let Alarm::Metric(alarm) = &evaluator.alarms()[0] else { panic!("no metric alarm") };
    assert_eq!((alarm.datapoints_to_alarm, alarm.treat_missing_data), (4, TreatMissingData::Missing));
    assert_eq!((alarm.low_samples, alarm.actions.enabled), (LowSamples::Evaluate, true));
}

#[test]
fn every_fault_of_a_set_is_told_at_once() {
    let found = faults(&[
        metric_alarm("a", json!({"colour": "red", "size": 1, "period": 45})),
        metric_alarm("b", json!({"threshold": "high", "comparisonOperator": "GreaterThanUpperThreshold"})),
        composite_alarm("c", "ALARM(a) OR ALARM(nobody)", json!({"insufficientDataAction": []})),
        composite_alarm("d", "ALARM(", json!({})),
        composite_alarm("e", "ALARM(f)", json!({})),
        composite_alarm(
            "f",
            "TRUE",
            json!({"actionsSuppressor": {"alarm": "e", "waitPeriod": 1, "extensionPeriod": 1}}),
        ),
        Resource { resource_type: "aws:sqs:Queue".to_owned(), properties: json!({}) },
    ]);
    let expected = [
        "alarm a, period: is 45 s",
        "alarm a, colour: is not a property",
        "alarm a, size: is not a property",
        "alarm b, comparisonOperator: unknown variant `GreaterThanUpperThreshold`",
        "alarm b, threshold: invalid type",
        "alarm c, insufficientDataAction: is not a property",
        "alarm d, alarmRule: the rule cannot be read at character 7",
        "alarm aws:sqs:Queue at index 6, type: `aws:sqs:Queue` is no alarm",
        "alarm c, alarmRule: there is no alarm `nobody`",
        "alarm e, alarmRule: leads back to itself: e → f → e",
    ];
    for (found, expected) in found.iter().zip(expected) {
        assert!(found.starts_with(expected), "{found} instead of {expected}");
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn an_alarm_that_could_not_be_read_is_not_also_told_as_unknown() {
    let found = faults(&[metric_alarm("a", json!({"period": 0})), composite_alarm("c", "ALARM(a)", json!({}))]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn references_have_to_be_known_and_names_unique() {
    let suppressor = json!({"actionsSuppressor": {"alarm": "nobody", "waitPeriod": 60, "extensionPeriod": 60}});
    let found = faults(&[
        metric_alarm("a", json!({})),
        metric_alarm("a", json!({})),
        composite_alarm("c", "OK(\"no one\")", suppressor),
    ]);
    assert_eq!(
        found,
        [
            "alarm a, name: is the name of another alarm, too",
            "alarm c, alarmRule: there is no alarm `no one`",
            "alarm c, actionsSuppressor.alarm: there is no alarm `nobody`",
        ]
    );
}

/// Limits: parameter `Period` of
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>.
#[test]
fn periods_and_ranges_keep_to_the_limits_of_cloudwatch() {
    let is_allowed = |period: u32, evaluation_periods: u32| {
        let changes = json!({"period": period, "evaluationPeriods": evaluation_periods});
        Evaluator::new(&[metric_alarm("a", changes)]).is_ok()
    };
    let cases = [
        (10, 8_640, true),
        (10, 8_641, false),
        (20, 1, true),
        (30, 1, true),
        (40, 1, false),
        (1, 1, false),
        (0, 1, false),
        (90, 1, false),
        (60, 1_440, true),
        (60, 1_441, false),
        (3_540, 25, false),
        (3_600, 168, true),
        (3_600, 169, false),
        (86_400, 7, true),
        (86_400, 8, false),
        (60, 0, false),
    ];
    for (period, periods, expected) in cases {
        assert_eq!(is_allowed(period, periods), expected, "{periods} of {period} s");
    }
}

#[test]
fn data_points_to_alarm_are_at_most_the_evaluation_periods() {
    for (datapoints, expected) in [(0, false), (1, true), (3, true), (4, false)] {
        let changes = json!({"evaluationPeriods": 3, "datapointsToAlarm": datapoints});
        assert_eq!(Evaluator::new(&[metric_alarm("a", changes)]).is_ok(), expected, "{datapoints}");
    }
}

#[test]
fn a_statistic_is_given_once_and_where_it_belongs() {
    for (changes, problem) in [
        (json!({"extendedStatistic": "p99"}), "exactly one of"),
        (json!({"statistic": null}), "exactly one of"),
        (json!({"statistic": "p99"}), "belongs into extendedStatistic"),
        (json!({"statistic": null, "extendedStatistic": "Sum"}), "must be a percentile"),
        (json!({"statistic": "tm90"}), "`tm90` is not supported"),
    ] {
        let found = faults(&[metric_alarm("a", changes.clone())]);
        assert!(found.iter().any(|fault| fault.contains(problem)), "{changes}: {found:?}");
    }
}

#[test]
fn metric_queries_are_checked_as_a_whole() {
    let sum = |text: &str| json!({"id": "e", "expression": text, "label": "sum", "returnData": true});
    assert!(Evaluator::new(&[math_alarm(json!([sum("m1 + m2"), query("m1", 60), query("m2", 60)]))]).is_ok());
    for (queries, problem) in [
        (json!([sum("m1 + m2"), query("m1", 60), query("m2", 300)]), "the same period"),
        (json!([query("m1", 60)]), "0 queries return data"),
        (json!([sum("m1"), sum("m1"), query("m1", 60)]), "the id `e` is given twice"),
        (json!([sum("m1 + m3"), query("m1", 60)]), "no query with the id `m3`"),
        (json!([sum("RATE(m1)"), query("m1", 60)]), "RATE is not supported"),
        (json!([sum("m1 + 1"), query("M1", 60)]), "metricQueries[1].id: must start with a lowercase"),
        (json!([sum("m1"), query("m1", 45)]), "metricQueries[1].metric.period: is 45 s"),
        (json!([{"id": "e", "returnData": true}]), "exactly one of expression and metric"),
        (
            json!([{"id": "m", "returnData": true, "metric": {"stat": "Sum"}}]),
            "metricQueries[0].metric.period: is missing",
        ),
        (json!([{"id": "m", "metric": 5}]), "metricQueries[0].metric: must be an object"),
        (json!([sum("m1"), {"id": "m1", "colour": 1}]), "metricQueries[1].colour: is not a property"),
    ] {
        let found = faults(&[math_alarm(queries.clone())]);
        assert!(found.iter().any(|fault| fault.contains(problem)), "{queries}: {found:?}");
    }
}

#[test]
fn an_arn_stands_for_its_alarm() {
    let arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:a";
    let suppressor = json!({"actionsSuppressor": {"alarm": arn, "waitPeriod": 60, "extensionPeriod": 60}});
    evaluator(&[metric_alarm("a", json!({})), composite_alarm("c", &format!("ALARM(\"{arn}\")"), suppressor)]);
}

/// Limits of <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>.
#[test]
fn texts_and_lists_keep_to_the_limits_of_cloudwatch() {
    let is_allowed = |name: usize, description: usize, actions: usize| {
        let changes = json!({"alarmDescription": "é".repeat(description), "okActions": vec!["arn:ok"; actions]});
        Evaluator::new(&[metric_alarm(&"n".repeat(name), changes)]).is_ok()
    };
    assert!(is_allowed(255, 1_024, 5));
    for (name, description, actions) in [(256, 0, 0), (1, 1_025, 0), (1, 0, 6)] {
        assert!(!is_allowed(name, description, actions), "{name} {description} {actions}");
    }
}
