//! The two alarms that tell somebody, and the one that keeps them quiet during maintenance.
//!
//! The alarms of the table have no actions: one fault often sets off several of them, and would wake somebody as often.
//! A composite alarm goes off with the first and is over with the last. Its notification names those that set it off
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-combining.html>). The price: what goes off
//! while it stands at ALARM tells nobody anew. So its text begins with the command that lists everything red, and a cause
//! is to be removed, not left. One composite alarm for each kind of cause would tell of more second causes, and would send
//! several mails for most first ones: a dead letter, for instance, makes the run late, too.
//!
//! Its limits are 100 alarms and 10,240 characters of rule
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html>).

use domain::contract::metrics::{ENVIRONMENT_DIMENSION, MAINTENANCE_METRIC, NAMESPACE};
use serde_json::json;

use super::notices::MAINTENANCE;
use super::{Severity, describe, mail};
use crate::program::Stack;
use crate::resource::{CompositeAlarm, Handle, MetricAlarm, Topic};

/// An hour in pieces, of which one is enough. Where data is missing CloudWatch looks a few periods further back than it is
/// told (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html>): with periods of
/// an hour the window would stay open for hours.
const WINDOW_PERIOD_SECONDS: u32 = 5 * 60;
const WINDOW_PERIODS: u32 = 12;

/// How long a composite alarm waits for a window that was just opened: CloudWatch looks at an alarm once a minute. Each
/// page comes so much later.
const WAIT_SECONDS: u32 = 60;

/// How long it stays quiet after a window, so that what the maintenance broke can mend: the period of most alarms, and
/// a minute to look at it. What is still broken then is told.
const EXTENSION_SECONDS: u32 = 6 * 60;

/// Open while somebody said so within about the last hour:
/// `aws cloudwatch put-metric-data --namespace MoviePipeline --metric-name Maintenance --dimensions Environment=<stack>
/// --value 1`.
pub(super) fn add_maintenance(stack: &mut Stack) -> Handle<MetricAlarm> {
    let properties = json!({
        "name": stack.name(MAINTENANCE.thing),
        "alarmDescription": describe(stack.config, &MAINTENANCE),
        "namespace": NAMESPACE,
        "metricName": MAINTENANCE_METRIC,
        "dimensions": {ENVIRONMENT_DIMENSION: stack.config.stack},
        "statistic": "Maximum",
        "comparisonOperator": "GreaterThanOrEqualToThreshold",
        "threshold": 1,
        "period": WINDOW_PERIOD_SECONDS,
        "evaluationPeriods": WINDOW_PERIODS,
        "datapointsToAlarm": 1,
        "treatMissingData": "notBreaching",
    });
    stack.resources.add(MAINTENANCE.name, properties)
}

/// Tells the topic when the first of these alarms goes off and when the last is over.
pub(super) fn add(
    stack: &mut Stack,
    severity: Severity,
    alarms: &[Handle<MetricAlarm>],
    maintenance: &Handle<MetricAlarm>,
    topic: &Handle<Topic>,
) {
    let rule: Vec<_> = alarms.iter().map(|alarm| format!("ALARM(\"{}\")", alarm.name())).collect();
    let notice = severity.notice();
    let properties = json!({
        "alarmName": stack.name(notice.thing),
        "alarmDescription": mail::description(stack.config, severity),
        "alarmRule": rule.join(" OR "),
        "alarmActions": [topic.arn()],
        "okActions": [topic.arn()],
        "actionsSuppressor": {
            "alarm": maintenance.name(),
            "waitPeriod": WAIT_SECONDS,
            "extensionPeriod": EXTENSION_SECONDS,
        },
    });
    stack.resources.add::<CompositeAlarm>(notice.name, properties);
}
