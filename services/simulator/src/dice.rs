//! Chance that belongs to a place instead of a sequence: the same place of the same seed always falls the same. Taking
//! one fault out of a world therefore leaves the others where they are, which is what lets a story be shortened.

use std::time::Duration;

use fastrand::Rng;

/// Chance of one seed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// The chance at a place that a text and two numbers name.
    pub(crate) fn at(self, what: u64, subject: &str, nth: u32) -> Rng {
        let named = subject.bytes().fold(self.0 ^ what, |hash, byte| mix(hash ^ u64::from(byte)));
        Rng::with_seed(mix(named ^ u64::from(nth)))
    }
}

/// One step of `SplitMix64` (<https://prng.di.unimi.it/splitmix64.c>): every bit of the result depends on every bit given.
fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// A time in whole milliseconds, as tokio's timers count.
pub(crate) fn millis(rng: &mut Rng, range: std::ops::RangeInclusive<u64>) -> Duration {
    Duration::from_millis(rng.u64(range))
}

/// One of several.
pub(crate) fn one_of<T: Copy>(rng: &mut Rng, of: &[T]) -> T {
    of[rng.usize(..of.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_falls_the_same_every_time_and_differently_for_another_seed() {
        let fall = |seed, subject, nth| Dice::new(seed).at(3, subject, nth).u64(..);
        assert_eq!(fall(1, "a", 0), fall(1, "a", 0));
        let others = [fall(2, "a", 0), fall(1, "b", 0), fall(1, "a", 1)];
        assert!(!others.contains(&fall(1, "a", 0)));
    }
}
