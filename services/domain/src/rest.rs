//! How long a movie is left alone that cannot be had before something changes: the next day comes, or somebody mends the
//! key. The queue would deliver it again after its visibility timeout, count each time as a receive, and have a dead
//! letter long before.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::contract::environment::{HIDDEN_UP_TO_AGE, HIDDEN_WHILE_KEY_IS_REJECTED, MAX_HIDDEN};
use crate::quota::Day;

/// How long Lambda may have held a message before the function saw it: its batching window, 5 minutes at most, and what it
/// takes to start an environment. SQS does not tell when a message was received.
const MAX_HANDOVER: Duration = Duration::from_mins(6);

/// After midnight, so that clocks which differ a little agree on the day.
const DAY_HAS_BEGUN: Duration = Duration::from_mins(1);

/// The most that a message waits beyond that, each for another part of it: what waited does not come all at once.
const SPREAD: Duration = Duration::from_mins(14);

/// What a movie waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// The next day of UTC, with requests of its own.
    UntilNextDay,
    /// Another key.
    UntilKeyIsMended,
    /// The time after which OMDb wants to be asked again, being busy (`Retry-After`,
    /// <https://www.rfc-editor.org/rfc/rfc9110#name-retry-after>).
    AsOmdbAsks(Duration),
}

/// Where the time of a message stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waited {
    /// Since it was sent.
    pub since_sent: Duration,
    /// Since the function got it.
    pub since_received: Duration,
    /// For how long the queue hides it by itself, from its receive on: its visibility timeout.
    pub visibility_timeout: Duration,
}

impl Rest {
    /// For how long a message is hidden from `now` on, in whole seconds; nothing when SQS or its age allow no more than the
    /// queue hides it by itself: to hide it is to replace that time, and never makes it shorter. `random` lies in 0 to 1.
    #[must_use]
    pub fn length(self, now: DateTime<Utc>, waited: Waited, random: f64) -> Option<Duration> {
        let rest = match self {
            Self::UntilNextDay => {
                let left = (Day::of(now).end() - now).to_std().unwrap_or_default();
                left + DAY_HAS_BEGUN + SPREAD.mul_f64(random.clamp(0.0, 1.0))
            }
            Self::UntilKeyIsMended => HIDDEN_WHILE_KEY_IS_REJECTED,
            Self::AsOmdbAsks(time) => time,
        };
        let by_sqs = MAX_HIDDEN.saturating_sub(MAX_HANDOVER).saturating_sub(waited.since_received);
        let by_age = HIDDEN_UP_TO_AGE.saturating_sub(waited.since_sent);
        let hidden = Duration::from_secs(rest.min(by_sqs).min(by_age).as_secs());
        (hidden > waited.visibility_timeout.saturating_sub(waited.since_received)).then_some(hidden)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const JUST_NOW: Waited = Waited {
        since_sent: Duration::ZERO,
        since_received: Duration::ZERO,
        visibility_timeout: Duration::from_secs(30),
    };

    fn until_next_day(now: &str, waited: Waited, random: f64) -> Option<u64> {
        Rest::UntilNextDay.length(now.parse().unwrap(), waited, random).map(|length| length.as_secs())
    }

    #[test]
    fn a_movie_without_requests_waits_for_the_next_day_and_a_little_longer() {
        assert_eq!(until_next_day("2026-11-22T23:00:00Z", JUST_NOW, 0.0), Some(61 * 60));
        assert_eq!(until_next_day("2026-11-22T23:00:00Z", JUST_NOW, 1.0), Some(75 * 60));
        assert_eq!(until_next_day("2026-11-22T23:59:59.500Z", JUST_NOW, 0.0), Some(60));
    }

    #[test]
    fn sqs_hides_no_message_for_more_than_12_hours_after_its_receive() {
        let longest = 12 * 3_600 - 6 * 60;
        assert_eq!(until_next_day("2026-11-22T09:00:00Z", JUST_NOW, 0.5), Some(longest));
        let after_a_while = Waited { since_received: Duration::from_secs(20), ..JUST_NOW };
        assert_eq!(until_next_day("2026-11-22T09:00:00Z", after_a_while, 0.5), Some(longest - 20));
    }

    #[test]
    fn a_movie_without_a_key_waits_for_half_an_hour() {
        let length = Rest::UntilKeyIsMended.length("2026-11-22T09:00:00Z".parse().unwrap(), JUST_NOW, 0.5);
        assert_eq!(length, Some(Duration::from_mins(30)));
    }

    fn as_omdb_asks(seconds: u64, waited: Waited) -> Option<u64> {
        let rest = Rest::AsOmdbAsks(Duration::from_secs(seconds));
        rest.length("2026-11-22T09:00:00Z".parse().unwrap(), waited, 0.5).map(|length| length.as_secs())
    }

    #[test]
    fn a_busy_omdb_is_left_alone_for_as_long_as_it_asks() {
        assert_eq!(as_omdb_asks(3_600, JUST_NOW), Some(3_600));
        assert_eq!(as_omdb_asks(u64::MAX, JUST_NOW), Some(12 * 3_600 - 6 * 60));
    }

    #[test]
    fn what_is_to_wait_for_less_than_the_queue_hides_it_anyway_is_left_to_the_queue() {
        assert_eq!(as_omdb_asks(30, JUST_NOW), None);
        assert_eq!(as_omdb_asks(31, JUST_NOW), Some(31));
        let after_a_while = Waited { since_received: Duration::from_secs(20), ..JUST_NOW };
        assert_eq!(as_omdb_asks(10, after_a_while), None);
        assert_eq!(as_omdb_asks(11, after_a_while), Some(11));
        let long = Waited { visibility_timeout: Duration::from_hours(1), ..JUST_NOW };
        assert_eq!(Rest::UntilKeyIsMended.length("2026-11-22T09:00:00Z".parse().unwrap(), long, 0.5), None);
    }

    #[test]
    fn a_message_of_two_days_is_left_to_the_queue() {
        let old = |since_sent| Waited { since_sent, ..JUST_NOW };
        let now = "2026-11-22T09:00:00Z";
        assert_eq!(until_next_day(now, old(Duration::from_hours(47)), 0.5), Some(3_600));
        assert_eq!(until_next_day(now, old(Duration::from_hours(48)), 0.5), None);
        assert_eq!(until_next_day(now, old(Duration::from_hours(90)), 0.5), None);
    }

    proptest! {
        #[test]
        fn no_rest_ends_the_day_early_nor_before_the_queues_own_nor_outlasts_what_sqs_and_the_age_allow(
            second in 0_i64..86_400, sent in 0_u64..400_000, received in 0_u64..60_000, timeout in 0_u64..43_200,
            random in 0.0_f64..=1.0,
        ) {
            let now = DateTime::from_timestamp(1_795_305_600 + second, 0).unwrap();
            let waited = Waited {
                since_sent: Duration::from_secs(sent),
                since_received: Duration::from_secs(received),
                visibility_timeout: Duration::from_secs(timeout),
            };
            for rest in [Rest::UntilNextDay, Rest::UntilKeyIsMended, Rest::AsOmdbAsks(Duration::from_secs(sent))] {
                let length = rest.length(now, waited, random).unwrap_or_default().as_secs();
                prop_assert!(received + length <= 12 * 3_600 - 6 * 60 || length == 0);
                prop_assert!(sent + length <= 48 * 3_600 || length == 0);
                prop_assert!(received + length > timeout || length == 0);
            }
            let untouched = Rest::UntilNextDay.length(now, JUST_NOW, random).unwrap();
            if second > 13 * 3_600 {
                prop_assert!(now + untouched > Day::of(now).end());
            }
        }
    }
}
