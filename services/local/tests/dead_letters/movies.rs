use std::collections::BTreeMap;

use domain::MovieMessage;
use domain::contract::{Service, logs};
use domain::enriched::movie_key;
use domain::message::TRACEPARENT_ATTRIBUTE;
use local::{FailureQueue, OmdbFault, Options, Outcome, Pipeline, RedriveOutcome, ScheduledEvent, Selection, group};
use serde_json::Value;

use crate::{PATIENCE, dead_letters, ended_with, failing, open, sample_ids, until_dead};

/// A run of ten of which three are dead: OMDb does not know the first two, and has trouble with the third.
async fn with_three_dead() -> (Pipeline, ScheduledEvent, [String; 3]) {
    let pipeline = Pipeline::start(failing()).await.unwrap();
    let ids = sample_ids::<3>();
    for (id, fault) in ids.iter().zip([OmdbFault::UnknownId, OmdbFault::UnknownId, OmdbFault::Status(503)]) {
        pipeline.omdb().unwrap().fail(id, fault);
    }
    let event = pipeline.event_at("2026-11-22T12:00:00Z".parse().unwrap()).unwrap();
    pipeline.fire(&event).await.unwrap();
    until_dead(&pipeline, 3).await;
    (pipeline, event, ids)
}

/// The bodies of everything in the dead-letter queue, in order.
async fn bodies(pipeline: &Pipeline) -> Vec<String> {
    let mut bodies = pipeline.peek(&pipeline.deployment().dead_letter_queue_url).await.unwrap();
    bodies.sort();
    bodies
}

#[tokio::test]
async fn dead_movies_are_grouped_by_cause_and_shown_with_their_trace_and_log_and_looking_takes_nothing_away() {
    let (pipeline, event, ids) = with_three_dead().await;
    let (dead_letters, before) = (open(&pipeline).await, bodies(&pipeline).await);
    let found = dead_letters.read().await.unwrap();
    assert_eq!(bodies(&pipeline).await, before, "all of them in sight again");
    assert_eq!(found.out_of_sight, 0);

    let groups = group(&found.cases);
    let causes: Vec<_> = groups.iter().map(|group| (group.ids.len(), group.cause.as_str())).collect();
    let unknown = "OMDb does not know the id: Incorrect IMDb ID.";
    assert_eq!(causes[0], (2, unknown), "{causes:?}");
    assert!(causes.len() == 2 && causes[1].0 == 1 && causes[1].1.contains("503"), "{causes:?}");
    assert_eq!(groups[0].runs.iter().collect::<Vec<_>>(), [event.run.as_str()]);
    assert_eq!(groups[0].movies.iter().collect::<Vec<_>>(), {
        let mut two = [&ids[0], &ids[1]];
        two.sort();
        two
    });

    let spans = pipeline.traces().spans();
    for case in &found.cases {
        let trace_id = case.trace_id().unwrap();
        let of_the_trace =
            |service: Service| spans.iter().any(|span| span.trace_id == trace_id && span.service == service.name());
        assert!(of_the_trace(Service::Ranker) && of_the_trace(Service::Enricher), "{trace_id}");
        let last = case.log.last().unwrap();
        assert_eq!(last[logs::MESSAGE_ID.name], case.letter.id);
        assert_eq!(last[logs::TRACE_ID.name], trace_id);
        let times: Vec<_> = case.log.iter().map(|record| record[logs::TIMESTAMP.name].as_str().unwrap()).collect();
        assert!(times.is_sorted(), "{times:?}");
    }
}

#[tokio::test]
async fn one_movie_is_redriven_in_its_trace_and_completes_while_the_others_stay() {
    let (pipeline, _, ids) = with_three_dead().await;
    let dead_letters = open(&pipeline).await;
    let found = dead_letters.read().await.unwrap();
    let selection = Selection { movies: vec![ids[0].clone()], ..Selection::default() };
    let selected = selection.of(&found.cases);
    let (letter, trace_id) = (&selected[0].letter, selected[0].trace_id().unwrap());
    let attribute = letter.attributes[TRACEPARENT_ATTRIBUTE].string_value().unwrap();
    assert!(attribute.contains(trace_id), "{attribute}");
    let spans_before = spans_of_movie(&pipeline, trace_id);

    pipeline.omdb().unwrap().heal();
    let redriven = dead_letters.redrive(&selected).await.unwrap();
    assert_eq!(
        redriven.iter().map(|one| (&one.id, &one.outcome)).collect::<Vec<_>>(),
        [(&letter.id, &RedriveOutcome::Sent)]
    );
    let key = movie_key(&MovieMessage::parse(&letter.body).unwrap());
    let stored = async |pipeline: &Pipeline| pipeline.read_object(&key).await;
    pipeline.eventually("the redriven movie", PATIENCE, stored).await.unwrap();
    let traced = async |pipeline: &Pipeline| Ok((spans_of_movie(pipeline, trace_id) > spans_before).then_some(()));
    pipeline.eventually("its span in the same trace", PATIENCE, traced).await.unwrap();

    let left: Vec<Value> = bodies(&pipeline).await.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    let mut left: Vec<_> = left.iter().map(|body| body["movie"]["id"].as_str().unwrap()).collect();
    left.sort_unstable();
    let mut expected = [ids[1].as_str(), ids[2].as_str()];
    expected.sort_unstable();
    assert_eq!(left, expected);

    // A second time it is there no more; nothing else is sent in its place.
    let again = dead_letters.redrive(&selected).await.unwrap();
    assert_eq!(again[0].outcome, RedriveOutcome::Gone);
    assert_eq!(pipeline.dead_letters().await.unwrap(), 2);
}

fn spans_of_movie(pipeline: &Pipeline, trace_id: &str) -> usize {
    let spans = pipeline.traces().spans();
    spans.iter().filter(|span| span.trace_id == trace_id && span.service == Service::Enricher.name()).count()
}

#[tokio::test]
async fn the_command_lists_inspects_and_redrives_only_what_was_agreed_to() {
    let (pipeline, event, ids) = with_three_dead().await;
    let before = bodies(&pipeline).await;
    let listed = ended_with(0, &dead_letters(&pipeline, &["list"]).await);
    assert!(listed.contains("3 messages lie in the failure queues of the stack local"), "{listed}");
    assert!(listed.contains("    2  OMDb does not know the id"), "{listed}");
    let inspected = dead_letters(&pipeline, &["inspect", "--movie", &ids[2], "--json"]).await;
    ended_with(0, &inspected);
    let inspected: Value = serde_json::from_slice(&inspected.stdout).unwrap();
    assert_eq!((inspected.as_array().unwrap().len(), &inspected[0]["movie"]), (1, &Value::from(ids[2].as_str())));
    assert_eq!(inspected[0]["log"][0]["trace_id"], inspected[0]["trace_id"]);

    let planned = ended_with(0, &dead_letters(&pipeline, &["redrive", "--cause", "does not know", "--dry-run"]).await);
    let place = format!("In the stack local ({}):\n", pipeline.emulator().endpoint());
    assert!(planned.starts_with(&place), "{planned}");
    assert!(planned.contains(&ids[0]) && planned.contains(&ids[1]) && !planned.contains(&ids[2]), "{planned}");
    assert!(planned.contains("1 other message stays") && planned.contains("Nothing was changed"), "{planned}");
    let asked = ended_with(2, &dead_letters(&pipeline, &["redrive", "--all"]).await);
    assert!(asked.contains("no terminal to ask on; add --yes"), "{asked}");
    let unnamed = ended_with(2, &dead_letters(&pipeline, &["redrive", "--yes"]).await);
    assert!(unnamed.contains("which messages?"), "{unnamed}");
    let slip =
        ended_with(2, &dead_letters(&pipeline, &["redrive", "--yes", "--movie", &ids[0], "--movie", "tt9"]).await);
    assert!(slip.contains("no message matches --movie tt9") && slip.contains(&ids[0]), "{slip}");
    assert_eq!(bodies(&pipeline).await, before, "none of this changed anything");

    pipeline.omdb().unwrap().heal();
    let sent = ended_with(0, &dead_letters(&pipeline, &["redrive", "--all", "--yes"]).await);
    assert!(sent.contains("3 of 3 sent."), "{sent}");
    assert_eq!(pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap(), Outcome::Completed);
    assert!(ended_with(0, &dead_letters(&pipeline, &["list"]).await).contains("No message lies"), "all gone");
}

#[tokio::test]
async fn movies_that_are_hidden_lie_in_no_failure_queue_and_are_told_of() {
    let pipeline = Pipeline::start(Options { top_n: 2, ..failing() }).await.unwrap();
    let before = ended_with(0, &dead_letters(&pipeline, &["list"]).await);
    assert!(!before.contains("movies queue"), "{before}");

    pipeline.omdb().unwrap().fail_all(OmdbFault::QuotaExhausted);
    let event = pipeline.event_at("2026-11-22T12:00:00Z".parse().unwrap()).unwrap();
    pipeline.fire(&event).await.unwrap();
    let hidden =
        "About 2 messages of the movies queue are out of sight (movie-pipeline-local-movies): worked on, or hidden";
    let told = async |pipeline: &Pipeline| {
        let listed = ended_with(0, &dead_letters(pipeline, &["list"]).await);
        Ok(listed.contains(hidden).then_some(listed))
    };
    let listed = pipeline.eventually("hidden movies", PATIENCE, told).await.unwrap();
    assert!(listed.contains("No message lies in the failure queues"), "{listed}");
    assert!(listed.contains("Which, and until when:  cargo local explain --endpoint-url"), "{listed}");
    let listed = dead_letters(&pipeline, &["list", "--json"]).await;
    let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!((&listed["messages"], &listed["movies_out_of_sight"]), (&0.into(), &2.into()));
}

#[tokio::test]
async fn poison_is_listed_with_its_reason_beside_the_movies_of_a_redriven_message() {
    let pipeline = Pipeline::start(failing()).await.unwrap();
    pipeline.publish("not JSON", None).await.unwrap();
    until_dead(&pipeline, 1).await;
    let dead_letters = open(&pipeline).await;
    let found = dead_letters.read().await.unwrap();
    assert!(found.cases[0].cause.starts_with("not a movie message"), "{}", found.cases[0].cause);

    // It comes back under another id, and its cause with it.
    let everything = Selection::default().of(&found.cases);
    assert_eq!(dead_letters.redrive(&everything).await.unwrap()[0].outcome, RedriveOutcome::Sent);
    until_dead(&pipeline, 1).await;
    let back = dead_letters.read().await.unwrap();
    let by_queue: BTreeMap<_, _> = back.cases.iter().map(|case| (case.letter.queue, &case.cause)).collect();
    assert_eq!(by_queue, BTreeMap::from([(FailureQueue::DeadLetters, &found.cases[0].cause)]));
    assert_ne!(back.cases[0].letter.id, found.cases[0].letter.id);
}
