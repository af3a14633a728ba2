//! Storms over the pipeline: nothing lost, nothing wrong.

use simulator::Campaign;

/// As issue 5 wants it under `cargo test`: seconds in a debug build.
const DELIVERIES: u64 = 10_000;

#[test]
fn ten_thousand_deliveries_break_no_rule() {
    let outcome = Campaign { first_seed: 1, deliveries: DELIVERIES, mutation: None, threads: None }.run(|_| {});
    println!("{:?} in {:?}, {:.0}/s", outcome.figures, outcome.took, outcome.deliveries_per_second());
    if let Some((scenario, lived)) = &outcome.failed {
        let simulator = simulator::Simulator::new(None);
        let story = simulator::shrink(&simulator, scenario, lived).map(|story| story.to_string());
        panic!("seed {} breaks a rule: {:?}\n{}", scenario.seed, lived.violations, story.unwrap_or_default());
    }
    assert!(outcome.figures.deliveries >= DELIVERIES);
    assert!(outcome.figures.faults > DELIVERIES / 10, "{:?}", outcome.figures);
}
