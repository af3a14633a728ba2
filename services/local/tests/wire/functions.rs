//! SIGKILL of the functions.

use std::time::Duration;

use domain::contract::Service;
use fastrand::Rng;
use local::{AwsFault, OmdbFault, Operation, Options, Permissions, Trial};

use crate::{PATIENCE, assert_nothing_is_lost_or_wrong, moments, noon, options, writes};

#[tokio::test]
async fn an_enricher_that_is_killed_at_any_moment_loses_nothing_and_doubles_nothing() {
    let trial = Trial::start(options(60)).await.unwrap();
    let mut chance = Rng::with_seed(1);
    // So that a function is in the middle of its work when it is killed.
    trial.pipeline().omdb().unwrap().fail_all(OmdbFault::Delay(Duration::from_millis(50)));
    trial.fire(noon(22)).await.unwrap();
    let mut killed = 0;
    for requests in moments::<6>(&mut chance, 50) {
        trial.until_asked(requests, PATIENCE).await.unwrap();
        killed += usize::from(trial.kill(Service::Enricher, &mut chance).unwrap());
    }
    assert!(killed >= 3, "{killed} killed");
    assert_eq!(assert_nothing_is_lost_or_wrong(&trial).await, 0);
    assert_eq!(writes(&trial).await, 62, "each movie once, the list of their run, latest");
}

/// How many of a run's 60 movies are published before the ranker hangs.
const PUBLISHED: usize = 30;

/// The next attempt gets no answer to three of its six calls.
fn hang_while_publishing(trial: &Trial) {
    let never = AwsFault::Delay(PATIENCE);
    trial.pipeline().recorder().unwrap().fail(Operation::PublishBatch, never, Some(3));
}

async fn with_a_ranker_that_hangs() -> Trial {
    let trial = Trial::start(Options { permissions: Permissions::Recorded, ..options(60) }).await.unwrap();
    hang_while_publishing(&trial);
    trial.fire(noon(22)).await.unwrap();
    trial.until_more_is_published(PUBLISHED - 1, PATIENCE).await.unwrap();
    trial
}

fn kill_the_ranker(trial: &Trial) {
    assert!(trial.kill(Service::Ranker, &mut Rng::with_seed(1)).unwrap(), "no process runs the ranker");
}

#[tokio::test]
async fn a_ranker_that_is_killed_while_it_publishes_is_tried_again_and_its_run_becomes_whole() {
    let trial = with_a_ranker_that_hangs().await;
    assert_eq!(trial.published_so_far().await.unwrap(), PUBLISHED);
    kill_the_ranker(&trial);
    assert_eq!(assert_nothing_is_lost_or_wrong(&trial).await, 0);
    assert_eq!(trial.published_so_far().await.unwrap(), PUBLISHED + 60, "what was published before comes again");
}

#[tokio::test]
async fn an_event_whose_every_attempt_is_killed_lies_in_the_failure_destination_and_can_be_redriven() {
    let trial = with_a_ranker_that_hangs().await;
    for attempt in 2..=3 {
        hang_while_publishing(&trial);
        kill_the_ranker(&trial);
        trial.until_more_is_published(attempt * PUBLISHED - 1, PATIENCE).await.unwrap();
    }
    kill_the_ranker(&trial);
    trial.until_published(PATIENCE).await.unwrap();
    assert_eq!(trial.pipeline().ranker_failures().await.unwrap(), 1);
    assert_eq!(assert_nothing_is_lost_or_wrong(&trial).await, 1);
}
