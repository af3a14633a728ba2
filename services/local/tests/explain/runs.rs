use local::{Options, Outcome, Pipeline, SOURCE_BUCKET, SOURCE_KEY};

use crate::{PATIENCE, command, ended_with, explain, failing, in_order, now, told};

#[tokio::test]
async fn a_run_of_ten_is_told_on_one_screen_and_an_unknown_one_is_answered_with_those_that_there_are() {
    let pipeline = Pipeline::start(Options::default()).await.unwrap();
    let nothing = ended_with(2, &explain(&pipeline, &["latest"]).await);
    assert!(nothing.contains("this stack has had no run yet"), "{nothing}");

    let event = now(&pipeline);
    pipeline.fire(&event).await.unwrap();
    assert_eq!(pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap(), Outcome::Completed);
    let run = told(&pipeline, &[event.run.as_str()], "the latest list").await;
    in_order(
        &run,
        &[
            "complete, 10 of 10",
            "ranker    invoked, a cold start",
            "the run is published",
            "the movie is stored",
            "the latest list",
        ],
    );
    assert!(run.lines().count() <= 24, "{run}");
    assert_eq!(run.matches("the movie is stored").count(), 10, "{run}");

    let unknown = ended_with(2, &explain(&pipeline, &["2001-01-01T12-00-00Z"]).await);
    assert!(unknown.contains("no run 2001-01-01T12-00-00Z") && unknown.contains(event.run.as_str()), "{unknown}");
    let neither = ended_with(2, &explain(&pipeline, &["Shawshank"]).await);
    assert!(neither.contains("neither a run") && neither.contains(event.run.as_str()), "{neither}");
    let no_run = ended_with(2, &explain(&pipeline, &["tt0111161", "--run", "noon"]).await);
    assert!(no_run.contains("\"noon\" is no run") && no_run.contains(event.run.as_str()), "{no_run}");
}

#[tokio::test]
async fn what_is_neither_a_run_nor_a_movie_is_answered_with_the_forms_and_why_nothing_can_be_asked() {
    let told = ended_with(2, &command(&["Shawshank", "--profile", "prod"]).output().await.unwrap());
    assert!(told.contains("neither a run") && told.contains("nor a movie, such as tt0111161"), "{told}");
    let why = told.split_once("which runs there are cannot be told: ").unwrap().1;
    assert!(why.contains("missing: --region and --stack"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[tokio::test]
async fn a_run_that_the_ranker_failed_on_tells_why_and_where_its_event_lies() {
    let pipeline = Pipeline::start(failing(1, 10)).await.unwrap();
    let delete = pipeline.clients().s3.delete_object().bucket(SOURCE_BUCKET).key(SOURCE_KEY);
    delete.send().await.unwrap();
    let event = now(&pipeline);
    pipeline.fire(&event).await.unwrap();
    let failed = async |pipeline: &Pipeline| Ok((pipeline.ranker_failures().await? > 0).then_some(()));
    pipeline.eventually("the event in its queue", PATIENCE, failed).await.unwrap();
    let run = told(&pipeline, &[], "ERROR the invocation failed").await;
    let headline =
        format!("Run {}: nothing was published; its event lies in movie-pipeline-local-ranker-failures", event.run);
    in_order(
        &run,
        &[&headline, "ERROR the invocation failed", "there is no such object", "dead-letters redrive --run"],
    );
}
