//! The scripts that hold the emitted program before outside judges: what they run over, and that they are never silent.

#![cfg(unix)]

use std::path::Path;
use std::process::{Command, Output};

use artefacts::testing::write_program;

use crate::common::repository;

/// A checkout with these scripts and the configurations of the checks, and nothing beside it.
fn checkout(scripts: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let of_configurations = [
        ".ci/configurations",
        "pulumi/tests/all-options.json",
        "pulumi/tests/stacks/dev.json",
        "pulumi/tests/stacks/prod.json",
    ];
    for path in scripts.iter().chain(&of_configurations) {
        let to = folder.path().join("checkout").join(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        write_program(&to, &std::fs::read_to_string(repository(path)).unwrap());
    }
    folder
}

/// Runs a line of bash in the checkout.
fn run(folder: &Path, line: &str, variables: &[(&str, &str)]) -> Output {
    let mut bash = Command::new("bash");
    for name in ["GITHUB_ACTIONS", "MOVIE_PIPELINE_TYPECHECK", "PULUMI_STACK", "PULUMI_CONFIG"] {
        bash.env_remove(name);
    }
    bash.args(["-euo", "pipefail", "-c", line])
        .envs(variables.iter().copied())
        .current_dir(folder.join("checkout"))
        .output()
        .unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_checks_run_over_the_shipped_configurations_whatever_the_stack_files_say() {
    let folder = checkout(&[]);
    let line = r#". .ci/configurations; for_each_configuration sh -c 'echo "$PULUMI_STACK ${PULUMI_CONFIG-}" | cksum'"#;
    let output = run(folder.path(), line, &[]);
    assert!(output.status.success(), "{}", text(output.stderr));
    let seen: std::collections::BTreeSet<_> = text(output.stdout).lines().map(str::to_owned).collect();
    assert_eq!(seen.len(), 4, "{seen:?}");
}

#[test]
fn a_missing_type_checker_is_told_aloud_and_fails_where_it_is_required() {
    let folder = checkout(&[".ci/pulumi-typecheck"]);
    let check = |variables: &[(&str, &str)]| {
        let output = run(folder.path(), ".ci/pulumi-typecheck cache", variables);
        (output.status.success(), text(output.stdout), text(output.stderr))
    };
    let (passes, out, told) = check(&[]);
    assert!(passes && out.is_empty() && told.starts_with("SKIPPED: there is no type checker at "), "{told}");
    let (passes, out, _) = check(&[("GITHUB_ACTIONS", "true")]);
    assert!(passes && out.starts_with("::warning::SKIPPED: there is no type checker at "), "{out}");
    let (passes, _, told) = check(&[("MOVIE_PIPELINE_TYPECHECK", "required")]);
    assert!(!passes && told.starts_with("SKIPPED: "), "{told}");
}

#[test]
fn a_program_that_cannot_be_linted_says_why() {
    let folder = checkout(&[".ci/lint-program", ".ci/requirements.txt"]);
    let bin = folder.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    write_program(&bin.join("cargo"), "#!/bin/sh\necho 'error: it does not compile' >&2\nexit 101\n");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let line = "linters=cache/linters-$(sha256sum < .ci/requirements.txt | cut -c1-16)
                mkdir -p $linters; touch $linters/ready; .ci/lint-program cache";
    let output = run(folder.path(), line, &[("PATH", &path)]);
    let told = text(output.stderr);
    assert!(
        !output.status.success() && told.ends_with("- default configuration\nerror: it does not compile\n"),
        "{told}"
    );
}
