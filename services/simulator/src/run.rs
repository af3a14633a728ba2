//! One world from its beginning to its end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::invariants::Violation;

use crate::driver::Driver;
use crate::fault::{Fault, Site};
use crate::functions::Gauges;
use crate::mutation::Mutation;
use crate::scenario::Scenario;
use crate::world::{Faults, World};

/// Where faults come from.
#[derive(Debug, Clone, PartialEq)]
pub enum Weather {
    /// From the scenario's seed.
    Seeded,
    /// These and no others.
    Listed(Vec<(Site, Fault)>),
}

/// What came of a world.
#[derive(Debug, Clone, PartialEq)]
pub struct Lived {
    /// What does not hold, and when that showed.
    pub violations: Vec<(Duration, Violation)>,
    /// The faults that happened, in order.
    pub faults: Vec<(Site, Fault)>,
    /// Records and events that were handed to a function.
    pub deliveries: u64,
    /// How much time passed in the world.
    pub duration: Duration,
    /// What happened, and when; empty unless asked for.
    pub story: Vec<(Duration, String)>,
}

/// Lives through worlds, one at a time.
pub struct Simulator {
    gauges: Gauges,
    mutation: Option<Mutation>,
}

impl Simulator {
    /// With a mistake seeded, or without.
    #[must_use]
    pub fn new(mutation: Option<Mutation>) -> Self {
        Self { gauges: Gauges::new(), mutation }
    }

    /// Lives through a world. The same world with the same weather always goes the same way.
    ///
    /// # Panics
    /// When the system gives this process no runtime.
    #[must_use]
    pub fn live(&self, scenario: &Scenario, weather: &Weather, is_told: bool) -> Lived {
        #[expect(clippy::expect_used, reason = "a runtime without I/O takes nothing of the system but memory")]
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime without I/O is built");
        // The handlers' own chance, such as the length of their pauses.
        fastrand::seed(scenario.chance);
        let faults = match weather {
            Weather::Seeded => Faults::Seeded,
            Weather::Listed(faults) => Faults::Listed(faults.iter().cloned().collect::<HashMap<_, _>>()),
        };
        runtime.block_on(async {
            let world = Arc::new(World::new(scenario.clone(), faults, self.mutation, is_told));
            let mut driver = Driver::new(Arc::clone(&world), self.gauges.clone());
            driver.run().await;
            let mut state = world.state();
            Lived {
                violations: std::mem::take(&mut state.violations),
                faults: std::mem::take(&mut state.fired),
                deliveries: driver.deliveries,
                duration: world.elapsed(),
                story: state.story.take().unwrap_or_default(),
            }
        })
    }
}
