//! `cargo local simulate` as its users meet it: what it prints and how it ends.
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn simulate(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.arg("simulate").args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn storms_that_break_no_rule_end_with_0_and_tell_how_much_was_simulated() {
    let output = simulate(&["--deliveries", "1000", "--seed", "1", "--json"]);
    assert_eq!(output.status.code(), Some(0));
    let report = json(&output);
    assert!(report["deliveries"].as_u64().unwrap() >= 1_000 && report["failed"].is_null(), "{report}");
    assert!(report["deliveries_per_second"].as_f64().unwrap() > 0.0, "{report}");
}

#[test]
fn a_mistake_that_is_noticed_ends_with_1_its_seed_and_the_same_story_every_time() {
    let arguments = ["--mistake", "latest-without-condition", "--seed", "1", "--json"];
    let output = simulate(&arguments);
    assert_eq!(output.status.code(), Some(1));
    let failed = &json(&output)["failed"];
    let seed = failed["seed"].as_u64().unwrap().to_string();
    assert_eq!(failed["violations"][0]["rule"], "latest");
    let again = simulate(&["--mistake", "latest-without-condition", "--seed", &seed, "--deliveries", "1", "--json"]);
    assert_eq!(&json(&again)["failed"], failed);
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    for arguments in [&["--deliveries", "0"][..], &["--seed", "x"], &["--mistake", "none-of-ours"]] {
        assert_eq!(simulate(arguments).status.code(), Some(2), "{arguments:?}");
    }
}
