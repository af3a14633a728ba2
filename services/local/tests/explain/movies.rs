use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use domain::contract::Service;
use local::{OmdbFault, Options, Outcome, Pipeline};
use serde_json::Value;

use crate::{PATIENCE, ended_with, explain, failing, in_order, json, now, redelivered, sample_ids, told, until_traced};

/// The last line that a run logs.
const LATEST: &str = "the latest list is of this run";

#[tokio::test]
async fn a_movie_that_was_delivered_again_tells_its_failure_its_reason_the_second_delivery_and_the_store_in_order() {
    let pipeline = Pipeline::start(failing(100, 3)).await.unwrap();
    let [_, id, _] = sample_ids();
    let event = now(&pipeline);
    redelivered(&pipeline, &event, &id).await;
    until_traced(&pipeline).await;
    let movie = told(&pipeline, &[&id], LATEST).await;
    in_order(
        &movie,
        &[
            &format!("Movie {id}, 2 of 3 in run {}: stored", event.run),
            "the run is published: 250 items, 0 rejected, 3 ranked",
            "delivery 1 of its message",
            "GET OMDb failed: HTTP status 503; next try after",
            "GET OMDb, asked again (1) failed: HTTP status 503",
            "ERROR the record failed; the queue delivers it again: OMDb gave no usable answer in 2 attempts",
            // Alone in its batch now: beside others it may have been looked for with one list for all.
            "delivery 2 of its message",
            "S3.HeadObject its object: 404",
            "GET OMDb: 200",
            "S3.PutObject its object: 200",
            "the movie is stored: ",
            &format!("/02-{id}.json, "),
            "the run is complete: Top10Movies.json, ",
            "the latest list is of this run",
        ],
    );
    for once in ["the movie is stored", "the run is complete", "the record failed", "OMDb gave no usable answer in 2"] {
        assert_eq!(movie.matches(once).count(), 1, "{once} in\n{movie}");
    }

    let run = told(&pipeline, &["latest"], LATEST).await;
    in_order(
        &run,
        &[&format!("Run {}: complete, 3 of 3", event.run), "the record failed", "delivery 2", "the run is complete"],
    );
    assert!(run.lines().count() < 30, "{run}");
    let traces = pipeline.traces().spans();
    let ranked = traces.iter().find(|span| span.service == Service::Ranker.name()).unwrap();
    let json = json(&pipeline, &[event.run.as_str()]).await;
    assert_eq!(json["trace_ids"], serde_json::json!([ranked.trace_id]));
    assert_eq!((&json["complete"], &json["stored"], &json["of"]), (&true.into(), &3.into(), &3.into()));
    let times: Vec<_> = json["steps"].as_array().unwrap().iter().map(|step| step["time"].as_str().unwrap()).collect();
    assert!(times.is_sorted(), "{times:?}");
    let of_object = |step: &&Value| step["key"].is_string();
    assert_eq!(json["steps"].as_array().unwrap().iter().filter(of_object).count(), 4);
}

#[tokio::test]
async fn a_movie_in_the_dead_letter_queue_is_missing_there_until_it_is_sent_on() {
    let pipeline = Pipeline::start(failing(1, 3)).await.unwrap();
    let [id, other, _] = sample_ids();
    pipeline.omdb().unwrap().fail(&id, OmdbFault::UnknownId);
    let event = now(&pipeline);
    pipeline.fire(&event).await.unwrap();
    assert!(matches!(pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap(), Outcome::Failed(_)));
    let queue = "movie-pipeline-local-movies-dead-letters";
    let run = told(&pipeline, &[], "ERROR the record failed").await;
    let missing = format!("missing  1 {id}: in the queue {queue}");
    in_order(
        &run,
        &[
            "not complete, 2 of 3 movies stored",
            &missing,
            "Incorrect IMDb ID.",
            "ERROR the record failed",
            "dead-letters redrive",
        ],
    );
    let movie = told(&pipeline, &[&id, "--run", event.run.as_str()], "ERROR the record failed").await;
    let now = "its message ";
    in_order(
        &movie,
        &["not stored, in the queue", "delivery 1", "ERROR the record failed", "Incorrect IMDb ID.", now, queue],
    );
    let json = json(&pipeline, &[&id]).await;
    assert_eq!((&json["missing"][0]["queue"], &json["missing"][0]["movie"]), (&queue.into(), &id.as_str().into()));

    let unknown = ended_with(2, &explain(&pipeline, &["tt9999999"]).await);
    assert!(unknown.contains("no movie tt9999999") && unknown.contains(&id) && unknown.contains(&other), "{unknown}");
}

#[tokio::test]
async fn a_movie_that_waits_hidden_for_the_next_day_tells_until_when_and_why() {
    let pipeline = Pipeline::start(failing(100, 2)).await.unwrap();
    let [id, _] = sample_ids();
    pipeline.omdb().unwrap().fail_all(OmdbFault::QuotaExhausted);
    let event = now(&pipeline);
    pipeline.fire(&event).await.unwrap();
    let hidden =
        format!("Movie {id}, 1 of 2 in run {}: not stored, hidden in the movies queue until about ", event.run);
    let movie = told(&pipeline, &[&id], &hidden).await;
    let why = "OMDb's request limit for today is reached";
    in_order(&movie, &[&hidden, why, "delivery 1", "ERROR the record failed", why, "the movie is hidden in the queue"]);
    let json = json(&pipeline, &[&id]).await;
    let missing = &json["missing"][0];
    assert_eq!((&missing["where"], &missing["cause"]), (&"hidden".into(), &why.into()));
    let until: DateTime<Utc> = missing["hidden_until"].as_str().unwrap().parse().unwrap();
    let left = until - DateTime::<Utc>::from(SystemTime::now());
    assert!((TimeDelta::zero()..TimeDelta::hours(12)).contains(&left), "{until}");
}

#[tokio::test]
async fn a_stack_that_sends_no_traces_is_told_from_its_log_and_its_objects() {
    let mut options = failing(100, 2);
    options.configuration.insert("otlpEndpoint".to_owned(), String::new());
    let pipeline = Pipeline::start(Options { ..options }).await.unwrap();
    let [_, id] = sample_ids();
    let event = now(&pipeline);
    redelivered(&pipeline, &event, &id).await;
    let movie = told(&pipeline, &[&id], LATEST).await;
    let next = "WARN OMDb gave no usable answer (try 1): HTTP status 503; next try after";
    let steps = [
        "delivery 1",
        next,
        "ERROR the record failed",
        "delivery 2",
        "the movie is stored: ",
        "/02-",
        "the run is complete",
    ];
    in_order(&movie, &[&["none: traces are off in this stack"][..], &steps].concat());
}
