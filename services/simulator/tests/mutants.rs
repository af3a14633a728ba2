//! Seeded mistakes: were the pipeline wrong in one of these ways, the simulator would tell within 10,000 deliveries.

use domain::invariants::Rule;
use simulator::{Campaign, Mutation, Simulator, shrink};

/// The most deliveries until a mistake is noticed.
const DELIVERIES: u64 = 10_000;

/// Asserts that a mistake is noticed as the breaking of one of these rules, and that its story is short.
fn is_noticed(mutation: Mutation, rules: &[Rule]) {
    is_noticed_from(1, mutation, rules);
}

fn is_noticed_from(first_seed: u64, mutation: Mutation, rules: &[Rule]) {
    let one = std::num::NonZeroUsize::new(1);
    let campaign = Campaign { first_seed, deliveries: DELIVERIES, mutation: Some(mutation), threads: one };
    let outcome = campaign.run(|_| {});
    let Some((scenario, lived)) = &outcome.failed else { panic!("{mutation:?} goes unnoticed") };
    let Some(story) = shrink(&Simulator::new(Some(mutation)), scenario, lived) else {
        panic!("seed {} has no story", scenario.seed)
    };
    println!("{mutation:?}: noticed after {} deliveries; {story}", outcome.figures.deliveries);
    let broken: Vec<_> = lived.violations.iter().map(|(_, violation)| violation.rule).collect();
    assert!(broken.iter().any(|rule| rules.contains(rule)), "{mutation:?} breaks {broken:?}, not {rules:?}");
    assert!(story.faults.len() <= 10, "{story}");
    assert!(!story.lived.violations.is_empty(), "the story no longer shows it: {story}");
}

#[test]
fn deleting_before_storing_is_noticed() {
    is_noticed(Mutation::DeleteBeforeStore, &[Rule::Deletion]);
}

#[test]
fn whole_batch_success_in_spite_of_failed_records_is_noticed() {
    is_noticed(Mutation::WholeBatchSuccess, &[Rule::Deletion]);
}

#[test]
fn keys_without_their_run_are_noticed() {
    is_noticed(Mutation::KeyWithoutRun, &[Rule::Bytes]);
}

#[test]
fn rankings_without_names_are_noticed_once_the_source_changes_between_two_attempts() {
    is_noticed(Mutation::OneRankingPerRun, &[Rule::Bytes]);
}

#[test]
fn latest_without_a_condition_is_noticed() {
    // From seed 1 on, the first world to show it has a story of eleven faults.
    is_noticed_from(3_000, Mutation::LatestWithoutCondition, &[Rule::Latest]);
}

#[test]
fn writes_without_conditions_are_noticed() {
    // From seed 1 on, the first world to show it is a long one, whose story takes minutes to shorten.
    is_noticed_from(2_000, Mutation::NoConditions, &[Rule::Latest, Rule::Bytes]);
}

#[test]
fn a_count_of_requests_without_a_condition_is_noticed() {
    is_noticed(Mutation::CountWithoutCondition, &[Rule::Budget]);
}

#[test]
fn a_run_given_up_with_its_last_movie_is_noticed() {
    is_noticed(Mutation::CompletionFailuresIgnored, &[Rule::Deletion, Rule::Latest]);
}

#[test]
fn refused_writes_taken_for_done_are_noticed() {
    is_noticed(Mutation::StoreFailuresIgnored, &[Rule::Deletion, Rule::Latest]);
}

#[test]
fn refused_entries_taken_for_published_are_noticed() {
    is_noticed(Mutation::RefusedEntriesIgnored, &[Rule::Events]);
}

#[test]
fn lists_that_lag_behind_are_noticed() {
    is_noticed(Mutation::StaleLists, &[Rule::Deletion]);
}

#[test]
fn a_list_of_the_batchs_beginning_taken_for_one_of_its_end_is_noticed() {
    is_noticed(Mutation::FirstListFinal, &[Rule::Deletion]);
}

#[test]
fn anothers_object_taken_for_ones_own_is_noticed() {
    is_noticed(Mutation::OthersTakenForOwn, &[Rule::Latest, Rule::Budget]);
}

#[test]
fn messages_without_an_age_are_noticed_once_they_are_hidden_until_they_expire() {
    is_noticed(Mutation::AgeUnknown, &[Rule::Conservation]);
}

#[test]
fn events_that_are_dropped_are_noticed() {
    is_noticed(Mutation::EventsDropped, &[Rule::Events]);
}
