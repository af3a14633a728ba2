//! What holds whatever fails, and in whatever order, and one function that checks it.
//!
//! | Rule | In words |
//! |---|---|
//! | [`Rule::Conservation`] | Each message that the topic accepted is a stored object, or lies whole in a queue for failures, or is still whole on its way. |
//! | [`Rule::Bytes`] | An object lies where its message says, and its bytes depend on nothing but its message and `OMDb`'s answer. It is written once. A run's list holds the stored records of one ranking in order, no movie twice. |
//! | [`Rule::Latest`] | Latest names the newest complete run, is that run's list, and never goes back. |
//! | [`Rule::Deletion`] | No message is deleted before its object is stored and, if it was the run's last, before the run's list is. |
//! | [`Rule::Events`] | An accepted schedule event ends as a published run, whose movies the other rules look after, or in the queue for failed events. |
//! | [`Rule::Budget`] | OMDb gets no more requests a day than allowed, and the day's count holds each of them. |
//! | [`Rule::Recovery`] | Once nothing fails any more, redriving what failed for good completes every run. |
//!
//! A message can be stored and lie in a queue for failures too: its object stood, but the run's list could not be
//! written as often as the queue delivered it. Redriving it writes the list.
//!
//! [`check`] looks at a [`Snapshot`]: what happened, in order, and what lies in the queues now. Nothing in it is
//! particular to a simulation; the history of a real bucket is the order of its objects' versions.

mod ledger;

use std::fmt;

use serde::Serialize;

use crate::enriched::OmdbMovie;
use crate::movie::ImdbId;
use crate::quota::{self, Day};
use crate::run::Run;

pub use ledger::Ledger;

/// Something that happened, as the ledger is told in order of time.
#[derive(Debug, Clone, PartialEq)]
pub enum Happened {
    /// Lambda accepted a schedule event of this run.
    EventAccepted {
        /// The run it names.
        run: Run,
    },
    /// The topic accepted a message, or somebody put one into the queue by hand.
    Published {
        /// Its text.
        body: String,
    },
    /// `OMDb` answered with a movie.
    Answered {
        /// Which was asked for.
        id: ImdbId,
        /// The answer.
        movie: OmdbMovie,
    },
    /// A request was sent to `OMDb`.
    Asked {
        /// When.
        day: Day,
        /// How many it may get on that day.
        daily_limit: u32,
    },
    /// An object was written.
    Stored {
        /// Its key.
        key: String,
        /// Its bytes.
        body: Vec<u8>,
        /// The run that its metadata names.
        run: Option<Run>,
    },
    /// A message was deleted from the queue.
    Deleted {
        /// Its text.
        body: String,
    },
}

impl Happened {
    /// Whether an object of a run, or latest, was written; counts of requests are written besides.
    #[must_use]
    pub fn is_write(&self) -> bool {
        matches!(self, Self::Stored { key, .. } if !key.starts_with(quota::PREFIX))
    }
}

/// All that [`check`] looks at.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    /// What happened, oldest first.
    pub history: Vec<Happened>,
    /// What is there now.
    pub standing: Standing,
}

/// What is there at one moment besides the objects.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// Texts of the messages on their way: in the queue, in flight, between topic and queue.
    pub waiting: Vec<String>,
    /// Texts of the messages in the queues for failures: dead letters and undelivered ones.
    pub dead: Vec<String>,
    /// Runs whose event Lambda still works at.
    pub pending_events: Vec<Run>,
    /// Runs whose event lies in the queue for failed events.
    pub failed_events: Vec<Run>,
    /// Whether nothing has failed since all that failed for good was redriven: [`Rule::Recovery`] is then checked.
    pub recovered: bool,
}

/// Which invariant, see the [module's table](self).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Nothing is lost.
    Conservation,
    /// Nothing is wrong.
    Bytes,
    /// Latest is the newest.
    Latest,
    /// Nothing is deleted too early.
    Deletion,
    /// No event is lost.
    Events,
    /// No request too many.
    Budget,
    /// What failed can be made good.
    Recovery,
}

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which one.
    pub rule: Rule,
    /// What is wrong, in a sentence.
    pub sentence: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.rule, self.sentence)
    }
}

/// Checks every invariant over a whole snapshot; nothing when all hold. What a step breaks and what shows in the whole is
/// told once.
#[must_use]
pub fn check(snapshot: &Snapshot) -> Vec<Violation> {
    let mut ledger = Ledger::default();
    let mut told: Vec<_> = snapshot.history.iter().flat_map(|happened| ledger.note(happened)).collect();
    told.extend(ledger.check(&snapshot.standing));
    let mut violations = Vec::new();
    for violation in told {
        if !violations.contains(&violation) {
            violations.push(violation);
        }
    }
    violations
}

#[cfg(test)]
mod tests;
