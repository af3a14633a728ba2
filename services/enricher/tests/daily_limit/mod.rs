//! The requests of a day, shared by all environments, and what becomes of a movie that gets none or has no key.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use domain::contract::environment::OMDB_DAILY_LIMIT;
use domain::contract::metrics::{
    ENRICHMENT_FAILURES, MOVIES_ENRICHED, OMDB_AUTH_REJECTED, OMDB_QUOTA_EXHAUSTED, OMDB_REQUESTS,
};
use domain::quota::PREFIX;
use enricher::omdb::Answer;
use serde_json::{Value, json};

use crate::common::{
    self, Harness, MemoryBucket, MemoryKeys, MemoryOmdb, NOW, QueueAnswer, RUN, SQS_BATCH, id_at, message,
};

const COUNT: &str = "omdb-requests/2026-11-22.json";
const NEXT_COUNT: &str = "omdb-requests/2026-11-23.json";

fn bodies(positions: std::ops::RangeInclusive<usize>) -> impl Iterator<Item = String> {
    positions.map(|position| message(RUN, position, 100))
}

/// The messages that the log says are hidden, and until when. Each line is one of its movie's, as any other.
fn told_hidden(harness: &Harness) -> Vec<(String, String)> {
    let lines = harness.captured.lines();
    let hidden = lines.iter().filter_map(|line| {
        let until = line["hidden_until"].as_str()?;
        assert!(line["run"].is_string() && line["position"].is_u64() && line["imdb_id"].is_string(), "{line}");
        assert!(line["receive_count"].is_string() && line["trace_id"].is_string(), "{line}");
        Some((line["message_id"].as_str()?.to_owned(), until.to_owned()))
    });
    hidden.collect()
}

/// The reason that the log gives for each failed record.
fn reasons(harness: &Harness) -> Vec<String> {
    let lines = harness.captured.lines();
    let failed = lines.iter().filter(|line| line["level"] == "ERROR");
    failed.filter_map(|line| line["reason"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn the_movies_of_a_batch_share_one_reservation() {
    let harness = Harness::new();
    assert!(harness.handle_bodies(bodies(1..=10)).await.is_empty());
    assert_eq!(harness.bucket.json(COUNT), json!({"date": "2026-11-22", "requests": 10}));
    assert_eq!(harness.bucket.writes(), 11, "ten movies and the count, once");
}

#[tokio::test(start_paused = true)]
async fn every_attempt_is_counted_before_it_is_sent() {
    let harness = Harness::new();
    harness.omdb.will_answer(&id_at(1), [Answer::unusable("HTTP status 503")]);
    assert_eq!(harness.handle_bodies(bodies(1..=2)).await, ["record-0"]);
    assert_eq!(harness.metrics.sum(OMDB_REQUESTS), 4);
    assert_eq!(harness.bucket.json(COUNT)["requests"], 4);
}

#[tokio::test]
async fn environments_share_the_days_requests_and_the_one_too_many_is_not_sent() {
    let (bucket, omdb) = (MemoryBucket::default(), MemoryOmdb::default());
    let environment = || Harness::sharing(bucket.clone(), omdb.clone(), MemoryKeys::new(["key-1"]), 15);
    let (one, other) = (environment(), environment());
    let (failed, failed_too) = tokio::join!(one.handle_bodies(bodies(1..=10)), other.handle_bodies(bodies(11..=20)));
    assert_eq!(failed.len() + failed_too.len(), 5);
    assert_eq!(omdb.asked().len(), 15);
    assert_eq!(bucket.json(COUNT)["requests"], 15);
    assert_eq!(one.metrics.sum(MOVIES_ENRICHED) + other.metrics.sum(MOVIES_ENRICHED), 15);
}

#[tokio::test]
async fn a_used_up_day_says_limit_variable_and_end_and_counts_like_a_used_up_quota() {
    let harness = Harness::with_daily_limit(3);
    assert_eq!(harness.handle_bodies(bodies(1..=5)).await.len(), 2);
    assert_eq!(harness.omdb.asked().len(), 3);
    let told = format!("OMDb has had the 3 requests that {} allows it a day", OMDB_DAILY_LIMIT.name);
    let told = format!("{told}; the next day begins at 2026-11-23 00:00:00 UTC");
    assert_eq!(reasons(&harness), [told.clone(), told]);
    assert_eq!(harness.metrics.sum(OMDB_QUOTA_EXHAUSTED), 1);
    assert_eq!(harness.metrics.sum(ENRICHMENT_FAILURES), 2);
}

#[tokio::test]
async fn a_new_day_has_requests_of_its_own() {
    let harness = Harness::with_daily_limit(3);
    assert_eq!(harness.handle_bodies(bodies(1..=5)).await.len(), 2);
    harness.it_is("2026-11-23T00:00:00Z");
    assert!(harness.handle_bodies(bodies(1..=5)).await.is_empty());
    assert_eq!(harness.bucket.json("omdb-requests/2026-11-23.json")["requests"], 2);
    assert_eq!(harness.bucket.json(COUNT)["requests"], 3);
}

#[tokio::test]
async fn just_before_midnight_a_request_counts_for_both_days_since_it_may_arrive_on_either() {
    let harness = Harness::new();
    harness.it_is("2026-11-22T23:58:30Z");
    assert!(harness.handle_bodies(bodies(1..=3)).await.is_empty());
    assert_eq!(harness.bucket.json(COUNT)["requests"], 3);
    assert_eq!(harness.bucket.json(NEXT_COUNT)["requests"], 3);
    harness.it_is("2026-11-23T00:00:10Z");
    assert!(harness.handle_bodies(bodies(4..=5)).await.is_empty());
    assert_eq!(harness.bucket.json(COUNT)["requests"], 3);
    assert_eq!(harness.bucket.json(NEXT_COUNT)["requests"], 5);
}

#[tokio::test(start_paused = true)]
async fn a_request_is_not_sent_on_a_day_that_began_while_it_was_counted_without_counting_for_it() {
    let harness = Harness::new();
    harness.it_is("2026-11-22T23:57:00Z");
    // Meanwhile the day ends.
    harness.bucket.lose_races(PREFIX, 5);
    let midnight = async {
        tokio::time::sleep(Duration::from_millis(1)).await;
        harness.it_is("2026-11-23T00:00:01Z");
    };
    let (failed, ()) = tokio::join!(harness.handle_bodies(bodies(1..=2)), midnight);
    assert!(failed.is_empty());
    assert_eq!(harness.bucket.json(NEXT_COUNT)["requests"], 2);
}

#[tokio::test]
async fn a_day_of_which_the_next_has_nothing_left_ends_two_minutes_early() {
    let harness = Harness::with_daily_limit(3);
    harness.bucket.set(NEXT_COUNT, r#"{"date":"2026-11-23","requests":3}"#);
    harness.it_is("2026-11-22T23:57:59Z");
    assert!(harness.handle_bodies(bodies(1..=1)).await.is_empty());
    harness.it_is("2026-11-22T23:58:00Z");
    assert_eq!(harness.handle_bodies(bodies(2..=2)).await, ["record-0"]);
    assert_eq!(harness.omdb.asked().len(), 1);
}

#[tokio::test]
async fn a_request_of_which_nobody_knows_whether_it_was_sent_stays_counted() {
    let panicking = MemoryOmdb::panicking_at(id_at(1));
    let harness = Harness::sharing(MemoryBucket::default(), panicking, MemoryKeys::new(["key-1"]), 2);
    assert_eq!(harness.handle_bodies(bodies(1..=1)).await, ["record-0"]);
    assert!(harness.handle_bodies(bodies(2..=2)).await.is_empty());
    assert_eq!(harness.handle_bodies(bodies(3..=3)).await, ["record-0"]);
    assert_eq!(harness.bucket.json(COUNT)["requests"], 2);
}

#[tokio::test(start_paused = true)]
async fn a_lost_race_for_the_count_is_run_again_and_has_an_end() {
    let harness = Harness::new();
    harness.bucket.lose_races(PREFIX, 3);
    assert!(harness.handle_bodies(bodies(1..=10)).await.is_empty());
    assert_eq!(harness.bucket.json(COUNT)["requests"], 10);

    harness.bucket.lose_races(PREFIX, u32::MAX);
    assert_eq!(harness.handle_bodies(bodies(11..=11)).await, ["record-0"]);
    let reason = &reasons(&harness)[0];
    assert!(reason.ends_with("others changed it at the same time, 20 times in a row"), "{reason}");
    assert_eq!(harness.omdb.asked().len(), 10);
}

#[tokio::test]
async fn no_request_is_sent_that_cannot_be_counted() {
    let harness = Harness::new();
    harness.bucket.refuse(|key| key.starts_with(PREFIX));
    assert_eq!(harness.handle_bodies(bodies(1..=2)).await, ["record-0", "record-1"]);
    assert_eq!(harness.omdb.asked(), Vec::<String>::new());
    assert_eq!(reasons(&harness), ["S3 could not read omdb-requests/2026-11-22.json: SlowDown"; 2]);
    assert!(harness.queue.hidden().is_empty(), "S3 may work again in a minute");

    harness.bucket.heal();
    harness.bucket.set(COUNT, "a lot");
    assert_eq!(harness.handle_bodies(bodies(1..=1)).await, ["record-0"]);
    let reason = reasons(&harness).pop().unwrap();
    assert!(reason.contains(COUNT) && reason.contains("remove the object and the count begins anew"), "{reason}");
}

#[tokio::test]
async fn a_movie_without_requests_is_hidden_until_the_next_day_and_had_then() {
    let harness = Harness::with_daily_limit(1);
    let event: Value = serde_json::from_str(SQS_BATCH).unwrap();
    let failed = harness.handle(event.clone()).await;
    let hidden = harness.queue.hidden();
    assert_eq!((failed.len(), hidden.len()), (1, 1));
    let records = event["Records"].as_array().unwrap();
    let record = records.iter().find(|record| record["messageId"] == failed[0]).unwrap();
    let (receipt, time) = hidden.first_key_value().unwrap();
    assert_eq!(record["receiptHandle"], *receipt);
    let midnight = Duration::from_hours(3);
    assert!((midnight + Duration::from_mins(1)..=midnight + Duration::from_mins(15)).contains(time), "{time:?}");
    let until = NOW.parse::<DateTime<Utc>>().unwrap() + *time;
    let until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
    assert_eq!(told_hidden(&harness), [(failed[0].clone(), until)]);

    harness.it_is("2026-11-23T00:05:00Z");
    assert!(harness.handle(event).await.is_empty());
}

#[tokio::test]
async fn a_movie_is_hidden_as_well_when_omdb_itself_says_that_the_quota_is_used_up() {
    let harness = Harness::new();
    harness.omdb.will_answer(&id_at(1), [Answer::QuotaExhausted]);
    harness.it_is("2026-11-22T09:00:00Z");
    assert_eq!(harness.handle_bodies(bodies(1..=1)).await, ["record-0"]);
    let longest = Duration::from_hours(12).checked_sub(Duration::from_mins(6)).unwrap();
    assert_eq!(harness.queue.hidden(), BTreeMap::from([("receipt of record-0".to_owned(), longest)]));
}

#[tokio::test]
async fn a_movie_whose_key_is_rejected_is_hidden_for_half_an_hour() {
    let harness = Harness::new();
    harness.omdb.will_answer(&id_at(1), [Answer::KeyRejected]);
    assert_eq!(harness.handle_bodies(bodies(1..=1)).await, ["record-0"]);
    let hidden = BTreeMap::from([("receipt of record-0".to_owned(), Duration::from_mins(30))]);
    assert_eq!(harness.queue.hidden(), hidden);
    assert_eq!(harness.metrics.sum(OMDB_AUTH_REJECTED), 1);
}

#[tokio::test(start_paused = true)]
async fn nothing_else_is_hidden() {
    let harness = Harness::with(MemoryOmdb::panicking_at(id_at(3)), MemoryKeys::new(["key-1"]));
    harness.omdb.will_answer(&id_at(1), [Answer::unusable("HTTP status 503")]);
    harness.omdb.will_answer(&id_at(2), [Answer::UnknownId("Incorrect IMDb ID.".into())]);
    harness.bucket.refuse(|key| key.contains("tt0000004"));
    let bodies = bodies(1..=5).chain(["no message".to_owned()]);
    assert_eq!(harness.handle_bodies(bodies).await, ["record-0", "record-1", "record-2", "record-3", "record-5"]);
    assert!(harness.queue.hidden().is_empty(), "{:?}", harness.queue.hidden());
}

#[tokio::test]
async fn a_message_of_two_days_is_not_hidden_any_more_but_left_to_become_a_dead_letter() {
    let harness = Harness::new();
    harness.omdb.will_answer(&id_at(1), [Answer::QuotaExhausted]);
    let mut record = common::record("old", &message(RUN, 1, 1));
    // 2026-11-20T21:00:00Z
    record["attributes"]["SentTimestamp"] = json!("1795208400000");
    assert_eq!(harness.handle(json!({"Records": [record]})).await, ["old"]);
    assert!(harness.queue.hidden().is_empty(), "{:?}", harness.queue.hidden());
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_hides_nothing_is_told_of_and_fails_nothing_else() {
    for (answer, told) in [
        (QueueAnswer::Refused, "SQS did not hide 1 of the messages: ReceiptHandleIsInvalid"),
        (QueueAnswer::Never, "SQS did not answer before the invocation's end"),
    ] {
        let harness = Harness::new();
        harness.queue.will_answer(answer);
        harness.omdb.will_answer(&id_at(1), [Answer::QuotaExhausted]);
        let started = tokio::time::Instant::now();
        assert_eq!(harness.handle_bodies(bodies(1..=1)).await, ["record-0"]);
        assert!(started.elapsed() < harness.time_left);
        let lines = harness.captured.lines();
        let warning = lines.iter().find(|line| line["level"] == "WARN").unwrap();
        assert_eq!((&warning["reason"], &warning["not_hidden"]), (&told.into(), &1.into()));
        assert!(told_hidden(&harness).is_empty());
    }
}
