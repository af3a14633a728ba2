//! One execution of the pipeline and its name.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::{Deserialize, Serialize};

/// How a run is written: UTC to the second, without the colons of RFC 3339, because a run is part of an object key
/// and S3 lists the colon among the characters that need special handling
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html>).
const FORMAT: &str = "%Y-%m-%dT%H-%M-%SZ";

/// The name of a run, such as `2026-11-22T12-00-00Z`.
///
/// It is made from the `time` of the schedule event, so a retried or repeated event is the same run and writes the
/// same objects. Runs compare as their times do: the text has a fixed width.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Run(String);

impl Run {
    /// The run that an event of this time starts. Fractions of a second are dropped: EventBridge has none.
    ///
    /// # Errors
    /// [`RunError`] when the year does not have four digits, since names would no longer compare as times.
    pub fn at(time: DateTime<Utc>) -> Result<Self, RunError> {
        Self::parse(&time.format(FORMAT).to_string())
    }

    /// Reads a name back.
    ///
    /// # Errors
    /// [`RunError`] for anything that [`Run::at`] does not write.
    pub fn parse(name: &str) -> Result<Self, RunError> {
        let fault = || RunError { found: name.chars().take(40).collect() };
        let time = NaiveDateTime::parse_from_str(name, FORMAT).map_err(|_| fault())?;
        // chrono also reads unpadded numbers; only the padded form compares as time does.
        if name.len() == "2026-11-22T12-00-00Z".len() && time.format(FORMAT).to_string() == name {
            Ok(Self(name.to_owned()))
        } else {
            Err(fault())
        }
    }

    /// The time that names it, to the second.
    #[must_use]
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a run is made by reading exactly this form")]
    pub fn time(&self) -> DateTime<Utc> {
        NaiveDateTime::parse_from_str(&self.0, FORMAT).expect("a run's name is a time").and_utc()
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Run {
    type Error = RunError;

    fn try_from(name: String) -> Result<Self, RunError> {
        Self::parse(&name)
    }
}

impl From<Run> for String {
    fn from(run: Run) -> Self {
        run.0
    }
}

/// A text that names no run.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} names no run; a run is a UTC time such as 2026-11-22T12-00-00Z")]
pub struct RunError {
    /// The first 40 characters of what was given.
    found: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_run_is_named_by_the_time_of_its_event() {
        let time = "2026-11-22T12:00:00.750Z".parse().unwrap();
        let run = Run::at(time).unwrap();
        assert_eq!(run.as_str(), "2026-11-22T12-00-00Z");
        assert_eq!(run.time(), "2026-11-22T12:00:00Z".parse::<DateTime<Utc>>().unwrap());
    }

    #[test]
    fn anything_but_the_fixed_form_is_refused() {
        let refused =
            ["", "today", "2026-11-22T12:00:00Z", "2026-13-01T00-00-00Z", "2026-1-2T3-4-5Z", "../2026-11-22T12-00-00Z"];
        for name in refused {
            assert!(Run::parse(name).is_err(), "{name}");
        }
    }

    #[test]
    fn a_year_of_five_digits_is_refused_because_names_would_no_longer_compare_as_times() {
        assert!(Run::at(DateTime::from_timestamp(300_000_000_000, 0).unwrap()).is_err());
    }

    proptest! {
        #[test]
        fn runs_compare_as_their_times_do(a in 0_i64..200_000_000_000, b in 0_i64..200_000_000_000) {
            let run = |seconds| Run::at(DateTime::from_timestamp(seconds, 0).unwrap()).unwrap();
            prop_assert_eq!(run(a).cmp(&run(b)), a.cmp(&b));
        }

        #[test]
        fn a_name_reads_back_as_the_same_run(seconds in 0_i64..200_000_000_000) {
            let run = Run::at(DateTime::from_timestamp(seconds, 0).unwrap()).unwrap();
            prop_assert_eq!(Run::parse(run.as_str()), Ok(run));
        }
    }
}
