//! `cargo local storm` as its users meet it.

use std::process::Stdio;

use serde_json::Value;
use tokio::process::Command;

async fn storm(arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    let output = command.arg("storm").args(arguments).stdin(Stdio::null()).output().await.unwrap();
    for (place, told) in [("what a storm prints", &output.stdout), ("what a storm tells meanwhile", &output.stderr)] {
        local::assert_no_canary(place, told);
    }
    output
}

#[tokio::test]
async fn a_storm_that_breaks_no_rule_ends_with_0_and_tells_what_was_done() {
    let output = storm(&["--runs", "2", "--movies", "10", "--seed", "6", "--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["movies"], &report["restarts"], &report["seed"]),
        (&20.into(), &1.into(), &6.into()),
        "{report}"
    );
    assert_eq!(report["violations"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn a_wrong_command_line_ends_with_2() {
    for arguments in [&["--runs", "0"][..], &["--movies", "1001"], &["--seed", "x"]] {
        assert_eq!(storm(arguments).await.status.code(), Some(2), "{arguments:?}");
    }
}

#[tokio::test]
async fn the_smallest_storm_comes_to_its_end_though_little_is_left_to_fail() {
    let output = storm(&["--runs", "1", "--movies", "1", "--seed", "1", "--json"]).await;
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["movies"], 1, "{report}");
}
