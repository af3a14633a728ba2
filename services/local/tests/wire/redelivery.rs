//! Messages that come too often.

use std::time::Duration;

use domain::Run;
use fastrand::Rng;
use local::{OmdbFault, Trial};

use crate::{PATIENCE, assert_nothing_is_lost_or_wrong, noon, options, writes};

/// One movie, so that whoever gets it the second time is not busy with another.
#[tokio::test]
async fn messages_that_come_again_while_they_are_worked_on_are_stored_once() {
    let trial = Trial::start(options(1)).await.unwrap();
    let (pipeline, omdb) = (trial.pipeline(), trial.pipeline().omdb().unwrap());
    // Longer than a message stays out of sight, and than it takes to start another enricher.
    omdb.fail_all(OmdbFault::Delay(Duration::from_millis(4_500)));
    pipeline.set_redelivery_delay(Duration::from_secs(1)).await.unwrap();
    trial.fire(noon(22)).await.unwrap();
    trial.until_asked(2, PATIENCE).await.unwrap();
    omdb.heal();
    // Otherwise a busy machine might go on like that until all is dead.
    pipeline.set_redelivery_delay(Duration::from_secs(10)).await.unwrap();
    assert_nothing_is_lost_or_wrong(&trial).await;
    assert_eq!(writes(&trial).await, 3, "the movie, the list of its run, latest");
}

#[tokio::test]
async fn a_storm_of_old_messages_asks_omdb_nothing_writes_nothing_and_does_not_move_latest_back() {
    let trial = Trial::start(options(20)).await.unwrap();
    for day in [21, 22] {
        trial.fire(noon(day)).await.unwrap();
    }
    trial.until_at_rest(PATIENCE).await.unwrap();
    let asked = trial.pipeline().omdb().unwrap().total_requests();
    let written = writes(&trial).await;
    let mut chance = Rng::with_seed(4);
    for _ in 0..5 {
        trial.publish_again(40, &mut chance).await.unwrap();
    }
    assert_nothing_is_lost_or_wrong(&trial).await;
    assert_eq!(trial.pipeline().omdb().unwrap().total_requests(), asked);
    assert_eq!(writes(&trial).await, written);
    let latest = trial.pipeline().read_json("Top10Movies.json").await.unwrap().unwrap();
    assert_eq!(latest["run"], Run::at(noon(22)).unwrap().as_str());
}
