//! Every resource keeps its place in Pulumi's state: a renaming says what it was, a removal is meant.

use std::collections::BTreeMap;

use pulumi::Program;
use serde_json::Value;

use crate::common::{all_options_program, default_program, programs, repository};

/// The name that each resource of any stack was first deployed under, and its type. Changed by hand alone.
const FIRST_NAMES: &str = "pulumi/tests/first-names.json";

const WHAT_TO_DO: &str = "Pulumi knows a resource by name and type. Under another one it makes a second thing of the \
                          same name in AWS and then removes the first, which is the same thing. Renamed: tell the old \
                          name in pulumi/src/resource/rename.rs, and leave the list as it is. New: add it to the list. \
                          Removed on purpose, in every stack: take it from the list.";

type Names = BTreeMap<String, String>;

fn listed() -> Names {
    serde_json::from_str(&std::fs::read_to_string(repository(FIRST_NAMES)).unwrap()).unwrap()
}

/// The first names in a program: the oldest of a resource's aliases, or its own.
fn first_names(program: &Value) -> Names {
    let first = |(name, resource): (&String, &Value)| {
        let oldest = resource["options"]["aliases"][0]["name"].as_str().unwrap_or(name);
        (oldest.to_owned(), resource["type"].as_str().unwrap().to_owned())
    };
    program["resources"].as_object().unwrap().iter().map(first).collect()
}

/// What differs between the list and the resources of all programs.
fn differences(programs: &[Value], listed: &Names) -> Vec<String> {
    let there: Names = programs.iter().flat_map(first_names).collect();
    let told = |word: &str, (name, kind): (&String, &String)| format!("{word}: {name} ({kind})");
    let gone = listed.iter().filter(|(name, kind)| there.get(*name) != Some(*kind)).map(|gone| told("gone", gone));
    let new = there.iter().filter(|(name, kind)| listed.get(*name) != Some(*kind)).map(|new| told("new", new));
    gone.chain(new).collect()
}

#[test]
fn every_resource_is_known_by_the_name_and_type_it_was_first_deployed_under() {
    let programs: Vec<_> = programs().into_iter().map(|(_, program)| program).collect();
    let differences = differences(&programs, &listed());
    assert!(differences.is_empty(), "{FIRST_NAMES} and the program differ: {differences:?}. {WHAT_TO_DO}");
}

/// The differences after a change to the resources of the default program.
fn after(change: impl FnOnce(&mut Value)) -> Vec<String> {
    let [mut changed, all] = [default_program(), all_options_program()].map(|program: Program| program.to_json());
    let only_with_options: Names =
        first_names(&all).into_iter().filter(|(name, _)| changed["resources"].get(name).is_none()).collect();
    let listed = listed().into_iter().filter(|(name, _)| !only_with_options.contains_key(name)).collect();
    change(&mut changed["resources"]);
    differences(&[changed], &listed)
}

fn rename(resources: &mut Value, from: &str, to: &str) {
    resources[to] = resources.as_object_mut().unwrap().shift_remove(from).unwrap();
}

#[test]
fn a_renaming_is_caught_unless_it_tells_the_old_name() {
    assert_eq!(after(|_| ()), <[String; 0]>::default());
    let renamed = after(|resources| rename(resources, "moviesTopic", "filmsTopic"));
    assert_eq!(renamed, ["gone: moviesTopic (aws:sns:Topic)", "new: filmsTopic (aws:sns:Topic)"]);
    let told = after(|resources| {
        rename(resources, "moviesTopic", "filmsTopic");
        resources["filmsTopic"]["options"]["aliases"] = serde_json::json!([{"name": "moviesTopic"}, {"name": "films"}]);
    });
    assert_eq!(told, <[String; 0]>::default());
}

#[test]
fn another_type_and_a_removal_are_caught() {
    let changed = after(|resources| resources["rankerRole"]["type"] = "aws:iam:User".into());
    assert_eq!(changed, ["gone: rankerRole (aws:iam:Role)", "new: rankerRole (aws:iam:User)"]);
    let removed = after(|resources| drop(resources.as_object_mut().unwrap().shift_remove("schedule")));
    assert_eq!(removed, ["gone: schedule (aws:cloudwatch:EventRule)"]);
}
