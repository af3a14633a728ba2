//! Every check can fail: what is done to a sound pipeline behind its back is found, each by the rule that it breaks.

use aws_sdk_s3::types::ObjectVersion;
use domain::Run;
use domain::enriched::{LATEST_KEY, RUN_METADATA, run_list_key};
use domain::invariants::{Rule, check};
use domain::quota::PREFIX;
use local::{OmdbFault, Trial};

use crate::{PATIENCE, noon, options};

/// A sound pipeline at rest: two runs of which each lacks a movie, which is a dead letter.
async fn sound() -> Trial {
    let mut options = options(5);
    options.configuration.insert("maxReceiveCount".to_owned(), "1".to_owned());
    let trial = Trial::start(options).await.unwrap();
    trial.pipeline().omdb().unwrap().fail("tt1000004", OmdbFault::UnknownId);
    for day in [21, 22] {
        trial.fire(noon(day)).await.unwrap();
    }
    trial.until_at_rest(PATIENCE).await.unwrap();
    assert_eq!(check(&trial.snapshot(false).await.unwrap()), []);
    trial
}

/// The same with every run complete.
async fn complete() -> Trial {
    let trial = sound().await;
    trial.pipeline().omdb().unwrap().heal();
    assert!(trial.redrive().await.unwrap() >= 2);
    trial.until_at_rest(PATIENCE).await.unwrap();
    assert_eq!(check(&trial.snapshot(true).await.unwrap()), []);
    trial
}

/// Holds that this rule is found broken, in these words.
async fn assert_found(trial: &Trial, recovered: bool, rule: Rule, words: &str) {
    let found = check(&trial.snapshot(recovered).await.unwrap());
    let is_it = found.iter().any(|violation| violation.rule == rule && violation.sentence.contains(words));
    assert!(is_it, "{rule:?} with {words:?} is not among {found:?}");
}

#[tokio::test]
async fn a_request_to_omdb_that_is_not_counted_is_found() {
    let trial = sound().await;
    for key in trial.pipeline().objects(PREFIX).await.unwrap() {
        erase(&trial, &key).await;
    }
    assert_found(&trial, false, Rule::Budget, "more requests on a day than").await;
}

async fn put(trial: &Trial, key: &str, body: Vec<u8>, run: Option<&Run>) {
    let pipeline = trial.pipeline();
    let put = pipeline.clients().s3.put_object().bucket(&pipeline.deployment().movies_bucket).key(key);
    let put = match run {
        Some(run) => put.metadata(RUN_METADATA, run.as_str()),
        None => put,
    };
    put.body(body.into()).send().await.unwrap();
}

/// Deletes an object with all its versions.
async fn erase(trial: &Trial, key: &str) {
    let (s3, bucket) = (&trial.pipeline().clients().s3, &trial.pipeline().deployment().movies_bucket);
    let versions = s3.list_object_versions().bucket(bucket).prefix(key).send().await.unwrap();
    for version in versions.versions().iter().filter_map(ObjectVersion::version_id) {
        s3.delete_object().bucket(bucket).key(key).version_id(version).send().await.unwrap();
    }
}

async fn send(trial: &Trial, queue_url: &str, body: &str) {
    trial.pipeline().clients().sqs.send_message().queue_url(queue_url).message_body(body).send().await.unwrap();
}

async fn purge(trial: &Trial, queue_url: &str) {
    trial.pipeline().clients().sqs.purge_queue().queue_url(queue_url).send().await.unwrap();
}

#[tokio::test]
async fn a_lost_or_spoilt_dead_letter_a_letter_left_over_and_a_lost_event_are_found() {
    let trial = sound().await;
    let deployment = trial.pipeline().deployment();
    assert_found(&trial, true, Rule::Recovery, "is not worked off").await;
    let letters = trial.snapshot(false).await.unwrap().standing.dead;
    purge(&trial, &deployment.dead_letter_queue_url).await;
    for letter in letters {
        let spoilt = letter.replacen("\"title\":\"", "\"title\":\"Not ", 1);
        assert_ne!(spoilt, letter);
        send(&trial, &deployment.dead_letter_queue_url, &spoilt).await;
    }
    let words = "tt1000004.json was published, but is neither stored, nor dead or on its way as a whole";
    assert_found(&trial, false, Rule::Conservation, words).await;
    purge(&trial, &deployment.dead_letter_queue_url).await;
    assert_found(&trial, false, Rule::Conservation, "tt1000004.json was published, but is neither stored").await;

    trial.pipeline().put_source(b"no list".to_vec()).await.unwrap();
    let run = trial.fire(noon(23)).await.unwrap();
    trial.until_published(PATIENCE).await.unwrap();
    purge(&trial, &deployment.ranker_failures_queue_url).await;
    assert_found(&trial, false, Rule::Events, &format!("the event of {run} was accepted, but is neither")).await;
}

#[tokio::test]
async fn an_object_that_is_lost_wrong_or_back_in_time_is_found() {
    let trial = complete().await;
    let [older, newer] = [21, 22].map(|day| Run::at(noon(day)).unwrap());
    let movies = trial.pipeline().objects(&format!("runs/{older}/")).await.unwrap();
    let list = trial.pipeline().read_object(&run_list_key(&older)).await.unwrap().unwrap();

    put(&trial, LATEST_KEY, list.to_vec(), Some(&older)).await;
    assert_found(&trial, true, Rule::Latest, &format!("latest went back from {newer} to {older}")).await;
    let same = trial.pipeline().read_object(&movies[0]).await.unwrap().unwrap();
    put(&trial, &movies[0], same.to_vec(), None).await;
    assert_found(&trial, true, Rule::Bytes, &format!("{} was written again, with the same bytes", movies[0])).await;
    put(&trial, &movies[0], b"{}".to_vec(), None).await;
    assert_found(&trial, true, Rule::Bytes, "explain the bytes of").await;
    erase(&trial, &movies[0]).await;
    assert_found(&trial, true, Rule::Conservation, &format!("{} was published, but is neither stored", movies[0]))
        .await;
    erase(&trial, &run_list_key(&newer)).await;
    assert_found(&trial, true, Rule::Deletion, &format!("all movies of {newer} are stored")).await;
}
