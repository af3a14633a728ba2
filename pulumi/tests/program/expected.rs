//! The emitted program, committed, so that a review shows what a change does to the infrastructure.

use pulumi::config::settings::{self, Allowed};
use serde_json::Value;

use crate::common::{
    ALL_OPTIONS, STACKS, all_options_program, assert_committed, default_program, repository, stack_program,
};

#[test]
fn the_default_program_is_the_committed_one() {
    let path = repository("pulumi/tests/expected/default.json");
    assert_committed(&path, &format!("{:#}\n", default_program().to_json()));
}

#[test]
fn the_program_with_every_option_set_is_the_committed_one() {
    let path = repository("pulumi/tests/expected/all-options.json");
    assert_committed(&path, &format!("{:#}\n", all_options_program().to_json()));
}

#[test]
fn the_programs_of_the_stacks_are_the_committed_ones() {
    for stack in STACKS {
        let path = repository(&format!("pulumi/tests/expected/{stack}.json"));
        assert_committed(&path, &format!("{:#}\n", stack_program(stack).to_json()));
    }
}

#[test]
fn every_option_is_set_to_something_else_than_its_default() {
    let values: Value = serde_json::from_str(ALL_OPTIONS).unwrap();
    for setting in settings::ALL.iter().filter(|setting| !matches!(setting.allowed, Allowed::Secret)) {
        let value = values.get(setting.key()).and_then(|value| value.as_str());
        assert!(value.is_some_and(|value| Some(value) != setting.default), "{}", setting.key());
    }
}
