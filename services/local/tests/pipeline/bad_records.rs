use domain::contract::Service;
use local::Pipeline;
use serde_json::json;

use crate::{PATIENCE, complete, failing, message, noon};

#[tokio::test]
async fn poison_among_good_records_fails_alone_and_ends_whole_in_the_dead_letter_queue() {
    let pipeline = Pipeline::start(failing(3)).await.unwrap();
    let run = "2026-11-20T12-00-00Z";
    let mut other_version = message(run, 1, 1, "tt0000001");
    other_version["schema_version"] = json!(99);
    let mut poison = vec![
        "not JSON".to_owned(),
        other_version.to_string(),
        json!({"schema_version": 1, "run": run}).to_string(),
        message(run, 11, 10, "tt0000002").to_string(),
    ];
    for body in &poison {
        pipeline.publish(body, None).await.unwrap();
    }
    let event = noon(&pipeline);
    complete(&pipeline, &event).await;

    let all_dead = async |pipeline: &Pipeline| Ok((pipeline.dead_letters().await? >= poison.len()).then_some(()));
    pipeline.eventually("all poison in the dead-letter queue", PATIENCE, all_dead).await.unwrap();
    let mut dead = pipeline.peek(&pipeline.deployment().dead_letter_queue_url).await.unwrap();
    dead.sort();
    poison.sort();
    assert_eq!(dead, poison);
    assert_eq!(pipeline.objects(&format!("runs/{run}/")).await.unwrap(), Vec::<String>::new());
    assert_eq!(pipeline.messages_in(&pipeline.deployment().queue_url).await.unwrap(), 0);

    let complaints = pipeline.complaints().await.unwrap().join("\n");
    for reason in ["not a movie message", "schema version 99", "missing field", "position 11 of 10"] {
        assert!(complaints.contains(reason), "{reason} is not among\n{complaints}");
    }
    assert!(complaints.lines().all(|line| line.starts_with(Service::Enricher.name())), "{complaints}");
}
