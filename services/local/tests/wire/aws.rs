//! A clean restart of the local AWS with its state.

use local::Trial;

use crate::{PATIENCE, assert_nothing_is_lost_or_wrong, noon, options};

#[tokio::test]
async fn what_is_in_queue_and_bucket_when_aws_is_restarted_goes_on_afterwards() {
    let trial = Trial::start(options(40)).await.unwrap();
    let (pipeline, omdb) = (trial.pipeline(), trial.pipeline().omdb().unwrap());
    trial.fire(noon(22)).await.unwrap();
    trial.until_asked(11, PATIENCE).await.unwrap();
    omdb.kill().await;
    trial.until_published(PATIENCE).await.unwrap();
    let before = pipeline.objects("").await.unwrap();
    assert!(!before.is_empty() && pipeline.messages_in(&pipeline.deployment().queue_url).await.unwrap() > 0);
    pipeline.restart_aws().await.unwrap();
    let after = pipeline.objects("").await.unwrap();
    assert!(before.iter().all(|key| after.contains(key)), "{before:?} is no part of {after:?}");
    omdb.revive().unwrap();
    assert_eq!(assert_nothing_is_lost_or_wrong(&trial).await, 0);
}
