//! README.md and the runbook against what they speak of. Commands in blocks that begin with ```` ```sh ci ```` are run
//! by `.ci/run`; those that need AWS, and names in the text, are looked up here.
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

mod faults;
mod security;
mod shown;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pulumi::config::{REGION_KEY, settings};
use pulumi::{Config, Program, program};

const README: &str = "README.md";
const RUNBOOK: &str = "dashboards/runbook.md";

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn document(name: &str) -> String {
    std::fs::read_to_string(repository(name)).unwrap()
}

fn default_program() -> Program {
    program(&Config::read("dev", None).unwrap())
}

/// The commands of all blocks of shell, without what they say behind `#`.
fn commands(document: &str) -> Vec<String> {
    let mut is_shell = false;
    let mut commands = Vec::new();
    for line in document.lines().map(str::trim) {
        if line.starts_with("```") {
            is_shell = line.starts_with("```sh");
        } else if is_shell && !line.is_empty() {
            commands.push(line.split(" #").next().unwrap_or(line).trim().to_owned());
        }
    }
    commands
}

/// The words that follow a text, wherever it stands.
fn words_after<'a>(document: &'a str, text: &str) -> BTreeSet<&'a str> {
    let is_part_of_word = |letter: char| letter.is_ascii_alphanumeric() || "-_.:/".contains(letter);
    let after = document.match_indices(text).map(|(at, _)| &document[at + text.len()..]);
    let words = after.map(|rest| rest.split(|letter| !is_part_of_word(letter)).next().unwrap_or_default());
    words.filter(|word| !word.is_empty()).collect()
}

#[test]
fn every_output_that_is_asked_for_is_one_of_the_program() {
    let program = default_program();
    let asked = document(README) + &document(RUNBOOK);
    let names = words_after(&asked, "pulumi stack output ");
    assert!(!names.is_empty());
    for name in names {
        assert!(program.outputs().contains_key(name), "the program has no output {name}");
    }
}

#[test]
fn every_value_that_is_set_or_read_is_one_of_the_configuration() {
    let text = document(README).replace("--secret ", "");
    let told = words_after(&text, "pulumi config set ");
    assert!(told.len() >= 3, "{told:?}");
    for name in told.into_iter().chain(words_after(&text, "--set ")).chain(words_after(&text, "pulumi config get ")) {
        let is_known = settings::ALL.iter().any(|setting| setting.name == name) || name == REGION_KEY;
        assert!(is_known, "there is no configuration value {name}");
    }
}

#[test]
fn every_stack_that_is_named_has_its_file() {
    let text = document(README);
    let stacks = words_after(&text, "pulumi stack init ").into_iter().chain(words_after(&text, "pulumi stack select "));
    for stack in stacks {
        assert!(repository(&format!(".stacks/Pulumi.{stack}.yaml")).is_file(), "{stack}");
    }
}

/// With `--help` at its end a command line is read, and nothing is done.
#[test]
fn every_command_of_ours_is_one_that_cargo_local_knows() {
    let text = document(README) + &document(RUNBOOK);
    let text = text.replace("<run>", "2026-11-22T12-00-00Z").replace("<movie>", "tt0111161");
    let in_text = text.split('`').skip(1).step_by(2).filter(|span| !span.contains('\n')).map(str::to_owned);
    let all: BTreeSet<_> = commands(&text).into_iter().chain(in_text).collect();
    let ours: Vec<_> = all.iter().filter_map(|command| command.strip_prefix("cargo local")).collect();
    assert!(ours.len() >= 3, "{all:?}");
    for arguments in ours {
        let mut local = Command::new(env!("CARGO_BIN_EXE_local"));
        let output = local.args(arguments.split_whitespace()).arg("--help").stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "cargo local{arguments}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn every_link_into_the_repository_leads_somewhere() {
    for (name, folder) in [(README, ""), (RUNBOOK, "dashboards/"), (faults::FAULTS, "services/")] {
        let text = document(name);
        let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        for target in targets.filter(|target| !target.is_empty() && !target.contains("://")) {
            assert!(repository(&format!("{folder}{target}")).exists(), "{name} links to {target}");
        }
    }
}

#[test]
fn the_target_to_install_is_the_default_processors() {
    let target = artefacts::Architecture::Arm64.target();
    assert_eq!(words_after(&document(README), "rustup target add "), BTreeSet::from([target]));
    assert_eq!(settings::ARCHITECTURE.default, Some("arm64"));
}

/// To the nearest ten, so that not every alarm more or less changes the text. The provider is a resource for Pulumi, as
/// is the stack itself.
#[test]
fn the_preview_is_about_as_long_as_is_said() {
    let config = r#"{"movie-pipeline:alarmEmail": "you@example.com"}"#;
    let resources = program(&Config::read("dev", Some(config)).unwrap()).resources().len() + 1;
    let rounded = (resources + 5) / 10 * 10;
    let told = words_after(&document(README), "at first some ").into_iter().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(told, [rounded.to_string()], "README.md, What the preview shows: {resources} resources");
}
