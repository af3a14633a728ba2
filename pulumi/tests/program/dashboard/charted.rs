//! What a chart shows: its metrics and expressions.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::body::{Chart, Math, Rendering};

/// The functions of metric math that ours use
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>). `EPOCH` gives each period
/// the time it begins at, also those without data, so its last value is the present.
const FUNCTIONS: [&str; 5] = ["EPOCH", "FILL", "IF", "MAX", "MIN"];

/// One metric on a chart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Charted {
    /// The chart.
    pub(crate) title: String,
    /// `namespace`, `metricName`, `dimensions`, as an alarm writes them.
    pub(crate) metric: Value,
    pub(crate) statistic: String,
    /// What the legend calls it; empty without one.
    pub(crate) label: String,
}

/// The metrics of a chart; what cannot be read is told.
pub(super) fn metrics(chart: &Chart) -> Result<Vec<Charted>, String> {
    let rows = chart.metrics.iter().filter(|row| !is_expression(row));
    rows.map(|row| metric(chart, row)).collect()
}

fn metric(chart: &Chart, row: &[Value]) -> Result<Charted, String> {
    let (texts, rendering) = parts(chart, row)?;
    let [namespace, name, dimensions @ ..] = &texts[..] else { return Err(odd(chart, row)) };
    if dimensions.len() % 2 == 1 || texts.contains(&".") {
        return Err(odd(chart, row));
    }
    let dimensions: Map<_, _> = dimensions.chunks(2).map(|pair| (pair[0].to_owned(), json!(pair[1]))).collect();
    let statistic = rendering.stat.unwrap_or_else(|| chart.stat.clone());
    let metric = json!({"namespace": namespace, "metricName": name, "dimensions": dimensions});
    let label = rendering.label.unwrap_or_default();
    Ok(Charted { title: chart.title.clone(), metric, statistic, label })
}

/// The texts of a row and how it is to be drawn.
fn parts<'a>(chart: &Chart, row: &'a [Value]) -> Result<(Vec<&'a str>, Rendering), String> {
    let (texts, rendering) = match row {
        [texts @ .., rendering @ Value::Object(_)] => {
            (texts, Rendering::deserialize(rendering).map_err(|error| format!("{}: {error}", chart.title))?)
        }
        texts => (texts, Rendering::default()),
    };
    let texts: Option<Vec<_>> = texts.iter().map(Value::as_str).collect();
    Ok((texts.ok_or_else(|| odd(chart, row))?, rendering))
}

fn odd(chart: &Chart, row: &[Value]) -> String {
    format!("{}: {} is no metric, written out", chart.title, json!(row))
}

fn is_expression(row: &[Value]) -> bool {
    matches!(row, [Value::Object(_)])
}

/// What an expression names must be on the chart, and what is on a chart only to be named, named.
pub(super) fn expression_fault(chart: &Chart) -> Option<String> {
    let mut ids = BTreeSet::new();
    let mut named = BTreeSet::new();
    for row in &chart.metrics {
        if is_expression(row) {
            let read = match Math::deserialize(&row[0]) {
                Ok(read) => read,
                Err(error) => return Some(format!("{}: {error}", chart.title)),
            };
            named.extend(words(&read.expression).map(str::to_owned));
        } else {
            ids.extend(parts(chart, row).ok()?.1.id);
        }
    }
    let unknown = named.iter().find(|word| !ids.contains(*word) && !FUNCTIONS.contains(&word.as_str()));
    let unused = ids.iter().find(|id| !named.contains(*id));
    let word = unknown.or(unused)?;
    Some(format!("{}: {word} is not in both the expression and the metrics", chart.title))
}

fn words(expression: &str) -> impl Iterator<Item = &str> {
    let words = expression.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with(|letter: char| letter.is_ascii_alphabetic()))
}
