//! What the pipeline is known not to hold, so that it is told once it does.

use domain::invariants::Rule;
use simulator::{Scenario, Simulator, Weather};

/// Should the source object change between two attempts of one event, a run may have two objects at one position. Its
/// list then mixes both rankings: a movie can be in it twice, and another not at all.
#[test]
fn a_list_can_mix_two_versions_of_a_source_that_changes_between_two_attempts() {
    let simulator = Simulator::new(None);
    let broken = (1..50).flat_map(|seed| {
        let scenario = Scenario { source_changes: true, ..Scenario::from_seed(seed) };
        simulator.live(&scenario, &Weather::Seeded, false).violations
    });
    let broken: Vec<_> = broken.map(|(_, violation)| violation).collect();
    assert!(!broken.is_empty(), "it holds now: let Scenario::from_seed change the source, and remove this test");
    for violation in broken {
        assert!(violation.rule == Rule::Bytes && violation.sentence.ends_with(" twice"), "{violation}");
    }
}
