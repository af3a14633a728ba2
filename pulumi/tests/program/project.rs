//! `Pulumi.yaml` declares the settings of the table, and the program agrees with it.

use std::fmt::Write;
use std::path::PathBuf;

use pulumi::config::settings::{self, Allowed, Setting};
use serde_json::json;
use yaml_rust2::YamlLoader;

use crate::common::{assert_committed, default_program, repository};

#[test]
fn the_project_declares_the_settings_of_the_table() {
    let path = repository("Pulumi.yaml");
    let project = std::fs::read_to_string(&path).unwrap();
    let (head, _) = project.split_once("\nconfig:\n").expect("Pulumi.yaml has a section config");
    let declared: String = settings::ALL.iter().map(|setting| declaration(setting)).collect();
    assert_committed(&path, &format!("{head}\nconfig:\n{declared}"));
}

/// The only type under which Pulumi hands a value to the program as it is: one of another type the CLI checks itself, and
/// stops at the first fault without naming the value or what is allowed (`validateStackConfigValues` in pulumi/pulumi). A
/// number or flag without quotes in a stack's file passes as its text.
const KIND: &str = "string";

/// JSON texts are YAML texts, and a default must be one, too.
fn declaration(setting: &Setting) -> String {
    let description = match setting.allowed {
        Allowed::Secret => setting.description.to_owned(),
        _ => format!("{} Allowed: {}.", setting.description, setting.allowed),
    };
    let mut text = format!("  {}:\n    type: {KIND}\n    description: {}\n", setting.key(), json!(description));
    if let Some(default) = setting.default {
        writeln!(text, "    default: {}", json!(default)).unwrap();
    }
    if matches!(setting.allowed, Allowed::Secret) {
        text.push_str("    secret: true\n");
    }
    text
}

#[test]
fn no_value_is_checked_by_the_cli_which_would_tell_one_fault_and_not_what_is_allowed() {
    let project = std::fs::read_to_string(repository("Pulumi.yaml")).unwrap();
    let project = &YamlLoader::load_from_str(&project).unwrap()[0];
    let declared = project["config"].as_hash().unwrap();
    assert_eq!(declared.len(), settings::ALL.len());
    for (key, declared) in declared {
        assert_eq!(declared["type"].as_str(), Some("string"), "{key:?}");
        let default = &declared["default"];
        assert!(default.is_badvalue() || default.as_str().is_some(), "{key:?}: the CLI wants a text, not {default:?}");
    }
}

#[test]
fn the_program_declares_the_secret_as_the_project_does_and_nothing_else() {
    let secret = settings::OMDB_API_KEY;
    let expected = json!({"omdbApiKeyText": {"type": KIND, "secret": true, "name": secret.name}});
    assert_eq!(default_program().to_json()["config"], expected);
}

#[test]
fn the_project_bears_the_name_of_the_program() {
    let project = std::fs::read_to_string(repository("Pulumi.yaml")).unwrap();
    let program = default_program().to_json();
    for part in ["name", "description"] {
        assert!(project.contains(&format!("{part}: {}\n", program[part].as_str().unwrap())), "{part}");
    }
}

#[test]
fn the_rust_to_hand_over_with_is_the_one_that_packs() {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    let told: Vec<_> = readme.split("rustup toolchain install ").skip(1).collect();
    let wanted = format!("{} --profile minimal --target aarch64-unknown-linux-gnu`", env!("CARGO_PKG_RUST_VERSION"));
    assert!(!told.is_empty() && told.iter().all(|told| told.starts_with(&wanted)), "{wanted}");
}

/// The runtime takes every YAML file there for the lock of an SDK.
#[test]
fn no_yaml_lies_where_the_runtime_would_read_it() {
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR"))];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            assert!(
                path.extension().is_none_or(|extension| extension != "yaml" && extension != "yml"),
                "{}",
                path.display()
            );
            if path.is_dir() {
                folders.push(path);
            }
        }
    }
}
