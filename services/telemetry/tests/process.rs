//! What `start` does to its process, seen from outside: each test runs itself again as a child and reads its stdout.
#![expect(clippy::unwrap_used, reason = "a test may stop where it stands")]

use std::process::Command;
use std::time::Duration;

use domain::contract::Service;
use serde_json::Value;
use telemetry::{Settings, Sinks, StartError};

/// Set in the child only.
const IN_CHILD: &str = "TELEMETRY_TEST_CHILD";

/// What the child wrote to stdout and stderr when running the test of this name with `work`, or nothing in the child.
fn in_child(test: &str, work: impl FnOnce()) -> Option<(Vec<Value>, String)> {
    if std::env::var_os(IN_CHILD).is_some() {
        work();
        return None;
    }
    let child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(IN_CHILD, "1")
        .env_remove("RUST_BACKTRACE")
        .output()
        .unwrap();
    let stdout = String::from_utf8(child.stdout).unwrap();
    // The test harness writes lines of its own.
    let lines = stdout.lines().filter_map(|line| line.find('{').and_then(|at| serde_json::from_str(&line[at..]).ok()));
    Some((lines.collect(), String::from_utf8(child.stderr).unwrap()))
}

fn settings() -> Settings {
    Settings {
        service: Service::Ranker,
        environment: "test".to_owned(),
        log_level: tracing::Level::INFO,
        sdk_disabled: false,
        otlp_endpoint: None,
        flush_timeout: Duration::from_secs(1),
    }
}

#[test]
fn lines_go_to_stdout() {
    let child = in_child("lines_go_to_stdout", || {
        telemetry::start(settings(), Sinks::default()).unwrap();
        tracing::info!(target: "ranker", "hello");
    });
    let Some((lines, _)) = child else { return };
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((&lines[0]["message"], &lines[0]["service"]), (&"hello".into(), &"ranker".into()));
}

#[test]
fn a_panic_is_one_json_line_and_no_free_text() {
    let child = in_child("a_panic_is_one_json_line_and_no_free_text", || {
        telemetry::start(settings(), Sinks::default()).unwrap();
        let span = tracing::info_span!(target: "ranker", "work", run = "r");
        let panicked = span.in_scope(|| std::panic::catch_unwind(|| panic!("the {} broke", "thing")));
        assert!(panicked.is_err());
    });
    let Some((lines, stderr)) = child else { return };
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = &lines[0];
    assert_eq!((&line["level"], &line["message"]), (&"ERROR".into(), &"panicked".into()));
    assert_eq!((&line["reason"], &line["run"]), (&"the thing broke".into(), &"r".into()));
    assert!(line["stack"].as_str().unwrap().contains("process.rs:"), "{line}");
    assert!(line["trace_id"].is_string());
    assert!(!stderr.contains("panicked at"), "{stderr}");
}

#[test]
fn a_second_start_is_refused() {
    let child = in_child("a_second_start_is_refused", || {
        telemetry::start(settings(), Sinks::default()).unwrap();
        let error = telemetry::start(settings(), Sinks::default()).unwrap_err();
        assert!(matches!(error, StartError::AlreadyStarted), "{error}");
        tracing::info!(target: "ranker", "refused");
    });
    let Some((lines, _)) = child else { return };
    assert_eq!(lines[0]["message"], "refused");
}
