//! What a world is made of, all of it from one seed.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{DateTime, NaiveTime, TimeDelta, Utc};
use domain::Run;
use domain::quota::Day;
use fastrand::Rng;
use serde::Serialize;
use serde_json::json;

use crate::dice::{Dice, millis, one_of};

/// A world before it begins.
#[derive(Debug, Clone, Serialize)]
pub struct Scenario {
    /// What it was made from.
    pub seed: u64,
    /// Where the chance of its course comes from: how long calls take, in which order messages come; at first the seed.
    pub chance: u64,
    /// How the pipeline is set up.
    pub deployment: Deployment,
    /// How many movies a run has.
    pub top_n: usize,
    /// The movies of the source, more than any run has.
    pub catalogue: BTreeSet<usize>,
    /// The schedule events, in order.
    pub events: Vec<ScheduledRun>,
    /// The movies that `OMDb` does not know before the storm is over.
    pub unknown: BTreeSet<usize>,
    /// When somebody puts a text that is no message of ours into the queue.
    pub foreign: Vec<Duration>,
    /// When somebody redrives all that failed for good.
    pub redrives: Vec<Duration>,
    /// Whether the source object may change between two attempts of one event; else it changes by the day.
    pub source_changes: bool,
    /// How long after the midnight of its first day, in UTC, the world begins.
    pub begins: Duration,
    /// How many of [`OMDB_DAILY_LIMIT`] the first day has left when the world begins; others had the rest.
    pub requests_left: u32,
    /// When faults end.
    pub storm: Duration,
    /// Whether OMDb says all through the storm, which lasts for days then, that the day's limit is reached.
    pub omdb_refuses: bool,
    /// How many of 1,000 occasions go wrong, at most.
    pub faults_per_mille: u32,
    /// Which kinds of faults this world has, a bit each. Worlds that lack some go further with the others
    /// (Groce et al., "Swarm Testing", <https://doi.org/10.1145/2338965.2336763>).
    pub kinds: u32,
}

/// A schedule event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScheduledRun {
    /// When Lambda gets it.
    pub at: Duration,
    /// The run it names, which a repeated or late event shares or has of the past.
    pub run: Run,
}

/// The figures of the deployed pipeline that order and retries depend on; see `pulumi` for the defaults and their reasons.
#[derive(Debug, Clone, Serialize)]
pub struct Deployment {
    /// The most records of a batch; 10 as deployed.
    pub batch_size: usize,
    /// How long a batch may take to fill; one second as deployed.
    pub batching_window: Duration,
    /// The enricher's timeout; 30 s as deployed.
    pub enricher_timeout: Duration,
    /// The ranker's timeout; 60 s as deployed.
    pub ranker_timeout: Duration,
    /// How long a received message stays hidden; 181 s as deployed. Some worlds have it shorter than the enricher works.
    pub visibility_timeout: Duration,
    /// How often a message is received before it is dead; 5 as deployed.
    pub max_receives: u32,
    /// How many enrichers run at once; 2 as deployed.
    pub maximum_concurrency: usize,
}

/// The first event of every world: virtual worlds begin on one day.
const FIRST_RUN: &str = "2026-11-22T12:00:00Z";

/// How often OMDb may be asked on a day; as deployed. The worlds are small, so it is reached on the first day alone, of
/// which others had a part.
pub(crate) const OMDB_DAILY_LIMIT: u32 = 1_000;

/// When worlds begin, in minutes of their first day. Not at noon or before: SQS could not hide until the next day what the
/// first has no requests for, and where messages are received once, it would be dead.
const BEGINNINGS_MIN: [u64; 3] = [14 * 60, 21 * 60 + 30, 23 * 60 + 50];

impl Scenario {
    /// When the world begins.
    #[must_use]
    pub fn beginning(&self) -> DateTime<Utc> {
        let first: DateTime<Utc> = FIRST_RUN.parse().unwrap_or_default();
        first.date_naive().and_time(NaiveTime::MIN).and_utc() + self.begins
    }

    /// How many requests OMDb may get on a day.
    pub(crate) fn requests_left(&self, day: Day) -> u32 {
        if day == Day::of(self.beginning()) { self.requests_left } else { OMDB_DAILY_LIMIT }
    }

    /// The world of a seed.
    #[must_use]
    pub fn from_seed(seed: u64) -> Self {
        let mut rng = Dice::new(seed).at(u64::MAX, "scenario", 0);
        let top_n = one_of(&mut rng, &[1, 2, 3, 5, 10, 10, 12, 23]);
        let storm = Duration::from_secs(one_of(&mut rng, &[60, 600, 3_600, 7_200]));
        let redrives = rng.usize(0..=2);
        let foreign = rng.usize(0..=6).saturating_sub(2);
        let scenario = Self {
            seed,
            chance: seed,
            deployment: Deployment::random(&mut rng),
            top_n,
            catalogue: (0..top_n + SPARE).collect(),
            events: events(&mut rng, storm),
            unknown: (0..top_n + SPARE).filter(|_| rng.u8(..20) == 0).collect(),
            foreign: (0..foreign).map(|_| within(&mut rng, storm)).collect(),
            redrives: (0..redrives).map(|_| within(&mut rng, storm)).collect(),
            source_changes: rng.bool(),
            begins: Duration::from_mins(one_of(&mut rng, &BEGINNINGS_MIN)),
            requests_left: if rng.bool() { OMDB_DAILY_LIMIT } else { rng.u32(0..=40) },
            storm,
            omdb_refuses: false,
            faults_per_mille: one_of(&mut rng, &[10, 50, 150, 400]),
            kinds: if rng.bool() { u32::MAX } else { rng.u32(..) | rng.u32(..) },
        };
        if rng.u8(..REFUSING_WORLDS) == 0 { scenario.refused_by_omdb(&mut rng) } else { scenario }
    }

    /// The same world, in which OMDb gives nothing for longer than the queue keeps a movie. Messages may be received often
    /// enough to be hidden until then.
    fn refused_by_omdb(mut self, rng: &mut Rng) -> Self {
        self.omdb_refuses = true;
        self.storm = Duration::from_hours(rng.u64(48..=130));
        self.deployment.max_receives = one_of(rng, &[5, 12]);
        self
    }

    /// The bytes of the source object. Its items rank by their ranks alone, and each version shuffles them.
    #[must_use]
    pub fn source(&self, version: u64) -> Vec<u8> {
        let shuffle = u32::try_from(version).unwrap_or(u32::MAX);
        let dice = Dice::new(self.seed);
        let mut order: Vec<_> = self.catalogue.iter().copied().collect();
        // Each movie's place is its own, so that the others keep their order without it.
        order.sort_by_key(|movie| dice.at(u64::MAX, &imdb_id(*movie), shuffle).u64(..));
        let item = |(rank, movie): (usize, usize)| {
            let title = format!("Movie {movie} of version {version}");
            json!({"id": imdb_id(movie), "rank": (rank + 1).to_string(), "title": title, "imDbRating": "9.0"})
        };
        let mut items: Vec<_> = order.into_iter().enumerate().map(item).collect();
        items.push(json!({"id": "", "title": "an item that cannot be ranked"}));
        json!({"items": items, "errorMessage": ""}).to_string().into_bytes()
    }
}

/// One world of so many is refused by OMDb for days.
const REFUSING_WORLDS: u8 = 12;

/// How many movies the source has besides those of a run.
const SPARE: usize = 2;

/// The id of a movie of the catalogue.
pub(crate) fn imdb_id(movie: usize) -> String {
    format!("tt{:07}", movie + 1)
}

/// One to six events in the course of a storm or, in every other world, within seconds, so that runs end together. Some
/// are repeated, some are for a run of the past.
fn events(rng: &mut Rng, storm: Duration) -> Vec<ScheduledRun> {
    let first: DateTime<Utc> = FIRST_RUN.parse().unwrap_or_default();
    let mut day = 0;
    let mut events = Vec::new();
    let span = if rng.bool() { Duration::from_secs(3) } else { storm / 2 };
    for index in 0..rng.usize(1..=6) {
        day = match rng.u8(..8) {
            0 => day,
            1 => day - 1,
            _ => day + 1,
        };
        let at = if index == 0 { Duration::ZERO } else { within(rng, span) };
        // A few days around 2026 have years of four digits.
        if let Ok(run) = Run::at(first + TimeDelta::days(day)) {
            events.push(ScheduledRun { at, run });
        }
    }
    events
}

fn within(rng: &mut Rng, time: Duration) -> Duration {
    millis(rng, 0..=u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

impl Deployment {
    fn random(rng: &mut Rng) -> Self {
        let enricher_timeout = Duration::from_secs(one_of(rng, &[4, 10, 30, 30]));
        let batching_window = Duration::from_secs(one_of(rng, &[0, 1, 1, 5]));
        let visibility_timeout = match rng.u8(..4) {
            0 => millis(rng, 500..=30_000),
            _ => 6 * enricher_timeout + batching_window,
        };
        Self {
            batch_size: one_of(rng, &[1, 3, 10, 10]),
            batching_window,
            enricher_timeout,
            ranker_timeout: Duration::from_mins(1),
            visibility_timeout,
            max_receives: one_of(rng, &[1, 2, 5, 5]),
            maximum_concurrency: one_of(rng, &[2, 2, 5]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_always_makes_the_same_world() {
        let text = |seed| serde_json::to_string(&Scenario::from_seed(seed)).unwrap();
        assert_eq!(text(7), text(7));
        assert_ne!(text(7), text(8));
    }
}
