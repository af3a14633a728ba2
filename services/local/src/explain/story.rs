//! Material → story. Nothing here asks anybody.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use domain::Run;
use domain::enriched::movies_by_ranking;

use super::assembly::{add_deliveries_without_span, add_lines, add_objects, note_messages_sent_again, steps_of_spans};
use super::failures::{raise_untold_calls, untold_spans};
use super::material::{DeadLetter, Material};
use super::movies::OfRun;
use super::step::{Level, Step};
use super::waiting::{Waiting, waiting};

/// How far from the event a story may begin for its times to count from the event.
const EVENT_IS_NEAR: TimeDelta = TimeDelta::minutes(10);

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
    /// Hidden in the movies queue.
    Hidden(Waiting),
    /// In the movies queue or being worked on, since there are so many messages.
    InFlight(usize),
    /// Nobody knows.
    Unknown,
}

impl Missing {
    /// When the queue gives its message out again, about, if it is hidden there.
    #[must_use]
    pub fn hidden_until(&self) -> Option<DateTime<Utc>> {
        match &self.whereabouts {
            Whereabouts::Hidden(waiting) => Some(waiting.until),
            _ => None,
        }
    }
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
        note_messages_sent_again(&mut steps);
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

    /// What times count from: the event or, when nothing happened near it, as with one that was sent late or made by
    /// hand, the first step.
    #[must_use]
    pub fn origin(&self) -> DateTime<Utc> {
        let first = self.steps.first().map_or_else(|| self.event_time(), |step| step.time);
        if (first - self.event_time()).abs() <= EVENT_IS_NEAR { self.event_time() } else { first }
    }
}

/// Of a run with two rankings, because its source changed between two attempts of its event, that of the one with most
/// movies stored.
fn stored_positions(of_run: &OfRun<'_>) -> BTreeSet<usize> {
    let keys = of_run.material.objects.iter().map(|object| object.key.as_str());
    let rankings = movies_by_ranking(of_run.run, keys).into_values();
    rankings.map(|movies| movies.into_keys().collect()).max_by_key(BTreeSet::len).unwrap_or_default()
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
        (None, messages) => waiting(of_run, position).map_or(Whereabouts::InFlight(messages), Whereabouts::Hidden),
    }
}

#[cfg(test)]
mod tests;
