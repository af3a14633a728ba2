//! What several tests need.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use pulumi::{Config, Program, program};
use serde_json::{Map, Value};
use yaml_rust2::{Yaml, YamlLoader};

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

/// The program of a stack as the repository ships it.
pub(crate) fn stack_program(stack: &str) -> Program {
    let config = Value::Object(shipped_stack(stack).clone()).to_string();
    program(&Config::read(stack, Some(&config)).unwrap_or_else(|faults| panic!("{stack}: {faults}")))
}

/// The content of `PULUMI_CONFIG` for a stack as the repository ships it: a copy, since the files themselves change with
/// whoever deploys, which is no fault. `BLESS=1` takes the copies anew.
pub(crate) fn shipped_stack(stack: &str) -> &'static Map<String, Value> {
    static SHIPPED: LazyLock<[Map<String, Value>; 2]> = LazyLock::new(|| STACKS.map(copy_of));
    &SHIPPED[STACKS.iter().position(|shipped| *shipped == stack).unwrap()]
}

fn copy_of(stack: &str) -> Map<String, Value> {
    let path = repository(&format!("pulumi/tests/stacks/{stack}.json"));
    if std::env::var_os("BLESS").is_some() {
        let values = Value::Object(stack_values(&stack_file(stack)));
        std::fs::write(&path, format!("{values:#}\n")).unwrap();
    }
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Every program under test, with the name of its configuration.
pub(crate) fn programs() -> Vec<(&'static str, Value)> {
    let stacks = STACKS.map(|stack| (stack, stack_program(stack)));
    let all = [("default", default_program()), ("all options", all_options_program())].into_iter().chain(stacks);
    all.map(|(name, program)| (name, program.to_json())).collect()
}

/// The file of a stack as it lies here, changed or not.
pub(crate) fn stack_file(stack: &str) -> String {
    std::fs::read_to_string(repository(&format!(".stacks/Pulumi.{stack}.yaml"))).unwrap()
}

/// The values in a stack's file as `PULUMI_CONFIG` carries them: texts, those of lists and maps as JSON. What is encrypted
/// is left out; whatever else the CLI keeps there, such as `encryptionsalt`, is no matter of ours.
pub(crate) fn stack_values(file: &str) -> Map<String, Value> {
    let documents = YamlLoader::load_from_str(file).unwrap();
    let values = documents.first().and_then(|document| document["config"].as_hash()).into_iter().flatten();
    let plain = values.filter(|(_, value)| value["secure"].is_badvalue());
    plain.map(|(key, value)| (key.as_str().unwrap().to_owned(), Value::String(text(&json(value))))).collect()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn json(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::String(text) | Yaml::Real(text) => Value::from(text.as_str()),
        Yaml::Integer(number) => Value::from(*number),
        Yaml::Boolean(flag) => Value::from(*flag),
        Yaml::Array(items) => items.iter().map(json).collect(),
        // A secret within a list or map: some text.
        Yaml::Hash(entries) if entries.contains_key(&Yaml::String("secure".to_owned())) => Value::from("a secret"),
        Yaml::Hash(entries) => {
            entries.iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), json(value))).collect()
        }
        Yaml::Null => Value::Null,
        Yaml::Alias(_) | Yaml::BadValue => panic!("{yaml:?} is nothing that Pulumi writes"),
    }
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
