//! SNS: batches whose entries fail one by one (<https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>), each
//! accepted message delivered at least once, in any order, or left in the subscription's queue for failures.

use std::sync::Arc;
use std::time::Duration;

use domain::invariants::Happened;
use domain::{MovieMessage, Run};
use ranker::topic::{Outgoing, Refused, Topic};

use super::call::{AWS_ATTEMPTS, Caller};
use crate::fault::{Fault, Operation};
use crate::mutation::Mutation;
use crate::world::{Event, Letter, State};

pub(crate) struct SimulatedTopic {
    pub(crate) caller: Caller,
    pub(crate) run: Run,
}

impl Topic for SimulatedTopic {
    fn name(&self) -> &'static str {
        "movies"
    }

    async fn publish(&self, batch: &[Outgoing]) -> Vec<Refused> {
        let first = batch.first().map_or(0, |entry| entry.position);
        let subject = format!("{} from {first}", self.run);
        let entries =
            if self.caller.world.has(Mutation::OneRankingPerRun) { of_one_ranking(batch) } else { batch.to_vec() };
        let (entries, run, by) = (Arc::new(entries), self.run.clone(), self.caller.environment.name.clone());
        let effect = move |state: &mut State, fault: Option<&Fault>| {
            let mask = match fault {
                Some(Fault::EntriesRefused { mask, .. }) => *mask,
                _ => 0,
            };
            let accepted = entries.iter().enumerate().filter(|(index, _)| mask & (1 << index) == 0);
            let accepted: Vec<_> = accepted.map(|(_, entry)| entry).collect();
            state.say(|| format!("{by} publishes {} movies of {run} from position {first}", accepted.len()));
            for entry in accepted {
                state.note(&Happened::Published { body: entry.body.clone() });
                let label = format!("{run}/{}", entry.position);
                state.schedule(Duration::ZERO, Event::Publish(Letter { label, body: entry.body.clone() }));
            }
            let sender_fault = matches!(fault, Some(Fault::EntriesRefused { sender_fault: true, .. }));
            let refused = entries.iter().enumerate().filter(|(index, _)| mask & (1 << index) != 0);
            refused.map(|(_, entry)| refuse(entry, "Throttled", !sender_fault)).collect::<Vec<_>>()
        };
        let answer = self.caller.call(Operation::Publish, &subject, AWS_ATTEMPTS, effect).await;
        self.caller.world.news.notify_one();
        if self.caller.world.has(Mutation::RefusedEntriesIgnored) {
            return Vec::new();
        }
        // As the client of SNS does it: a call that failed as a whole has been tried again already.
        answer.unwrap_or_else(|code| batch.iter().map(|entry| refuse(entry, code, false)).collect())
    }
}

/// The messages as they were if rankings had no names.
fn of_one_ranking(batch: &[Outgoing]) -> Vec<Outgoing> {
    let renamed = batch.iter().cloned().map(|mut entry| {
        if let Ok(message) = MovieMessage::parse(&entry.body) {
            entry.body = entry.body.replace(message.ranking.as_str(), "0000000000000000");
        }
        entry
    });
    renamed.collect()
}

fn refuse(entry: &Outgoing, reason: &str, worth_retrying: bool) -> Refused {
    Refused { position: entry.position, reason: reason.to_owned(), worth_retrying }
}
