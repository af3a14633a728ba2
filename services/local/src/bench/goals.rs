//! What the functions are to reach, and what the original took.
//!
//! The original's figures were measured for this project on its public code, Python 3.13 with the real runtime client, on
//! a machine with two busy processors. Its code is not in this repository.

/// A goal.
#[derive(Debug)]
pub(super) struct Goal {
    pub(super) says: &'static str,
    least: f64,
    most: f64,
}

impl Goal {
    const fn at_most(most: f64, says: &'static str) -> Self {
        Self { says, least: f64::NEG_INFINITY, most }
    }

    pub(super) fn is_met_by(&self, reached: f64) -> bool {
        (self.least..=self.most).contains(&reached)
    }
}

/// From the process started to the first question for an event.
pub(super) const START: Goal = Goal::at_most(2.5, "≤ 2.5 × the floor");
/// What a function occupies once it has served ten events or movies.
pub(super) const MEMORY_MB: Goal = Goal::at_most(16.0, "≤ 16 MB");
/// A deployment package.
pub(super) const ZIP_MB: Goal = Goal::at_most(5.0, "≤ 5 MB");
/// A tenth of the original's.
pub(super) const RANK_250_CPU_MS: Goal = Goal::at_most(ORIGINAL_RANK_250_CPU_MS / 10.0, "≤ 1/10 of the original");
/// A twentieth of the original's.
pub(super) const RANK_MILLION_CPU_MS: Goal =
    Goal::at_most(ORIGINAL_RANK_MILLION_CPU_MS / 20.0, "≤ 1/20 of the original");
/// For a list of about 400 MB.
pub(super) const RANK_MILLION_MB: Goal = Goal::at_most(64.0, "≤ 64 MB");
/// Processor time grows as the list does.
pub(super) const RANK_SLOPE: Goal = Goal { says: "1.00 ± 0.05", least: 0.95, most: 1.05 };
/// Against `serde_json` merely reading the same bytes into the same fields.
pub(super) const RANK_LIMIT: Goal = Goal::at_most(1.3, "≤ 1.3 × serde_json");
/// A fifth of the original's.
pub(super) const ENRICH_CPU_MS: Goal = Goal::at_most(ORIGINAL_ENRICH_CPU_MS / 5.0, "≤ 1/5 of the original");
/// A run of 1,000 movies is out well within a second, where SNS takes them as they come.
pub(super) const PUBLISH_MS: Goal = Goal::at_most(500.0, "≤ 500 ms");
/// Ten movies of a batch against one question to OMDb.
pub(super) const ENRICH_WALL: Goal = Goal::at_most(1.4, "≤ 1.4 × one call");
/// Of the processor time of a warm invocation.
pub(super) const TELEMETRY_SHARE: Goal = Goal::at_most(25.0, "≤ 25 %");
/// Against a function that does nothing, through the local pipeline.
pub(super) const THROUGHPUT: Goal = Goal { says: "≥ 0.8 × nothing done", least: 0.8, most: f64::INFINITY };

pub(super) const ORIGINAL_RANKER_START_MS: f64 = 700.0;
pub(super) const ORIGINAL_ENRICHER_START_MS: f64 = 569.0;
pub(super) const ORIGINAL_RANKER_FIRST_MS: f64 = 33.0;
pub(super) const ORIGINAL_ENRICHER_FIRST_MS: f64 = 35.0;
pub(super) const ORIGINAL_RANK_250_CPU_MS: f64 = 10.9;
pub(super) const ORIGINAL_RANK_250_MS: f64 = 17.7;
pub(super) const ORIGINAL_RANKER_MB: f64 = 54.0;
pub(super) const ORIGINAL_RANK_HUNDRED_THOUSAND_CPU_MS: f64 = 3_689.0;
pub(super) const ORIGINAL_RANK_HUNDRED_THOUSAND_MS: f64 = 4_794.0;
pub(super) const ORIGINAL_RANK_HUNDRED_THOUSAND_MB: f64 = 217.0;
pub(super) const ORIGINAL_RANK_MILLION_CPU_MS: f64 = 51_583.0;
pub(super) const ORIGINAL_RANK_MILLION_MS: f64 = 86_230.0;
pub(super) const ORIGINAL_RANK_MILLION_MB: f64 = 1_686.0;
pub(super) const ORIGINAL_ENRICH_CPU_MS: f64 = 18.5;
pub(super) const ORIGINAL_ENRICH_MS: f64 = 28.0;
pub(super) const ORIGINAL_ENRICH_50_CPU_MS: f64 = 25.4;
pub(super) const ORIGINAL_ENRICH_50_MS: f64 = 567.0;
pub(super) const ORIGINAL_ENRICHER_MB: f64 = 59.0;
/// Its zip; the SDK that it needs lies in AWS's runtime.
pub(super) const ORIGINAL_ZIP_MB: f64 = 0.455;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_met_up_to_its_limits_and_by_no_missing_figure() {
        assert!(START.is_met_by(2.5) && !START.is_met_by(2.51) && !START.is_met_by(f64::NAN));
        assert!(RANK_SLOPE.is_met_by(0.95) && !RANK_SLOPE.is_met_by(0.94) && !RANK_SLOPE.is_met_by(1.06));
        assert!(THROUGHPUT.is_met_by(3.0) && !THROUGHPUT.is_met_by(0.79));
    }
}
