//! The harness itself: an exception excuses what it names and no more, and does not outlive its need.

use serde_json::json;

use super::{Exception, Finding, Rule};
use crate::common::programs;

const QUEUES_ARE_BAD: Rule = Rule {
    demand: "there are no queues",
    reason: "this is a test",
    find: |view| {
        let queues = view.of_kind("aws:sqs:Queue");
        queues.map(|queue| Finding::new(queue.name, "is a queue", queue.properties)).collect()
    },
    exceptions: &[
        Exception { at: &["moviesQueue", "gone"], reason: "the one is needed", only_if: |_| true },
        Exception { at: &["deadLetterQueue"], reason: "its condition fails", only_if: |queue| queue["name"] == "x" },
    ],
};

#[test]
fn an_exception_excuses_what_it_names_while_its_condition_holds() {
    let (_, program) = &programs()[0];
    let broken: Vec<_> = QUEUES_ARE_BAD.broken_in(program).into_iter().map(|finding| finding.at).collect();
    assert_eq!(broken, ["deadLetterQueue", "undeliveredQueue", "rankerFailuresQueue"]);
}

#[test]
fn an_exception_that_nothing_needs_any_more_is_told() {
    let idle = QUEUES_ARE_BAD.idle_exceptions(&programs());
    assert_eq!(idle, ["gone (the one is needed)", "deadLetterQueue (its condition fails)"]);
}

#[test]
fn a_program_without_the_resource_makes_its_exceptions_idle() {
    let empty = [("empty", json!({"resources": {}}))];
    assert_eq!(QUEUES_ARE_BAD.idle_exceptions(&empty).len(), 3);
}
