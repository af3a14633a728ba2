//! The command by which Pulumi compiles and runs the program, as `Pulumi.yaml` tells it: what it lets others see.

#![cfg(unix)]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use artefacts::package;
use artefacts::testing::{AARCH64, Executable, X86_64, place};
use domain::contract::Service;
use serde_json::{Value, json};

use crate::common::{all_options_program, repository};

/// All digits, as OMDb's keys may be: the runtime takes such a key for a number.
const CANARY: &str = "90217345";

fn compiler() -> String {
    let project = std::fs::read_to_string(repository("Pulumi.yaml")).unwrap();
    let mut told = project.lines().filter_map(|line| line.trim().strip_prefix("compiler: "));
    told.next().unwrap().to_owned()
}

/// Runs the command as Pulumi does: in `main`, with the configuration in the environment.
/// `cargo` only writes down its arguments and environment; the program is the one that is built already.
fn run(folder: &Path, config: &str) -> Output {
    let cargo = folder.join("cargo");
    std::fs::write(&cargo, format!("#!/bin/sh\n{{ echo \"$@\"; env; }} > '{}/seen'\n", folder.display())).unwrap();
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::create_dir(folder.join("debug")).unwrap();
    symlink(env!("CARGO_BIN_EXE_pulumi"), folder.join("debug/pulumi")).unwrap();
    let main = folder.join("pulumi");
    std::fs::create_dir(&main).unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    Command::new("sh")
        .args(["-c", &compiler()])
        .env("PATH", path)
        .env("CARGO_TARGET_DIR", folder)
        .envs([("PULUMI_STACK", "prod"), ("PULUMI_CONFIG", config)])
        .current_dir(main)
        .output()
        .unwrap()
}

#[test]
fn the_secret_reaches_neither_build_scripts_nor_the_program() {
    for key in [json!(CANARY), json!(CANARY.parse::<u32>().unwrap())] {
        let folder = tempfile::tempdir().unwrap();
        let mut config: Value = serde_json::from_str(crate::common::ALL_OPTIONS).unwrap();
        config["movie-pipeline:omdbApiKey"] = key;
        place_artefacts(folder.path(), X86_64);
        let output = run(folder.path(), &config.to_string());
        let seen = std::fs::read_to_string(folder.path().join("seen")).unwrap();
        assert!(
            seen.starts_with("build --quiet --package pulumi\n") && seen.contains("\nPULUMI_STACK=prod\n"),
            "{seen}"
        );
        assert!(!seen.contains(CANARY) && !seen.contains("PULUMI_CONFIG"), "cargo and all it starts see the secret");

        let program: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(program, all_options_program().to_json());
        assert!(!String::from_utf8([output.stdout, output.stderr].concat()).unwrap().contains(CANARY));
    }
}

/// Artefacts for the functions of a stack, where Pulumi takes them from.
fn place_artefacts(folder: &Path, machine: u16) {
    let zip = package::zip(&Executable { machine, ..Executable::SOUND }.bytes()).unwrap();
    for service in Service::ALL {
        place(folder, service, &zip);
    }
}

#[test]
fn a_preview_without_artefacts_stops_with_a_sentence_for_each_and_the_command_to_run() {
    let folder = tempfile::tempdir().unwrap();
    let output = run(folder.path(), crate::common::ALL_OPTIONS);
    assert!(!output.status.success() && output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("The ranker's artefact ../target/lambda/ranker/bootstrap.zip cannot be deployed"), "{told}");
    assert!(told.contains("The enricher's artefact"), "{told}");
    assert!(
        told.trim_end().ends_with("Run `cargo local package --architecture x86_64` to build the functions."),
        "{told}"
    );
}

#[test]
fn a_preview_with_artefacts_for_another_processor_stops_and_names_both() {
    let folder = tempfile::tempdir().unwrap();
    place_artefacts(folder.path(), AARCH64);
    let output = run(folder.path(), crate::common::ALL_OPTIONS);
    assert!(!output.status.success() && output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("it is built for arm64, but the configuration says x86_64"), "{told}");
}
