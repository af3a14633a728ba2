//! Faults of everything around the functions, over the real wire, each in a pipeline of its own; at the end the
//! invariants are checked by the same function that the simulator asks.
//!
//! Moments are drawn from a fixed seed and are moments of progress: "when OMDb was asked 17 times". What a function is
//! just doing then is another thing every time, and must not matter.
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

mod aws;
mod checks;
mod command;
mod functions;
#[path = "../midnight/mod.rs"]
mod midnight;
mod omdb;
mod redelivery;
mod storm;

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::enriched::run_list_key;
use domain::invariants::check;
use fastrand::Rng;
use local::{Configuration, Options, PATIENCE, Trial, source_of};

/// A run of so many movies. What is not done comes back after two seconds; it is tried often enough for everything that
/// is mended.
fn options(movies: usize) -> Options {
    Options {
        source: Some(source_of(movies + movies / 4)),
        top_n: movies,
        configuration: Configuration::from([
            ("maxReceiveCount".to_owned(), "50".to_owned()),
            ("omdbMaxAttempts".to_owned(), "1".to_owned()),
        ]),
        redelivery_delay: Some(Duration::from_secs(2)),
        ..Options::default()
    }
}

/// Noon of a day in November 2026.
fn noon(day: u32) -> DateTime<Utc> {
    format!("2026-11-{day:02}T12:00:00Z").parse().unwrap()
}

/// So many different moments, in order.
fn moments<const N: usize>(chance: &mut Rng, latest: usize) -> [usize; N] {
    let mut moments: [usize; N] = chance.choose_multiple(1..=latest, N).try_into().unwrap();
    moments.sort_unstable();
    moments
}

/// How often an object was written, but for the counts of requests.
async fn writes(trial: &Trial) -> usize {
    let history = trial.snapshot(false).await.unwrap().history;
    history.iter().filter(|happened| happened.is_write()).count()
}

/// Waits until nothing is on its way, checks, redrives what failed for good, and checks once more; then every run that
/// was accepted is complete. Gives how much was redriven.
async fn assert_nothing_is_lost_or_wrong(trial: &Trial) -> usize {
    trial.until_at_rest(PATIENCE).await.unwrap();
    assert_eq!(check(&trial.snapshot(false).await.unwrap()), []);
    let redriven = trial.redrive().await.unwrap();
    trial.until_at_rest(PATIENCE).await.unwrap();
    assert_eq!(check(&trial.snapshot(true).await.unwrap()), []);
    for run in trial.accepted() {
        assert!(trial.pipeline().read_object(&run_list_key(&run)).await.unwrap().is_some(), "{run} has no list");
    }
    redriven
}
