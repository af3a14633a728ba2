//! A small world told: what it was made of, what went wrong, what happened and when.

use std::fmt;
use std::time::Duration;

use crate::shrink::Shrunk;
use crate::world::VIOLATION;

impl fmt::Display for Shrunk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scenario, setup) = (&self.scenario, &self.scenario.deployment);
        writeln!(f, "The shortest story (seed {}, {} faults):", scenario.seed, self.faults.len())?;
        writeln!(
            f,
            "  Runs of {} movies. Batches of {}, {} enrichers at most, timeout {:?}. Messages are hidden for {:?} and dead after {} receives.",
            scenario.top_n,
            setup.batch_size,
            setup.maximum_concurrency,
            setup.enricher_timeout,
            setup.visibility_timeout,
            setup.max_receives,
        )?;
        let end = self.lived.story.iter().rposition(|(_, line)| line.starts_with(VIOLATION)).unwrap_or_default();
        for (at, line) in &self.lived.story[..=end] {
            writeln!(f, "  {} {line}", clock(*at))?;
        }
        Ok(())
    }
}

/// Time since the world began: `1:02:03.004`.
pub(crate) fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    format!("{}:{:02}:{:02}.{:03}", seconds / 3_600, seconds / 60 % 60, seconds % 60, time.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_told_from_the_worlds_beginning() {
        assert_eq!(clock(Duration::from_millis(3_723_004)), "1:02:03.004");
    }
}
