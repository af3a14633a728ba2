//! Spans, lines and objects → steps, each thing told once.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use domain::contract::{Service, logs};
use domain::enriched::{read_movie_key, run_list_key};

use super::failures::join_failed_call;
use super::movies::OfRun;
use super::span::SpanRecord;
use super::step::{Level, Origin, S3_KEY, Step, call, call_and_end};

/// What spans tell as such, and what is noted in them alone.
pub(super) fn steps_of_spans(of_run: &OfRun<'_>) -> Vec<Step> {
    let messages: BTreeSet<_> = of_run.lines.iter().filter_map(|line| line.text_of(logs::MESSAGE)).collect();
    let mut steps = Vec::new();
    for &span in &of_run.spans {
        let imdb_id = of_run.of_its_movie(span, logs::IMDB_ID).map(str::to_owned);
        let delivery = of_run.of_its_movie(span, logs::RECEIVE_COUNT).and_then(|count| count.parse().ok());
        let own = span_of(of_run, span, imdb_id.clone());
        // What is logged is noted in the span, too.
        let events = span.events.iter().filter(|event| !messages.contains(event.name.as_str()));
        let events = events.map(|event| Step::of_event(event, span, imdb_id.clone()));
        steps.extend(own.into_iter().chain(events).map(|step| Step { delivery, ..step }));
    }
    steps
}

/// What a span tells as such. How it failed is told elsewhere, unless it is a call.
fn span_of(of_run: &OfRun<'_>, span: &SpanRecord, imdb_id: Option<String>) -> Option<Step> {
    let (level, what) = match span.kind.as_str() {
        "CLIENT" => (Level::Detail, call_and_end(span, is_of_own_object(of_run, span, imdb_id.as_deref()))),
        "PRODUCER" => (Level::Detail, call(span, false)),
        "CONSUMER" => {
            let what = of_delivery(span.field(logs::RECEIVE_COUNT)?);
            let step = Step::of_span(span, imdb_id, Level::Info, what);
            return Some(Step { duration: None, error: None, origin: Origin::Delivery, ..step });
        }
        "SERVER" => {
            let cold = if span.field(logs::COLD_START) == Some("true") { ", a cold start" } else { "" };
            let is_ranker = span.service == Service::Ranker.name();
            (if is_ranker { Level::Info } else { Level::Detail }, format!("invoked{cold}"))
        }
        _ => return None,
    };
    let error = span.error.clone().filter(|_| span.kind == "CLIENT");
    Some(Step { error, ..Step::of_span(span, imdb_id, level, what) })
}

fn of_delivery(delivery: impl std::fmt::Display) -> String {
    format!("delivery {delivery} of its message")
}

/// Whether a call is about the movie's own object.
fn is_of_own_object(of_run: &OfRun<'_>, span: &SpanRecord, imdb_id: Option<&str>) -> bool {
    let named = span.attributes.get(S3_KEY).and_then(|key| read_movie_key(of_run.run, key));
    named.is_some_and(|named| imdb_id == Some(named.id.as_str()))
}

pub(super) fn add_lines(steps: &mut Vec<Step>, of_run: &OfRun<'_>) {
    for line in &of_run.lines {
        let mut told = Step::of_line(line, of_run.movie_of(line));
        if let Some((_, how)) = line.bad_end() {
            told = Step { level: Level::Error, what: how, ..told };
        }
        if !join_failed_call(steps, line, &told) {
            steps.push(told);
        }
    }
}

/// Without spans, nothing but the end of a delivery is logged; it began before that by as much as it took.
pub(super) fn add_deliveries_without_span(steps: &mut Vec<Step>) {
    let known = steps.iter().filter(|step| step.origin == Origin::Delivery);
    let known: BTreeSet<_> = known.map(|step| (step.imdb_id.clone(), step.delivery)).collect();
    let ends = steps.iter().filter(|step| step.origin >= Origin::Line && step.imdb_id.is_some());
    let ends = ends.filter(|step| !known.contains(&(step.imdb_id.clone(), step.delivery)));
    let begins = ends.filter_map(|end| {
        let (delivery, duration) = (end.delivery?, end.duration?);
        let begin = Step { time: end.time - duration, what: of_delivery(delivery), level: Level::Info, ..end.clone() };
        Some(Step { duration: None, error: None, origin: Origin::Delivery, ..begin })
    });
    let begins: Vec<_> = begins.collect();
    steps.extend(begins);
}

/// SQS counts the deliveries of a message from one; who counts anew is another message of the same movie, as after a
/// redrive or when the run's event came twice.
pub(super) fn note_messages_sent_again(steps: &mut [Step]) {
    let mut last = BTreeMap::<String, u64>::new();
    for step in steps.iter_mut().filter(|step| step.origin == Origin::Delivery) {
        if let (Some(id), Some(delivery)) = (&step.imdb_id, step.delivery) {
            let before = last.insert(id.clone(), delivery);
            if before.is_some_and(|before| delivery <= before) {
                step.what.push_str(", which was sent again");
            }
        }
    }
}

/// Puts each object with the line that reports it; gives when the list was assembled.
pub(super) fn add_objects(steps: &mut Vec<Step>, of_run: &OfRun<'_>) -> Option<DateTime<Utc>> {
    let list_key = run_list_key(of_run.run);
    let mut listed = None;
    for object in &of_run.material.objects {
        let imdb_id = read_movie_key(of_run.run, &object.key).map(|named| named.id.to_string());
        let is_list = object.key == list_key;
        if imdb_id.is_none() && !is_list {
            continue;
        }
        let reported_by = if is_list { Origin::EndOfRun } else { Origin::EndOfDelivery };
        let is_report =
            |step: &&mut Step| step.origin == reported_by && step.imdb_id == imdb_id && step.object.is_none();
        let what = (object.key.clone(), object.bytes);
        let time = if let Some(step) = steps.iter_mut().filter(is_report).min_by_key(|step| step.time) {
            step.object = Some(what);
            step.time
        } else {
            steps.push(stored(object.stored, imdb_id, what));
            object.stored
        };
        if is_list {
            listed = Some(time);
        }
    }
    listed
}

/// An object that no line tells of any more.
fn stored(time: DateTime<Utc>, imdb_id: Option<String>, object: (String, u64)) -> Step {
    Step {
        time,
        service: "S3".to_owned(),
        imdb_id,
        delivery: None,
        level: Level::Info,
        what: "stored, by the object's own time".to_owned(),
        duration: None,
        object: Some(object),
        error: None,
        origin: Origin::Object,
    }
}
