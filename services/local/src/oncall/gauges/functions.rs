//! Lambda's metrics of the functions (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>), from
//! what Lambda writes into their logs around each invocation.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use domain::contract::{Service, logs};
use serde_json::Value;

use super::queues::Queues;
use crate::oncall::recording::{Recording, metric};
use crate::pipeline::Pipeline;

/// Who tells of an invocation that failed, in the functions' logs.
const INVOCATION: &str = "function::invocation";

/// An invocation as its log tells it.
#[derive(Debug, PartialEq)]
struct Invocation {
    /// When it ended.
    at: Duration,
    duration_ms: f64,
    failed: bool,
}

pub(super) async fn read(
    pipeline: &Pipeline,
    fired: SystemTime,
    queues: &Queues,
    recording: &mut Recording,
) -> anyhow::Result<()> {
    for service in Service::ALL {
        let function = pipeline.deployment().function(service);
        for Invocation { at, duration_ms, failed } in invocations(pipeline, service, fired).await? {
            let mut count =
                |name, value| recording.count(metric("AWS/Lambda", name, "FunctionName", function), at, value);
            count("Invocations", 1.0);
            count("Duration", duration_ms);
            count("Errors", f64::from(u8::from(failed)));
        }
    }
    count_dropped_events(pipeline, queues, recording).await
}

async fn invocations(pipeline: &Pipeline, service: Service, fired: SystemTime) -> anyhow::Result<Vec<Invocation>> {
    let group = pipeline.deployment().log_group(service);
    let mut pages = pipeline.clients().logs.filter_log_events().log_group_name(group).into_paginator().send();
    let mut streams = BTreeMap::<String, Vec<(Duration, String)>>::new();
    while let Some(page) = pages.next().await {
        for event in page.with_context(|| format!("reading the log group {group}"))?.events() {
            let written = Duration::from_millis(event.timestamp().unwrap_or_default().try_into().unwrap_or_default());
            let at = (SystemTime::UNIX_EPOCH + written).duration_since(fired).unwrap_or_default();
            let line = (at, event.message().unwrap_or_default().to_owned());
            streams.entry(event.log_stream_name().unwrap_or_default().to_owned()).or_default().push(line);
        }
    }
    Ok(streams.values().flat_map(|lines| invocations_of(lines)).collect())
}

/// Lambda writes the lines of an invocation in one piece, `REPORT` last.
fn invocations_of(lines: &[(Duration, String)]) -> Vec<Invocation> {
    let mut invocations = Vec::new();
    let mut failed = false;
    for (at, line) in lines {
        if line.starts_with("START RequestId: ") {
            failed = false;
        } else if let Some(duration_ms) = reported_ms(line) {
            invocations.push(Invocation { at: *at, duration_ms, failed });
        } else {
            failed |= tells_failure(line);
        }
    }
    invocations
}

/// `REPORT RequestId: …<tab>Duration: 277 ms<tab>…`
fn reported_ms(line: &str) -> Option<f64> {
    let duration =
        line.strip_prefix("REPORT RequestId: ")?.split('\t').find_map(|part| part.strip_prefix("Duration: "))?;
    duration.strip_suffix(" ms")?.parse().ok()
}

fn tells_failure(line: &str) -> bool {
    let record: Value = serde_json::from_str(line).unwrap_or_default();
    record[logs::LEVEL.name] == "ERROR" && record[logs::TARGET.name] == INVOCATION
}

/// Lambda counts an event as dropped when it gives up on it; the on-failure queue then has it. What EventBridge leaves
/// there has no context of a request.
async fn count_dropped_events(pipeline: &Pipeline, queues: &Queues, recording: &mut Recording) -> anyhow::Result<()> {
    let deployment = pipeline.deployment();
    let queue = &deployment.ranker_failures_queue_url;
    let mut arrivals = queues.readings(queue).iter().filter(|reading| reading.sent > 0).peekable();
    if arrivals.peek().is_none() {
        return Ok(());
    }
    let events = pipeline.peek(queue).await?;
    let dropped = events.iter().filter(|event| {
        let event: Value = serde_json::from_str(event).unwrap_or_default();
        event.get("requestContext").is_some()
    });
    for (_, arrival) in dropped.zip(arrivals) {
        let metric = metric("AWS/Lambda", "AsyncEventsDropped", "FunctionName", &deployment.ranker_function);
        recording.count(metric, arrival.at, 1.0);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invocation_is_read_from_its_log_lines() {
        let failed = format!(r#"{{"level":"ERROR","target":"{INVOCATION}","message":"the invocation failed"}}"#);
        let record = r#"{"level":"ERROR","target":"enricher::handler","message":"the record failed"}"#;
        let report = "REPORT RequestId: 1\tDuration: 277 ms\tBilled Duration: 300 ms";
        let lines = ["START RequestId: 1", &failed, "END RequestId: 1", report, "START RequestId: 2", record, report];
        let lines: Vec<_> = lines.iter().map(|line| (Duration::from_secs(5), (*line).to_owned())).collect();
        let of = |failed| Invocation { at: Duration::from_secs(5), duration_ms: 277.0, failed };
        assert_eq!(invocations_of(&lines), [of(true), of(false)]);
    }
}
