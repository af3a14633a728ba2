//! What a chart draws besides its metrics: lines that are no alarm's, and the figures that are computed.

use domain::contract::environment::{OMDB_DAILY_LIMIT, OMDB_TIMEOUT_MS, Variable};
use serde_json::Value;

use super::body::Chart;
use super::charted;

/// Hours since the last complete run, see `dashboard.rs` of the program.
const HOURS: &str = "(EPOCH(runs) - MAX(IF(runs > 0, EPOCH(runs), MIN(EPOCH(runs))))) / 3600";

/// Each line that is no alarm's stands at what its label says of the chart's own metrics.
pub(super) fn faults(program: &Value, chart: &Chart) -> Vec<String> {
    if charted::metrics(chart).is_err() {
        // Told elsewhere.
        return Vec::new();
    }
    let lines = chart.annotations.horizontal.iter().filter(|line| !line.label.starts_with("alarm"));
    let fault = |label: &str, value: f64| match meant(program, chart, label) {
        Some(meant) if (meant - value).abs() < 0.5 => None,
        Some(meant) => Some(format!("{}: {label} is drawn at {value} and is {meant}", chart.title)),
        None => Some(format!("{}: nothing here is called {label}", chart.title)),
    };
    lines.filter_map(|line| fault(&line.label, line.value)).chain(expression_faults(chart)).collect()
}

/// What a label means on this chart.
fn meant(program: &Value, chart: &Chart, label: &str) -> Option<f64> {
    let metrics = charted::metrics(chart).ok()?;
    let metric = &metrics.first()?.metric;
    match (label, metric["metricName"].as_str()?) {
        ("timeout", "Duration") => {
            let function = metric["dimensions"]["FunctionName"].as_str()?;
            let function = function.strip_prefix("${")?.strip_suffix(".name}")?;
            Some(program["resources"][function]["properties"]["timeout"].as_f64()? * 1_000.0)
        }
        ("timeout", "OmdbDuration") => variable(program, OMDB_TIMEOUT_MS),
        ("the key's limit", "OmdbRequests") => variable(program, OMDB_DAILY_LIMIT),
        _ => None,
    }
}

/// What the enricher is told.
fn variable(program: &Value, variable: &Variable) -> Option<f64> {
    let variables = &program["resources"]["enricher"]["properties"]["environment"]["variables"];
    variables[variable.name].as_str()?.parse().ok()
}

fn expression_faults(chart: &Chart) -> Vec<String> {
    let expressions = chart.metrics.iter().filter_map(|row| row.first()?.get("expression")?.as_str());
    let strange = |expression: &&str| {
        **expression != *HOURS && !is_a_name_in(expression, "EPOCH(", ")") && !is_a_name_in(expression, "FILL(", ", 0)")
    };
    expressions.filter(strange).map(|expression| format!("{}: nobody looked at {expression}", chart.title)).collect()
}

/// `EPOCH(run)`, or `FILL(requests, 0)` where silence means none: what it is made of is looked at elsewhere.
fn is_a_name_in(expression: &str, before: &str, after: &str) -> bool {
    let name = expression.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    name.is_some_and(|name| name.chars().all(char::is_alphanumeric))
}
