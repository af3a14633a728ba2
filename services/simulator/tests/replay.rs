//! The same world goes the same way every time.

use simulator::{Scenario, Simulator, Weather};

const SEEDS: std::ops::Range<u64> = 1..40;

#[test]
fn a_seed_replays_exactly_down_to_the_last_line_of_its_story() {
    let (one, other) = (Simulator::new(None), Simulator::new(None));
    for seed in SEEDS {
        let scenario = Scenario::from_seed(seed);
        let first = one.live(&scenario, &Weather::Seeded, true);
        assert!(!first.story.is_empty());
        assert_eq!(first, other.live(&scenario, &Weather::Seeded, true), "seed {seed}");
    }
}

#[test]
fn a_world_goes_the_same_way_with_its_faults_as_a_list() {
    let simulator = Simulator::new(None);
    for seed in SEEDS {
        let scenario = Scenario::from_seed(seed);
        let seeded = simulator.live(&scenario, &Weather::Seeded, true);
        let listed = simulator.live(&scenario, &Weather::Listed(seeded.faults.clone()), true);
        assert_eq!(seeded, listed, "seed {seed}");
    }
}

#[test]
fn a_world_on_another_thread_goes_the_same_way() {
    let live = || Simulator::new(None).live(&Scenario::from_seed(7), &Weather::Seeded, true);
    let elsewhere = std::thread::spawn(live).join().unwrap();
    assert_eq!(live(), elsewhere);
}
