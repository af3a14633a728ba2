use serde_json::json;

use super::*;
use crate::enriched::{LATEST_KEY, assemble, enrich, movie_key, run_list_key};
use crate::message::MovieMessage;
use crate::quota::{Count, Day};

const OLD: &str = "2026-11-21T12-00-00Z";
const NEW: &str = "2026-11-22T12-00-00Z";
const RANKING: &str = "0123456789abcdef";

fn run(name: &str) -> Run {
    Run::parse(name).unwrap()
}

fn message(run: &str, position: usize) -> String {
    let movie = json!({"id": format!("tt{position:07}"), "title": "T", "imDbRating": "9.2"});
    json!({"schema_version": 1, "run": run, "ranking": RANKING, "position": position, "of": 2, "movie": movie})
        .to_string()
}

fn omdb(position: usize) -> OmdbMovie {
    json!({"Title": format!("T{position}"), "Response": "True"}).as_object().unwrap().clone()
}

fn record(run: &str, position: usize) -> Vec<u8> {
    enrich(&MovieMessage::parse(&message(run, position)).unwrap(), omdb(position))
}

fn stored(name: &str, position: usize) -> Happened {
    let key = movie_key(&MovieMessage::parse(&message(name, position)).unwrap());
    Happened::Stored { key, body: record(name, position), run: None }
}

fn list(name: &str, key: &str) -> Happened {
    let body = assemble(&run(name), &[record(name, 1), record(name, 2)]);
    Happened::Stored { key: key.to_owned(), body, run: Some(run(name)) }
}

fn published(name: &str, position: usize) -> Happened {
    Happened::Published { body: message(name, position) }
}

fn deleted(name: &str, position: usize) -> Happened {
    Happened::Deleted { body: message(name, position) }
}

fn answered(position: usize) -> Happened {
    Happened::Answered { id: ImdbId::parse(&format!("tt{position:07}")).unwrap(), movie: omdb(position) }
}

/// A run of two movies, from its event to its last deletion.
fn whole_run(name: &str) -> Vec<Happened> {
    let event = Happened::EventAccepted { run: run(name) };
    let list_key = run_list_key(&run(name));
    let begin = [event, published(name, 1), published(name, 2), answered(1), answered(2)];
    let end = [stored(name, 1), stored(name, 2), list(name, &list_key), list(name, LATEST_KEY)];
    [&begin[..], &end, &[deleted(name, 1), deleted(name, 2)]].concat()
}

fn without(history: Vec<Happened>, left_out: &Happened) -> Vec<Happened> {
    history.into_iter().filter(|happened| happened != left_out).collect()
}

/// The rules that are broken.
fn broken(history: Vec<Happened>, standing: Standing) -> Vec<Rule> {
    check(&Snapshot { history, standing }).into_iter().map(|violation| violation.rule).collect()
}

fn broken_at_rest(history: Vec<Happened>) -> Vec<Rule> {
    broken(history, Standing::default())
}

#[test]
fn a_run_that_goes_well_breaks_no_rule() {
    let standing = Standing { recovered: true, ..Standing::default() };
    assert_eq!(broken([whole_run(OLD), whole_run(NEW)].concat(), standing), []);
}

#[test]
fn a_movie_that_was_never_stored_is_lost_unless_it_is_dead_or_on_its_way() {
    let history = vec![published(NEW, 1)];
    assert_eq!(broken_at_rest(history.clone()), [Rule::Conservation]);
    let letters = vec![message(NEW, 1)];
    assert_eq!(broken(history.clone(), Standing { dead: letters.clone(), ..Standing::default() }), []);
    assert_eq!(broken(history, Standing { waiting: letters, ..Standing::default() }), []);
}

#[test]
fn a_letter_of_the_same_key_that_says_something_else_is_not_the_message() {
    let spoilt = message(NEW, 1).replacen(r#""title":"T""#, r#""title":"U""#, 1);
    assert_ne!(spoilt, message(NEW, 1));
    let standing = Standing { dead: vec![spoilt], ..Standing::default() };
    assert_eq!(broken(vec![published(NEW, 1)], standing), [Rule::Conservation]);
}

#[test]
fn what_was_stored_is_not_stored_again() {
    let mut history = whole_run(NEW);
    history.push(stored(NEW, 1));
    assert_eq!(broken_at_rest(history), [Rule::Bytes]);
}

#[test]
fn a_last_message_that_is_deleted_too_early_is_told_at_once_though_its_list_is_made_good_later() {
    let mut history = whole_run("2026-11-22T12-00-00Z");
    // The list and latest, then both deletions: the other way round.
    let end = history.len() - 4;
    history[end..].rotate_left(2);
    assert_eq!(broken_at_rest(history), [Rule::Deletion]);
}

#[test]
fn a_message_that_is_none_of_ours_must_not_vanish_and_never_be_deleted() {
    let body = "not ours".to_owned();
    let history = vec![Happened::Published { body: body.clone() }];
    assert_eq!(broken_at_rest(history.clone()), [Rule::Conservation]);
    let standing = Standing { dead: vec![body.clone()], ..Standing::default() };
    assert_eq!(broken(history, standing.clone()), []);
    assert_eq!(broken(vec![Happened::Deleted { body }], standing), [Rule::Deletion]);
}

#[test]
fn bytes_come_from_a_message_and_an_answer_and_lie_where_the_message_says() {
    let unanswered = vec![published(NEW, 1), stored(NEW, 1)];
    assert_eq!(broken_at_rest(unanswered), [Rule::Bytes]);
    let elsewhere = Happened::Stored { key: "runs/01-tt0000001.json".into(), body: record(NEW, 1), run: None };
    assert_eq!(broken_at_rest(vec![elsewhere]), [Rule::Bytes]);
}

#[test]
fn a_list_holds_the_stored_records_in_order() {
    let body = assemble(&run(NEW), &[record(NEW, 2), record(NEW, 1)]);
    let wrong = Happened::Stored { key: run_list_key(&run(NEW)), body, run: Some(run(NEW)) };
    let right = list(NEW, &run_list_key(&run(NEW)));
    let history = whole_run(NEW).into_iter().map(|step| if step == right { wrong.clone() } else { step }).collect();
    assert_eq!(broken_at_rest(history), [Rule::Bytes, Rule::Latest]);
}

#[test]
fn a_list_with_one_movie_at_two_positions_is_wrong() {
    let again = message(NEW, 1).replace(r#""position":1"#, r#""position":2"#);
    let key = movie_key(&MovieMessage::parse(&again).unwrap());
    let twice = assemble(&run(NEW), &[record(NEW, 1), record(NEW, 1)]);
    let history = vec![
        published(NEW, 1),
        Happened::Published { body: again },
        answered(1),
        stored(NEW, 1),
        Happened::Stored { key, body: record(NEW, 1), run: None },
        Happened::Stored { key: run_list_key(&run(NEW)), body: twice.clone(), run: Some(run(NEW)) },
        Happened::Stored { key: LATEST_KEY.into(), body: twice, run: Some(run(NEW)) },
    ];
    assert_eq!(broken_at_rest(history), [Rule::Bytes]);
}

#[test]
fn latest_never_goes_back() {
    assert_eq!(broken_at_rest([whole_run(NEW), whole_run(OLD)].concat()), [Rule::Latest, Rule::Latest]);
}

#[test]
fn latest_is_of_the_newest_run_that_is_done_with() {
    let history = without(whole_run(NEW), &list(NEW, LATEST_KEY));
    assert_eq!(broken_at_rest(history.clone()), [Rule::Latest]);
    let standing = Standing { dead: vec![message(NEW, 2)], ..Standing::default() };
    let history = without(history, &deleted(NEW, 2));
    assert_eq!(broken(history, standing), [], "a redrive moves it");
}

#[test]
fn no_message_is_deleted_before_its_object_and_no_last_one_before_the_list() {
    let early = vec![published(NEW, 1), deleted(NEW, 1), answered(1), stored(NEW, 1)];
    assert_eq!(broken_at_rest(early), [Rule::Deletion]);
    let list_key = run_list_key(&run(NEW));
    let history = without(without(whole_run(NEW), &list(NEW, &list_key)), &list(NEW, LATEST_KEY));
    assert_eq!(broken_at_rest(history), [Rule::Deletion]);
}

#[test]
fn an_accepted_event_is_published_as_a_whole_or_has_failed() {
    let event = vec![Happened::EventAccepted { run: run(NEW) }];
    assert_eq!(broken_at_rest(event.clone()), [Rule::Events]);
    assert_eq!(broken(event.clone(), Standing { failed_events: vec![run(NEW)], ..Standing::default() }), []);
    assert_eq!(broken(event, Standing { pending_events: vec![run(NEW)], ..Standing::default() }), []);
}

#[test]
fn what_is_still_dead_after_all_was_made_good_is_told() {
    let standing = Standing {
        dead: vec![message(NEW, 1), "not ours".to_owned()],
        failed_events: vec![run(OLD)],
        recovered: true,
        ..Standing::default()
    };
    assert_eq!(broken(vec![published(NEW, 1)], standing), [Rule::Recovery, Rule::Recovery]);
}

#[test]
fn omdb_gets_no_more_requests_a_day_than_allowed_and_none_that_is_not_counted() {
    let day = |time: &str| Day::of(time.parse().unwrap());
    let (today, tomorrow) = (day("2026-11-22T12:00:00Z"), day("2026-11-23T12:00:00Z"));
    let asked = |day| Happened::Asked { day, daily_limit: 2 };
    let counted = |day: Day, requests| {
        let (_, count) = Count::none(day).reserve(requests, u32::MAX).unwrap();
        Happened::Stored { key: day.key(), body: count.to_json(), run: None }
    };
    assert_eq!(broken_at_rest(vec![counted(today, 1), asked(today), counted(today, 2), asked(today)]), []);
    assert_eq!(broken_at_rest(vec![asked(today)]), [Rule::Budget]);
    assert_eq!(broken_at_rest(vec![counted(today, 1), asked(today), asked(today)]), [Rule::Budget]);
    assert_eq!(broken_at_rest(vec![counted(today, 1), asked(tomorrow)]), [Rule::Budget]);
    assert_eq!(broken_at_rest(vec![counted(today, 3), asked(today), asked(today), asked(today)]), [Rule::Budget]);
}
