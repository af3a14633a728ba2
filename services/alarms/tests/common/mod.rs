//! Alarms and samples for the tests.

use alarms::{Evaluator, Metric, MetricStore, Resource, Sample};
use chrono::{DateTime, Utc};
use serde_json::{Value, json};

/// 2026-11-22T12:00:00Z, a full hour.
pub(crate) const NOON_S: i64 = 1_795_348_800;

pub(crate) const MINUTE_S: i64 = 60;

/// So many seconds after noon.
pub(crate) fn at(after_noon_s: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(NOON_S + after_noon_s, 0).unwrap()
}

pub(crate) fn metric() -> Metric {
    Metric { namespace: "Test".to_owned(), name: "Value".to_owned(), dimensions: [].into() }
}

pub(crate) fn record(store: &mut MetricStore, after_noon_s: i64, value: f64) {
    store.record(&metric(), None, Sample { at_s: NOON_S + after_noon_s, value, count: 1.0 });
}

/// `Value` of namespace `Test`: its sum is at least 1 in one period of a minute; `changes` are laid over it.
pub(crate) fn metric_alarm(name: &str, changes: Value) -> Resource {
    let alarm = json!({
        "name": name, "namespace": "Test", "metricName": "Value", "statistic": "Sum", "period": 60,
        "evaluationPeriods": 1, "threshold": 1, "comparisonOperator": "GreaterThanOrEqualToThreshold",
        "treatMissingData": "notBreaching", "alarmActions": ["arn:alarm"], "okActions": ["arn:ok"],
        "insufficientDataActions": ["arn:insufficient"],
    });
    Resource { resource_type: "aws:cloudwatch:MetricAlarm".to_owned(), properties: laid_over(alarm, changes) }
}

pub(crate) fn composite_alarm(name: &str, rule: &str, changes: Value) -> Resource {
    let alarm = json!({
        "alarmName": name, "alarmRule": rule, "alarmActions": ["arn:page"], "okActions": ["arn:page-ok"],
    });
    Resource { resource_type: "aws:cloudwatch:CompositeAlarm".to_owned(), properties: laid_over(alarm, changes) }
}

fn laid_over(mut properties: Value, changes: Value) -> Value {
    let Value::Object(changes) = changes else { panic!("changes are an object") };
    properties.as_object_mut().unwrap().extend(changes);
    properties
}

pub(crate) fn evaluator(resources: &[Resource]) -> Evaluator {
    Evaluator::new(resources).unwrap()
}
