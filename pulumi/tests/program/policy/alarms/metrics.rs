//! An alarm watches a metric that somebody reports. What the dashboard charts is held against the same table.

use domain::contract::metrics::{self, ENVIRONMENT_DIMENSION, Kind, MAINTENANCE_METRIC, NAMESPACE, SERVICE_DIMENSION};
use domain::contract::{Service, environment};
use serde_json::{Value, json};

use super::super::view::{Seen, View};
use super::super::{Finding, Rule};
use super::METRIC_ALARM;

const REPORTED: Rule = Rule {
    demand: "every metric alarm watches a metric that is reported under these dimensions, by a statistic that fits it",
    reason: "it never goes off otherwise: to CloudWatch a misspelt metric is one without data",
    find: |view| view.of_kind(METRIC_ALARM).flat_map(|alarm| unreported(view, alarm)).collect(),
    exceptions: &[],
};

/// A metric of an AWS service: namespace, name, its one dimension, the kind of resource that this names, the statistics
/// that mean something.
type AwsMetric = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const LAMBDA: &str = "aws:lambda:Function";
const QUEUE: &str = "aws:sqs:Queue";
const TOPIC: &str = "aws:sns:Topic";
const RULE: &str = "aws:cloudwatch:EventRule";

/// From
/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>,
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>,
/// <https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html> and
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html>.
const OF_AWS: &[AwsMetric] = &[
    ("AWS/Lambda", "Invocations", "FunctionName", LAMBDA, &["Sum"]),
    ("AWS/Lambda", "Errors", "FunctionName", LAMBDA, &["Sum"]),
    ("AWS/Lambda", "Throttles", "FunctionName", LAMBDA, &["Sum"]),
    ("AWS/Lambda", "Duration", "FunctionName", LAMBDA, &["Maximum", "Average", "p99"]),
    ("AWS/Lambda", "AsyncEventsDropped", "FunctionName", LAMBDA, &["Sum"]),
    ("AWS/Lambda", "DestinationDeliveryFailures", "FunctionName", LAMBDA, &["Sum"]),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", QUEUE, &["Maximum"]),
    ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible", "QueueName", QUEUE, &["Maximum"]),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", QUEUE, &["Maximum"]),
    ("AWS/SQS", "NumberOfMessagesDeleted", "QueueName", QUEUE, &["Sum"]),
    ("AWS/SNS", "NumberOfNotificationsDelivered", "TopicName", TOPIC, &["Sum"]),
    ("AWS/SNS", "NumberOfNotificationsFailed", "TopicName", TOPIC, &["Sum"]),
    ("AWS/SNS", "NumberOfNotificationsFailedToRedriveToDlq", "TopicName", TOPIC, &["Sum"]),
    ("AWS/Events", "FailedInvocations", "RuleName", RULE, &["Sum"]),
    ("AWS/Events", "InvocationsFailedToBeSentToDlq", "RuleName", RULE, &["Sum"]),
];

fn unreported(view: &View, alarm: Seen) -> Vec<Finding> {
    let properties = alarm.properties;
    let told = watched(properties);
    let faults = told.iter().filter_map(|(metric, statistic)| fault(view, metric, statistic));
    let faults: Vec<_> =
        faults.chain(math_fault(properties)).chain(told.is_empty().then(|| "watches nothing".into())).collect();
    faults.into_iter().map(|what: String| Finding::new(alarm.name, what, properties)).collect()
}

/// The metrics of an alarm with their statistics.
pub(crate) fn watched(properties: &Value) -> Vec<(&Value, &Value)> {
    let queries = properties["metricQueries"].as_array().into_iter().flatten();
    let of_math = queries.filter_map(|query| query.get("metric")).map(|metric| (metric, &metric["stat"]));
    of_math.chain(properties.get("metricName").map(|_| (properties, &properties["statistic"]))).collect()
}

/// What is wrong with a metric, which somebody watches or charts by a statistic, in a program. Says its name.
pub(crate) fn metric_fault(program: &Value, metric: &Value, statistic: &Value) -> Option<String> {
    fault(&View::new(program), metric, statistic)
}

fn fault(view: &View, metric: &Value, statistic: &Value) -> Option<String> {
    let name = metric["metricName"].as_str().unwrap_or_default();
    let statistic = statistic.as_str().unwrap_or_default();
    let reason = if metric["namespace"] == NAMESPACE {
        own_fault(view, name, statistic, &metric["dimensions"])?
    } else {
        aws_fault(view, metric, name, statistic)?
    };
    Some(format!("{} {name} by {statistic}: {reason}", metric["namespace"]))
}

fn own_fault(view: &View, name: &str, statistic: &str, dimensions: &Value) -> Option<&'static str> {
    let of = |service: Service| {
        let function = view.of_kind(LAMBDA).find(|function| function.name == service.name())?;
        let environment = &function.properties["environment"]["variables"][environment::ENVIRONMENT.name];
        Some(json!({ENVIRONMENT_DIMENSION: environment, SERVICE_DIMENSION: service.name()}))
    };
    if name == MAINTENANCE_METRIC {
        let stack = json!({ENVIRONMENT_DIMENSION: view.stack()});
        return (*dimensions != stack || statistic != "Maximum").then_some("is put as 1 under the stack alone");
    }
    let Some(metric) = metrics::find(name) else { return Some("the contract has no such metric") };
    let mut reporters = Service::ALL.into_iter().filter(|service| metric.is_of(*service)).filter_map(of);
    if !reporters.any(|reported| reported == *dimensions) {
        return Some("no service reports it under these dimensions");
    }
    let fits = match metric.kind {
        Kind::Counter => ["Sum", "Minimum", "Maximum"].contains(&statistic),
        Kind::Histogram => statistic.starts_with('p') || ["Average", "Maximum"].contains(&statistic),
    };
    (!fits).then_some("this says nothing about a metric of its kind")
}

fn aws_fault(view: &View, metric: &Value, name: &str, statistic: &str) -> Option<&'static str> {
    let known = OF_AWS.iter().find(|known| metric["namespace"] == known.0 && name == known.1);
    let Some((_, _, dimension, kind, statistics)) = known else { return Some("AWS documents no such metric") };
    let dimensions = metric["dimensions"].as_object()?;
    let told = (dimensions.len() == 1).then(|| dimensions.get(*dimension)).flatten();
    let names_one = told.is_some_and(|value| {
        let by_name = value.as_str().is_some_and(|text| text.ends_with(".name}"));
        by_name && view.referred_of_kind(value, kind).is_some()
    });
    if !names_one {
        return Some("AWS reports it under the name of a resource in another dimension");
    }
    (!statistics.contains(&statistic)).then_some("this says nothing about it")
}

/// An alarm on metric math has one expression that it watches, over at most ten metrics, all of which it uses
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>).
fn math_fault(properties: &Value) -> Option<String> {
    let queries = properties.get("metricQueries")?.as_array()?;
    let watched: Vec<_> = queries.iter().filter(|query| query["returnData"] == true).collect();
    let [expression] = watched[..] else { return Some("watches not exactly one expression".to_owned()) };
    let text = expression["expression"].as_str().unwrap_or_default();
    let words: Vec<_> = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_').collect();
    let ids: Vec<_> = queries.iter().filter(|query| query.get("metric").is_some()).map(|query| &query["id"]).collect();
    let is_variable = |word: &&&str| word.starts_with(|first: char| first.is_ascii_lowercase());
    let unknown = words.iter().filter(is_variable).find(|word| !ids.iter().any(|id| id == *word));
    let unused = ids.iter().find(|id| !words.iter().any(|word| *id == word));
    let has_own = properties.get("metricName").is_some() || ids.len() > 10;
    (unknown.is_some() || unused.is_some() || has_own)
        .then(|| format!("its expression {text} does not fit its metrics"))
}

#[test]
fn every_alarm_watches_what_is_reported() {
    REPORTED.assert_kept();
}

#[test]
fn a_misspelt_metric_is_caught_with_alarm_and_metric() {
    let (_, mut program) = crate::common::programs().swap_remove(0);
    program["resources"]["rankerErrorsAlarm"]["properties"]["metricName"] = json!("Error");
    let found = REPORTED.broken_in(&program);
    let told: Vec<_> = found.iter().map(|finding| format!("{}: {}", finding.at, finding.what)).collect();
    assert_eq!(told, [r#"rankerErrorsAlarm: "AWS/Lambda" Error by Sum: AWS documents no such metric"#]);
}

#[test]
fn an_alarm_on_what_nobody_reports_is_caught() {
    let catches = |alarm: &str, name: &str, value: Value| {
        REPORTED.assert_catches(alarm, |resources| resources[alarm]["properties"][name] = value);
    };
    catches("runLateAlarm", "metricName", json!("RunCompleted"));
    catches("runLateAlarm", "metricName", json!("SourceItems"));
    catches("runLateAlarm", "namespace", json!("MoviePipelines"));
    catches("runLateAlarm", "statistic", json!("Average"));
    catches("runLateAlarm", "statistic", json!(null));
    catches("runLateAlarm", "dimensions", json!({"Environment": "dev"}));
    catches("runLateAlarm", "dimensions", json!({"Environment": "prod", "Service": "enricher"}));
    catches("runLateAlarm", "dimensions", json!({"Environment": "dev", "Service": "ranker"}));
    catches("runLateAlarm", "dimensions", json!({"Environment": "dev", "Service": "enricher", "Run": "x"}));
    catches("maintenanceAlarm", "metricName", json!("Maintainance"));
    catches("maintenanceAlarm", "statistic", json!("Sum"));
    catches("maintenanceAlarm", "dimensions", json!({}));
    catches("deadLettersAlarm", "statistic", json!("Minimum"));
    catches("deadLettersAlarm", "dimensions", json!({"QueueName": "${moviesTopic.name}"}));
    catches("deadLettersAlarm", "dimensions", json!({"QueueName": "${deadLetterQueue.arn}"}));
    catches("deadLettersAlarm", "dimensions", json!({"Queue": "${deadLetterQueue.name}"}));
    catches("topicRedriveFailedAlarm", "metricName", json!("NumberOfNotificationsFailedToRedriveToDLQ"));
    catches("topicDeliveryFailedAlarm", "dimensions", json!({"TopicName": "${moviesTopic.name}", "Protocol": "sqs"}));
    catches("ruleDeliveryFailedAlarm", "namespace", json!("AWS/EventBridge"));
}

#[test]
fn metric_math_that_does_not_fit_its_metrics_is_caught() {
    const ALARM: &str = "queueStallsAlarm";
    let catches = |change: fn(&mut Value)| {
        REPORTED.assert_catches(ALARM, |resources| change(&mut resources[ALARM]["properties"]));
    };
    catches(|alarm| alarm["metricQueries"][0]["expression"] = json!("IF(FILL(removed, 0) == 0, age, 0)"));
    catches(|alarm| alarm["metricQueries"][0]["expression"] = json!("age"));
    catches(|alarm| alarm["metricQueries"][0]["returnData"] = json!(false));
    catches(|alarm| alarm["metricQueries"][1]["returnData"] = json!(true));
    catches(|alarm| alarm["metricQueries"][2]["metric"]["metricName"] = json!("NumberOfMessagesDelete"));
    catches(|alarm| alarm["metricQueries"][2]["metric"]["stat"] = json!("Maximum"));
    catches(|alarm| alarm["metricName"] = json!("NumberOfMessagesDeleted"));
    catches(|alarm| alarm["metricQueries"] = json!([]));
}
