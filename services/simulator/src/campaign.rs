//! Many worlds, one seed after the other, on all processors.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::mutation::Mutation;
use crate::run::{Lived, Simulator, Weather};
use crate::scenario::Scenario;

/// What to simulate.
#[derive(Debug, Clone, Copy)]
pub struct Campaign {
    /// The seed of the first world; the next ones follow.
    pub first_seed: u64,
    /// At least so many deliveries, unless a rule is broken before.
    pub deliveries: u64,
    /// A seeded mistake.
    pub mutation: Option<Mutation>,
    /// How many worlds live at once; none: as many as there are processors.
    pub threads: Option<NonZeroUsize>,
}

/// What has been lived through so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Records and events that were handed to a function.
    pub deliveries: u64,
    /// Worlds.
    pub worlds: u64,
    /// Faults.
    pub faults: u64,
    /// Time that passed in them.
    pub simulated: Duration,
}

/// What came of a campaign.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What was lived through.
    pub figures: Figures,
    /// How long that took.
    pub took: Duration,
    /// The first world in which a rule was broken.
    pub failed: Option<(Scenario, Lived)>,
}

impl Outcome {
    /// Deliveries a second.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
    pub fn deliveries_per_second(&self) -> f64 {
        self.figures.deliveries as f64 / self.took.as_secs_f64().max(f64::MIN_POSITIVE)
    }
}

impl Campaign {
    /// Lives through worlds until there were enough deliveries or a rule is broken. `watch` is told after each world.
    pub fn run(self, watch: impl Fn(&Figures) + Sync) -> Outcome {
        let started = Instant::now();
        let progress = Progress { next: AtomicU64::new(0), sum: Mutex::new((Figures::default(), None)) };
        let threads = self.threads.or_else(|| std::thread::available_parallelism().ok()).map_or(1, NonZeroUsize::get);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| self.work(&progress, &watch));
            }
        });
        let (figures, failed) = progress.sum.into_inner().unwrap_or_else(PoisonError::into_inner);
        Outcome { figures, took: started.elapsed(), failed }
    }

    fn work(self, progress: &Progress, watch: &impl Fn(&Figures)) {
        let simulator = Simulator::new(self.mutation);
        while !progress.is_over(self.deliveries) {
            let seed = self.first_seed.wrapping_add(progress.next.fetch_add(1, Ordering::Relaxed));
            let scenario = Scenario::from_seed(seed);
            let lived = simulator.live(&scenario, &Weather::Seeded, false);
            watch(&progress.add(self.first_seed, scenario, lived));
        }
    }
}

struct Progress {
    next: AtomicU64,
    sum: Mutex<(Figures, Option<(Scenario, Lived)>)>,
}

impl Progress {
    fn is_over(&self, deliveries: u64) -> bool {
        let sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        sum.1.is_some() || sum.0.deliveries >= deliveries
    }

    fn add(&self, first_seed: u64, scenario: Scenario, lived: Lived) -> Figures {
        let mut sum = self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        let (figures, failed) = &mut *sum;
        figures.deliveries += lived.deliveries;
        figures.worlds += 1;
        figures.faults += lived.faults.len() as u64;
        figures.simulated += lived.duration;
        let age = |scenario: &Scenario| scenario.seed.wrapping_sub(first_seed);
        let is_first = failed.as_ref().is_none_or(|(first, _)| age(&scenario) < age(first));
        if !lived.violations.is_empty() && is_first {
            *failed = Some((scenario, lived));
        }
        *figures
    }
}
