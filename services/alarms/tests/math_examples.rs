//! Metric math, first by the worked examples of the CloudWatch User Guide
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>).

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use alarms::math::{Math, MathError, MathQuery, Source};
use alarms::{Metric, Query, Statistic};

/// A series as the guide writes it: `30 - 0`, with `-` where there is no value.
fn series(text: &str) -> Vec<Option<f64>> {
    text.split(' ').map(|value| if value == "-" { None } else { Some(value.parse().unwrap()) }).collect()
}

fn metric(id: &str) -> MathQuery {
    let metric = Metric { namespace: "Test".to_owned(), name: id.to_owned(), dimensions: [].into() };
    MathQuery { id: id.to_owned(), source: Source::Metric(Query { metric, unit: None, statistic: Statistic::Sum }) }
}

fn expression(id: &str, text: &str) -> MathQuery {
    MathQuery { id: id.to_owned(), source: Source::Expression(text.to_owned()) }
}

fn compile(text: &str) -> Result<Math, MathError> {
    Math::compile(&[metric("m1"), metric("m2"), metric("m3"), expression("e1", text)], "e1")
}

fn evaluate(text: &str, metrics: &[(&str, &str)]) -> Vec<Option<f64>> {
    let math = compile(text).unwrap();
    let of = |id: &str| series(metrics.iter().find(|(name, _)| *name == id).unwrap().1);
    math.values(&math.inputs().iter().map(|query| of(&query.metric.name)).collect::<Vec<_>>())
}

/// Section "Comparison and logical operators".
#[test]
fn the_published_examples_of_comparison_hold() {
    let metrics = [("m1", "30 20 0 0"), ("m2", "20 - 20 -")];
    for (text, expected) in [("m1 < m2", "0 0 1 0"), ("m1 >= 30", "1 0 0 0"), ("m1 > 15 AND m2 > 15", "1 0 0 0")] {
        assert_eq!(evaluate(text, &metrics), series(expected), "{text}");
    }
}

/// Section "Using IF expressions".
#[test]
fn the_published_examples_of_if_hold() {
    let metrics = [("m1", "1 1 0 0 -"), ("m2", "30 - 0 0 30"), ("m3", "0 0 20 - 20")];
    for (text, expected) in [
        ("IF(m1, m2, m3)", "30 0 20 - -"),
        ("IF(m1, 5, m3)", "5 5 20 - -"),
        ("IF(m1, m2, 5)", "30 0 5 5 -"),
        ("IF(m1, m2)", "30 0 - - -"),
        ("IF(1, m2, m3)", "30 - 0 0 30"),
        ("IF(0, m2, m3)", "0 0 20 - 20"),
    ] {
        assert_eq!(evaluate(text, &metrics), series(expected), "{text}");
    }
}

#[test]
fn a_missing_value_counts_as_zero_beside_one_that_is_there() {
    let metrics = [("m1", "6 6 - -"), ("m2", "3 - 3 -")];
    for (text, expected) in [
        ("m1 + m2", "9 6 3 -"),
        ("m1 - m2", "3 6 -3 -"),
        ("m1 * m2", "18 0 0 -"),
        ("m1 / m2", "2 - 0 -"),
        ("m1 == m2", "0 0 0 -"),
        ("m1 + 1", "7 7 - -"),
        ("2 * -m2", "-6 - -6 -"),
        ("m1 OR m2", "1 1 1 -"),
        ("SUM([m1, m2])", "9 6 3 -"),
        ("MAX([m1, m2])", "6 6 3 -"),
        ("MIN([m1, m2])", "3 6 3 -"),
        ("FILL(m1, 0) + FILL(m2, 0)", "9 6 3 0"),
        ("FILL(m1, MAX(m2))", "6 6 3 3"),
        ("m1 - SUM(m1)", "-6 -6 - -"),
    ] {
        assert_eq!(evaluate(text, &metrics), series(expected), "{text}");
    }
}

#[test]
fn a_minute_of_which_nothing_is_told_yet_is_a_good_one_to_and_and_fill_and_none_to_a_bare_metric() {
    // Waiting, deleted and age; the last minute has not been reported yet.
    let metrics = [("m1", "1 1 0 1 -"), ("m2", "- 4 - 0 -"), ("m3", "900 900 0 960 -")];
    assert_eq!(evaluate("IF(FILL(m2, 0) == 0 AND m1 > 0, m3, 0)", &metrics), series("900 0 0 960 0"));
    assert_eq!(evaluate("IF(m1 > 0, IF(FILL(m2, 0) == 0, m3, 0), 0)", &metrics), series("900 0 0 960 -"));
}

#[test]
fn operators_bind_as_in_arithmetic() {
    for (text, expected) in [
        ("m1 + 2 * 3 - 4 / 2", "5"),
        ("(m1 + 2) * 3", "9"),
        ("m1 + -2 * -3", "7"),
        ("10 - m1 - 2", "7"),
        ("m1 + 1 > 1 && m1 < 2", "1"),
        ("m1 == 2 || m1 == 1", "1"),
        ("m1 == 1 OR m1 == 1 AND m1 == 2", "1"),
        ("m1 != 1", "0"),
        ("m1 <= .5", "0"),
    ] {
        assert_eq!(evaluate(text, &[("m1", "1")]), series(expected), "{text}");
    }
}

#[test]
fn an_expression_may_use_another_one() {
    let queries = [metric("m1"), expression("twice", "m1 * 2"), expression("result", "twice + m1")];
    assert_eq!(Math::compile(&queries, "result").unwrap().values(&[series("1 - 2")]), series("3 - 6"));
}

#[test]
fn what_cannot_be_evaluated_is_named() {
    let deep = format!("{}m1{}", "(".repeat(500), ")".repeat(500));
    let long = format!("m1 + {}", "1".repeat(2_048));
    for (text, problem) in [
        ("RATE(m1)", "the function RATE is not supported"),
        ("NOT(m1)", "the function NOT is not supported"),
        ("METRICS()", "METRICS"),
        ("!m1", "character 1: `!`"),
        ("m1 ^ 2", "`^` is not supported"),
        ("m1 +", "character 5: it ends"),
        ("m1 m2", "character 4: found `m2`"),
        ("(m1", "`)`"),
        ("1.2.3 + m1", "character 1"),
        ("M1", "`M1` is neither an id"),
        ("m9", "no query with the id `m9`"),
        ("e1 + 1", "`e1` needs itself"),
        ("SUM(m1)", "its result is one number"),
        ("1", "its result is one number"),
        ("[m1, m2]", "an array is supported only"),
        ("SUM([m1, 1])", "needs time series"),
        ("SUM([])", "needs time series"),
        ("MAX(1) * m1", "MAX needs a time series"),
        ("IF(1, 2, 3)", "IF needs a time series"),
        ("IF(m1)", "IF does not take 1 arguments"),
        ("FILL(m1, REPEAT)", "`REPEAT`"),
        ("FILL(m1, m2)", "FILL is supported for a time series and a number"),
        ("FILL([m1], 0)", "FILL of an array is not supported"),
        (&deep, "nested"),
        (&long, "2048"),
        ("", "it ends"),
    ] {
        let error = compile(text).unwrap_err().to_string();
        assert!(error.contains(problem), "{text}: {error}");
    }
}
