//! What several tests need.

use std::path::{Path, PathBuf};

use pulumi::{Config, Program, program};
use serde_json::Value;

/// The content of `PULUMI_CONFIG` for a stack that sets everything, each to something else than its default.
pub(crate) const ALL_OPTIONS: &str = include_str!("../all-options.json");

/// The program of the default configuration.
pub(crate) fn default_program() -> Program {
    program(&Config::read("dev", None).unwrap())
}

/// The program with every option set.
pub(crate) fn all_options_program() -> Program {
    program(&Config::read("prod", Some(ALL_OPTIONS)).unwrap())
}

/// A path within the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Holds a committed file against what it should say. `BLESS=1 cargo test -p pulumi` writes it anew.
pub(crate) fn assert_committed(path: &Path, expected: &str) {
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, expected).unwrap();
    }
    let committed = std::fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}; write it with BLESS=1 cargo test -p pulumi", path.display()));
    assert!(
        committed == expected,
        "{} is not up to date. See what changes with BLESS=1 cargo test -p pulumi and git diff.",
        path.display()
    );
}

/// Calls `see` with every text within a value, keys left out.
pub(crate) fn each_text<'a>(value: &'a Value, see: &mut impl FnMut(&'a str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| each_text(item, see)),
        Value::Object(object) => object.values().for_each(|value| each_text(value, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// What stands in `${…}` within a text; `$${` does not count.
pub(crate) fn references(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("$$") {
            rest = after;
        } else if let Some((reference, after)) = rest.strip_prefix("${").and_then(|after| after.split_once('}')) {
            found.push(reference);
            rest = after;
        } else {
            rest = &rest[1..];
        }
    }
    found
}
