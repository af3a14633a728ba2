//! Use × price, one line a price.

use serde::Serialize;

use super::prices::{self, Price};
use super::usage::{IDLE_POLL_SECONDS, IDLE_POLLERS, Measured, RunUse, count, gb, number};
use super::{Facts, HOURS_PER_MONTH, RUNS_PER_MONTH};

const MILLION: f64 = 1_000_000.0;

/// How much of something, and what it costs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Amount {
    /// In units of the price.
    pub quantity: f64,
    /// In US dollars.
    pub usd: f64,
}

/// What is paid at one price.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// What it is paid for.
    pub what: String,
    /// At what price.
    pub price: Price,
    /// A month with one run a day.
    pub month: Amount,
    /// A million movies in runs of the stack's size; nothing for what the stack costs in any case.
    pub million_movies: Amount,
}

/// All of them, in the order of the flow.
pub(super) fn of(facts: &Facts) -> Vec<Line> {
    let run = RunUse::of(facts);
    let runs = MILLION / number(facts.movies_per_run);
    let line = |what: String, price: Price, standing: f64, per_run: f64| Line {
        what,
        price,
        month: amount(price, standing + per_run * RUNS_PER_MONTH),
        million_movies: amount(price, per_run * runs),
    };
    let standing = |what: String, price: Price, quantity: f64| line(what, price, quantity, 0.0);
    let each_run = |what: &str, price: Price, quantity: f64| line(what.to_owned(), price, 0.0, quantity);

    let gb_second = if facts.is_arm64 { prices::LAMBDA_ARM64 } else { prices::LAMBDA_X86_64 };
    let polls = IDLE_POLLERS * HOURS_PER_MONTH * 3_600.0 / IDLE_POLL_SECONDS;
    let metrics = format!("{} custom metrics, an hour a run", facts.custom_metrics);
    let sent_span_gb = if facts.sends_traces_to_xray { span_gb(&run) } else { 0.0 };
    let lines = [
        standing(counted(facts.keys, "KMS key"), prices::KMS_KEYS, count(facts.keys)),
        each_run("KMS requests", prices::KMS_REQUESTS, run.kms_requests),
        each_run("Lambda requests", prices::LAMBDA_REQUESTS, 1.0 + run.enricher_invocations),
        each_run("Lambda time", gb_second, run.lambda_gb_seconds),
        each_run("SNS requests", prices::SNS_REQUESTS, run.sns_requests),
        line("SQS requests, mostly polls".to_owned(), prices::SQS_REQUESTS, polls, run.sqs_requests),
        each_run("S3 requests that write", prices::S3_WRITES, run.s3_writes),
        each_run("S3 requests that read", prices::S3_READS, run.s3_reads),
        each_run("S3 storage, until it expires", prices::S3_STORAGE, run.s3_gb_months),
        each_run("logs", prices::LOGS_INGESTED, run.log_gb),
        each_run("logs, until they expire", prices::LOGS_STORED, run.log_gb_months),
        each_run("spans", prices::SPANS_INGESTED, sent_span_gb),
        each_run("PutMetricData", prices::PUT_METRIC_DATA, run.put_metric_data),
        // Runs within an hour share it, so it does not grow with them.
        standing(metrics, prices::CUSTOM_METRICS, count(facts.custom_metrics) * RUNS_PER_MONTH / HOURS_PER_MONTH),
        standing("alarms, by metric".to_owned(), prices::ALARM_METRICS, count(facts.alarm_metrics)),
        standing(
            "alarms of high resolution, by metric".to_owned(),
            prices::HIGH_RESOLUTION_ALARM_METRICS,
            count(facts.high_resolution_alarm_metrics),
        ),
        standing("composite alarms".to_owned(), prices::COMPOSITE_ALARMS, count(facts.composite_alarms)),
        standing(counted(facts.dashboards, "dashboard"), prices::DASHBOARDS, count(facts.dashboards)),
    ];
    lines.into_iter().filter(|line| line.month.quantity > 0.0).collect()
}

/// What a run's spans come to where they are kept.
pub(super) fn span_gb(run: &RunUse) -> f64 {
    gb(run.spans * Measured::SPAN_BYTES)
}

fn amount(price: Price, quantity: f64) -> Amount {
    Amount { quantity, usd: price.of(quantity) }
}

fn counted(things: usize, what: &str) -> String {
    if things == 1 { what.to_owned() } else { format!("{what}s") }
}
