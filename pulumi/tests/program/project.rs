//! `Pulumi.yaml` declares the settings of the table, and the program agrees with it.

use std::fmt::Write;
use std::path::PathBuf;

use pulumi::config::settings::{self, Allowed, Setting};
use serde_json::json;

use crate::common::{assert_committed, default_program, repository};

#[test]
fn the_project_declares_the_settings_of_the_table() {
    let path = repository("Pulumi.yaml");
    let project = std::fs::read_to_string(&path).unwrap();
    let (head, _) = project.split_once("\nconfig:\n").expect("Pulumi.yaml has a section config");
    let declared: String = settings::ALL.iter().map(|setting| declaration(setting)).collect();
    assert_committed(&path, &format!("{head}\nconfig:\n{declared}"));
}

/// JSON texts are YAML texts.
fn declaration(setting: &Setting) -> String {
    let kind = setting.allowed.pulumi_type();
    let description = match setting.allowed {
        Allowed::Secret => setting.description.to_owned(),
        _ => format!("{} Allowed: {}.", setting.description, setting.allowed),
    };
    let mut text = format!("  {}:\n    type: {kind}\n    description: {}\n", setting.key(), json!(description));
    match setting.default {
        Some(default) if kind == "string" => writeln!(text, "    default: {}", json!(default)).unwrap(),
        Some(default) => writeln!(text, "    default: {default}").unwrap(),
        None => {}
    }
    if matches!(setting.allowed, Allowed::Secret) {
        text.push_str("    secret: true\n");
    }
    text
}

#[test]
fn the_program_declares_the_secret_as_the_project_does_and_nothing_else() {
    let secret = settings::OMDB_API_KEY;
    let expected =
        json!({"omdbApiKeyText": {"type": secret.allowed.pulumi_type(), "secret": true, "name": secret.name}});
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
