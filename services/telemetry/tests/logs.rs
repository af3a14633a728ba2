//! What a log line looks like, and which are written.
#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use domain::contract::{Service, logs};
use serde_json::json;
use telemetry::Settings;
use telemetry::testing::{self, Captured};
use tracing::Level;

fn at(log_level: Level) -> Captured {
    let settings = Settings {
        service: Service::Enricher,
        environment: "test".to_owned(),
        log_level,
        sdk_disabled: false,
        otlp_endpoint: None,
        flush_timeout: std::time::Duration::from_secs(1),
    };
    testing::start(settings, telemetry::Sinks::default()).unwrap().1
}

#[test]
fn a_line_begins_with_the_fields_that_lambda_and_our_queries_know() {
    let captured = testing::capture(Service::Enricher);
    let span = tracing::info_span!(target: "enricher", "record", run = "2026-11-22T12-00-00Z", position = 3_u64);
    span.in_scope(|| tracing::info!(target: "enricher::handler", stored = 1, "movie stored"));

    let line = &captured.lines()[0];
    let keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = ["timestamp", "level", "message", "target", "service", "trace_id", "run", "position", "stored"];
    assert_eq!(keys, expected);
    assert!(keys.iter().all(|key| logs::ALL.iter().any(|field| field.name == *key)), "the contract names them all");
    assert_eq!(line["level"], "INFO");
    assert_eq!(line["message"], "movie stored");
    assert_eq!(line["target"], "enricher::handler");
    assert_eq!(line["service"], "enricher");
    assert_eq!(line["position"], 3);
    let trace_id = captured.spans().is_empty().then(|| line["trace_id"].as_str().unwrap().to_owned()).unwrap();
    drop(span);
    assert_eq!(captured.spans()[0].span_context.trace_id().to_string(), trace_id);
}

#[test]
fn the_time_is_utc_with_milliseconds() {
    let captured = testing::capture(Service::Enricher);
    tracing::warn!("now");
    let line = captured.line("now");
    let timestamp = line["timestamp"].as_str().unwrap();
    assert!(timestamp.ends_with('Z') && timestamp.len() == "2026-11-22T12:00:00.000Z".len(), "{timestamp}");
    let age = chrono::DateTime::<chrono::Utc>::from(std::time::SystemTime::now())
        - chrono::DateTime::parse_from_rfc3339(timestamp).unwrap().to_utc();
    assert!((0..60_000).contains(&age.num_milliseconds()), "{age}");
}

#[test]
fn numbers_stay_numbers_and_errors_become_text() {
    let captured = testing::capture(Service::Enricher);
    let error = std::io::Error::other("disk full");
    tracing::warn!(
        duration_ms = std::time::Duration::from_millis(1_234).as_millis(),
        delta = -5,
        share = 0.5,
        endless = f64::INFINITY,
        cold_start = true,
        displayed = %error,
        debugged = ?Some("x"),
        chained = &error as &dyn std::error::Error,
        "done \"quoted\"\nand broken"
    );
    let line = captured.line("done \"quoted\"\nand broken");
    let expected = json!({
        "duration_ms": 1234, "delta": -5, "share": 0.5, "endless": "inf", "cold_start": true,
        "displayed": "disk full", "debugged": "Some(\"x\")", "chained": "disk full",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&line[name], value, "{name}");
    }
}

#[test]
fn every_line_is_one_line_handed_over_at_once() {
    let captured = testing::capture(Service::Enricher);
    tracing::warn!(text = "a\nb", "first\r\nstill first");
    tracing::warn!("second");
    let raw = captured.raw();
    assert_eq!(raw.len(), 2);
    assert!(raw.iter().all(|line| line.ends_with('\n') && line.matches('\n').count() == 1), "{raw:?}");
}

#[test]
fn the_inner_span_wins_and_the_event_wins_over_both() {
    let captured = testing::capture(Service::Enricher);
    let outer = tracing::info_span!(target: "enricher", "outer", run = "outer", position = 1, imdb_id = "outer");
    let _outer = outer.entered();
    let inner = tracing::info_span!(target: "enricher", "inner", position = 2, imdb_id = "inner");
    let _inner = inner.entered();
    tracing::info!(target: "enricher", imdb_id = "event", "here");
    let line = captured.line("here");
    assert_eq!((&line["run"], &line["position"], &line["imdb_id"]), (&"outer".into(), &2.into(), &"event".into()));
}

#[test]
fn fields_recorded_later_are_in_later_lines() {
    let captured = testing::capture(Service::Enricher);
    let span = tracing::info_span!(target: "enricher", "record", run = tracing::field::Empty);
    let _entered = span.enter();
    tracing::info!(target: "enricher", "before");
    span.record("run", "r");
    tracing::info!(target: "enricher", "after");
    assert_eq!(captured.line("before").get("run"), None);
    assert_eq!(captured.line("after")["run"], "r");
}

#[test]
fn no_field_passes_for_the_level_or_the_origin_of_a_line() {
    let captured = testing::capture(Service::Enricher);
    tracing::warn!(level = "DEBUG", service = "other", timestamp = 0, "forged");
    let line = captured.line("forged");
    assert_eq!((&line["level"], &line["service"]), (&"WARN".into(), &"enricher".into()));
    assert!(line["timestamp"].is_string());
}

#[test]
fn attributes_of_spans_and_instructions_to_their_layer_stay_out_of_the_logs() {
    let captured = testing::capture(Service::Enricher);
    let span =
        tracing::info_span!(target: "enricher", "publish", otel.kind = "producer", faas.coldstart = true, run = "r");
    span.in_scope(|| tracing::info!(target: "enricher", "sent"));
    let line = captured.line("sent");
    assert_eq!((line.get("otel.kind"), line.get("faas.coldstart"), &line["run"]), (None, None, &"r".into()));
    drop(span);
    assert_eq!(format!("{:?}", captured.spans()[0].span_kind), "Producer");
}

#[test]
fn the_log_level_governs_our_packages_and_all_others_log_warnings_at_most() {
    let captured = at(Level::DEBUG);
    tracing::debug!(target: "enricher::omdb", "ours");
    tracing::debug!(target: "function", "ours too");
    tracing::trace!(target: "enricher", "ours, finer");
    tracing::info!(target: "hyper_util::client", "theirs");
    tracing::info!(target: "enricher_tools", "begins like ours");
    tracing::warn!(target: "hyper_util::client", "their warning");
    let messages: Vec<_> = captured.lines().iter().map(|line| line["message"].clone()).collect();
    assert_eq!(messages, ["ours", "ours too", "their warning"]);
}

#[test]
fn at_error_nobody_warns() {
    let captured = at(Level::ERROR);
    tracing::warn!(target: "enricher", "ours");
    tracing::warn!(target: "hyper_util", "theirs");
    tracing::error!(target: "hyper_util", "their error");
    assert_eq!(captured.lines().len(), 1);
}

#[test]
fn a_warning_says_which_run_it_is_about_even_when_information_is_not_logged() {
    let captured = at(Level::WARN);
    let span = tracing::info_span!(target: "enricher", "record", run = "r");
    span.in_scope(|| {
        tracing::info!(target: "enricher", "unimportant");
        tracing::warn!(target: "enricher", "important");
    });
    assert_eq!(captured.lines().len(), 1);
    let line = captured.line("important");
    assert_eq!((&line["run"], line["trace_id"].is_string()), (&"r".into(), true));
}

#[test]
fn spans_of_other_packages_leave_no_trace() {
    let captured = testing::capture(Service::Enricher);
    let span = tracing::info_span!(target: "reqwest", "request", url = "http://omdb.example/?apikey=5ecre7");
    span.in_scope(|| tracing::warn!(target: "enricher", "inside"));
    drop(span);
    assert!(captured.spans().is_empty());
    assert!(!captured.raw().concat().contains("5ecre7"));
}

#[test]
fn warnings_and_errors_are_told_to_the_span_and_information_is_not() {
    let captured = testing::capture(Service::Enricher);
    tracing::info_span!(target: "enricher", "record").in_scope(|| {
        tracing::info!(target: "enricher", "started");
        tracing::error!(target: "enricher", "failed");
    });
    let span = &captured.spans()[0];
    let events: Vec<_> = span.events.iter().map(|event| event.name.clone()).collect();
    assert_eq!(events, ["failed"]);
    assert!(matches!(span.status, opentelemetry::trace::Status::Error { .. }), "{:?}", span.status);
}
