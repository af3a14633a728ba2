//! Pauses between tries.

use std::time::Duration;

/// Exponential backoff with full jitter: a random pause between zero and `base · 2^(attempt − 1)`, at most `cap`.
///
/// Full jitter, because clients that failed together then do not come back together
/// (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
#[derive(Debug, Clone, Copy)]
pub struct Backoff {
    /// The longest pause after the first try.
    pub base: Duration,
    /// The longest pause at all.
    pub cap: Duration,
}

impl Backoff {
    /// The pause after the given try, counted from 1. `random` lies in 0 to 1.
    #[must_use]
    pub fn pause(&self, attempt: u32, random: f64) -> Duration {
        // Past 2^16 any base is over any cap; the bound keeps the shift in range.
        let longest = self.base.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(self.cap);
        longest.mul_f64(random.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff { base: Duration::from_millis(100), cap: Duration::from_secs(2) };

    #[test]
    fn the_longest_pause_doubles_up_to_the_cap() {
        let longest: Vec<_> = (1..=7).map(|attempt| BACKOFF.pause(attempt, 1.0).as_millis()).collect();
        assert_eq!(longest, [100, 200, 400, 800, 1600, 2000, 2000]);
        assert_eq!(BACKOFF.pause(u32::MAX, 1.0), BACKOFF.cap);
    }

    #[test]
    fn jitter_takes_any_share_of_the_longest_pause() {
        assert_eq!(BACKOFF.pause(3, 0.0), Duration::ZERO);
        assert_eq!(BACKOFF.pause(3, 0.5), Duration::from_millis(200));
    }
}
