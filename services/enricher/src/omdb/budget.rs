//! The requests that a day has left. All environments share one count, an object of the bucket that is changed by
//! conditional writes alone, see [`domain::quota`].
//!
//! Requests are counted before they are sent, as many as are waiting for it at that moment, so that a batch of ten costs
//! one reading and one writing. What is counted and not sent, since whoever waited has given up, serves the next one; only
//! an environment that ends takes some along. The count may thus be too high, never too low.
//!
//! A request is counted on the day that it arrives on. Just before midnight nobody can tell which that is, so it is counted
//! on both.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use domain::quota::{Count, Day};
use function::backoff::Backoff;
use tokio::sync::Mutex;

use super::Breaker;
use super::OmdbError;
use crate::bucket::{Bucket, BucketError, Condition, Object, Put};
use crate::clock::Clock;

/// How often the count is read and written when others change it at the same time. Each loss means that somebody else
/// won, so this many losses in a row need this many other batches at the same moment.
const MAX_RACES: u32 = 20;

/// Pauses between these tries: reading and writing take some tens of milliseconds.
const RACE_BACKOFF: Backoff = Backoff { base: Duration::from_millis(20), cap: Duration::from_millis(500) };

/// What a request may take from being counted to its arrival, and clocks may differ by: a connection and a question take
/// no more than `OMDB_TIMEOUT_MS`, which is a minute at most, and a host that keeps time is behind by less than the rest.
///
/// One that is ahead counts the last requests of a day for the next one. OMDb's day is a guess anyway.
const MAX_WAY: TimeDelta = TimeDelta::minutes(2);

/// The day's requests, kept in a bucket.
#[derive(Debug)]
pub struct Budget<B> {
    bucket: B,
    daily_limit: u32,
    clock: Clock,
    /// How many want to send a request and may not yet.
    waiting: AtomicU32,
    /// Held over a reservation, so that those who come meanwhile share the next one.
    reserved: Mutex<Reserved>,
}

/// Requests of each day that are counted and not yet sent.
#[derive(Debug, Default)]
struct Reserved(BTreeMap<Day, u32>);

impl Reserved {
    /// The first of these days that has none.
    fn lacking(&self, days: &[Day]) -> Option<Day> {
        days.iter().copied().find(|day| !self.0.contains_key(day))
    }

    fn add(&mut self, day: Day, requests: u32) {
        self.0.insert(day, requests);
    }

    /// Takes one of each of these days, all of which have some. Days before them are over.
    fn take(&mut self, days: &[Day]) {
        self.0.retain(|day, requests| {
            *requests -= u32::from(days.contains(day));
            *requests > 0 && days.first() <= Some(day)
        });
    }
}

/// The days that a request may arrive on which is sent now, in order.
fn days_of_arrival(now: DateTime<Utc>) -> Vec<Day> {
    let mut days = vec![Day::of(now), Day::of(now + MAX_WAY)];
    days.dedup();
    days
}

/// Why no request may be sent.
#[derive(Debug)]
enum Refusal {
    /// The count cannot be read or written.
    Bucket(BucketError),
    /// The day has none left.
    Spent { until: DateTime<Utc> },
}

impl From<BucketError> for Refusal {
    fn from(error: BucketError) -> Self {
        Self::Bucket(error)
    }
}

/// One more who waits, until this is dropped.
struct Waiting<'a>(&'a AtomicU32);

impl<'a> Waiting<'a> {
    fn join(waiting: &'a AtomicU32) -> Self {
        waiting.fetch_add(1, Ordering::Relaxed);
        Self(waiting)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<B: Bucket> Budget<B> {
    /// At most so many requests a day, counted in this bucket.
    #[must_use]
    pub fn new(bucket: B, daily_limit: u32, clock: Clock) -> Self {
        Self { bucket, daily_limit, clock, waiting: AtomicU32::new(0), reserved: Mutex::default() }
    }

    /// Takes one request off what the day has left, unless the batch has been told to stop meanwhile. It is to be sent at
    /// once.
    pub(super) async fn take(&self, breaker: &Breaker) -> Result<(), OmdbError> {
        let _waiting = Waiting::join(&self.waiting);
        let mut reserved = self.reserved.lock().await;
        breaker.check()?;
        loop {
            // Anew each time: counting takes a while, and the day may end meanwhile.
            let days = days_of_arrival(self.clock.now());
            let Some(lacking) = reserved.lacking(&days) else {
                reserved.take(&days);
                return Ok(());
            };
            let granted = self.reserve(lacking).await.map_err(|refusal| self.explain(refusal))?;
            reserved.add(lacking, granted);
        }
    }

    /// Counts requests for all who are waiting when the count has been read; how many, at least one.
    async fn reserve(&self, day: Day) -> Result<u32, Refusal> {
        let key = day.key();
        for attempt in 1..=MAX_RACES {
            let (count, condition) = match self.bucket.find(&key).await? {
                Some(found) => {
                    let count = Count::read(day, &found.body).map_err(|fault| unusable(&key, fault.to_string()))?;
                    (count, Condition::Unchanged { etag: found.etag })
                }
                None => (Count::none(day), Condition::Absent),
            };
            let wanted = self.waiting.load(Ordering::Relaxed);
            let Some((granted, count)) = count.reserve(wanted, self.daily_limit) else {
                return Err(Refusal::Spent { until: day.end() });
            };
            let object = Object { key: &key, body: &count.to_json(), run: None };
            if self.bucket.put(object, &condition).await? == Put::Stored {
                return Ok(granted);
            }
            tokio::time::sleep(RACE_BACKOFF.pause(attempt, fastrand::f64())).await;
        }
        Err(unusable(&key, format!("others changed it at the same time, {MAX_RACES} times in a row")))
    }

    fn explain(&self, refusal: Refusal) -> OmdbError {
        match refusal {
            Refusal::Bucket(error) => OmdbError::Count(error),
            Refusal::Spent { until } => OmdbError::DailyLimit { limit: self.daily_limit, until },
        }
    }
}

fn unusable(key: &str, reason: String) -> Refusal {
    Refusal::Bucket(BucketError { operation: "count OMDb's requests in", key: key.to_owned(), reason })
}
