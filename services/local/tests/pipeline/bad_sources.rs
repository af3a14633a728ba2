use domain::contract::Service;
use local::{Answer, Options, Outcome, Pipeline, SAMPLE_SOURCE, SOURCE_BUCKET, SOURCE_KEY};
use serde_json::Value;

use crate::{PATIENCE, noon};

/// What the ranker says to an event, invoked once. It must fail, and name the object.
async fn refusal(pipeline: &Pipeline) -> String {
    let Answer::Failure(error) = pipeline.invoke(Service::Ranker, noon(pipeline).json()).await.unwrap() else {
        panic!("the ranker took a broken source");
    };
    let message = error["errorMessage"].as_str().unwrap().to_owned();
    assert!(message.contains(SOURCE_BUCKET) && message.contains(SOURCE_KEY), "{message}");
    message
}

async fn assert_nothing_came_of_it(pipeline: &Pipeline) {
    let published = pipeline.messages_in(&pipeline.deployment().queue_url).await.unwrap();
    assert_eq!((published, pipeline.objects("").await.unwrap().len()), (0, 0));
}

#[tokio::test]
async fn each_broken_source_is_refused_with_its_cause_and_nothing_is_published() {
    let pipeline = Pipeline::start(Options { source: None, ..Options::default() }).await.unwrap();
    let missing = refusal(&pipeline).await;
    assert!(missing.contains("cannot be read"), "{missing}");

    let half = &SAMPLE_SOURCE[..SAMPLE_SOURCE.len() / 2];
    let cut_off = format!("ends after {} bytes", half.len());
    let sources: [(&[u8], &str); 5] = [
        (b"<html><body>Busy</body></html>", "begins with '<' at byte 0"),
        (half, &cut_off),
        (br#"{"items":[],"errorMessage":"Maximum usage"}"#, "Maximum usage"),
        (br#"{"items":[],"errorMessage":""}"#, "no rankable item: 0 items, 0 rejected"),
        (br#"{"items":[{"id":"x","title":"T","imDbRating":"9"}],"errorMessage":""}"#, "1 items, 1 rejected"),
    ];
    for (source, cause) in sources {
        pipeline.put_source(source.to_vec()).await.unwrap();
        let message = refusal(&pipeline).await;
        assert!(message.contains(cause), "{cause} is not in: {message}");
    }
    assert_nothing_came_of_it(&pipeline).await;
}

#[tokio::test]
async fn after_every_retry_the_event_lies_whole_in_the_on_failure_queue() {
    let pipeline = Pipeline::start(Options { source: None, ..Options::default() }).await.unwrap();
    let event = noon(&pipeline);
    pipeline.fire(&event).await.unwrap();
    let Outcome::Failed(reasons) = pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap() else {
        panic!("a run without a source completed");
    };
    assert!(reasons[0].contains("on-failure queue"), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.starts_with("ranker: ")), "{reasons:?}");

    let failures = pipeline.peek(&pipeline.deployment().ranker_failures_queue_url).await.unwrap();
    let failure: Value = serde_json::from_str(&failures[0]).unwrap();
    assert_eq!((failures.len(), &failure["requestPayload"]), (1, event.json()));
    assert_nothing_came_of_it(&pipeline).await;
}
