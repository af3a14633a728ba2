//! SIGKILL of OMDb's stand-in, and of the functions while they count its requests.

use std::time::Duration;

use domain::contract::{Service, metrics};
use domain::quota::PREFIX;
use fastrand::Rng;
use local::{OmdbFault, Options, Permissions, Trial};
use serde_json::Value;

use crate::midnight::pass_midnight_if_within;
use crate::{PATIENCE, assert_nothing_is_lost_or_wrong, moments, noon, options};

#[tokio::test]
async fn what_omdb_is_missed_for_comes_back_when_omdb_does() {
    let trial = Trial::start(options(40)).await.unwrap();
    let omdb = trial.pipeline().omdb().unwrap();
    trial.fire(noon(22)).await.unwrap();
    for requests in moments::<2>(&mut Rng::with_seed(2), 25) {
        trial.until_asked(requests, PATIENCE).await.unwrap();
        omdb.kill().await;
        trial.until_failed(5, PATIENCE).await.unwrap();
        omdb.revive().unwrap();
    }
    assert_eq!(assert_nothing_is_lost_or_wrong(&trial).await, 0);
}

#[tokio::test]
async fn movies_that_omdb_is_missed_for_too_often_are_dead_letters_and_can_be_redriven() {
    let mut options = options(20);
    options.configuration.insert("maxReceiveCount".to_owned(), "1".to_owned());
    let trial = Trial::start(options).await.unwrap();
    let omdb = trial.pipeline().omdb().unwrap();
    omdb.kill().await;
    trial.fire(noon(22)).await.unwrap();
    trial.until_at_rest(PATIENCE).await.unwrap();
    assert_eq!(trial.pipeline().dead_letters().await.unwrap(), 20);
    omdb.revive().unwrap();
    assert_eq!(assert_nothing_is_lost_or_wrong(&trial).await, 20);
}

/// What all counts of requests come to.
async fn counted(trial: &Trial) -> u64 {
    let mut counted = 0;
    for key in trial.pipeline().objects(PREFIX).await.unwrap() {
        let count: Value = serde_json::from_slice(&trial.pipeline().read_object(&key).await.unwrap().unwrap()).unwrap();
        counted += count["requests"].as_u64().unwrap();
    }
    counted
}

/// A day's requests for half of the two runs of the test below.
const DAILY_LIMIT: u32 = 40;

#[tokio::test]
async fn enrichers_that_are_killed_while_they_share_a_days_requests_never_send_more_of_them() {
    let mut options = Options { permissions: Permissions::Recorded, ..options(40) };
    options.configuration.insert("omdbDailyLimit".to_owned(), DAILY_LIMIT.to_string());
    let trial = Trial::start(options).await.unwrap();
    pass_midnight_if_within(2 * PATIENCE).await;
    let omdb = trial.pipeline().omdb().unwrap();
    omdb.fail_all(OmdbFault::Delay(Duration::from_millis(50)));
    let mut chance = Rng::with_seed(4);
    for day in [21, 22] {
        trial.fire(noon(day)).await.unwrap();
    }
    let mut killed = 0;
    // Each kill may take ten requests along that were counted and not sent.
    for requests in moments::<2>(&mut chance, 15) {
        trial.until_asked(requests, PATIENCE).await.unwrap();
        killed += usize::from(trial.kill(Service::Enricher, &mut chance).unwrap());
    }
    let spent = async |pipeline: &local::Pipeline| {
        Ok((pipeline.metric_sum(metrics::OMDB_QUOTA_EXHAUSTED).await? >= 1.0).then_some(()))
    };
    trial.pipeline().eventually("the day's requests used up", PATIENCE, spent).await.unwrap();
    assert!(killed > 0);
    let (asked, counted) = (omdb.total_requests() as u64, counted(&trial).await);
    assert!(asked <= counted && counted <= u64::from(DAILY_LIMIT), "{asked} asked, {counted} counted");

    // What waited hidden is whole: it becomes its runs once there are requests again.
    trial.set_daily_limit(1_000).await.unwrap();
    omdb.heal();
    let worked_off = trial.pipeline().showing_hidden(trial.until_at_rest(PATIENCE));
    worked_off.await.unwrap();
    assert_nothing_is_lost_or_wrong(&trial).await;
}
