//! The dashboard, from `dashboards/movie-pipeline.json`: a CloudWatch dashboard body
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>) whose
//! texts leave two things open. `${resource.attribute}` is filled in by Pulumi, `{{name}}` here: what an alarm or the
//! configuration says is not typed a second time.
//!
//! Hours since the last complete run: `EPOCH` gives every period of a series the time it begins at, those without data
//! included, so the last value of `EPOCH(runs)` is the present, and `MAX` takes the last one that had a run
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>). Without any, the beginning of
//! the week that is looked at stands in: at least so long ago.
//!
//! Deployments and runs are not marked on the charts: a vertical annotation stands at a date that is written into the body
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>), so each
//! would be a deployment of the dashboard, and the next one would drop it.

use domain::contract::{PROJECT, Service};
use serde_json::{Value, json};

use crate::alarms::ALARMS;
use crate::config::{Config, OtlpEndpoint};
use crate::policy::to_json;
use crate::program::{REGION, Stack};
use crate::resource::{Dashboard, Handle, literal};

const BODY: &str = include_str!("../../dashboards/movie-pipeline.json");

pub(crate) fn add(stack: &mut Stack) -> Handle<Dashboard> {
    let name = format!("{PROJECT}-{}", stack.config.stack);
    let mut body = body();
    fill(&mut body, stack.config);
    stack.resources.add("dashboard", json!({"dashboardName": name, "dashboardBody": to_json(&body)}))
}

#[expect(clippy::expect_used, reason = "the file is part of this binary, and every test that makes a program reads it")]
fn body() -> Value {
    serde_json::from_str(BODY).expect("dashboards/movie-pipeline.json is JSON")
}

fn fill(value: &mut Value, config: &Config) {
    match value {
        Value::String(text) => *value = filled(text, config),
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, config)),
        Value::Object(object) => object.values_mut().for_each(|value| fill(value, config)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A text that is one name and nothing else becomes what it stands for, such as a number.
fn filled(text: &str, config: &Config) -> Value {
    let whole = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    if let Some(name) = whole.filter(|name| !name.contains("{{")) {
        return value_of(name, config);
    }
    let mut parts = text.split("{{");
    let mut filled = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("}}").unwrap_or((part, ""));
        let value = value_of(name, config);
        filled += &value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        filled += rest;
    }
    Value::String(filled)
}

/// What a name stands for: a threshold or a number of periods by the name of its alarm, or one of these.
fn value_of(name: &str, config: &Config) -> Value {
    match name {
        "stack" => json!(config.stack),
        "top_n" => json!(config.top_n),
        "runbook" => json!(runbook(&literal(&config.runbook_url))),
        "traces" => json!(traces(config)),
        "ranker.timeout_ms" => json!(timeout_ms(config, Service::Ranker)),
        "enricher.timeout_ms" => json!(timeout_ms(config, Service::Enricher)),
        "omdb.timeout_ms" => json!(config.omdb_timeout_ms),
        "omdb_daily_limit" => json!(config.omdb_daily_limit),
        _ => of_alarm(name, config)
            .unwrap_or_else(|| unreachable!("dashboards/movie-pipeline.json asks for {name}, which nothing is called")),
    }
}

fn of_alarm(name: &str, config: &Config) -> Option<Value> {
    let (thing, part) = name.split_once('.')?;
    let alarm = ALARMS.iter().find(|alarm| alarm.notice.thing == thing)?;
    match part {
        "threshold" => Some(json!(alarm.threshold(config))),
        "periods" => Some(json!(alarm.periods(config))),
        _ => None,
    }
}

const fn timeout_ms(config: &Config, service: Service) -> u32 {
    match service {
        Service::Ranker => config.ranker_timeout_seconds * 1_000,
        Service::Enricher => config.enricher_timeout_seconds * 1_000,
    }
}

/// A link where the address is one: a path of the repository leads nowhere from the console.
fn runbook(address: &str) -> String {
    if address.starts_with("http") { format!("[Runbook]({address})") } else { format!("Runbook: {address}") }
}

/// Where the traces are to be found. X-Ray keeps the spans in a log group, see `traces`.
fn traces(config: &Config) -> String {
    let console = format!("https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}");
    match &config.otlp_endpoint {
        Some(OtlpEndpoint::XRay) => format!(
            "[Traces]({console}#xray:traces/query), [their spans]({console}#logsV2:log-groups/log-group/aws$$252Fspans)"
        ),
        Some(OtlpEndpoint::Address(_)) => "Traces: with the collector of otlpEndpoint".to_owned(),
        None => "Traces: off, see otlpEndpoint".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(values: &Value) -> Config {
        Config::read("dev", Some(&values.to_string())).unwrap()
    }

    #[test]
    fn what_the_file_leaves_open_is_what_alarm_and_configuration_say() {
        let config = config(&json!({"movie-pipeline:runLateAlarmHours": "50"}));
        assert_eq!(filled("{{run-late.periods}}", &config), json!(50));
        assert_eq!(filled("-PT{{run-late.periods}}H of {{stack}}", &config), json!("-PT50H of dev"));
        assert_eq!(filled("{{enricher.timeout_ms}}", &config), json!(30_000));
        assert_eq!(filled("${region}", &config), json!("${region}"));
    }

    #[test]
    #[should_panic(expected = "asks for run-later.periods")]
    fn a_name_that_means_nothing_is_told() {
        filled("{{run-later.periods}}", &config(&json!({})));
    }

    #[test]
    fn links_lead_where_runbook_and_traces_are() {
        let text = |key: &str, value: &str, name: &str| {
            filled(name, &config(&json!({format!("movie-pipeline:{key}"): value}))).as_str().unwrap().to_owned()
        };
        let address = "https://example.com/runbook.md";
        assert_eq!(text("runbookUrl", address, "{{runbook}}"), format!("[Runbook]({address})"));
        assert_eq!(text("runbookUrl", "docs/runbook.md", "{{runbook}}"), "Runbook: docs/runbook.md");
        assert!(text("otlpEndpoint", "xray", "{{traces}}").contains("home?region=${region}#xray:traces/query)"));
        assert_eq!(text("otlpEndpoint", "", "{{traces}}"), "Traces: off, see otlpEndpoint");
    }
}
