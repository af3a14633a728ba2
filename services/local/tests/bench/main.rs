//! `cargo local bench` as its users meet it. The functions are those that are built for tests, once each: that measuring
//! works is looked at here, and no figure is judged.
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

use std::process::{Command, Output, Stdio};

use serde_json::Value;

fn bench(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local"));
    command.arg("bench").args(arguments).stdin(Stdio::null()).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn rows(output: &Output) -> Vec<Value> {
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    report["rows"].as_array().unwrap().clone()
}

fn judged<'a>(rows: &'a [Value], case: &str) -> Vec<&'a Value> {
    rows.iter().filter(|row| row["case"] == case && !row["verdict"].is_null()).collect()
}

#[test]
fn both_functions_start_and_serve_between_the_stand_ins_and_their_figures_are_told() {
    let rows = rows(&bench(&["cold", "warm", "telemetry", "--rounds", "1", "--tested", "--json"]));
    for row in &rows {
        assert!(row["median"].as_f64().unwrap().is_finite(), "{row}");
        // What telemetry takes is a difference, and one round of it is mostly noise.
        let is_share = row["unit"] == "%";
        assert!(is_share || row["median"].as_f64().unwrap() > 0.0, "{row}");
        assert_eq!(row["goal"].is_null(), row["verdict"].is_null(), "{row}");
    }
    assert_eq!(["cold", "warm", "telemetry"].map(|case| judged(&rows, case).len()), [2, 5, 2]);
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")).unwrap();
    for row in ["cold", "warm", "telemetry"].into_iter().flat_map(|case| judged(&rows, case)) {
        let (what, goal) = (row["what"].as_str().unwrap(), row["goal"].as_str().unwrap());
        let told = readme.lines().any(|line| line.contains(&format!("| {what} ")) && line.contains(goal));
        assert!(told, "README.md does not tell of {what}: {goal}");
    }
}

#[test]
fn lists_and_loads_of_all_sizes_are_measured_and_their_growth_is_told() {
    let rows = rows(&bench(&["scale", "pipeline", "--rounds", "1", "--tested", "--json"]));
    for row in &rows {
        // How loads of seconds grow is mostly noise.
        let (is_growth, median) = (row["unit"] == "", row["median"].as_f64().unwrap());
        assert!(median.is_finite() && (is_growth || median > 0.0), "{row}");
    }
    let told = |what: &str| rows.iter().filter(|row| row["what"].as_str().unwrap().contains(what)).count();
    assert_eq!(["grows by the power", "peak memory", "publish all", "through the pipeline"].map(told), [3, 10, 3, 4]);
    // Its slope, serde_json, and a thousand published; the loads of a test are too short to be judged.
    assert_eq!(["scale", "pipeline"].map(|case| judged(&rows, case).len()), [3, 0]);
}

#[test]
fn what_a_million_movies_cost_is_what_cargo_local_cost_tells() {
    let rows = rows(&bench(&["cost", "--json"]));
    let estimate = local::Estimate::of(&local::Configuration::new()).unwrap();
    let sum = rows.iter().find(|row| row["what"] == "a million movies: sum").unwrap();
    assert_eq!(sum["median"].as_f64().unwrap().to_string(), estimate.million_movies_usd.to_string());
}

#[test]
fn a_name_that_there_is_none_of_is_answered_with_those_that_there_are() {
    let output = bench(&["hot"]);
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    for name in ["hot", "cold", "warm", "scale", "pipeline", "telemetry", "size", "cost"] {
        assert!(told.contains(name), "{name} is missing in: {told}");
    }
}

#[test]
fn no_rounds_at_all_are_refused() {
    assert_eq!(bench(&["cost", "--rounds", "0"]).status.code(), Some(2));
}
