//! The enricher's binary as Lambda starts it, with an environment that is faulty.

#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line that unwrapped")]

use std::process::{Command, Output};

use domain::contract::Service;
use serde_json::Value;

const SECRET: &str = "canary-key";

fn start(environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_enricher")).env_clear().envs(environment.iter().copied()).output().unwrap()
}

#[test]
fn it_refuses_to_start_and_names_every_missing_variable_in_one_line_of_the_log() {
    let output = start(&[]);
    assert!(!output.status.success());
    let line: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(line["level"], "ERROR");
    assert_eq!(line["message"], "the function refuses to start");
    let required = Service::Enricher.variables().into_iter().filter(|variable| variable.default.is_none());
    for variable in required {
        assert!(line["reason"].as_str().unwrap().contains(&format!("{} is missing", variable.name)), "{line}");
    }
}

#[test]
fn it_names_every_unreadable_variable_and_shows_the_value_of_none() {
    // The other variables hold names, for which any text is right.
    let checked = [
        "LOG_LEVEL",
        "OTEL_SDK_DISABLED",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "TELEMETRY_FLUSH_TIMEOUT_MS",
        "KMS_KEY_ARN",
        "OMDB_BASE_URL",
        "OMDB_CONNECT_TIMEOUT_MS",
        "OMDB_TIMEOUT_MS",
        "OMDB_MAX_ATTEMPTS",
        "OMDB_DAILY_LIMIT",
    ];
    let variables = Service::Enricher.variables();
    let environment: Vec<_> = variables.iter().map(|variable| (variable.name, SECRET)).collect();
    let output = start(&environment);
    assert!(!output.status.success());
    let shown = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    for name in checked {
        assert!(shown.contains(&format!("{name} cannot be read")), "{name}: {shown}");
    }
    assert!(!shown.contains(SECRET), "{shown}");
}
