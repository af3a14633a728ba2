//! What all parts of a world share: time, objects, what is to come, the ledger, the story.
//!
//! One thread runs a world, so its lock is never waited for; it is there because the handlers' traits want what can be
//! shared between threads. It is never held over an await.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::MovieMessage;
use domain::enriched::movie_key;
use domain::invariants::{Happened, Ledger, Violation};
use domain::quota::{Count, Day};
use enricher::clock::Clock;
use fastrand::Rng;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::dice::Dice;
use crate::fault::{Fault, Operation, Site, pick};
use crate::mutation::Mutation;
use crate::scenario::{OMDB_DAILY_LIMIT, Scenario};
use crate::services::s3::StoredObject;

/// How a line of the story begins that tells of a broken rule.
pub(crate) const VIOLATION: &str = "VIOLATION";

/// Where a world's faults come from.
#[derive(Debug, Clone)]
pub(crate) enum Faults {
    /// From its scenario's seed.
    Seeded,
    /// These and no others.
    Listed(HashMap<Site, Fault>),
}

/// A message as queue and topic carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Letter {
    /// For the story: its key, or what else it is.
    pub(crate) label: String,
    pub(crate) body: String,
}

/// What is to come.
pub(crate) enum Event {
    /// The schedule fires: an index into the scenario's events.
    Fire(usize),
    /// Lambda starts the ranker for an event: which of the accepted ones, and which attempt.
    Attempt { accepted: usize, attempt: u32 },
    /// SNS has accepted a message and delivers it.
    Publish(Letter),
    /// The queue gets a message.
    Arrive(Letter),
    /// The event source mapping looks for messages.
    Poll,
    /// What was received with these receipts is hidden for so long.
    Hide(Vec<(u64, Duration)>),
    /// These messages are deleted: ids and receipts.
    Delete(Vec<(u64, u64)>),
    /// All that failed for good is redriven.
    Redrive,
    /// Faults end.
    StormEnds,
    /// A request takes effect whose sender has stopped waiting.
    Late(Box<dyn FnOnce(&mut State) + Send>),
}

pub(crate) struct World {
    pub(crate) scenario: Scenario,
    pub(crate) mutation: Option<Mutation>,
    pub(crate) dice: Dice,
    faults: Faults,
    start: Instant,
    /// Something was put on the agenda.
    pub(crate) news: Notify,
    state: Mutex<State>,
}

/// What changes in a world.
pub(crate) struct State {
    start: Instant,
    ledger: Ledger,
    pub(crate) objects: BTreeMap<String, StoredObject>,
    pub(crate) writes: u64,
    pub(crate) agenda: BTreeMap<(Instant, u64), Event>,
    scheduled: u64,
    occasions: HashMap<(Operation, String), u32>,
    pub(crate) is_calm: bool,
    pub(crate) fired: Vec<(Site, Fault)>,
    pub(crate) violations: Vec<(Duration, Violation)>,
    /// None when nobody is going to read it.
    pub(crate) story: Option<Vec<(Duration, String)>>,
}

impl World {
    pub(crate) fn new(scenario: Scenario, faults: Faults, mutation: Option<Mutation>, is_told: bool) -> Self {
        let start = Instant::now();
        let mut state = State {
            start,
            ledger: Ledger::default(),
            objects: BTreeMap::new(),
            writes: 0,
            agenda: BTreeMap::new(),
            scheduled: 0,
            occasions: HashMap::new(),
            is_calm: false,
            fired: Vec::new(),
            violations: Vec::new(),
            story: is_told.then(Vec::new),
        };
        let day = Day::of(scenario.beginning());
        if let Some((_, had)) = Count::none(day).reserve(OMDB_DAILY_LIMIT - scenario.requests_left, OMDB_DAILY_LIMIT) {
            state.place(day.key(), had.to_json());
        }
        let dice = Dice::new(scenario.chance);
        Self { scenario, mutation, dice, faults, start, news: Notify::new(), state: Mutex::new(state) }
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        // A panic that a fault asked for may have happened under the lock; the state is whole between two lines.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn has(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    /// The next occasion of an operation: its chance, and what goes wrong.
    pub(crate) fn occasion(&self, operation: Operation, subject: &str) -> (Rng, Option<Fault>) {
        let mut state = self.state();
        let count = state.occasions.entry((operation, subject.to_owned())).or_default();
        let nth = *count;
        *count += 1;
        let rng = self.dice.at(operation as u64, subject, nth);
        if state.is_calm {
            return (rng, None);
        }
        let site = Site { operation, subject: subject.to_owned(), nth };
        let fault = self.fault_at(&site);
        if let Some(fault) = &fault {
            state.say(|| format!("! {}", told(&site, fault)));
            state.fired.push((site, fault.clone()));
        }
        (rng, fault)
    }

    fn fault_at(&self, site: &Site) -> Option<Fault> {
        if let Faults::Listed(faults) = &self.faults {
            return faults.get(site).cloned();
        }
        // Chance of its own: with or without the fault, what follows falls the same.
        let mut rng = self.dice.at(!(site.operation as u64), &site.subject, site.nth);
        let goes_wrong = rng.u32(..1_000) < self.scenario.faults_per_mille;
        if goes_wrong { pick(site.operation, self.scenario.kinds, &mut rng) } else { None }
    }

    pub(crate) fn schedule(&self, after: Duration, event: Event) {
        self.state().schedule(after, event);
        self.news.notify_one();
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.scenario.beginning() + self.elapsed()
    }

    /// The functions' clock.
    pub(crate) fn clock(&self) -> Clock {
        let (beginning, start) = (self.scenario.beginning(), self.start);
        Clock::new(move || beginning + start.elapsed())
    }
}

/// A fault in the story.
fn told(site: &Site, fault: &Fault) -> String {
    let verb = match site.operation {
        Operation::AcceptEvent => "the event of",
        Operation::InvokeRanker => "starting the ranker for",
        Operation::RankerAnswer => "the ranker's answer for",
        Operation::ReadSource | Operation::Read => "reading",
        Operation::Publish => "publishing",
        Operation::Deliver => "delivering to the queue",
        Operation::Receive => "receiving",
        Operation::InvokeEnricher => "starting an enricher for",
        Operation::EnricherAnswer => "the enricher's answer for",
        Operation::Delete => "deleting the message",
        Operation::FetchKey => "fetching",
        Operation::AskOmdb => "asking OMDb for",
        Operation::LookAt => "looking at",
        Operation::List => "listing",
        Operation::Hide => "hiding",
        Operation::Store => "storing",
    };
    format!("{verb} {}: {fault}", site.subject)
}

impl State {
    pub(crate) fn schedule(&mut self, after: Duration, event: Event) {
        self.scheduled += 1;
        self.agenda.insert((Instant::now() + after, self.scheduled), event);
    }

    pub(crate) fn note(&mut self, happened: &Happened) {
        let violations = self.ledger.note(happened);
        self.blame(violations);
    }

    pub(crate) fn blame(&mut self, violations: Vec<Violation>) {
        let now = self.start.elapsed();
        for violation in violations {
            // A rule that stays broken is told once.
            if self.violations.iter().any(|(_, known)| *known == violation) {
                continue;
            }
            self.say(|| format!("{VIOLATION} of {violation}"));
            self.violations.push((now, violation));
        }
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    pub(crate) fn say(&mut self, line: impl FnOnce() -> String) {
        if let Some(story) = &mut self.story {
            story.push((self.start.elapsed(), line()));
        }
    }

    /// Whether the object of this message stands.
    pub(crate) fn has_object_of(&self, body: &str) -> bool {
        MovieMessage::parse(body).is_ok_and(|message| self.objects.contains_key(&movie_key(&message)))
    }
}
