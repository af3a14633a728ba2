//! Material → story. Nothing here asks anybody.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::Run;
use domain::contract::{Service, logs};
use domain::enriched::{read_movie_key, run_list_key};

use super::failures::{join_failed_call, raise_untold_calls, untold_spans};
use super::material::{DeadLetter, Material};
use super::movies::OfRun;
use super::span::SpanRecord;
use super::step::{Level, Origin, Step, call, call_and_end};

/// What happened in a run, or to one of its movies.
#[derive(Debug, Clone)]
pub struct Story {
    /// The run.
    pub run: Run,
    /// The movie, if the story is of one.
    pub imdb_id: Option<String>,
    /// How many movies the run has, as far as it is known.
    pub of: Option<usize>,
    /// How many of them are stored.
    pub stored: usize,
    /// When the run's list was assembled; nothing when it was not.
    pub listed: Option<DateTime<Utc>>,
    /// The movies that are not stored, in order of position.
    pub missing: Vec<Missing>,
    /// The event, if it lies among the ranker's failures.
    pub dead_event: Option<DeadLetter>,
    /// The traces.
    pub trace_ids: BTreeSet<String>,
    /// Why there are no spans; nothing when they could be read.
    pub no_spans: Option<String>,
    /// Everything in the order it happened.
    pub steps: Vec<Step>,
    pub(super) bucket: String,
    pub(super) places: BTreeMap<String, usize>,
}

/// A movie that is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// Its place, from 1.
    pub position: usize,
    /// Its id, if anything tells it.
    pub imdb_id: Option<String>,
    /// Where its message is.
    pub whereabouts: Whereabouts,
}

/// Where the message of a movie is that is not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    /// In a failure queue.
    Dead(Box<DeadLetter>),
    /// In the movies queue or being worked on, since there are so many messages.
    InFlight(usize),
    /// Nobody knows.
    Unknown,
}

impl Story {
    /// The story of a run.
    #[must_use]
    pub fn tell(run: &Run, material: &Material) -> Self {
        let of_run = OfRun::select(run, material);
        let mut steps = steps_of_spans(&of_run);
        add_lines(&mut steps, &of_run);
        add_deliveries_without_span(&mut steps);
        raise_untold_calls(&mut steps);
        steps.extend(untold_spans(&of_run, &steps));
        let listed = add_objects(&mut steps, &of_run);
        steps.sort_by_key(Step::order);
        Self {
            run: run.clone(),
            imdb_id: None,
            of: of_run.of(),
            stored: stored_positions(&of_run).len(),
            listed,
            missing: missing(&of_run),
            dead_event: of_run.dead_letters.iter().find(|dead| dead.is_event).copied().cloned(),
            no_spans: material.no_spans.clone(),
            bucket: material.bucket.clone(),
            steps,
            places: of_run.places,
            trace_ids: of_run.trace_ids,
        }
    }

    /// Whether the run has a movie, as far as is known.
    #[must_use]
    pub fn knows(&self, imdb_id: &str) -> bool {
        self.places.contains_key(imdb_id)
    }

    /// The movies that are known, in order of position.
    pub fn movies(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut movies: Vec<_> = self.places.iter().map(|(id, position)| (*position, id.as_str())).collect();
        movies.sort_unstable();
        movies.into_iter()
    }

    /// The same story of one movie: each of its steps, and the milestones of its run.
    #[must_use]
    pub fn of_movie(self, imdb_id: &str) -> Self {
        let of_movie = |id: Option<&str>| id == Some(imdb_id);
        let steps = self.steps.into_iter();
        let steps = steps.filter(|step| match step.imdb_id.as_deref() {
            None => step.level > Level::Detail,
            id => of_movie(id),
        });
        let missing = self.missing.into_iter().filter(|missing| of_movie(missing.imdb_id.as_deref())).collect();
        Self { imdb_id: Some(imdb_id.to_owned()), steps: steps.collect(), missing, ..self }
    }

    /// When the event was.
    #[must_use]
    pub fn event_time(&self) -> DateTime<Utc> {
        self.run.time()
    }
}

fn steps_of_spans(of_run: &OfRun<'_>) -> Vec<Step> {
    let messages: BTreeSet<_> = of_run.lines.iter().filter_map(|line| line.text_of(logs::MESSAGE)).collect();
    let mut steps = Vec::new();
    for &span in &of_run.spans {
        let imdb_id = of_run.field_of(span, logs::IMDB_ID).map(str::to_owned);
        let delivery = of_run.field_of(span, logs::RECEIVE_COUNT).and_then(|count| count.parse().ok());
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
        "CLIENT" => (Level::Detail, call_and_end(span, own_key(of_run, imdb_id.as_deref()).as_deref())),
        "PRODUCER" => (Level::Detail, call(span, None)),
        "CONSUMER" => {
            let delivery = span.field(logs::RECEIVE_COUNT)?;
            return Some(Step {
                duration: None,
                error: None,
                ..Step::of_span(span, imdb_id, Level::Info, of_delivery(delivery))
            });
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

/// The key of a movie's object, when it stands.
fn own_key(of_run: &OfRun<'_>, imdb_id: Option<&str>) -> Option<String> {
    let suffix = format!("-{}.json", imdb_id?);
    let keys = of_run.spans.iter().filter_map(|span| span.attributes.get("aws.s3.key"));
    let prefix = domain::enriched::run_prefix(of_run.run);
    keys.into_iter().find(|key| key.starts_with(&prefix) && key.ends_with(&suffix)).cloned()
}

fn add_lines(steps: &mut Vec<Step>, of_run: &OfRun<'_>) {
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
fn add_deliveries_without_span(steps: &mut Vec<Step>) {
    let is_delivery = |step: &Step| step.origin == Origin::Span && step.delivery.is_some();
    let known: BTreeSet<_> =
        steps.iter().filter(|step| is_delivery(step)).map(|step| (step.imdb_id.clone(), step.delivery)).collect();
    let ends = steps.iter().filter(|step| step.origin != Origin::Span && step.imdb_id.is_some());
    let ends = ends.filter(|step| !known.contains(&(step.imdb_id.clone(), step.delivery)));
    let begins = ends.filter_map(|end| {
        let (delivery, duration) = (end.delivery?, end.duration?);
        let begin = Step { time: end.time - duration, what: of_delivery(delivery), level: Level::Info, ..end.clone() };
        Some(Step { duration: None, error: None, origin: Origin::Span, ..begin })
    });
    let begins: Vec<_> = begins.collect();
    steps.extend(begins);
}

/// Puts each object with the line that reports it; gives when the list was assembled.
fn add_objects(steps: &mut Vec<Step>, of_run: &OfRun<'_>) -> Option<DateTime<Utc>> {
    let list_key = run_list_key(of_run.run);
    let mut listed = None;
    for object in &of_run.material.objects {
        let imdb_id = read_movie_key(of_run.run, &object.key).map(|(_, id)| id.to_string());
        let is_list = object.key == list_key;
        if imdb_id.is_none() && !is_list {
            continue;
        }
        let reported_by = if is_list { Origin::EndOfRun } else { Origin::EndOfDelivery };
        let is_report =
            |step: &&mut Step| step.origin == reported_by && step.imdb_id == imdb_id && step.object.is_none();
        let time = match steps.iter_mut().filter(is_report).min_by_key(|step| step.time) {
            Some(step) => {
                step.object = Some((object.key.clone(), object.bytes));
                step.time
            }
            None => {
                steps.push(stored(object.stored, imdb_id, (object.key.clone(), object.bytes)));
                object.stored
            }
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

fn stored_positions(of_run: &OfRun<'_>) -> BTreeSet<usize> {
    let objects = of_run.material.objects.iter();
    objects.filter_map(|object| Some(read_movie_key(of_run.run, &object.key)?.0)).collect()
}

fn missing(of_run: &OfRun<'_>) -> Vec<Missing> {
    let stored = stored_positions(of_run);
    let positions: BTreeSet<usize> = of_run.places.values().copied().chain(1..=of_run.of().unwrap_or(0)).collect();
    let missing = positions.into_iter().filter(|position| !stored.contains(position));
    let missing = missing.map(|position| {
        let imdb_id = of_run.places.iter().find(|(_, place)| **place == position).map(|(id, _)| id.clone());
        Missing { position, whereabouts: whereabouts(of_run, position), imdb_id }
    });
    missing.collect()
}

fn whereabouts(of_run: &OfRun<'_>, position: usize) -> Whereabouts {
    let dead = of_run.dead_letters.iter().find(|dead| !dead.is_event && dead.position == Some(position));
    match (dead, of_run.material.in_flight) {
        (Some(dead), _) => Whereabouts::Dead(Box::new((*dead).clone())),
        (None, 0) => Whereabouts::Unknown,
        (None, messages) => Whereabouts::InFlight(messages),
    }
}

/// How far from the event a story may begin for its times to count from the event.
const EVENT_IS_NEAR: TimeDelta = TimeDelta::minutes(10);

impl Story {
    /// What times count from: the event or, when nothing happened near it, as with one that was sent late or made by
    /// hand, the first step.
    #[must_use]
    pub fn origin(&self) -> DateTime<Utc> {
        let first = self.steps.first().map_or_else(|| self.event_time(), |step| step.time);
        if (first - self.event_time()).abs() <= EVENT_IS_NEAR { self.event_time() } else { first }
    }
}

#[cfg(test)]
mod tests;
