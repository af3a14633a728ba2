//! How much time an invocation has left.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

/// The moment at which Lambda ends the invocation. Kept on tokio's clock, so that a test that pauses the clock moves
/// it too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline that Lambda gives with an event, as wall-clock time.
    #[must_use]
    pub fn at(time: SystemTime) -> Self {
        Self::after(time.duration_since(SystemTime::now()).unwrap_or_default())
    }

    /// So much time from now.
    #[must_use]
    pub fn after(time: Duration) -> Self {
        Self(Instant::now() + time)
    }

    /// An earlier deadline that leaves `reserve` for what comes after.
    #[must_use]
    pub fn less(self, reserve: Duration) -> Self {
        Self(self.0.checked_sub(reserve).unwrap_or(self.0))
    }

    /// The time left; zero when it is over.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// As tokio's timers want it.
    #[must_use]
    pub fn instant(self) -> Instant {
        self.0
    }
}
