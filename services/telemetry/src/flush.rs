//! The end of an invocation: everything is sent, within a budget.

use std::error::Error;
use std::fmt::Display;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::contract::metrics::TELEMETRY_DROPPED;
use opentelemetry::Context;
use opentelemetry::context::FutureExt;
use tokio::time::{Instant, timeout_at};

use crate::cloudwatch::{self, DATA_PER_CALL};
use crate::traces::SPANS_PER_REQUEST;
use crate::{Metrics, traces};

/// What one flush did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlushReport {
    /// Spans that were delivered.
    pub spans_sent: usize,
    /// Spans that were not, those that found no room in the buffer included.
    pub spans_dropped: usize,
    /// Metric data (one per metric) that were delivered.
    pub metrics_sent: usize,
    /// Metric data that were not.
    pub metrics_dropped: usize,
    /// How long it took.
    pub duration: Duration,
}

/// How many things were delivered and how many were not.
#[derive(Debug, Default)]
struct Outcome {
    sent: usize,
    dropped: usize,
}

/// Where spans and metrics go.
#[derive(Debug)]
pub(crate) struct Delivery {
    spans: Option<traces::Export>,
    metrics: Metrics,
    cloudwatch: Option<cloudwatch::Export>,
    /// What was lost and not yet reported as `TelemetryDropped`.
    unreported: AtomicU64,
}

impl Delivery {
    pub(crate) fn new(spans: Option<traces::Export>, metrics: Metrics, cloudwatch: Option<cloudwatch::Export>) -> Self {
        Self { spans, metrics, cloudwatch, unreported: AtomicU64::new(0) }
    }

    /// Spans and metrics at once. Spans get three quarters of the budget, so that when they are lost there is time to
    /// report it: the environment of a daily function may not live to see another flush.
    pub(crate) async fn flush(&self, budget: Duration) -> FlushReport {
        let start = Instant::now();
        self.metrics.touch_counters();
        let both = async {
            let (spans, mut metrics) = tokio::join!(self.send_spans(budget / 4 * 3), self.send_metrics(start + budget));
            if metrics.dropped == 0 && self.unreported.load(Ordering::Relaxed) > 0 {
                let report = self.send_metrics(start + budget).await;
                metrics.sent += report.sent;
                metrics.dropped += report.dropped;
            }
            (spans, metrics)
        };
        // Otherwise the requests that carry telemetry would become spans for the next flush to carry.
        let (spans, metrics) = both.with_context(Context::current().with_telemetry_suppressed()).await;
        FlushReport {
            spans_sent: spans.sent,
            spans_dropped: spans.dropped,
            metrics_sent: metrics.sent,
            metrics_dropped: metrics.dropped,
            duration: start.elapsed(),
        }
    }

    async fn send_spans(&self, budget: Duration) -> Outcome {
        let Some(export) = &self.spans else { return Outcome::default() };
        let buffer = export.buffer();
        let overflowed = self.lost("spans", buffer.take_overflowed(), "more of them finished than the buffer holds");
        let (mut spans, deadline) = (buffer.take(), Instant::now() + budget);
        let (count, mut undelivered) = (spans.len(), 0);
        while !spans.is_empty() {
            let later = spans.split_off(spans.len().min(SPANS_PER_REQUEST));
            let sent = spans.len() as u64;
            undelivered += match timeout_at(deadline, export.send(spans)).await {
                Ok(Ok(rejected)) => self.lost("spans", rejected, "the collector rejected them"),
                Ok(Err(reason)) => self.lost("spans", sent, reason),
                Err(_) => self.lost("spans", sent, unanswered(budget)),
            };
            spans = later;
        }
        Outcome { sent: count.saturating_sub(undelivered), dropped: overflowed + undelivered }
    }

    async fn send_metrics(&self, deadline: Instant) -> Outcome {
        let Some(export) = &self.cloudwatch else { return Outcome::default() };
        let budget = deadline.saturating_duration_since(Instant::now());
        let owed = self.unreported.swap(0, Ordering::Relaxed);
        self.metrics.count(TELEMETRY_DROPPED, owed);
        let mut outcome = Outcome::default();
        for data in export.convert(&self.metrics.collect()).chunks(DATA_PER_CALL) {
            match timeout_at(deadline, export.put(data)).await {
                Ok(Ok(())) => outcome.sent += data.len(),
                Ok(Err(error)) => outcome.dropped += self.lost("metrics", data.len() as u64, reasons(&*error)),
                Err(_) => outcome.dropped += self.lost("metrics", data.len() as u64, unanswered(budget)),
            }
        }
        if outcome.dropped > 0 {
            self.unreported.fetch_add(owed, Ordering::Relaxed);
        }
        outcome
    }

    /// Counts and logs what was lost, if anything was.
    fn lost(&self, what: &str, dropped: u64, reason: impl Display) -> usize {
        if dropped == 0 {
            return 0;
        }
        self.unreported.fetch_add(dropped, Ordering::Relaxed);
        tracing::warn!(dropped, %reason, "{what} were not delivered");
        usize::try_from(dropped).unwrap_or(usize::MAX)
    }
}

fn unanswered(budget: Duration) -> String {
    format!("no answer within {} ms", budget.as_millis())
}

/// An error and what caused it, in one line.
#[must_use]
pub fn reasons(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
