//! Where the spans are, which the functions' own setting tells: with the receiver on this machine, with X-Ray, or where
//! nobody here can ask. A story without spans is a story still, so what keeps them from being read is only noted.

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::Context;
use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsError;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Uri, header};
use chrono::{DateTime, Utc};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::material::Material;
use super::span::SpanRecord;
use crate::endpoint::{Action, Endpoint};

/// The path at which the receiver hands out its spans.
pub(crate) const SPANS_PATH: &str = "/spans";

/// Where X-Ray keeps spans once Transaction Search is on.
const LOG_GROUP: &str = "aws/spans";

/// A filter pattern may have 1,024 characters
/// (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>); a run has one
/// trace, and one more for each time that its event was tried again.
const MAX_TRACES: usize = 15;

/// The most bytes of the receiver's answer.
const MAX_BODY_BYTES: usize = 256 * 1024 * 1024;

/// Where the spans are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Traces {
    /// With a receiver on this machine, at this address.
    Receiver(Uri),
    /// In the log group of X-Ray.
    XRay,
    /// Not within reach, for this reason.
    Nowhere(String),
}

impl Traces {
    /// Read from the value of `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub(super) fn of(otlp_endpoint: Option<&str>) -> Self {
        let Some(endpoint) = otlp_endpoint.filter(|endpoint| !endpoint.is_empty()) else {
            return Self::Nowhere("none: traces are off in this stack".to_owned());
        };
        let elsewhere = || Self::Nowhere(format!("none that can be read here: they are sent to {endpoint}"));
        let Ok(uri) = endpoint.parse::<Uri>() else { return elsewhere() };
        match (uri.scheme_str(), uri.host()) {
            (Some("http"), Some("127.0.0.1" | "localhost")) => Self::Receiver(uri),
            (Some("https"), Some(host)) if host.starts_with("xray.") => Self::XRay,
            _ => elsewhere(),
        }
    }

    /// Reads all spans, where that is cheap.
    pub(super) async fn read_all(&self, material: &mut Material) {
        if let Self::Receiver(uri) = self {
            match ask(uri).await {
                Ok(spans) => material.spans = spans,
                Err(error) => {
                    material.no_spans = Some(format!("none: the receiver at {uri} cannot be asked: {error:#}"));
                }
            }
        }
    }

    /// Reads the spans of these traces, or why there are none.
    pub(super) async fn read_run(
        &self,
        endpoint: &Endpoint,
        trace_ids: &BTreeSet<String>,
        time: Range<DateTime<Utc>>,
        material: &mut Material,
    ) {
        match self {
            Self::Receiver(_) => {}
            Self::Nowhere(reason) => material.no_spans = Some(reason.clone()),
            Self::XRay => match search(endpoint, trace_ids, time).await {
                Ok(spans) => material.spans = spans,
                Err(reason) => material.no_spans = Some(reason),
            },
        }
    }
}

async fn ask(receiver: &Uri) -> anyhow::Result<Vec<SpanRecord>> {
    let authority = receiver.authority().context("its address has no host")?;
    let stream = TcpStream::connect((authority.host(), authority.port_u16().unwrap_or(80))).await?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // What the connection ends with is told to the one who sends as well.
    tokio::spawn(connection);
    let request = Request::get(SPANS_PATH).header(header::HOST, authority.as_str()).body(Body::empty())?;
    let response = sender.send_request(request).await?;
    anyhow::ensure!(response.status().is_success(), "it answers {}", response.status());
    let body = to_bytes(Body::new(response.into_body()), MAX_BODY_BYTES).await?;
    let records: Vec<Value> = serde_json::from_slice(&body)?;
    Ok(records.iter().filter_map(SpanRecord::read).collect())
}

async fn search(
    endpoint: &Endpoint,
    trace_ids: &BTreeSet<String>,
    time: Range<DateTime<Utc>>,
) -> Result<Vec<SpanRecord>, String> {
    if trace_ids.is_empty() {
        return Err("none: nothing names the trace of this run".to_owned());
    }
    let filter =
        endpoint.clients().logs.filter_log_events().log_group_name(LOG_GROUP).filter_pattern(pattern(trace_ids));
    let filter = filter.start_time(time.start.timestamp_millis()).end_time(time.end.timestamp_millis());
    let mut pages = filter.into_paginator().send();
    let mut spans = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| {
            if error.as_service_error().is_some_and(FilterLogEventsError::is_resource_not_found_exception) {
                return format!(
                    "none: there is no log group {LOG_GROUP}; Transaction Search is off in this account and region"
                );
            }
            format!("none: {}", endpoint.refusal(Action::FilterLogEvents, LOG_GROUP)(error))
        })?;
        let records = page.events().iter().filter_map(|event| serde_json::from_str::<Value>(event.message()?).ok());
        spans.extend(records.filter_map(|record| SpanRecord::read(&record)));
    }
    if spans.is_empty() {
        return Err(format!(
            "none: {LOG_GROUP} has none of this trace; they arrive some minutes late, or were not sampled"
        ));
    }
    Ok(spans)
}

fn pattern(trace_ids: &BTreeSet<String>) -> String {
    let one = |id: &String| format!(r#"($.traceId = "{id}")"#);
    let all: Vec<_> = trace_ids.iter().take(MAX_TRACES).map(one).collect();
    format!("{{ {} }}", all.join(" || "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_the_functions_send_their_traces_tells_where_to_look_for_them() {
        let found = |value| Traces::of(Some(value));
        assert!(matches!(found("http://127.0.0.1:4318"), Traces::Receiver(_)));
        assert_eq!(found("https://xray.eu-central-1.amazonaws.com"), Traces::XRay);
        assert_eq!(found(""), Traces::Nowhere("none: traces are off in this stack".to_owned()));
        let Traces::Nowhere(reason) = found("https://collector.example") else { panic!() };
        assert!(reason.contains("https://collector.example"), "{reason}");
    }

    #[test]
    fn a_search_names_all_traces_within_what_a_pattern_may_have() {
        let ids = |count: usize| (0..count).map(|id| format!("{id:032x}")).collect::<BTreeSet<_>>();
        let (one, other) = (format!("{:032x}", 0), format!("{:032x}", 1));
        assert_eq!(pattern(&ids(2)), format!(r#"{{ ($.traceId = "{one}") || ($.traceId = "{other}") }}"#));
        assert!(pattern(&ids(100)).len() <= 1024);
    }
}
