//! What moves a world: the agenda, worked off in order of time, and the functions that it starts.

mod mapping;
mod schedule;

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::sqs::SqsBatchResponse;
use domain::invariants::{Happened, Rule, Standing, Violation};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::fault::{Fault, Operation};
use crate::functions::{Ended, EnricherEnvironment, Gauges};
use crate::queue::{Message, Queue};
use crate::world::{Event, Letter, World};
use schedule::Accepted;

/// A world that has not come to rest after this many steps never will.
const MAX_STEPS: usize = 500_000;

/// A function that is done.
enum Done {
    Ranker { accepted: usize, attempt: u32, ended: Ended<usize> },
    Enricher { at: EnricherEnvironment, batch: Vec<Message>, ended: Ended<SqsBatchResponse> },
}

/// Texts that are no message of ours, each in another way.
fn foreign(index: usize) -> String {
    let run = "2026-11-22T12-00-00Z";
    match index % 4 {
        0 => format!("not JSON {index}"),
        1 => format!(r#"{{"schema_version":2,"run":"{run}","position":1,"of":1,"number":{index}}}"#),
        2 => format!(
            r#"{{"schema_version":1,"run":"{run}","ranking":"0123456789abcdef","position":2,"of":1,"movie":{{"id":"tt0111161","title":"{index}","imDbRating":"9"}}}}"#
        ),
        _ => String::new(),
    }
}

pub(crate) struct Driver {
    world: Arc<World>,
    gauges: Gauges,
    queue: Queue,
    undelivered: Vec<Letter>,
    accepted: Vec<Accepted>,
    running: JoinSet<Done>,
    idle: Vec<EnricherEnvironment>,
    enrichers_running: usize,
    ranker_is_running: bool,
    environments: usize,
    /// Records and events that were handed to a function.
    pub(crate) deliveries: u64,
}

impl Driver {
    pub(crate) fn new(world: Arc<World>, gauges: Gauges) -> Self {
        Self {
            world,
            gauges,
            queue: Queue::default(),
            undelivered: Vec::new(),
            accepted: Vec::new(),
            running: JoinSet::new(),
            idle: Vec::new(),
            enrichers_running: 0,
            ranker_is_running: false,
            environments: 0,
            deliveries: 0,
        }
    }

    /// Lives through the storm until all is quiet, then redrives what failed for good and does so once more.
    pub(crate) async fn run(&mut self) {
        self.plan();
        self.until_quiet().await;
        self.check(false);
        self.say("all is quiet; whoever is on call redrives what failed for good");
        self.redrive();
        self.until_quiet().await;
        self.check(true);
    }

    fn plan(&self) {
        let scenario = &self.world.scenario;
        for (index, event) in scenario.events.iter().enumerate() {
            self.world.schedule(event.at, Event::Fire(index));
        }
        for (index, at) in scenario.foreign.iter().enumerate() {
            let letter = Letter { label: format!("foreign message {index}"), body: foreign(index) };
            self.world.schedule(*at, Event::Arrive(letter));
        }
        for at in &scenario.redrives {
            self.world.schedule(*at, Event::Redrive);
        }
        self.world.schedule(scenario.storm, Event::StormEnds);
    }

    async fn until_quiet(&mut self) {
        for _ in 0..MAX_STEPS {
            let world = Arc::clone(&self.world);
            let next = world.state().agenda.first_key_value().map(|((at, _), _)| *at);
            if next.is_none() && self.running.is_empty() {
                return;
            }
            // Its branch is off without a next one.
            let at = next.unwrap_or_else(Instant::now);
            tokio::select! {
                biased;
                Some(done) = self.running.join_next() => self.finish(done),
                () = tokio::time::sleep_until(at), if next.is_some() => self.step(),
                () = world.news.notified() => {}
            }
        }
        let sentence = format!("the pipeline does not come to rest in {MAX_STEPS} steps");
        self.world.state().blame(vec![Violation { rule: Rule::Recovery, sentence }]);
    }

    /// Works off what is due.
    fn step(&mut self) {
        let next = self.world.state().agenda.pop_first();
        match next.map(|(_, event)| event) {
            Some(Event::Fire(index)) => self.fire(index),
            Some(Event::Attempt { accepted, attempt }) => self.attempt(accepted, attempt),
            Some(Event::Publish(letter)) => self.deliver(letter),
            Some(Event::Arrive(letter)) => self.arrive(letter),
            Some(Event::Poll) => self.poll(),
            Some(Event::Hide(received)) => self.hide(&received),
            Some(Event::Delete(held)) => self.delete(&held),
            Some(Event::Redrive) => {
                self.check(false);
                self.say("somebody redrives what failed for good");
                self.redrive();
            }
            Some(Event::StormEnds) => {
                self.check(false);
                self.say("faults end");
                self.world.state().is_calm = true;
            }
            Some(Event::Late(effect)) => {
                self.say("a request takes effect whose sender has stopped waiting");
                effect(&mut self.world.state());
            }
            None => {}
        }
    }

    fn finish(&mut self, done: Result<Done, tokio::task::JoinError>) {
        match done {
            Ok(Done::Ranker { accepted, attempt, ended }) => self.ranked(accepted, attempt, ended),
            Ok(Done::Enricher { at, batch, ended }) => self.enriched(at, &batch, ended),
            Err(error) => {
                let sentence = format!("a function took its environment along: {error}");
                self.world.state().blame(vec![Violation { rule: Rule::Conservation, sentence }]);
            }
        }
    }

    /// SNS brings an accepted message to the queue.
    fn deliver(&mut self, letter: Letter) {
        let (mut rng, fault) = self.world.occasion(Operation::Deliver, &letter.label);
        let way = crate::dice::millis(&mut rng, 5..=200);
        match fault {
            Some(Fault::Undelivered) => self.undelivered.push(letter),
            Some(Fault::Delayed(after)) => self.world.schedule(way + after, Event::Arrive(letter)),
            Some(Fault::Doubled(after)) => {
                self.world.schedule(way, Event::Arrive(letter.clone()));
                self.world.schedule(way + after, Event::Arrive(letter));
            }
            _ => self.world.schedule(way, Event::Arrive(letter)),
        }
    }

    fn arrive(&mut self, letter: Letter) {
        self.world.state().note(&Happened::Published { body: letter.body.clone() });
        self.queue.send(letter);
        self.world.schedule(self.world.scenario.deployment.batching_window, Event::Poll);
    }

    /// Moves all that failed for good back to where it came from, as new messages
    /// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html>).
    fn redrive(&mut self) {
        let letters: Vec<_> = self.queue.dead.drain(..).chain(self.undelivered.drain(..)).collect();
        for letter in letters {
            self.arrive(letter);
        }
        for accepted in 0..self.accepted.len() {
            if self.accepted[accepted].take_failed() {
                self.world.schedule(Duration::ZERO, Event::Attempt { accepted, attempt: 1 });
            }
        }
    }

    fn check(&self, recovered: bool) {
        let standing = self.standing(recovered);
        let mut state = self.world.state();
        let violations = state.ledger().check(&standing);
        state.blame(violations);
    }

    fn standing(&self, recovered: bool) -> Standing {
        let state = self.world.state();
        let on_their_way = state.agenda.values().filter_map(|event| match event {
            Event::Publish(letter) | Event::Arrive(letter) => Some(letter.body.clone()),
            _ => None,
        });
        let dead = self.queue.dead.iter().chain(&self.undelivered);
        Standing {
            waiting: self.queue.bodies().map(str::to_owned).chain(on_their_way).collect(),
            dead: dead.map(|letter| letter.body.clone()).collect(),
            pending_events: self
                .accepted
                .iter()
                .filter(|event| event.is_pending())
                .map(|event| event.run.clone())
                .collect(),
            failed_events: self
                .accepted
                .iter()
                .filter(|event| event.has_failed())
                .map(|event| event.run.clone())
                .collect(),
            recovered,
        }
    }

    fn say(&self, line: &str) {
        self.world.state().say(|| line.to_owned());
    }
}
