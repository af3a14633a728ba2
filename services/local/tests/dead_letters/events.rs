use local::{Outcome, Pipeline, SAMPLE_SOURCE, SOURCE_BUCKET, SOURCE_KEY};

use crate::{PATIENCE, dead_letters, ended_with, failing};

#[tokio::test]
async fn an_event_that_the_ranker_failed_on_is_kept_until_it_becomes_its_run() {
    let pipeline = Pipeline::start(failing()).await.unwrap();
    let delete = pipeline.clients().s3.delete_object().bucket(SOURCE_BUCKET).key(SOURCE_KEY);
    delete.send().await.unwrap();
    let event = pipeline.event_at("2026-11-22T12:00:00Z".parse().unwrap()).unwrap();
    pipeline.fire(&event).await.unwrap();
    let failed = async |pipeline: &Pipeline| Ok((pipeline.ranker_failures().await? > 0).then_some(()));
    pipeline.eventually("the event in its queue", PATIENCE, failed).await.unwrap();

    let inspected = ended_with(0, &dead_letters(&pipeline, &["inspect", "--run", event.run.as_str()]).await);
    assert!(
        inspected.contains("the event of run") && inspected.contains("cannot be read: there is no such object"),
        "{inspected}"
    );
    let trace_id = inspected.lines().find_map(|line| line.trim().strip_prefix("trace id  ")).unwrap();
    assert!(pipeline.traces().spans().iter().any(|span| span.trace_id == trace_id), "{trace_id}");

    let kept = ended_with(1, &dead_letters(&pipeline, &["redrive", "--all", "--yes"]).await);
    assert!(kept.contains("not sent, it lies where it lay") && kept.contains("cannot be read"), "{kept}");
    assert_eq!(pipeline.ranker_failures().await.unwrap(), 1);

    pipeline.put_source(SAMPLE_SOURCE.to_vec()).await.unwrap();
    let sent = ended_with(0, &dead_letters(&pipeline, &["redrive", "--all", "--yes"]).await);
    assert!(sent.contains("1 of 1 sent."), "{sent}");
    assert_eq!(pipeline.ranker_failures().await.unwrap(), 0);
    assert_eq!(pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap(), Outcome::Completed);
}
