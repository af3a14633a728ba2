//! From the queue to the enricher: the event source mapping. It receives batches, invokes, and deletes what did not fail
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html>), with partial batch responses and a
//! maximum of invocations at once (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>).

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lambda_events::event::sqs::SqsBatchResponse;
use domain::contract::environment::QUEUE_RETENTION;
use domain::invariants::Happened;

use super::{Done, Driver};
use crate::fault::{Fault, Operation};
use crate::functions::{Ended, EnricherEnvironment, lifetime, message_id};
use crate::mutation::Mutation;
use crate::queue::Message;
use crate::world::Event;

impl Driver {
    /// Receives a batch and starts an enricher with it, if one may run and there is something to receive.
    pub(super) fn poll(&mut self) {
        for label in self.queue.expire(QUEUE_RETENTION) {
            self.say(&format!("{label} was in the queue for too long and is lost"));
        }
        let deployment = &self.world.scenario.deployment;
        let (batch_size, maximum) = (deployment.batch_size, deployment.maximum_concurrency);
        if self.enrichers_running >= maximum {
            // Whoever ends looks again.
            return;
        }
        let mut batch = Vec::new();
        for id in self.in_some_order() {
            if batch.len() >= batch_size {
                break;
            }
            batch.extend(self.receive(id));
        }
        if batch.len() >= batch_size {
            self.world.schedule(Duration::ZERO, Event::Poll);
        }
        batch.truncate(batch_size);
        if !batch.is_empty() {
            self.invoke(batch);
        }
    }

    /// What is visible, in an order that means nothing.
    fn in_some_order(&self) -> Vec<u64> {
        let mut visible = self.queue.visible();
        let now = u32::try_from(self.world.elapsed().as_millis()).unwrap_or(u32::MAX);
        self.world.dice.at(Operation::Receive as u64, "order", now).shuffle(&mut visible);
        visible
    }

    /// A message, twice if the queue errs so.
    fn receive(&mut self, id: u64) -> Vec<Message> {
        let deployment = &self.world.scenario.deployment;
        let (mut hidden, mut max_receives) = (deployment.visibility_timeout, deployment.max_receives);
        if self.world.state().is_calm {
            // Too short a timeout is one of the storm's faults.
            hidden = hidden.max(6 * deployment.enricher_timeout);
            // One receive may find the day's requests used up by the storm; the next day has others.
            max_receives = max_receives.max(2);
        }
        let received = match self.queue.receive(id, hidden, max_receives) {
            Ok(received) => received,
            Err(label) => {
                self.say(&format!("{label} was received too often and is dead"));
                None
            }
        };
        let Some(message) = received else { return Vec::new() };
        let (_, fault) = self.world.occasion(Operation::Receive, &message.letter.label);
        if let Some(Fault::Reappears(after)) = fault {
            self.queue.hide(id, after);
            hidden = after;
        }
        self.world.schedule(hidden, Event::Poll);
        let copies = if matches!(fault, Some(Fault::Doubled(_))) { 2 } else { 1 };
        vec![message; copies]
    }

    fn invoke(&mut self, batch: Vec<Message>) {
        let first = batch[0].letter.label.clone();
        let (_, fault) = self.world.occasion(Operation::InvokeEnricher, &first);
        if let Some(Fault::Throttled | Fault::KilledBefore) = fault {
            // The messages stay hidden until their time is over.
            return;
        }
        let environment = self.idle.pop().unwrap_or_else(|| {
            self.environments += 1;
            EnricherEnvironment::new(&self.world, &self.gauges, format!("enricher {}", self.environments))
        });
        self.tell_start(&environment, &batch);
        self.deliveries += batch.len() as u64;
        self.enrichers_running += 1;
        let lifetime = lifetime(fault.as_ref());
        if self.world.has(Mutation::DeleteBeforeStore) {
            self.delete_all(&batch);
        }
        self.running.spawn(async move {
            let ended = environment.handle(&batch, lifetime).await;
            Done::Enricher { at: environment, batch, ended }
        });
    }

    fn tell_start(&self, at: &EnricherEnvironment, batch: &[Message]) {
        self.world.state().say(|| {
            let records: Vec<_> =
                batch.iter().map(|message| format!("{} ({})", message.letter.label, message.receives)).collect();
            format!("{} gets {}", at.environment.name, records.join(", "))
        });
    }

    /// An enricher is done, or its environment is.
    pub(super) fn enriched(&mut self, at: EnricherEnvironment, batch: &[Message], ended: Ended<SqsBatchResponse>) {
        self.enrichers_running -= 1;
        self.world.schedule(Duration::ZERO, Event::Poll);
        let name = at.environment.name.clone();
        match ended {
            Ended::Answered(response) => {
                self.idle.push(at);
                self.answered(&name, batch, &response);
            }
            Ended::Failed(reason) => {
                self.idle.push(at);
                self.say(&format!("{name} fails as a whole: {reason}"));
            }
            Ended::Gone(reason) => self.say(&format!("{name} is gone: {reason}")),
        }
    }

    fn answered(&mut self, name: &str, batch: &[Message], response: &SqsBatchResponse) {
        let failed = self.failed(batch, response);
        self.world.state().say(|| {
            let shown = |message: &&Message| failed.contains(&message_id(message));
            let labels: Vec<_> = batch.iter().filter(shown).map(|message| message.letter.label.as_str()).collect();
            if labels.is_empty() {
                format!("{name} is done")
            } else {
                format!("{name} is done, but for {}", labels.join(", "))
            }
        });
        let done: Vec<_> = batch.iter().filter(|message| !failed.contains(&message_id(message))).cloned().collect();
        let (_, fault) = self.world.occasion(Operation::EnricherAnswer, &batch[0].letter.label);
        match fault {
            Some(Fault::AnswerLost) => {}
            Some(Fault::Slow(after)) => {
                let held = done.iter().map(|message| (message.id, message.receipt)).collect();
                self.world.schedule(after, Event::Delete(held));
            }
            _ => self.delete_all(&done),
        }
    }

    /// Which records failed. An answer that names what was not in the batch fails all of it.
    fn failed(&self, batch: &[Message], response: &SqsBatchResponse) -> BTreeSet<String> {
        if self.world.has(Mutation::WholeBatchSuccess) {
            return BTreeSet::new();
        }
        let all: BTreeSet<_> = batch.iter().map(message_id).collect();
        let failed: BTreeSet<_> =
            response.batch_item_failures.iter().map(|failure| failure.item_identifier.clone()).collect();
        if !failed.is_subset(&all) {
            return all;
        }
        if self.world.has(Mutation::CompletionFailuresIgnored) {
            let state = self.world.state();
            let stands = |message: &&Message| state.has_object_of(&message.letter.body);
            let stored: BTreeSet<_> = batch.iter().filter(stands).map(message_id).collect();
            return failed.difference(&stored).cloned().collect();
        }
        failed
    }

    /// The enricher wants to leave messages alone for a while.
    pub(super) fn hide(&mut self, received: &[(u64, Duration)]) {
        for (receipt, time) in received {
            if self.queue.hide_received(*receipt, *time) {
                self.world.state().say(|| format!("a message is hidden for {time:?}"));
                self.world.schedule(*time, Event::Poll);
            }
        }
    }

    fn delete_all(&mut self, batch: &[Message]) {
        let held: Vec<_> = batch.iter().map(|message| (message.id, message.receipt)).collect();
        self.delete(&held);
    }

    pub(super) fn delete(&mut self, held: &[(u64, u64)]) {
        for (id, receipt) in held {
            let Some(message) = self.queue.held_by(*id, *receipt).cloned() else { continue };
            let (_, fault) = self.world.occasion(Operation::Delete, &message.letter.label);
            match fault {
                Some(Fault::NotDeleted) => continue,
                Some(Fault::Undead(after)) => {
                    self.queue.hide(*id, after);
                    self.world.schedule(after, Event::Poll);
                }
                _ => self.queue.delete(*id),
            }
            self.world.state().note(&Happened::Deleted { body: message.letter.body });
        }
    }
}
