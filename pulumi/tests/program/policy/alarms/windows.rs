//! An alarm can go off, in time, and says what to do then.

use domain::contract::PROJECT;
use pulumi::alarms::DESCRIPTION_BYTES;
use pulumi::{Config, program};
use serde_json::{Value, json};

use super::super::view::{Seen, View};
use super::super::{Finding, Rule, remove};
use super::{COMPOSITE_ALARM, METRIC_ALARM};

/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>
const WINDOW_FITS: Rule = Rule {
    demand: "every metric alarm states threshold, window and what missing data means, within what AWS looks back on",
    reason: "AWS refuses it otherwise; or its defaults decide, under which an alarm on a daily job never goes off",
    find: |view| view.of_kind(METRIC_ALARM).filter_map(outside).collect(),
    exceptions: &[],
};

const SAYS_WHAT_TO_DO: Rule = Rule {
    demand: "every alarm says what happened, what to do first, and its section of the runbook, within what AWS takes",
    reason: "whoever is woken has nothing else to go by",
    find: |view| {
        let alarms = view.of_kind(METRIC_ALARM).chain(view.of_kind(COMPOSITE_ALARM));
        alarms.filter_map(|alarm| silent(view, alarm)).collect()
    },
    exceptions: &[],
};

/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html>
const OUTLASTS_INVOCATION: Rule = Rule {
    demand: "an alarm on errors or duration of a function looks back by its timeout and some minutes more",
    reason: "Lambda reports an invocation when it has ended, under the time at which it began: nobody would look there",
    find: |view| view.of_kind(METRIC_ALARM).filter_map(|alarm| too_short(view, alarm)).collect(),
    exceptions: &[],
};

fn too_short(view: &View, alarm: Seen) -> Option<Finding> {
    const MINUTES_MORE: u64 = 3;
    let properties = alarm.properties;
    let is_of_invocation = ["Errors", "Duration"].iter().any(|name| properties["metricName"] == *name);
    let function = view.referred_of_kind(&properties["dimensions"]["FunctionName"], "aws:lambda:Function")?;
    let timeout = function.properties["timeout"].as_u64()?;
    let seconds = properties["period"].as_u64()? * properties["evaluationPeriods"].as_u64()?;
    let what = format!("{seconds} s for a timeout of {timeout} s");
    (is_of_invocation && seconds < timeout + MINUTES_MORE * 60).then(|| Finding::new(alarm.name, what, properties))
}

fn outside(alarm: Seen) -> Option<Finding> {
    let properties = alarm.properties;
    let number = |name: &str| properties[name].as_u64().unwrap_or_default();
    let (periods, datapoints) = (number("evaluationPeriods"), number("datapointsToAlarm"));
    let mut windows = periods_of(properties).into_iter().map(|period| (period, period.saturating_mul(periods)));
    let what = if properties["threshold"].as_f64().is_none_or(|threshold| threshold <= 0.0) {
        "has no threshold above zero"
    } else if !["breaching", "notBreaching"].iter().any(|treatment| properties["treatMissingData"] == *treatment) {
        "does not say whether missing data is good or bad"
    } else if !(1..=periods).contains(&datapoints) {
        "wants more periods to be alarming than it looks at, or none"
    } else if !windows.all(|(period, seconds)| is_within_reach(period, seconds)) {
        "looks back further than AWS does"
    } else {
        return None;
    };
    Some(Finding::new(alarm.name, what, properties))
}

/// The periods of its metrics, in seconds.
fn periods_of(properties: &Value) -> Vec<u64> {
    let queries = properties["metricQueries"].as_array().into_iter().flatten();
    let metrics = queries.filter_map(|query| query.get("metric"));
    let metrics: Vec<_> = metrics.chain(properties.get("metricName").map(|_| properties)).collect();
    metrics.iter().map(|metric| metric["period"].as_u64().unwrap_or_default()).collect()
}

/// A day, or a week for periods of an hour and more. Shorter periods than a minute cost extra, and none of the metrics
/// is reported more often.
fn is_within_reach(period: u64, seconds: u64) -> bool {
    let longest = if period < 3_600 { 86_400 } else { 604_800 };
    period > 0 && period.is_multiple_of(60) && seconds <= longest
}

fn silent(view: &View, alarm: Seen) -> Option<Finding> {
    let properties = alarm.properties;
    let text = |name: &str| properties[name].as_str().map(|text| view.resolved(text)).unwrap_or_default();
    let name = if alarm.kind == COMPOSITE_ALARM { text("alarmName") } else { text("name") };
    let section = name.strip_prefix(&format!("{PROJECT}-{}-", view.stack().unwrap_or_default()));
    let description = text("alarmDescription");
    let what = match section {
        None => "is not named after the stack",
        Some(section) if !description.ends_with(&format!("#{section}")) => "does not end in its section of the runbook",
        Some(_) if description.matches(['.', ';']).count() < 2 => "does not say what happened and what to do",
        Some(_) if description.len() > DESCRIPTION_BYTES => "says more than AWS takes",
        Some(_) => return None,
    };
    Some(Finding::new(alarm.name, what, properties))
}

#[test]
fn every_alarm_can_go_off_and_says_what_to_do_then() {
    WINDOW_FITS.assert_kept();
    SAYS_WHAT_TO_DO.assert_kept();
}

#[test]
fn an_alarm_that_cannot_go_off_or_leaves_it_to_defaults_is_caught() {
    for alarm in ["deadLettersAlarm", "runLateAlarm", "queueStallsAlarm"] {
        let catches = |name: &str, value: Value| {
            WINDOW_FITS.assert_catches(alarm, |resources| resources[alarm]["properties"][name] = value);
        };
        catches("threshold", json!(0));
        catches("treatMissingData", json!("missing"));
        catches("treatMissingData", json!("ignore"));
        catches("evaluationPeriods", json!(100_000));
        catches("datapointsToAlarm", json!(27));
        catches("datapointsToAlarm", json!(0));
        for name in ["threshold", "treatMissingData", "evaluationPeriods", "datapointsToAlarm"] {
            WINDOW_FITS.assert_catches(alarm, |resources| remove(&mut resources[alarm], name));
        }
    }
    for period in [0, 10, 90, 604_860] {
        WINDOW_FITS.assert_catches("deadLettersAlarm", |resources| {
            resources["deadLettersAlarm"]["properties"]["period"] = json!(period);
        });
        WINDOW_FITS.assert_catches("queueStallsAlarm", |resources| {
            resources["queueStallsAlarm"]["properties"]["metricQueries"][2]["metric"]["period"] = json!(period * 7);
        });
    }
}

#[test]
fn a_failure_at_the_end_of_the_longest_invocation_is_still_seen() {
    OUTLASTS_INVOCATION.assert_kept();
    for timeout in ["1", "300", "900"] {
        let values = json!({"movie-pipeline:rankerTimeoutSeconds": timeout}).to_string();
        let slow = program(&Config::read("dev", Some(&values)).unwrap()).to_json();
        assert!(OUTLASTS_INVOCATION.broken_in(&slow).is_empty(), "{timeout}");
    }
    for alarm in ["rankerErrorsAlarm", "enricherNearTimeoutAlarm"] {
        OUTLASTS_INVOCATION.assert_catches(alarm, |resources| {
            resources[alarm]["properties"]["evaluationPeriods"] = json!(3);
        });
    }
}

#[test]
fn an_alarm_that_leaves_whoever_is_woken_alone_is_caught() {
    for alarm in ["deadLettersAlarm", "pageAlarm", "maintenanceAlarm"] {
        let catches = |change: fn(&str) -> String| {
            SAYS_WHAT_TO_DO.assert_catches(alarm, |resources| {
                let description = &mut resources[alarm]["properties"]["alarmDescription"];
                *description = json!(change(description.as_str().unwrap()));
            });
        };
        catches(|_| String::new());
        catches(|text| text.replace('#', ", section "));
        catches(|text| format!("{text}-2"));
        catches(|text| format!("See #{}", text.rsplit('#').next().unwrap()));
        catches(|text| format!("{}{text}", "Oh. ".repeat(256)));
    }
}
