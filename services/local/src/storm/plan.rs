//! What goes wrong, and when.

use std::collections::VecDeque;

use fastrand::Rng;

use super::Storm;

/// A fault of the pipeline's surroundings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// A process of the enricher is killed.
    KillEnricher,
    /// OMDb is killed, and comes back when records have failed of it.
    KillOmdb,
    /// OMDb is killed; once all events are published, the local AWS is restarted; then OMDb comes back.
    RestartAws,
    /// Messages that were published are published again.
    PublishAgain,
}

/// What is to come: after so many requests to OMDb, this.
#[derive(Debug)]
pub(super) struct Plan {
    /// In order of time.
    pub(super) faults: VecDeque<(usize, Fault)>,
    /// After so many messages on the topic, every process of the ranker is killed; in order of time.
    pub(super) ranker_kills: VecDeque<usize>,
    /// So many of the best movies are not to be had as long as the storm rages.
    pub(super) unknown: usize,
    /// How many messages are published again at a time.
    pub(super) again: usize,
}

impl Plan {
    /// From the storm's seed.
    pub(super) fn of(storm: &Storm, chance: &mut Rng) -> Self {
        use Fault::{KillEnricher, KillOmdb, PublishAgain, RestartAws};
        let total = storm.runs * storm.movies;
        let kills = (total / 200).clamp(3, 30);
        let faults = [KillOmdb, KillOmdb, RestartAws, PublishAgain, PublishAgain];
        let faults = faults.into_iter().chain(std::iter::repeat_n(KillEnricher, kills));
        // Not at the very end, where nothing might be left to do.
        let faults = faults.map(|fault| (chance.usize(1..=(total * 4 / 5).max(1)), fault));
        Self {
            faults: in_order(faults, |(at, _)| *at),
            ranker_kills: in_order((0..2).map(|_| chance.usize(1..=(total / 2).max(1))), |at| *at),
            unknown: (storm.movies / 100).max(1),
            again: (total / 20).max(1),
        }
    }
}

fn in_order<T>(items: impl Iterator<Item = T>, at: impl Fn(&T) -> usize) -> VecDeque<T> {
    let mut items: Vec<_> = items.collect();
    items.sort_by_key(at);
    items.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::progress::Progress;

    fn plan(seed: u64) -> Plan {
        let storm = Storm { runs: 10, movies: 1_000, seed, progress: Progress::Silent };
        Plan::of(&storm, &mut Rng::with_seed(seed))
    }

    #[test]
    fn a_seed_always_makes_the_same_plan_and_another_seed_another() {
        assert_eq!(plan(1).faults, plan(1).faults);
        assert_ne!(plan(1).faults, plan(2).faults);
    }

    #[test]
    fn every_plan_has_every_fault_in_order_of_time() {
        use Fault::{KillEnricher, KillOmdb, PublishAgain, RestartAws};
        for seed in 0..100 {
            let Plan { faults, ranker_kills, .. } = plan(seed);
            for fault in [KillEnricher, KillOmdb, RestartAws, PublishAgain] {
                assert!(faults.iter().any(|(_, planned)| *planned == fault), "{fault:?}");
            }
            assert!(faults.iter().is_sorted_by_key(|(at, _)| *at) && ranker_kills.len() == 2);
        }
    }
}
