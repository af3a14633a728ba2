//! Storms over the pipeline: nothing lost, nothing wrong.

use simulator::{Campaign, Scenario, Simulator, Weather};

/// As issue 5 wants it under `cargo test`: seconds in a debug build.
const DELIVERIES: u64 = 10_000;

/// A world whose last redrive falls on a day without requests, and in which a message may be received once.
#[test]
fn a_movie_that_is_redriven_on_a_day_without_requests_is_had_on_the_next() {
    let lived = Simulator::new(None).live(&Scenario::from_seed(97), &Weather::Seeded, false);
    assert!(lived.violations.is_empty(), "{:?}", lived.violations);
}

#[test]
fn ten_thousand_deliveries_break_no_rule() {
    let outcome = Campaign { first_seed: 1, deliveries: DELIVERIES, mutation: None, threads: None }.run(|_| {});
    println!("{:?} in {:?}, {:.0}/s", outcome.figures, outcome.took, outcome.deliveries_per_second());
    if let Some((scenario, lived)) = &outcome.failed {
        let simulator = Simulator::new(None);
        let story = simulator::shrink(&simulator, scenario, lived).map(|story| story.to_string());
        panic!("seed {} breaks a rule: {:?}\n{}", scenario.seed, lived.violations, story.unwrap_or_default());
    }
    assert!(outcome.figures.deliveries >= DELIVERIES);
    assert!(outcome.figures.faults > DELIVERIES / 10, "{:?}", outcome.figures);
}
