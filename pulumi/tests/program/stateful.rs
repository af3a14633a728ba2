//! What cannot be made again keeps its place in Pulumi's state.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::common::programs;

/// The resources that hold objects, messages, logs, a secret, or the key to them, each by the name it was first deployed
/// under. To rename one, write its old name into `RENAMES` in `src/resource/rename.rs` and leave this list alone; to add
/// one, add its name. A name goes from here only when what it stands for may be lost in every stack.
const FIRST_NAMES: [&str; 9] = [
    "deadLetterQueue",
    "enricherLogs",
    "key",
    "moviesBucket",
    "moviesQueue",
    "omdbApiKeyParameter",
    "rankerFailuresQueue",
    "rankerLogs",
    "undeliveredQueue",
];

/// The first names of a program's stateful resources: their own, or the oldest of their aliases.
fn first_names(program: &Value) -> BTreeSet<String> {
    let resources = program["resources"].as_object().unwrap().iter();
    let stateful = resources.filter(|(_, resource)| resource["options"].get("protect").is_some());
    let first = |(name, resource): (&String, &Value)| {
        let oldest = &resource["options"]["aliases"][0]["name"];
        oldest.as_str().unwrap_or(name).to_owned()
    };
    stateful.map(first).collect()
}

#[test]
fn every_stateful_resource_is_known_by_the_name_it_was_first_deployed_under() {
    let expected: BTreeSet<_> = FIRST_NAMES.map(str::to_owned).into();
    for (configuration, program) in programs() {
        let first = first_names(&program);
        let told: Vec<_> = first.symmetric_difference(&expected).collect();
        assert!(
            told.is_empty(),
            "{configuration}: {told:?} are new or gone. Pulumi would remove what it knows by a name that is gone, with \
             all it holds: tell the old name in src/resource/rename.rs."
        );
    }
}

#[test]
fn a_renaming_is_caught_unless_it_tells_the_old_name() {
    let named = |options: Value| first_names(&json!({"resources": {"store": {"options": options}, "topic": {}}}));
    assert_eq!(named(json!({"protect": false})), ["store".to_owned()].into());
    let aliases = json!([{"name": "moviesBucket"}, {"name": "films"}]);
    assert_eq!(named(json!({"protect": true, "aliases": aliases})), ["moviesBucket".to_owned()].into());
}
