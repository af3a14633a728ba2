//! What a run uses and what a million movies cost, from the stack's own facts and dated list prices. `cargo local cost`
//! tells the prices, where they come from, and what is assumed.

use super::report::Row;
use super::statistics::Summary;
use super::{Bench, number};
use crate::cost::{Estimate, Line, RunUse};
use crate::deploy::Configuration;

pub(super) const NAME: &str = "cost";

const MILLION: f64 = 1_000_000.0;

pub(super) fn run(_: &Bench) -> anyhow::Result<Vec<Row>> {
    let estimate = Estimate::of(&Configuration::new())?;
    let used = RunUse::of(&estimate.facts);
    let row = |what: String, unit, value| Row::new(NAME, what, unit, Summary::exact(value));
    let run = |what: &str, unit, value| row(format!("a run: {what}"), unit, value);
    let mut rows = vec![
        run("Lambda time, assumed", "GB-s", used.lambda_gb_seconds),
        run("Lambda requests", "", 1.0 + used.enricher_invocations),
        run("SNS requests", "", used.sns_requests),
        run("SQS requests", "", used.sqs_requests),
        run("S3 requests that write", "", used.s3_writes),
        run("S3 requests that read", "", used.s3_reads),
        run("KMS requests", "", used.kms_requests),
        run("PutMetricData", "", used.put_metric_data),
        run("spans", "", used.spans),
        run("logs", "KiB", used.log_gb * f64::from(1 << 20)),
    ];
    let grows = |line: &&Line| line.million_movies.quantity > 0.0;
    for line in estimate.lines.iter().filter(grows) {
        let million = |what: String, unit, value| row(format!("a million movies: {what}"), unit, value);
        rows.push(million(format!("{}, how much", line.what), thing(line.price.unit), line.million_movies.quantity));
        rows.push(million(line.what.clone(), "US$", line.million_movies.usd));
    }
    // Where they go to X-Ray they are paid for by the byte, and told above; their number is the same wherever they go.
    let runs = MILLION / number(usize::try_from(estimate.facts.movies_per_run)?);
    rows.push(row("a million movies: spans, where traces are on, how many".to_owned(), "", runs * used.spans));
    rows.push(row("a million movies: sum".to_owned(), "US$", estimate.million_movies_usd));
    rows.push(row("a month with a run a day: sum".to_owned(), "US$", estimate.month_usd));
    Ok(rows)
}

/// What a price is for, without how many of it: "for 10,000 requests" is for requests.
fn thing(unit: &'static str) -> &'static str {
    let one = unit.strip_prefix("a million ").or_else(|| unit.strip_prefix("a "));
    let many = || Some(unit.strip_prefix("for ")?.split_once(' ')?.1);
    one.or_else(many).unwrap_or(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_paid_for_is_told_without_its_number() {
        assert_eq!(
            ["for 10,000 requests", "a million requests", "a GB-second"].map(thing),
            ["requests", "requests", "GB-second"]
        );
    }
}
