//! What came of a storm.

use std::fmt;
use std::time::Duration;

use domain::invariants::Violation;
use serde_json::{Value, json};

use super::Storm;

/// What was done and what became of it, in numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Processes of the ranker that were killed.
    pub rankers_killed: usize,
    /// Processes of the enricher that were killed.
    pub enrichers_killed: usize,
    /// How often OMDb was killed and brought back.
    pub omdb_outages: usize,
    /// How often the local AWS was restarted.
    pub restarts: usize,
    /// Messages that were published again on purpose.
    pub published_again: usize,
    /// Messages that the topic accepted, repeated ones included.
    pub published: usize,
    /// Different movies of runs among them.
    pub movies: usize,
    /// Requests that reached OMDb.
    pub omdb_requests: usize,
    /// Messages and events that had failed for good when the storm was over.
    pub dead: usize,
    /// Objects that were written, every version counted.
    pub writes: usize,
}

/// What came of a storm.
#[derive(Debug, Clone)]
pub struct StormOutcome {
    /// Which storm it was.
    pub storm: Storm,
    /// What was done and what became of it.
    pub figures: Figures,
    /// What does not hold: when the storm was over, or when all was redriven.
    pub violations: Vec<Violation>,
    /// How long it took, from the start of the local AWS to the last question.
    pub took: Duration,
}

impl StormOutcome {
    /// One JSON object.
    #[must_use]
    pub fn as_json(&self) -> Value {
        let Self { storm, figures, violations, took } = self;
        json!({
            "runs": storm.runs,
            "movies_per_run": storm.movies,
            "seed": storm.seed,
            "rankers_killed": figures.rankers_killed,
            "enrichers_killed": figures.enrichers_killed,
            "omdb_outages": figures.omdb_outages,
            "restarts": figures.restarts,
            "published_again": figures.published_again,
            "published": figures.published,
            "movies": figures.movies,
            "omdb_requests": figures.omdb_requests,
            "dead": figures.dead,
            "writes": figures.writes,
            "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "violations": violations,
        })
    }
}

impl fmt::Display for StormOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { storm: Storm { runs, movies, seed, .. }, figures, violations, took } = self;
        let verdict = if violations.is_empty() { "no rule is broken" } else { "a rule is BROKEN" };
        writeln!(f, "{runs} runs of {movies} movies at once, from seed {seed}: {verdict}.")?;
        writeln!(
            f,
            "Enrichers killed: {}, rankers: {}, OMDb: {}. Restarts of the local AWS: {}. Messages published again: {}.",
            figures.enrichers_killed,
            figures.rankers_killed,
            figures.omdb_outages,
            figures.restarts,
            figures.published_again
        )?;
        writeln!(
            f,
            "{} movies came over the topic in {} messages; OMDb was asked {} times; {} objects were written. {} messages \
             and events failed for good and were redriven.",
            figures.movies, figures.published, figures.omdb_requests, figures.writes, figures.dead
        )?;
        writeln!(f, "{:.0} s.", took.as_secs_f64())?;
        violations.iter().try_for_each(|violation| writeln!(f, "{violation}"))
    }
}

#[cfg(test)]
mod tests {
    use domain::invariants::Rule;

    use super::*;
    use crate::progress::Progress;

    fn outcome(violations: Vec<Violation>) -> StormOutcome {
        let storm = Storm { runs: 2, movies: 3, seed: 7, progress: Progress::Silent };
        StormOutcome { storm, figures: Figures::default(), violations, took: Duration::from_millis(1_500) }
    }

    #[test]
    fn a_verdict_is_told_with_its_seed_and_every_violation() {
        assert!(
            outcome(Vec::new()).to_string().starts_with("2 runs of 3 movies at once, from seed 7: no rule is broken.")
        );
        let lost = Violation { rule: Rule::Conservation, sentence: "it is gone".to_owned() };
        let broken = outcome(vec![lost]);
        assert!(
            broken.to_string().contains("a rule is BROKEN")
                && broken.to_string().ends_with("Conservation: it is gone\n")
        );
        assert_eq!(broken.as_json()["violations"][0]["rule"], "conservation");
    }
}
