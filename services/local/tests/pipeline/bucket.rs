//! The enricher's bucket against S3's own wire: what its tests in memory take for granted.

use aws_sdk_s3::types::ServerSideEncryption;
use domain::Run;
use domain::enriched::LATEST_KEY;
use enricher::bucket::{Bucket, Condition, Object, Put, S3Bucket};
use local::{Options, Pipeline};

fn run(name: &str) -> Run {
    Run::parse(name).unwrap()
}

fn bucket(pipeline: &Pipeline) -> S3Bucket {
    let deployment = pipeline.deployment();
    S3Bucket::with_client(pipeline.clients().s3.clone(), &deployment.movies_bucket, &deployment.kms_key_arn)
}

#[tokio::test]
async fn writes_are_conditional_and_encrypted_and_say_which_run_they_are_of() {
    let pipeline = Pipeline::start(Options::default()).await.unwrap();
    let bucket = bucket(&pipeline);
    let older = run("2026-11-21T12-00-00Z");
    let newer = run("2026-11-22T12-00-00Z");
    let first = Object { key: LATEST_KEY, body: b"first", run: Some(&older) };
    let second = Object { key: LATEST_KEY, body: b"second", run: Some(&newer) };

    assert_eq!(bucket.head(LATEST_KEY).await.unwrap(), None);
    assert_eq!(bucket.put(first, &Condition::Absent).await.unwrap(), Put::Stored);
    assert_eq!(bucket.put(second, &Condition::Absent).await.unwrap(), Put::ConditionFailed);
    assert_eq!(bucket.get(LATEST_KEY).await.unwrap(), b"first");

    let head = bucket.head(LATEST_KEY).await.unwrap().unwrap();
    assert_eq!(head.run.as_ref(), Some(&older));
    let unchanged = Condition::Unchanged { etag: head.etag };
    assert_eq!(bucket.put(second, &unchanged).await.unwrap(), Put::Stored);
    assert_eq!(bucket.put(first, &unchanged).await.unwrap(), Put::ConditionFailed);
    assert_eq!(bucket.get(LATEST_KEY).await.unwrap(), b"second");
    assert_eq!(bucket.head(LATEST_KEY).await.unwrap().unwrap().run.as_ref(), Some(&newer));

    let deployment = pipeline.deployment();
    let stored = pipeline.clients().s3.head_object().bucket(&deployment.movies_bucket).key(LATEST_KEY).send().await;
    let stored = stored.unwrap();
    assert_eq!(stored.server_side_encryption(), Some(&ServerSideEncryption::AwsKms));
    assert_eq!(stored.ssekms_key_id(), Some(deployment.kms_key_arn.as_str()));
}

#[tokio::test]
async fn a_listing_has_every_key_however_many_pages_it_takes() {
    let pipeline = Pipeline::start(Options::default()).await.unwrap();
    let bucket = bucket(&pipeline);
    for number in 0..1_005 {
        let key = format!("runs/2026-11-22T12-00-00Z/0123456789abcdef/{number:04}-tt0000001.json");
        let object = Object { key: &key, body: b"{}", run: None };
        assert_eq!(bucket.put(object, &Condition::Absent).await.unwrap(), Put::Stored);
    }
    assert_eq!(bucket.list("runs/2026-11-22T12-00-00Z/").await.unwrap().len(), 1_005);
    assert_eq!(bucket.list("runs/2026-11-23T12-00-00Z/").await.unwrap(), [""; 0]);
}
