//! The binary as Pulumi runs it.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::common::{ALL_OPTIONS, all_options_program, default_program};

const CANARY: &str = "canary-7f3a9c";

/// Runs the binary in a folder with these variables and no others of Pulumi's.
fn run(folder: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let inherited = std::env::vars_os().filter(|(name, _)| !name.to_string_lossy().starts_with("PULUMI_"));
    Command::new(env!("CARGO_BIN_EXE_pulumi"))
        .env_clear()
        .envs(inherited)
        .envs(variables.iter().copied())
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn here(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    run(Path::new(env!("CARGO_MANIFEST_DIR")), variables, arguments)
}

fn document(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn without_any_variable_it_prints_a_full_program_and_nothing_else() {
    let output = here(&[], &[]);
    assert_eq!(document(&output), default_program().to_json());
    assert!(output.stderr.is_empty());
}

#[test]
fn with_the_variables_of_pulumi_it_prints_the_program_of_the_stack() {
    let variables = [
        ("PULUMI_STACK", "prod"),
        ("PULUMI_CONFIG", ALL_OPTIONS),
        ("PULUMI_PROJECT", "movie-pipeline"),
        ("PULUMI_ORGANIZATION", "organization"),
        ("PULUMI_ROOT_DIRECTORY", "/nowhere"),
    ];
    assert_eq!(document(&here(&variables, &[])), all_options_program().to_json());
}

#[test]
fn it_prints_the_same_bytes_each_time_and_from_any_folder() {
    let first = here(&[], &[]).stdout;
    assert!(!first.is_empty());
    for run_number in 0..10 {
        let folder = if run_number % 2 == 0 { std::env::temp_dir() } else { Path::new("/").to_owned() };
        assert_eq!(run(&folder, &[], &[]).stdout, first);
    }
}

#[test]
fn faulty_configuration_is_refused_with_all_faults_on_stderr() {
    let config = json!({"movie-pipeline:topN": "1001", "movie-pipeline:omdbBaseUrl": "http://www.omdbapi.com/", "movie-pipeline:tpoN": "1"});
    for arguments in [&[][..], &["--cloudformation"]] {
        let output = here(&[("PULUMI_CONFIG", &config.to_string()), ("PULUMI_STACK", "Dev")], arguments);
        let faults = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success() && output.stdout.is_empty());
        for part in [
            r#"the name of the stack is "Dev"; allowed: "#,
            r#"movie-pipeline:topN is "1001"; allowed: a whole number from 1 to 1000"#,
            r#"movie-pipeline:omdbBaseUrl is "http://www.omdbapi.com/"; allowed: an https address"#,
            "movie-pipeline:tpoN is no configuration value; allowed: movie-pipeline:omdbApiKey, ",
        ] {
            assert!(faults.contains(part), "{part}\nis missing from\n{faults}");
        }
    }
}

#[test]
fn the_secret_is_never_shown() {
    let fine = json!({"movie-pipeline:omdbApiKey": CANARY});
    let faulty =
        json!({"movie-pipeline:omdbApiKey": CANARY, "movie-pipeline:omdbApiKeyy": CANARY, "movie-pipeline:topN": "0"});
    let broken = format!(r#"{{"movie-pipeline:omdbApiKey": "{CANARY}"#);
    for (config, succeeds) in [(fine.to_string(), true), (faulty.to_string(), false), (broken, false)] {
        for arguments in [&[][..], &["--cloudformation"]] {
            let output = here(&[("PULUMI_CONFIG", &config)], arguments);
            assert_eq!(output.status.success(), succeeds);
            let shown = [output.stdout, output.stderr].concat();
            assert!(!String::from_utf8(shown).unwrap().contains(CANARY));
        }
    }
}

#[test]
fn the_template_is_printed_alone_and_what_it_cannot_hold_is_told_beside_it() {
    let output = here(&[], &["--cloudformation"]);
    assert_eq!(document(&output)["AWSTemplateFormatVersion"], "2010-09-09");
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(
        told.contains("aws ssm put-parameter --type SecureString --name /movie-pipeline/dev/omdb-api-key"),
        "{told}"
    );
}

#[test]
fn an_unknown_argument_is_refused() {
    let output = here(&[], &["--terraform"]);
    assert!(!output.status.success() && output.stdout.is_empty());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "usage: pulumi [--check-artefacts | --cloudformation]\n");
}
