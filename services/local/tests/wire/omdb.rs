//! SIGKILL of OMDb's stand-in.

use fastrand::Rng;
use local::Trial;

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
