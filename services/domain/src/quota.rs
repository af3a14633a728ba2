//! How many requests `OMDb` may get a day, all environments of the enricher together.
//!
//! ```text
//! omdb-requests/2026-11-22.json   {"date":"2026-11-22","requests":57}
//! ```
//!
//! Each day has one object of the private bucket. Requests are added to it before they are sent, and only over the very
//! object that was read. So the count may be too high, after a crash, but never too low.
//!
//! A day is one of UTC. `OMDb` does not say when its own begins; whenever it says that the limit is reached, it is.

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use serde::{Deserialize, Serialize};

/// Where the counts lie.
pub const PREFIX: &str = "omdb-requests/";

/// A day of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(NaiveDate);

impl Day {
    /// The day of a moment.
    #[must_use]
    pub fn of(time: DateTime<Utc>) -> Self {
        Self(time.date_naive())
    }

    /// When it is over and the next one begins.
    #[must_use]
    pub fn end(self) -> DateTime<Utc> {
        // The last day that chrono knows lies some 260,000 years ahead.
        self.0.checked_add_days(Days::new(1)).unwrap_or(NaiveDate::MAX).and_time(NaiveTime::MIN).and_utc()
    }

    /// The key of its count.
    #[must_use]
    pub fn key(self) -> String {
        format!("{PREFIX}{}.json", self.0)
    }
}

/// How many requests a day has had so far, or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    day: Day,
    requests: u32,
}

/// A count as it is stored.
#[derive(Serialize, Deserialize)]
struct Stored {
    date: String,
    requests: u32,
}

/// What lies at the key of a count is none.
#[derive(Debug, Clone, thiserror::Error)]
#[error("it is no count of that day's requests ({reason}); remove the object and the count begins anew")]
pub struct CountFault {
    reason: String,
}

impl Count {
    /// A day that has had none.
    #[must_use]
    pub fn none(day: Day) -> Self {
        Self { day, requests: 0 }
    }

    /// Reads the stored count of a day.
    ///
    /// # Errors
    /// [`CountFault`] for anything that [`to_json`](Self::to_json) did not write, and for another day's.
    pub fn read(day: Day, json: &[u8]) -> Result<Self, CountFault> {
        let stored: Stored = serde_json::from_slice(json).map_err(|error| CountFault { reason: error.to_string() })?;
        if stored.date != day.0.to_string() {
            return Err(CountFault { reason: format!("it is of {:.10}", stored.date) });
        }
        Ok(Self { day, requests: stored.requests })
    }

    /// The count as it is stored.
    #[must_use]
    pub fn to_json(self) -> Vec<u8> {
        format!(r#"{{"date":"{}","requests":{}}}"#, self.day.0, self.requests).into_bytes()
    }

    /// The requests counted.
    #[must_use]
    pub fn requests(self) -> u32 {
        self.requests
    }

    /// Adds as many of the wanted requests as the limit leaves: how many those are, and the count with them. Nothing
    /// when it leaves none.
    #[must_use]
    pub fn reserve(self, wanted: u32, limit: u32) -> Option<(u32, Self)> {
        let granted = wanted.min(limit.saturating_sub(self.requests));
        (granted > 0).then(|| (granted, Self { requests: self.requests + granted, ..self }))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(time: &str) -> Day {
        Day::of(time.parse().unwrap())
    }

    #[test]
    fn a_day_ends_when_the_next_one_begins() {
        assert_eq!(day("2026-12-31T23:59:59.999Z").end().to_rfc3339(), "2027-01-01T00:00:00+00:00");
        assert_eq!(day("2027-01-01T00:00:00Z").end().to_rfc3339(), "2027-01-02T00:00:00+00:00");
        assert_eq!(day("2028-02-28T12:00:00Z").end().to_rfc3339(), "2028-02-29T00:00:00+00:00");
    }

    #[test]
    fn a_count_lies_under_its_day() {
        assert_eq!(day("2026-11-22T12:00:00Z").key(), "omdb-requests/2026-11-22.json");
    }

    #[test]
    fn what_is_no_count_of_the_day_is_refused_and_says_what_to_do() {
        let today = day("2026-11-22T12:00:00Z");
        for json in ["", "57", r#"{"requests":57}"#, r#"{"date":"2026-11-22","requests":-1}"#] {
            assert!(
                Count::read(today, json.as_bytes()).unwrap_err().to_string().contains("remove the object"),
                "{json}"
            );
        }
        let other = Count::read(today, br#"{"date":"2026-11-21","requests":57}"#).unwrap_err();
        assert!(other.to_string().contains("it is of 2026-11-21"), "{other}");
    }

    #[test]
    fn a_used_up_day_grants_nothing() {
        let count = Count { requests: 1_000, ..Count::none(day("2026-11-22T12:00:00Z")) };
        assert_eq!(count.reserve(1, 1_000), None);
        assert_eq!(count.reserve(5, 1_003).map(|(granted, count)| (granted, count.requests)), Some((3, 1_003)));
        // The limit was lowered meanwhile.
        assert_eq!(count.reserve(1, 10), None);
    }

    proptest! {
        #[test]
        fn a_count_is_read_as_it_was_stored(requests: u32) {
            let count = Count { requests, ..Count::none(day("2026-11-22T12:00:00Z")) };
            prop_assert_eq!(Count::read(count.day, &count.to_json()).unwrap(), count);
        }

        #[test]
        fn whatever_is_wanted_the_day_grants_the_limit_and_no_more(limit in 1_u32..500, wanted in prop::collection::vec(1_u32..50, 0..50)) {
            let mut count = Count::none(day("2026-11-22T12:00:00Z"));
            let mut granted = 0;
            for some in &wanted {
                if let Some((more, next)) = count.reserve(*some, limit) {
                    prop_assert!((1..=*some).contains(&more));
                    granted += more;
                    count = next;
                }
            }
            prop_assert_eq!(granted, wanted.iter().sum::<u32>().min(limit));
            prop_assert_eq!(count.requests(), granted);
        }
    }
}
