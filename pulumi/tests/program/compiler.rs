//! The command by which Pulumi compiles and runs the program, as `Pulumi.yaml` tells it: what it lets others see.

#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Output};

use artefacts::package;
use artefacts::testing::{AARCH64, Executable, X86_64, place, write_program};
use domain::contract::Service;
use serde_json::{Value, json};

use crate::common::{all_options_program, repository};

/// All digits, as OMDb's keys may be: the runtime takes such a key for a number.
const CANARY: &str = "90217345";

/// What opens the stack's secrets, besides the configuration that carries them.
const OPENERS: [&str; 3] = ["PULUMI_ACCESS_TOKEN", "PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"];

/// The command as `Pulumi.yaml` tells it, in a folder `pulumi` within this one, with the configuration in the environment.
fn command(folder: &Path, config: &str) -> Command {
    let project = std::fs::read_to_string(repository("Pulumi.yaml")).unwrap();
    let compiler = project.lines().find_map(|line| line.trim().strip_prefix("compiler: ")).unwrap();
    let mut words = compiler.split(' ');
    let main = folder.join("pulumi");
    std::fs::create_dir_all(&main).unwrap();
    std::fs::copy(repository("pulumi/compile"), main.join("compile")).unwrap();
    let mut command = Command::new(words.next().unwrap());
    let openers = OPENERS.map(|name| (name, CANARY));
    command.args(words).envs(openers).envs([("PULUMI_STACK", "prod"), ("PULUMI_CONFIG", config)]).current_dir(main);
    command
}

/// Runs the command. `cargo` only writes down its arguments and environment, and tells of the program that is built already.
fn run(folder: &Path, config: &str) -> Output {
    let cargo = folder.join("cargo");
    let seen = folder.join("seen");
    let message = json!({"reason": "compiler-artifact", "executable": env!("CARGO_BIN_EXE_pulumi"), "fresh": true});
    let script = format!("#!/bin/sh\n{{ echo \"$@\"; env; }} > '{}'\necho '{message}'\n", seen.display());
    write_program(&cargo, &script);
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    command(folder, config).env("PATH", path).output().unwrap()
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
            seen.starts_with("build --quiet --package pulumi --bin pulumi --message-format json-render-diagnostics\n")
                && seen.contains("\nPULUMI_STACK=prod\n"),
            "{seen}"
        );
        assert!(!seen.contains(CANARY) && !seen.contains("PULUMI_CONFIG"), "cargo and all it starts see a secret");

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

#[test]
fn faults_of_the_configuration_and_of_the_artefacts_are_told_in_one_go_where_the_architecture_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let told = |architecture: &str| {
        let config = json!({"movie-pipeline:topN": "ten", "movie-pipeline:architecture": architecture}).to_string();
        let output = run(folder.path(), &config);
        assert!(!output.status.success() && output.stdout.is_empty());
        String::from_utf8(output.stderr).unwrap()
    };
    let both = told("x86_64");
    assert!(both.contains(r#"movie-pipeline:topN is "ten"; allowed: a whole number from 1 to 1000"#), "{both}");
    assert!(both.contains("`.\nThe ranker's artefact") && both.contains("--architecture x86_64"), "{both}");
    let one = told("sparc");
    assert!(one.contains("topN") && one.contains(r#"architecture is "sparc""#) && !one.contains("artefact"), "{one}");
}

/// A workspace as small as can be, for the real cargo: its `pulumi` tells its arguments and configuration, and its build
/// script writes down what it sees.
fn place_workspace(folder: &Path, program: &str) {
    let package = "[package]\nname = 'pulumi'\nversion = '0.1.0'\nedition = '2024'\n";
    let build = "fn main() { std::fs::write(\"../seen\", format!(\"{:?}\", std::env::vars())).unwrap(); }";
    for (path, text) in [
        ("Cargo.toml", "[workspace]\nmembers = ['pulumi']\nresolver = '3'\n"),
        ("pulumi/Cargo.toml", package),
        ("pulumi/build.rs", build),
        ("pulumi/src/main.rs", program),
    ] {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// Runs the command with the real cargo, without what the environment of this test says of targets.
fn run_with_cargo(folder: &Path, variables: &[(&str, &str)]) -> Output {
    let mut command = command(folder, CANARY);
    for name in ["CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR", "CARGO_BUILD_TARGET", "CARGO_BUILD_BUILD_DIR"] {
        command.env_remove(name);
    }
    command.env("CARGO_NET_OFFLINE", "true").envs(variables.iter().copied()).output().unwrap()
}

const TELLS: &str = "fn main() { print!(\"{:?}\", (std::env::args().nth(1), std::env::var(\"PULUMI_CONFIG\"))) }";

/// Of this machine, such as `x86_64-unknown-linux-gnu`.
fn host() -> String {
    let told = Command::new("rustc").arg("-vV").output().unwrap();
    let told = String::from_utf8(told.stdout).unwrap();
    told.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// With these settings and variables of cargo, the command runs the program, which cargo has put where it should.
#[track_caller]
fn assert_found(settings: &str, variables: &[(&str, &str)], expected: &str) {
    let folder = tempfile::tempdir().unwrap();
    place_workspace(folder.path(), TELLS);
    std::fs::create_dir(folder.path().join(".cargo")).unwrap();
    std::fs::write(folder.path().join(".cargo/config.toml"), settings).unwrap();
    let output = run_with_cargo(folder.path(), variables);
    let told = String::from_utf8(output.stdout).unwrap();
    let fault = String::from_utf8_lossy(&output.stderr);
    assert_eq!(told, format!("(Some(\"--check-artefacts\"), Ok({CANARY:?}))"), "{fault}");
    assert!(folder.path().join(expected).is_file(), "{expected}");

    let seen = std::fs::read_to_string(folder.path().join("seen")).unwrap();
    assert!(seen.contains("(\"PULUMI_STACK\", \"prod\")") && !seen.contains(CANARY), "{seen}");
}

#[test]
fn the_program_is_found_wherever_the_settings_of_cargo_put_it_and_build_scripts_see_no_secret() {
    let host = host();
    assert_found("", &[], "target/debug/pulumi");
    let settings = format!("[build]\ntarget-dir = 'elsewhere'\ntarget = '{host}'\n");
    assert_found(&settings, &[], &format!("elsewhere/{host}/debug/pulumi"));
    let variables = [("CARGO_TARGET_DIR", "there"), ("CARGO_BUILD_TARGET", &host)];
    assert_found("", &variables, &format!("pulumi/there/{host}/debug/pulumi"));
}

#[test]
fn a_program_that_does_not_compile_prints_nothing_and_says_why() {
    let folder = tempfile::tempdir().unwrap();
    place_workspace(folder.path(), "fn main() { missing() }");
    let output = run_with_cargo(folder.path(), &[]);
    assert!(!output.status.success() && output.stdout.is_empty());
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("cannot find function `missing`"), "{told}");
}
