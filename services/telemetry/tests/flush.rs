//! What a flush delivers, and what it does when nobody takes it. Every test runs on a current-thread runtime, as the
//! functions do: a flush that needs another thread to make progress would hang here.
#![expect(clippy::unwrap_used, clippy::float_cmp, reason = "a test may stop where it stands; counts are whole numbers")]

mod fakes;

use std::time::{Duration, Instant};

use domain::contract::Service;
use domain::contract::metrics::{MOVIES_RANKED, NAMESPACE};
use fakes::{Mood, Receivers, SECRET, settings, value};
use telemetry::testing::{self, Captured};
use telemetry::{FlushReport, StartError, Telemetry};

/// Long enough for a flush that works, short enough to wait for one that does not.
const BUDGET: Duration = Duration::from_millis(200);

fn start(receivers: &Receivers) -> (Telemetry, Captured) {
    testing::start(settings(Service::Ranker), receivers.sinks()).unwrap()
}

fn finish_span(name: &'static str) {
    tracing::info_span!(target: "ranker", "work", name).in_scope(|| ());
}

/// Delivered and dropped spans, delivered and dropped metric data.
fn counts(report: &FlushReport) -> (usize, usize, usize, usize) {
    (report.spans_sent, report.spans_dropped, report.metrics_sent, report.metrics_dropped)
}

/// The sum of `TelemetryDropped` over all calls, none of which is in vain.
fn reported_drops(receivers: &Receivers) -> f64 {
    let calls = receivers.cloudwatch.calls();
    assert!(calls.len() <= 2, "{calls:?}");
    calls.iter().filter_map(|call| value(call, "TelemetryDropped")).sum()
}

#[tokio::test]
async fn one_flush_is_one_request_for_spans_and_one_call_for_metrics() {
    let receivers = Receivers::new();
    let (telemetry, _captured) = start(&receivers);
    finish_span("first");
    finish_span("second");
    telemetry.metrics().count(MOVIES_RANKED, 10);

    assert_eq!(counts(&telemetry.flush().await), (2, 0, 4, 0));

    let requests = receivers.collector.requests();
    let [(address, content_type, request)] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!(address, "http://collector.example:4318/v1/traces");
    assert_eq!(content_type, "application/x-protobuf");
    let resource = format!("{:?}", request.resource_spans[0].resource);
    for part in ["service.name", "ranker", "service.version", "deployment.environment.name", "test"] {
        assert!(resource.contains(part), "{part} in {resource}");
    }
    assert!(!resource.contains("unknown_service"), "{resource}");
    let calls = receivers.cloudwatch.calls();
    let [call] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!(call.namespace(), Some(NAMESPACE));
    assert_eq!(value(call, "MoviesRanked"), Some(10.0));
    assert_eq!(value(call, "SourceItemsRejected"), Some(0.0), "an alarm on it needs data");
    assert_eq!(value(call, "TelemetryDropped"), Some(0.0));
    assert_eq!(value(call, "MoviesEnriched"), None, "another service's");
}

#[tokio::test]
async fn trace_ids_begin_with_the_time_as_x_ray_wants_them() {
    let receivers = Receivers::new();
    let (telemetry, _captured) = start(&receivers);
    finish_span("only");
    telemetry.flush().await;
    let trace_id = &receivers.collector.spans()[0].trace_id;
    let seconds = u64::from(u32::from_be_bytes(trace_id[..4].try_into().unwrap()));
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!((now - 60..=now).contains(&seconds), "{seconds} is not about {now}");
}

#[tokio::test]
async fn a_collector_that_hangs_holds_nobody_up_and_its_spans_are_reported_at_once() {
    let receivers = Receivers::new();
    receivers.collector.set(Mood::Hangs);
    let (telemetry, captured) = start(&receivers);
    finish_span("lost");
    telemetry.metrics().count(MOVIES_RANKED, 10);

    let start = Instant::now();
    let report = telemetry.flush_within(BUDGET).await;
    assert!(start.elapsed() < BUDGET * 5, "{:?}", start.elapsed());

    assert_eq!((report.spans_sent, report.spans_dropped, report.metrics_dropped), (0, 1, 0));
    let calls = receivers.cloudwatch.calls();
    assert_eq!(value(&calls[0], "MoviesRanked"), Some(10.0), "metrics do not suffer from it");
    assert_eq!(value(&calls[1], "TelemetryDropped"), Some(1.0));
    assert_eq!(calls[1].metric_data().len(), 1, "nothing else is reported twice");
    let line = captured.line("spans were not delivered");
    assert_eq!((&line["level"], &line["dropped"]), (&"WARN".into(), &1.into()));
    assert_eq!(line["reason"], "no answer within 150 ms");
}

#[tokio::test]
async fn a_collector_that_refuses_is_asked_once_and_its_address_stays_out_of_the_logs() {
    let receivers = Receivers::new();
    receivers.collector.set(Mood::Refuses);
    let (telemetry, captured) = start(&receivers);
    finish_span("lost");

    let start = Instant::now();
    let report = telemetry.flush().await;
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());

    assert_eq!((report.spans_sent, report.spans_dropped), (0, 1));
    assert_eq!(receivers.collector.requests().len(), 1);
    assert_eq!(reported_drops(&receivers), 1.0);
    assert_eq!(captured.line("spans were not delivered")["dropped"], 1);
    for line in captured.raw() {
        assert!(!line.contains(SECRET), "{line}");
    }
}

#[tokio::test]
async fn spans_that_the_collector_accepts_and_rejects_are_counted_as_dropped() {
    let receivers = Receivers::new();
    receivers.collector.set(Mood::RejectsOne);
    let (telemetry, captured) = start(&receivers);
    finish_span("taken");
    finish_span("too large");
    let report = telemetry.flush().await;
    assert_eq!((report.spans_sent, report.spans_dropped), (1, 1));
    assert_eq!(captured.line("spans were not delivered")["reason"], "the collector rejected them");
    assert_eq!(reported_drops(&receivers), 1.0);
}

#[tokio::test]
async fn metrics_that_could_not_be_delivered_are_counted_with_the_next_that_can() {
    for mood in [Mood::Hangs, Mood::Refuses] {
        let receivers = Receivers::new();
        receivers.cloudwatch.set(mood);
        let (telemetry, captured) = start(&receivers);
        telemetry.metrics().count(MOVIES_RANKED, 10);

        let start = Instant::now();
        assert_eq!(counts(&telemetry.flush_within(BUDGET).await), (0, 0, 0, 4), "{mood:?}");
        assert!(start.elapsed() < BUDGET * 5, "{mood:?}: {:?}", start.elapsed());
        assert_eq!(captured.line("metrics were not delivered")["dropped"], 4, "{mood:?}");
        assert_eq!(counts(&telemetry.flush_within(BUDGET).await), (0, 0, 0, 4), "{mood:?}");

        receivers.cloudwatch.set(Mood::Answers);
        assert_eq!(counts(&telemetry.flush().await), (0, 0, 4, 0), "{mood:?}");
        assert_eq!(value(&receivers.cloudwatch.calls()[2], "TelemetryDropped"), Some(8.0), "{mood:?}");
        telemetry.flush().await;
        assert_eq!(value(&receivers.cloudwatch.calls()[3], "TelemetryDropped"), Some(0.0), "{mood:?}");
    }
}

#[tokio::test]
async fn the_work_beside_a_flush_that_nobody_answers_goes_on() {
    let receivers = Receivers::new();
    receivers.collector.set(Mood::Hangs);
    receivers.cloudwatch.set(Mood::Hangs);
    let (telemetry, _captured) = start(&receivers);
    finish_span("lost");

    let work = async {
        tokio::time::sleep(BUDGET / 10).await;
        Instant::now()
    };
    let (report, worked) = tokio::join!(telemetry.flush_within(BUDGET), work);
    assert!(worked < Instant::now());
    assert_eq!(counts(&report), (0, 1, 0, 4));
    assert!(report.duration >= BUDGET && report.duration < BUDGET * 5, "{:?}", report.duration);
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_nobody_answers_takes_its_budget_and_not_a_millisecond_more() {
    for (collector, cloudwatch) in
        [(Mood::Hangs, Mood::Hangs), (Mood::Hangs, Mood::Refuses), (Mood::Refuses, Mood::Hangs)]
    {
        let receivers = Receivers::new();
        receivers.collector.set(collector);
        receivers.cloudwatch.set(cloudwatch);
        let (telemetry, _captured) = start(&receivers);
        finish_span("lost");
        telemetry.metrics().count(MOVIES_RANKED, 10);
        let start = tokio::time::Instant::now();
        let report = telemetry.flush_within(BUDGET).await;
        assert!(start.elapsed() <= BUDGET, "{collector:?}, {cloudwatch:?}: {:?}", start.elapsed());
        assert_eq!(counts(&report), (0, 1, 0, 4), "{collector:?}, {cloudwatch:?}");
    }
}

#[tokio::test]
async fn a_larger_budget_than_the_timeout_of_the_settings_does_not_count() {
    let receivers = Receivers::new();
    receivers.cloudwatch.set(Mood::Hangs);
    let mut settings = settings(Service::Ranker);
    settings.flush_timeout = BUDGET;
    let (telemetry, _captured) = testing::start(settings, receivers.sinks()).unwrap();
    let report = telemetry.flush_within(Duration::from_hours(1)).await;
    assert!(report.duration < BUDGET * 5, "{:?}", report.duration);
}

#[tokio::test]
async fn spans_beyond_what_the_buffer_holds_are_counted_as_dropped() {
    let receivers = Receivers::new();
    let (telemetry, _captured) = start(&receivers);
    for _ in 0..8_192 + 5 {
        finish_span("one of many");
    }
    let report = telemetry.flush().await;
    assert_eq!((report.spans_sent, report.spans_dropped), (8_192, 5));
    let requests = receivers.collector.requests();
    let sizes: Vec<_> =
        requests.iter().map(|(_, _, request)| request.resource_spans[0].scope_spans[0].spans.len()).collect();
    assert_eq!(sizes, [4_096, 4_096], "no request is larger than X-Ray takes");
    assert_eq!(reported_drops(&receivers), 5.0);
    finish_span("there is room again");
    assert_eq!(telemetry.flush().await.spans_sent, 1);
}

#[tokio::test]
async fn the_requests_of_the_exporter_are_no_spans() {
    let receivers = Receivers::new();
    let (telemetry, _captured) = start(&receivers);
    finish_span("work");
    assert_eq!(telemetry.flush().await.spans_sent, 1);
    assert_eq!(telemetry.flush().await.spans_sent, 0);
    assert_eq!(receivers.collector.spans().len(), 1);
}

#[tokio::test]
async fn without_an_endpoint_spans_still_give_the_logs_their_trace_ids() {
    let receivers = Receivers::new();
    let mut settings = settings(Service::Ranker);
    settings.otlp_endpoint = None;
    let (telemetry, captured) = testing::start(settings, receivers.sinks()).unwrap();
    tracing::info_span!(target: "ranker", "work").in_scope(|| tracing::info!(target: "ranker", "working"));
    assert_eq!(captured.line("working")["trace_id"].as_str().map(str::len), Some(32));
    assert_eq!(counts(&telemetry.flush().await), (0, 0, 4, 0));
    assert!(receivers.collector.requests().is_empty());
}

#[tokio::test]
async fn a_disabled_sdk_logs_and_does_nothing_else() {
    let receivers = Receivers::new();
    let mut settings = settings(Service::Ranker);
    settings.sdk_disabled = true;
    let (telemetry, captured) = testing::start(settings, receivers.sinks()).unwrap();
    telemetry.metrics().count(MOVIES_RANKED, 1);
    tracing::info_span!(target: "ranker", "work", run = "r").in_scope(|| tracing::info!(target: "ranker", "working"));
    assert_eq!(telemetry.flush().await, FlushReport::default());
    assert!(receivers.collector.requests().is_empty() && receivers.cloudwatch.calls().is_empty());
    let line = captured.line("working");
    assert_eq!((line.get("trace_id"), &line["run"]), (None, &"r".into()));
}

#[test]
fn an_address_that_spans_cannot_be_posted_to_is_refused_without_being_shown() {
    for address in ["collector.example:4318", "", "http://", "http://collector example/?apikey=5ecre7"] {
        let mut settings = settings(Service::Ranker);
        settings.otlp_endpoint = Some(address.to_owned());
        let error = testing::start(settings, Receivers::new().sinks()).err().unwrap();
        assert!(matches!(error, StartError::Endpoint { .. }), "{address:?}: {error}");
        let text = error.to_string();
        assert!(text.contains("OTEL_EXPORTER_OTLP_ENDPOINT") && !text.contains(SECRET), "{text}");
    }
}

#[test]
fn an_address_without_a_client_is_refused() {
    let sinks = telemetry::Sinks::default();
    let error = testing::start(settings(Service::Ranker), sinks).err().unwrap();
    assert!(matches!(error, StartError::NoHttpClient), "{error}");
}
