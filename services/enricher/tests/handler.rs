//! The enricher through its handler: real SQS events in, objects and a partial batch response out.

#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line that unwrapped")]

mod common;
mod daily_limit;

use std::collections::BTreeMap;
use std::time::Duration;

use common::{Harness, MemoryKeys, MemoryOmdb, NO_ANSWER, RANKING, RUN, SQS_BATCH, id_at, message, movie, run};
use domain::contract::metrics::{
    ENRICHMENT_FAILURES, MOVIES_ENRICHED, OMDB_AUTH_REJECTED, OMDB_DURATION, OMDB_QUOTA_EXHAUSTED, OMDB_REQUESTS,
    RUN_DURATION, RUNS_COMPLETED,
};
use domain::enriched::{LATEST_KEY, run_list_key};
use enricher::omdb::Answer;
use serde_json::{Value, json};

fn batch() -> Value {
    serde_json::from_str(SQS_BATCH).unwrap()
}

#[tokio::test]
async fn each_movie_is_stored_under_its_run_with_the_fields_of_both_sources() {
    let harness = Harness::new();
    assert!(harness.handle(batch()).await.is_empty());
    let record = harness.bucket.json(&format!("runs/2026-11-22T12-00-00Z/{RANKING}/01-tt0111161.json"));
    assert_eq!(record["title"], "The Shawshank Redemption");
    assert_eq!(record["imDbRatingCount"], "2757004");
    assert_eq!(record["Title"], "Title of tt0111161");
    assert_eq!(harness.metrics.sum(MOVIES_ENRICHED), 2);
    assert_eq!(harness.metrics.sum(ENRICHMENT_FAILURES), 0);
    assert_eq!(harness.metrics.sum(OMDB_REQUESTS), 2);
    assert_eq!(harness.metrics.measurements(OMDB_DURATION), 2);
}

#[tokio::test]
async fn the_last_movie_of_a_run_assembles_its_list_and_moves_latest() {
    let harness = Harness::new();
    harness.handle_bodies([message(RUN, 2, 3), message(RUN, 3, 3)]).await;
    assert!(!harness.bucket.keys().contains(&LATEST_KEY.to_owned()), "the run is not complete yet");
    harness.handle_bodies([message(RUN, 1, 3)]).await;
    let latest = harness.bucket.json(LATEST_KEY);
    let ids: Vec<_> = latest["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [id_at(1), id_at(2), id_at(3)]);
    assert_eq!(latest["run"], RUN);
    assert_eq!(harness.bucket.json(&run_list_key(&run(RUN))), latest);
    assert_eq!(harness.metrics.sum(RUNS_COMPLETED), 1);
}

/// The source changed between two attempts of the event: the first had sent one movie, the second sent its own two.
#[tokio::test]
async fn the_list_of_a_run_never_mixes_two_rankings() {
    let harness = Harness::new();
    let later = |position, id: &str| {
        message(RUN, position, 2).replace(RANKING, "fedcba9876543210").replace(&id_at(position), id)
    };
    harness.handle_bodies([message(RUN, 1, 2), later(2, &id_at(1))]).await;
    assert!(!harness.bucket.keys().contains(&LATEST_KEY.to_owned()), "no ranking is complete");
    harness.handle_bodies([later(1, &id_at(2))]).await;
    let latest = harness.bucket.json(LATEST_KEY);
    let ids: Vec<_> = latest["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [id_at(2), id_at(1)]);
    assert!(harness.handle_bodies([message(RUN, 2, 2)]).await.is_empty());
    assert_eq!(harness.bucket.json(LATEST_KEY), latest, "the first ranking to be complete is the run's list");
    assert_eq!(harness.metrics.sum(RUNS_COMPLETED), 1);
}

#[tokio::test]
async fn a_batch_delivered_again_asks_omdb_nothing_and_changes_nothing() {
    let harness = Harness::new();
    harness.handle(batch()).await;
    let (keys, asked) = (harness.bucket.keys(), harness.omdb.asked());
    assert!(harness.handle(batch()).await.is_empty());
    assert_eq!((harness.bucket.keys(), harness.omdb.asked()), (keys, asked));
    assert_eq!(harness.metrics.sum(MOVIES_ENRICHED), 2);
    assert_eq!(harness.metrics.sum(RUNS_COMPLETED), 1);
}

#[tokio::test]
async fn a_batch_that_is_its_whole_run_asks_for_one_list_and_reads_nothing_that_it_has_stored() {
    let harness = Harness::new();
    assert!(harness.handle_bodies((1..=10).map(|position| message(RUN, position, 10))).await.is_empty());
    assert_eq!(harness.metrics.sum(RUNS_COMPLETED), 1);
    // Ten movies, the list, latest, the count; the count is read, latest looked at.
    assert_eq!(harness.bucket.calls(), BTreeMap::from([("list", 1), ("look at", 1), ("read", 1), ("store", 13)]));
}

#[tokio::test]
async fn a_batch_that_completes_a_run_reads_what_others_have_stored() {
    let harness = Harness::new();
    harness.handle_bodies((1..=4).map(|position| message(RUN, position, 10))).await;
    let before = harness.bucket.calls();
    harness.handle_bodies((5..=10).map(|position| message(RUN, position, 10))).await;
    assert_eq!(harness.metrics.sum(RUNS_COMPLETED), 1);
    let since = |operation| harness.bucket.calls()[operation] - before[operation];
    assert_eq!((since("list"), since("read")), (1, 4 + 1), "four records, and the count");
}

#[tokio::test]
async fn a_batch_of_a_large_run_looks_at_its_own_objects_alone() {
    let harness = Harness::new();
    harness.handle_bodies((1..=9).map(|position| message(RUN, position, 100))).await;
    // The one list tells whether the run is complete.
    assert_eq!((harness.bucket.calls()["look at"], harness.bucket.calls()["list"]), (9, 1));
}

#[tokio::test]
async fn a_run_that_cannot_be_listed_fails_its_records_and_is_asked_for_once() {
    let harness = Harness::new();
    harness.bucket.refuse(|key| key == "runs/2026-11-22T12-00-00Z/");
    let failed = harness.handle_bodies((1..=10).map(|position| message(RUN, position, 10))).await;
    assert_eq!((failed.len(), harness.bucket.calls()["list"]), (10, 1));
    assert!(harness.omdb.asked().is_empty());
}

#[tokio::test]
async fn a_large_run_that_cannot_be_listed_fails_its_records_and_is_completed_when_they_come_back() {
    let harness = Harness::new();
    harness.handle_bodies((1..=11).map(|position| message(RUN, position, 12))).await;
    harness.bucket.refuse(|key| key == "runs/2026-11-22T12-00-00Z/");
    assert_eq!(harness.handle_bodies([message(RUN, 12, 12)]).await, ["record-0"]);
    harness.bucket.heal();
    assert!(harness.handle_bodies([message(RUN, 12, 12)]).await.is_empty());
    assert_eq!(harness.metrics.sum(RUNS_COMPLETED), 1);
}

#[tokio::test]
async fn a_run_of_which_a_record_cannot_be_read_fails_its_records_and_is_completed_when_they_come_back() {
    let harness = Harness::new();
    harness.handle_bodies((1..=4).map(|position| message(RUN, position, 10))).await;
    harness.bucket.refuse(|key| key.ends_with("/02-tt0000002.json"));
    let last = || (5..=10).map(|position| message(RUN, position, 10));
    assert_eq!(harness.handle_bodies(last()).await.len(), 6);
    assert!(!harness.bucket.keys().contains(&LATEST_KEY.to_owned()), "the run has no list yet");
    harness.bucket.heal();
    assert!(harness.handle_bodies(last()).await.is_empty());
    assert_eq!(harness.metrics.sum(RUNS_COMPLETED), 1);
}

#[tokio::test(start_paused = true)]
async fn a_busy_omdb_is_left_alone_for_as_long_as_it_asks_though_it_asked_at_the_last_attempt() {
    let harness = Harness::new();
    let busy = || Answer::unusable("HTTP status 503");
    let later = Answer::Unusable { reason: "HTTP status 429".into(), retry_after: Some(Duration::from_hours(1)) };
    harness.omdb.will_answer(&id_at(1), [busy(), busy(), later]);
    assert_eq!(harness.handle_bodies([message(RUN, 1, 1)]).await, ["record-0"]);
    assert_eq!(harness.queue.hidden().into_values().collect::<Vec<_>>(), [Duration::from_hours(1)]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_not_listed_in_time_fails_its_records_before_lambda_ends_the_invocation() {
    let harness = Harness::new();
    harness.bucket.hang(|key| key == "runs/2026-11-22T12-00-00Z/");
    let started = tokio::time::Instant::now();
    assert_eq!(harness.handle_bodies([message(RUN, 1, 2), message(RUN, 2, 2)]).await.len(), 2);
    assert!(started.elapsed() < harness.time_left);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_not_read_in_time_fails_its_run_before_lambda_ends_the_invocation() {
    let harness = Harness::new();
    harness.handle_bodies((1..=4).map(|position| message(RUN, position, 10))).await;
    harness.bucket.hang(|key| key.ends_with("/02-tt0000002.json"));
    let started = tokio::time::Instant::now();
    assert_eq!(harness.handle_bodies((5..=10).map(|position| message(RUN, position, 10))).await.len(), 6);
    assert!(started.elapsed() < harness.time_left);
}

#[tokio::test]
async fn latest_never_goes_back_to_an_older_run() {
    let harness = Harness::new();
    harness.handle_bodies([message("2026-11-22T12-00-00Z", 1, 1)]).await;
    harness.handle_bodies([message("2026-11-21T12-00-00Z", 1, 1)]).await;
    assert_eq!(harness.bucket.json(LATEST_KEY)["run"], "2026-11-22T12-00-00Z");
    harness.handle_bodies([message("2026-11-23T12-00-00Z", 1, 1)]).await;
    assert_eq!(harness.bucket.json(LATEST_KEY)["run"], "2026-11-23T12-00-00Z");
    assert_eq!(harness.metrics.sum(RUNS_COMPLETED), 3);
}

#[tokio::test]
async fn a_record_that_is_no_message_fails_alone_with_its_reason_in_the_log() {
    let harness = Harness::new();
    let other_version = message(RUN, 1, 3).replace("\"schema_version\":1", "\"schema_version\":2");
    let bodies = ["not json".to_owned(), message(RUN, 1, 3), other_version, message(RUN, 4, 3), "{}".to_owned()];
    let failed = harness.handle_bodies(bodies).await;
    assert_eq!(failed, ["record-0", "record-2", "record-3", "record-4"]);
    let lines = harness.captured.lines();
    let reason_of = |id: &str| {
        let line = lines.iter().find(|line| line["message_id"] == id && line["level"] == "ERROR").unwrap();
        line["reason"].as_str().unwrap().to_owned()
    };
    assert!(reason_of("record-0").contains("not a movie message"));
    assert!(reason_of("record-2").contains("schema version 2"));
    assert!(reason_of("record-3").contains("position 4 of 3"));
    assert!(reason_of("record-4").contains("schema_version"));
    assert_eq!(harness.metrics.sum(ENRICHMENT_FAILURES), 4);
    assert_eq!(harness.metrics.sum(MOVIES_ENRICHED), 1);
}

#[tokio::test]
async fn an_event_that_is_not_of_sqs_fails_the_invocation() {
    let error = Harness::new().try_handle(json!({"hello": "world"})).await.unwrap_err();
    assert!(error.to_string().contains("no SQS event"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn the_movies_of_a_batch_are_asked_for_at_once() {
    let omdb = MemoryOmdb::slow(Duration::from_millis(50));
    let harness = Harness::with(omdb, MemoryKeys::new(["key-1"]));
    let started = tokio::time::Instant::now();
    harness.handle_bodies((1..=10).map(|position| message(RUN, position, 10))).await;
    assert_eq!(started.elapsed().as_millis(), 50);
}

#[tokio::test(start_paused = true)]
async fn a_passing_failure_of_omdb_is_asked_again_within_the_invocation() {
    let harness = Harness::new();
    harness.omdb.will_answer(&id_at(1), [Answer::unusable("HTTP status 503"), movie(&id_at(1))]);
    assert!(harness.handle_bodies([message(RUN, 1, 1)]).await.is_empty());
    assert_eq!(harness.omdb.asked().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lasting_failure_of_omdb_fails_its_record_alone() {
    let harness = Harness::new();
    harness.omdb.will_answer(&id_at(1), [Answer::unusable("HTTP status 503")]);
    assert_eq!(harness.handle_bodies([message(RUN, 1, 2), message(RUN, 2, 2)]).await, ["record-0"]);
    assert_eq!(harness.omdb.asked().iter().filter(|id| **id == id_at(1)).count(), 3);
    assert_eq!(harness.metrics.sum(MOVIES_ENRICHED), 1);
}

#[tokio::test(start_paused = true)]
async fn omdb_is_not_asked_again_before_it_wants_to_be_when_that_is_after_the_invocations_end() {
    let harness = Harness::new();
    let later = Answer::Unusable { reason: "HTTP status 429".into(), retry_after: Some(Duration::from_mins(40)) };
    harness.omdb.will_answer(&id_at(1), [later]);
    assert_eq!(harness.handle_bodies([message(RUN, 1, 1)]).await, ["record-0"]);
    assert_eq!(harness.omdb.asked().len(), 1);
    assert_eq!(harness.queue.hidden().into_values().collect::<Vec<_>>(), [Duration::from_mins(40)]);
}

#[tokio::test(start_paused = true)]
async fn a_record_that_is_not_done_in_time_fails_before_lambda_ends_the_invocation() {
    let omdb = MemoryOmdb::slow(Duration::from_mins(10));
    let harness = Harness::with(omdb, MemoryKeys::new(["key-1"]));
    let started = tokio::time::Instant::now();
    assert_eq!(harness.handle_bodies([message(RUN, 1, 1)]).await, ["record-0"]);
    assert!(started.elapsed() < harness.time_left);
}

#[tokio::test]
async fn an_id_that_omdb_does_not_know_fails_its_record_without_a_second_question() {
    let harness = Harness::new();
    harness.omdb.will_answer(&id_at(1), [Answer::UnknownId("Incorrect IMDb ID.".into())]);
    assert_eq!(harness.handle_bodies([message(RUN, 1, 1)]).await, ["record-0"]);
    assert_eq!(harness.omdb.asked().len(), 1);
}

#[tokio::test]
async fn a_rejected_key_is_fetched_again_and_the_movie_asked_for_with_the_new_one() {
    let harness = Harness::with(MemoryOmdb::default(), MemoryKeys::new(["old", "new"]));
    harness.omdb.will_answer(&id_at(1), [Answer::KeyRejected, movie(&id_at(1))]);
    assert!(harness.handle_bodies([message(RUN, 1, 1)]).await.is_empty());
    assert_eq!(harness.omdb.keys_used(), ["old", "new"]);
}

#[tokio::test]
async fn a_key_that_stays_rejected_fails_its_records_and_is_counted() {
    let harness = Harness::new();
    harness.omdb.will_answer(&id_at(1), [Answer::KeyRejected]);
    assert_eq!(harness.handle_bodies([message(RUN, 1, 1)]).await, ["record-0"]);
    assert_eq!(harness.metrics.sum(OMDB_AUTH_REJECTED), 1);
    assert_eq!(harness.omdb.keys_used(), ["key-1"], "the same key would be rejected again");
}

#[tokio::test(start_paused = true)]
async fn a_batch_with_a_rejected_key_fetches_it_again_once_for_all_its_movies() {
    let keys = MemoryKeys::new(["old", "also wrong"]);
    let harness = Harness::with(MemoryOmdb::slow(Duration::from_millis(50)), keys.clone());
    for position in 1..=10 {
        harness.omdb.will_answer(&id_at(position), [Answer::KeyRejected]);
    }
    let failed = harness.handle_bodies((1..=10).map(|position| message(RUN, position, 10))).await;
    assert_eq!(failed.len(), 10);
    assert_eq!(keys.fetches(), 2);
    assert_eq!(harness.metrics.sum(OMDB_AUTH_REJECTED), 1);
}

#[tokio::test(start_paused = true)]
async fn a_used_up_quota_spares_what_has_not_been_asked_for_yet() {
    let harness = Harness::with(MemoryOmdb::slow(Duration::from_millis(50)), MemoryKeys::new(["key-1"]));
    for position in 1..=30 {
        harness.omdb.will_answer(&id_at(position), [Answer::QuotaExhausted]);
    }
    let failed = harness.handle_bodies((1..=30).map(|position| message(RUN, position, 30))).await;
    assert_eq!(failed.len(), 30);
    assert_eq!(harness.omdb.asked().len(), 10, "ten were in flight when the first answer came");
    assert_eq!(harness.metrics.sum(OMDB_QUOTA_EXHAUSTED), 1);
}

#[tokio::test]
async fn a_used_up_quota_stops_the_questions_of_the_batch() {
    let harness = Harness::new();
    harness.omdb.will_answer(&id_at(1), [Answer::QuotaExhausted]);
    // The second movie fails for a moment; by the time it would be asked for again, the quota is known to be used up.
    harness.omdb.will_answer(&id_at(2), [Answer::unusable("HTTP status 503"), movie(&id_at(2))]);
    assert_eq!(harness.handle_bodies([message(RUN, 1, 2), message(RUN, 2, 2)]).await, ["record-0", "record-1"]);
    assert_eq!(harness.omdb.asked().len(), 2);
    assert_eq!(harness.metrics.sum(OMDB_QUOTA_EXHAUSTED), 1);
}

#[tokio::test]
async fn once_omdb_has_refused_all_questions_the_next_batch_begins_with_one() {
    let harness = Harness::new();
    let will_answer = |answer: fn(&str) -> Answer| {
        for id in (1..=3).map(id_at) {
            harness.omdb.will_answer(&id, [answer(&id)]);
        }
    };
    let batch = || [1, 2, 3].map(|position| message(RUN, position, 3));
    will_answer(|_| Answer::QuotaExhausted);
    assert_eq!(harness.handle_bodies(batch()).await.len(), 3);
    assert_eq!(harness.omdb.asked().len(), 3, "nobody knew yet");
    assert_eq!(harness.handle_bodies(batch()).await.len(), 3);
    assert_eq!(harness.omdb.asked().len(), 4);
    will_answer(movie);
    assert!(harness.handle_bodies(batch()).await.is_empty());
    assert_eq!(harness.omdb.asked().len(), 7);
}

#[tokio::test]
async fn a_key_that_cannot_be_read_fails_the_records_and_is_asked_for_again_by_the_next_batch() {
    let keys = MemoryKeys::new(["", "key-1"]);
    let harness = Harness::with(MemoryOmdb::default(), keys.clone());
    let bodies = || (1..=3).map(|position| message(RUN, position, 3));
    assert_eq!(harness.handle_bodies(bodies()).await.len(), 3);
    assert_eq!(keys.fetches(), 1, "one refusal is for all of a batch");
    assert!(harness.handle_bodies(bodies()).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_does_not_come_fails_the_records_before_lambda_ends_the_invocation() {
    let harness = Harness::with(MemoryOmdb::default(), MemoryKeys::new([NO_ANSWER]));
    let started = tokio::time::Instant::now();
    assert_eq!(harness.handle_bodies([message(RUN, 1, 2), message(RUN, 2, 2)]).await.len(), 2);
    assert!(started.elapsed() < harness.time_left);
}

#[tokio::test]
async fn a_movie_that_s3_does_not_take_fails_its_record_alone() {
    let harness = Harness::new();
    harness.bucket.refuse(|key| key.contains("tt0000001"));
    assert_eq!(harness.handle_bodies([message(RUN, 1, 2), message(RUN, 2, 2)]).await, ["record-0"]);
}

#[tokio::test]
async fn records_whose_run_could_not_be_completed_fail_and_complete_it_when_delivered_again() {
    let harness = Harness::new();
    harness.bucket.refuse(|key| key.ends_with(LATEST_KEY));
    let bodies = || [message(RUN, 1, 2), message(RUN, 2, 2)];
    assert_eq!(harness.handle_bodies(bodies()).await, ["record-0", "record-1"]);
    harness.bucket.heal();
    assert!(harness.handle_bodies(bodies()).await.is_empty());
    assert_eq!(harness.bucket.json(LATEST_KEY)["items"].as_array().unwrap().len(), 2);
    assert_eq!(harness.omdb.asked().len(), 2);
}

#[tokio::test]
async fn a_run_is_counted_once_though_latest_could_not_be_moved_at_first() {
    let harness = Harness::new();
    harness.bucket.refuse(|key| key == LATEST_KEY);
    let bodies = || [message(RUN, 1, 2), message(RUN, 2, 2)];
    assert_eq!(harness.handle_bodies(bodies()).await, ["record-0", "record-1"]);
    harness.bucket.heal();
    assert!(harness.handle_bodies(bodies()).await.is_empty());
    assert_eq!(harness.bucket.json(LATEST_KEY)["run"], RUN);
    assert_eq!(harness.metrics.sum(RUNS_COMPLETED), 1);
    assert_eq!(harness.metrics.measurements(RUN_DURATION), 1);
}

#[tokio::test]
async fn whoever_loses_the_race_for_latest_looks_again_and_gives_way_to_a_newer_run() {
    let harness = Harness::new();
    harness.bucket.overtake_latest(run("2026-11-23T12-00-00Z"));
    assert!(harness.handle_bodies([message(RUN, 1, 1)]).await.is_empty());
    assert_eq!(harness.bucket.json(LATEST_KEY)["run"], "2026-11-23T12-00-00Z");
}

#[tokio::test]
async fn whoever_loses_the_race_for_latest_looks_again_and_replaces_an_older_run() {
    let harness = Harness::new();
    harness.bucket.overtake_latest(run("2026-11-21T12-00-00Z"));
    assert!(harness.handle_bodies([message(RUN, 1, 1)]).await.is_empty());
    assert_eq!(harness.bucket.json(LATEST_KEY)["run"], RUN);
}

#[tokio::test]
async fn a_panic_over_one_record_fails_that_record_alone() {
    let harness = Harness::with(MemoryOmdb::panicking_at(id_at(1)), MemoryKeys::new(["key-1"]));
    assert_eq!(harness.handle_bodies([message(RUN, 1, 2), message(RUN, 2, 2)]).await, ["record-0"]);
    assert_eq!(harness.metrics.sum(MOVIES_ENRICHED), 1);
}

#[tokio::test(start_paused = true)]
async fn a_bucket_that_does_not_answer_fails_the_record_before_lambda_ends_the_invocation() {
    for keys in [(|key: &str| key.contains("tt0000001")) as fn(&str) -> bool, |key| key == LATEST_KEY] {
        let harness = Harness::new();
        harness.bucket.hang(keys);
        let started = tokio::time::Instant::now();
        assert_eq!(harness.handle_bodies([message(RUN, 1, 1)]).await, ["record-0"]);
        assert!(started.elapsed() < harness.time_left);
        assert!(harness.captured.lines().iter().any(|line| {
            line["reason"].as_str().is_some_and(|reason| reason.starts_with("the invocation ends before"))
        }));
    }
}

#[tokio::test]
async fn a_record_belongs_to_the_trace_of_its_sender_and_the_batch_links_to_it() {
    let harness = Harness::new();
    harness.handle(batch()).await;
    let spans = harness.captured.spans();
    let sender = "b7ad6b7169203331";
    let record = spans.iter().find(|span| span.parent_span_id.to_string() == sender).unwrap();
    assert_eq!(record.name, "process movie");
    assert_eq!(record.span_context.trace_id().to_string(), "6921b8010af7651916cd43dd8448eb21");
    let batch = spans.iter().find(|span| span.name == "process batch").unwrap();
    assert!(batch.links.iter().any(|link| link.span_context.span_id().to_string() == sender));
}

/// The attributes and the status of the first span of this name.
fn told(harness: &Harness, name: &str) -> String {
    let spans = harness.captured.spans();
    let span = spans.iter().find(|span| span.name == name).unwrap();
    format!("{:?} {:?}", span.attributes, span.status)
}

#[tokio::test(start_paused = true)]
async fn a_movie_that_cannot_be_had_says_so_on_its_span_and_on_that_of_each_request() {
    let harness = Harness::new();
    harness.omdb.will_answer(&id_at(1), [Answer::unusable("HTTP status 503")]);
    harness.handle_bodies([message(RUN, 1, 1)]).await;
    let process = told(&harness, "process movie");
    assert!(process.contains("OMDb gave no usable answer in 3 attempts, the last time: HTTP status 503"), "{process}");
    let spans = harness.captured.spans();
    let requests: Vec<_> = spans.iter().filter(|span| span.name == "GET OMDb").collect();
    assert_eq!(requests.len(), 3);
    assert!(requests.iter().all(|span| format!("{:?}", span.status).contains("HTTP status 503")), "{requests:?}");
    let process = spans.iter().find(|span| span.name == "process movie").unwrap();
    let retries = process.events.iter().filter(|event| event.name.contains("no usable answer"));
    assert_eq!(retries.count(), 2, "{:?}", process.events);
}

#[tokio::test]
async fn a_record_that_panicked_and_a_run_that_could_not_be_completed_say_so_on_their_spans() {
    let panicking = Harness::with(MemoryOmdb::panicking_at(id_at(1)), MemoryKeys::new(["key-1"]));
    panicking.handle_bodies([message(RUN, 1, 2)]).await;
    assert!(told(&panicking, "process movie").contains("a panic"), "{}", told(&panicking, "process movie"));

    let refused = Harness::new();
    refused.bucket.refuse(|key| key == LATEST_KEY);
    refused.handle_bodies([message(RUN, 1, 1)]).await;
    assert!(told(&refused, "complete run").contains("SlowDown"), "{}", told(&refused, "complete run"));
}

#[tokio::test]
async fn a_run_is_completed_within_its_own_trace_though_its_batch_has_movies_of_another() {
    let harness = Harness::new();
    let traced = |id: &str, run: &str, trace: char| {
        let mut record = common::record(id, &message(run, 1, 1));
        let traceparent = format!("00-{}-b7ad6b7169203331-01", trace.to_string().repeat(32));
        record["messageAttributes"] = json!({"traceparent": {"stringValue": traceparent, "dataType": "String"}});
        record
    };
    let records = [traced("one", "2026-11-21T12-00-00Z", 'a'), traced("two", "2026-11-22T12-00-00Z", 'b')];
    assert!(harness.handle(json!({"Records": records})).await.is_empty());
    let spans = harness.captured.spans();
    let mut completions: Vec<_> =
        spans.iter().filter(|span| span.name == "complete run").map(|span| span.span_context.trace_id()).collect();
    completions.sort_by_key(|id| id.to_bytes());
    let completions: Vec<_> = completions.iter().map(ToString::to_string).collect();
    assert_eq!(completions, ["a".repeat(32), "b".repeat(32)]);
}
