//! Movies that wait hidden in the queue. SQS tells nobody which those are nor until when, so the enricher's log does.

use chrono::{DateTime, Utc};
use domain::contract::{Service, logs};

use super::material::LogLine;
use super::movies::OfRun;

/// What a hidden movie waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// When the queue gives it out again, about.
    pub until: DateTime<Utc>,
    /// Why it failed; nothing when no line says so.
    pub reason: Option<String>,
}

/// Until when a line says that its movie is hidden.
pub(super) fn hidden_until(line: &LogLine) -> Option<DateTime<Utc>> {
    line.text_of(logs::HIDDEN_UNTIL)?.parse().ok()
}

/// What the movie at a place of the run waits for, if hiding it was the last that was done with it and its time is not
/// over.
pub(super) fn waiting(of_run: &OfRun<'_>, position: usize) -> Option<Waiting> {
    let is_own = |line: &LogLine| {
        let place = line.number_of(logs::POSITION).and_then(|place| usize::try_from(place).ok());
        line.service == Service::Enricher && place == Some(position)
    };
    let mut own = of_run.lines.iter().rev().filter(|line| is_own(line));
    let until = hidden_until(own.next()?).filter(|until| *until > of_run.material.read)?;
    Some(Waiting { until, reason: own.find_map(|line| line.text_of(logs::REASON)).map(str::to_owned) })
}
