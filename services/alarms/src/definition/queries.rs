//! What a metric alarm watches: one metric, or metric queries with an expression.

use std::collections::BTreeMap;

use serde_json::Value;

use super::metric::Watched;
use super::properties::Properties;
use crate::math::{Math, MathQuery, Source};
use crate::metrics::{Metric, Query};
use crate::statistics::Statistic;

/// How many metrics, and how many expressions, an alarm may have
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html>).
const MAX_QUERIES_OF_A_KIND: usize = 10;

fn check_period(period_s: u32, name: &str, properties: &mut Properties<'_>) {
    if !matches!(period_s, 10 | 20 | 30) && (period_s == 0 || !period_s.is_multiple_of(60)) {
        properties.fault(name, format!("is {period_s} s, but must be 10, 20, 30 or a multiple of 60"));
    }
}

/// What is watched, and its period.
pub(super) fn watched(properties: &mut Properties<'_>) -> Option<(Watched, u32)> {
    if let Some(queries) = properties.optional::<Vec<Value>>("metricQueries") {
        return math(&queries, properties);
    }
    let metric = metric(properties);
    let unit = properties.optional("unit");
    let statistic = statistic(properties);
    let period_s = properties.required("period")?;
    check_period(period_s, "period", properties);
    Some((Watched::Metric(Query { metric: metric?, unit, statistic: statistic? }), period_s))
}

fn metric(properties: &mut Properties<'_>) -> Option<Metric> {
    let namespace = properties.required("namespace");
    let name = properties.required("metricName");
    let dimensions = properties.optional::<BTreeMap<String, String>>("dimensions").unwrap_or_default();
    Some(Metric { namespace: namespace?, name: name?, dimensions })
}

fn statistic(properties: &mut Properties<'_>) -> Option<Statistic> {
    let plain: Option<Statistic> = properties.optional("statistic");
    let extended: Option<Statistic> = properties.optional("extendedStatistic");
    match (plain, extended) {
        (Some(Statistic::Percentile(_)), None) => {
            properties.fault("statistic", "is a percentile, which belongs into extendedStatistic");
            None
        }
        (None, Some(Statistic::Percentile(_))) => extended,
        (Some(_), None) => plain,
        (None, Some(_)) => {
            properties.fault("extendedStatistic", "must be a percentile such as p99");
            None
        }
        _ => {
            properties.fault("statistic", "exactly one of statistic and extendedStatistic must be given");
            None
        }
    }
}

/// A metric query as it was read, with what only matters while reading.
struct Read {
    query: MathQuery,
    period_s: Option<u32>,
    is_returned: bool,
}

fn math(queries: &[Value], properties: &mut Properties<'_>) -> Option<(Watched, u32)> {
    let read: Vec<Read> = queries
        .iter()
        .enumerate()
        .filter_map(|(index, value)| read_query(properties.within(&format!("metricQueries[{index}]"), value)))
        .collect();
    if read.len() < queries.len() {
        return None;
    }
    check_queries(&read, properties);
    let period_s = common_period(&read, properties)?;
    let returned: Vec<&Read> = read.iter().filter(|read| read.is_returned).collect();
    let [returned] = returned[..] else {
        properties.fault("metricQueries", format!("{} queries return data; exactly one must", returned.len()));
        return None;
    };
    let queries: Vec<MathQuery> = read.iter().map(|read| read.query.clone()).collect();
    let math = Math::compile(&queries, &returned.query.id);
    math.map_err(|error| properties.fault("metricQueries", error)).ok().map(|math| (Watched::Math(math), period_s))
}

fn read_query(mut properties: Properties<'_>) -> Option<Read> {
    let id = properties.required::<String>("id");
    properties.optional::<String>("label");
    let is_returned = properties.optional("returnData").unwrap_or(false);
    let own_period_s = properties.optional::<u32>("period");
    let expression = properties.optional::<String>("expression");
    let metric = properties.optional::<Value>("metric").map(|value| read_metric(properties.within("metric", &value)));
    let source = match (expression, metric) {
        (Some(expression), None) => Some((Source::Expression(expression), own_period_s)),
        (None, Some(metric)) => metric.map(|(query, period_s)| (Source::Metric(query), Some(period_s))),
        _ => {
            properties.fault("expression", "exactly one of expression and metric must be given");
            None
        }
    };
    if id.as_deref().is_some_and(|id| !is_id(id)) {
        properties.fault("id", "must start with a lowercase letter and hold only letters, digits and `_`");
    }
    properties.finish();
    let (source, period_s) = source?;
    Some(Read { query: MathQuery { id: id?, source }, period_s, is_returned })
}

fn is_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn read_metric(mut properties: Properties<'_>) -> Option<(Query, u32)> {
    let metric = metric(&mut properties);
    let unit = properties.optional("unit");
    let statistic = properties.required("stat");
    let period_s = properties.required("period");
    if let Some(period_s) = period_s {
        check_period(period_s, "period", &mut properties);
    }
    properties.finish();
    Some((Query { metric: metric?, unit, statistic: statistic? }, period_s?))
}

fn check_queries(read: &[Read], properties: &mut Properties<'_>) {
    for (index, one) in read.iter().enumerate() {
        if read[..index].iter().any(|other| other.query.id == one.query.id) {
            properties.fault("metricQueries", format!("the id `{}` is given twice", one.query.id));
        }
    }
    let metrics = read.iter().filter(|read| matches!(read.query.source, Source::Metric(_))).count();
    if metrics == 0 {
        properties.fault("metricQueries", "an expression needs a metric");
    }
    if metrics.max(read.len() - metrics) > MAX_QUERIES_OF_A_KIND {
        let message =
            format!("at most {MAX_QUERIES_OF_A_KIND} metrics and {MAX_QUERIES_OF_A_KIND} expressions are allowed");
        properties.fault("metricQueries", message);
    }
}

/// "Each metric must be using the same period"
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-data-queries.html>).
fn common_period(read: &[Read], properties: &mut Properties<'_>) -> Option<u32> {
    let mut periods: Vec<u32> = read.iter().filter_map(|read| read.period_s).collect();
    periods.sort_unstable();
    periods.dedup();
    if periods.len() > 1 {
        properties.fault("metricQueries", format!("all queries need the same period, but there are {periods:?} s"));
    }
    periods.first().copied()
}
