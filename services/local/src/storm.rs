//! Storms over the wire: real functions between a local AWS and a stand-in of OMDb, both of which fail them.
//!
//! Several runs at once, and meanwhile: functions are killed, OMDb is killed and brought back, the local AWS is restarted
//! with its state, messages come again that came before, some movies cannot be had. When all is at rest,
//! [`domain::invariants`] is asked; then faults end, what failed for good is redriven, and it is asked once more.
//!
//! | Module | What it does |
//! |---|---|
//! | `trial` | a pipeline that faults are put into, with all that the invariants need to know of it |
//! | `witness` | sees what the topic accepts |
//! | `snapshot` | reads what the invariants look at |
//! | `plan` | what goes wrong, and when |
//! | `source` | a list of as many movies as are wanted |
//! | `raging` | the storm itself |
//! | `outcome` | what came of it |
//!
//! Moments are moments of the pipeline's progress, drawn from a seed: "when OMDb was asked 57 times". So a seed brings
//! the same faults in the same order; what a function is just doing then is up to the machine. `simulator` goes the same
//! way every time, but knows no wire.

mod outcome;
mod plan;
mod raging;
mod snapshot;
mod source;
mod trial;
mod witness;

pub use outcome::{Figures, StormOutcome};
pub use source::source_of;
pub use trial::Trial;

use std::time::Instant;

use crate::progress::Progress;

/// A storm.
#[derive(Debug, Clone, Copy)]
pub struct Storm {
    /// How many runs there are at once.
    pub runs: usize,
    /// How many movies each has, 1 to 1,000.
    pub movies: usize,
    /// Where chance begins.
    pub seed: u64,
    /// Where progress is shown.
    pub progress: Progress,
}

impl Storm {
    /// Lives through it, with a pipeline of its own.
    ///
    /// # Errors
    /// The pipeline cannot be started, does not come to rest, or does not answer. A broken rule is no error, but in what
    /// came of it.
    pub async fn rage(self) -> anyhow::Result<StormOutcome> {
        let start = Instant::now();
        let raging = raging::Raging::begin(self).await?;
        Box::pin(raging.live()).await.map(|(figures, violations)| StormOutcome {
            storm: self,
            figures,
            violations,
            took: start.elapsed(),
        })
    }
}
