use aws_sdk_sqs::types::MessageAttributeValue;
use domain::message::TRACEPARENT_ATTRIBUTE;
use local::{FailureQueue, Pipeline};
use serde_json::json;

use crate::{PATIENCE, dead_letters, ended_with, failing, open, undelivered_url};

const RUN: &str = "2026-11-22T12-00-00Z";
const RANKING: &str = "0123456789abcdef";

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
}

/// Puts messages of one run where the topic leaves those that it cannot deliver, which the local AWS never does.
async fn leave_undelivered(pipeline: &Pipeline, of: usize) {
    for position in 1..=of {
        let movie = json!({"id": format!("tt{position:07}"), "title": "A film", "imDbRating": "9"});
        let body = json!({
            "schema_version": 1, "run": RUN, "ranking": RANKING, "position": position, "of": of, "movie": movie,
        });
        let send =
            pipeline.clients().sqs.send_message().queue_url(undelivered_url(pipeline)).message_body(body.to_string());
        send.message_attributes(TRACEPARENT_ATTRIBUTE, text("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
            .message_attributes("ERROR_CODE", text("KMS.DisabledException"))
            .message_attributes("ERROR_MESSAGE", text("the key is disabled"))
            .send()
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn every_undelivered_message_is_found_however_many_receives_it_takes() {
    let pipeline = Pipeline::start(failing()).await.unwrap();
    leave_undelivered(&pipeline, 25).await;
    let dead_letters = open(&pipeline).await;
    for _ in 0..2 {
        let found = dead_letters.read().await.unwrap();
        assert_eq!(found.cases.len(), 25);
        for case in &found.cases {
            assert_eq!(case.letter.queue, FailureQueue::Undelivered);
            assert_eq!(case.cause, "KMS.DisabledException: the key is disabled");
            assert_eq!(case.trace_id(), Some("0af7651916cd43dd8448eb211c80319c"));
        }
        assert_eq!(found.out_of_sight, 0);
    }

    let hold = pipeline.clients().sqs.receive_message().queue_url(undelivered_url(&pipeline)).visibility_timeout(60);
    assert_eq!(hold.send().await.unwrap().messages().len(), 1);
    let found = dead_letters.read().await.unwrap();
    assert_eq!((found.cases.len(), found.out_of_sight), (24, 1), "one is in somebody else's hands, and told of");
}

#[tokio::test]
async fn an_undelivered_message_goes_to_the_movies_queue_and_is_enriched() {
    let source = json!({"items": [{"id": "tt0000001", "title": "A film"}]}).to_string();
    let options = local::Options { source: Some(source.into_bytes()), ..failing() };
    let pipeline = Pipeline::start(options).await.unwrap();
    leave_undelivered(&pipeline, 1).await;
    let planned = ended_with(0, &dead_letters(&pipeline, &["redrive", "--run", RUN, "--dry-run"]).await);
    let [from, to] = ["movie-pipeline-local-movies-undelivered", "movie-pipeline-local-movies"];
    assert!(planned.contains(&format!("From {from} to {to}:")), "{planned}");
    ended_with(0, &dead_letters(&pipeline, &["redrive", "--run", RUN, "--yes"]).await);
    let key = format!("runs/{RUN}/{RANKING}/01-tt0000001.json");
    let stored = async |pipeline: &Pipeline| pipeline.read_object(&key).await;
    pipeline.eventually("the redriven movie", PATIENCE, stored).await.unwrap();
    assert_eq!(pipeline.messages_in(&undelivered_url(&pipeline)).await.unwrap(), 0);
}
