//! What several tests need.

use std::path::{Path, PathBuf};

use pulumi::{Config, Program, program};
use serde_json::{Map, Value};

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

/// The stacks whose files lie in the repository.
pub(crate) const STACKS: [&str; 2] = ["dev", "prod"];

/// The program of a stack whose file lies in the repository.
pub(crate) fn stack_program(stack: &str) -> Program {
    let config = Value::Object(stack_file(stack)).to_string();
    program(&Config::read(stack, Some(&config)).unwrap_or_else(|faults| panic!("{stack}: {faults}")))
}

/// Every program under test, with the name of its configuration.
pub(crate) fn programs() -> Vec<(&'static str, Value)> {
    let stacks = STACKS.map(|stack| (stack, stack_program(stack)));
    let all = [("default", default_program()), ("all options", all_options_program())].into_iter().chain(stacks);
    all.map(|(name, program)| (name, program.to_json())).collect()
}

/// The values of a stack's file, as `PULUMI_CONFIG` carries them: all of them texts, secrets left out. Read line by
/// line, since they are one flat map but for encrypted values; anything else is refused.
pub(crate) fn stack_file(stack: &str) -> Map<String, Value> {
    let text = std::fs::read_to_string(repository(&format!(".stacks/Pulumi.{stack}.yaml"))).unwrap();
    let (_, values) = text.split_once("config:\n").unwrap();
    let lines: Vec<_> = values.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let is_encrypted = |at: usize| lines.get(at + 1).is_some_and(|next| next.starts_with("    secure: "));
    let told = lines.iter().enumerate().filter(|&(at, line)| !is_encrypted(at) && !line.starts_with("    secure: "));
    told.map(|(_, line)| entry(line).unwrap_or_else(|| panic!("{stack}: {line:?} is no plain value"))).collect()
}

/// `  key: value`, the value plain or between quotes. Plain ones that YAML takes for something else than a text are
/// refused.
fn entry(line: &str) -> Option<(String, Value)> {
    let (key, value) = line.strip_prefix("  ")?.split_once(": ")?;
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let is_word = value.starts_with(|first: char| first.is_ascii_alphabetic());
    let is_text = is_word && !["true", "false", "null", "yes", "no", "on", "off"].contains(&value);
    let value = quoted.or(is_text.then_some(value))?;
    (!key.starts_with(' ') && !value.contains(['"', '\\', '#'])).then(|| (key.to_owned(), Value::from(value)))
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
