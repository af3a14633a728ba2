//! What failed for good, in the three queues of a stack that hold failures: looked at, and sent on its way again.
//!
//! Looking takes nothing away. SQS shows a message only to who receives it, so a message that is looked at is out of
//! sight for everybody else until it is put back, which happens as soon as all are read, or by itself after
//! [`queue::HOLD`]. Its receive count rises, which nothing judges: these queues have no dead-letter queue of their own, and no
//! alarm asks for their oldest message, for which SQS counts none that was received three times.
//!
//! Sending is: first send, then delete. Cut short in between, a message is there twice, never not at all; a movie that
//! is stored already is not stored again.

mod case;
mod group;
mod letter;
mod queue;
mod redrive;
mod selection;
mod show;

use std::collections::BTreeMap;

use serde_json::Value;

pub use case::Case;
pub(crate) use case::TRIED_FOR;
pub use group::{Group, group};
pub use letter::{FailureQueue, Letter};
pub use redrive::{Outcome, Redriven};
pub use selection::Selection;
pub(crate) use show::{Inspection, Listing, Plan, describe};

use crate::depth::Depth;
use crate::endpoint::{Action, Endpoint, EndpointFault};
use crate::together::all;

/// The failure queues of a stack.
#[derive(Debug, Clone)]
pub struct DeadLetters {
    endpoint: Endpoint,
    /// The URLs of the queues by their names.
    urls: BTreeMap<String, String>,
}

/// Each message, oldest first, with its story from these log records, which are in order.
pub(crate) fn with_records(letters: Vec<Letter>, records: &[Value]) -> Vec<Case> {
    let mut cases: Vec<_> = letters.into_iter().map(|letter| Case::new(letter, records)).collect();
    cases.sort_by(|a, b| (a.letter.sent, &a.letter.id).cmp(&(b.letter.sent, &b.letter.id)));
    cases
}

/// What lies in the failure queues.
#[derive(Debug)]
pub struct Found {
    /// The messages, oldest first, each with its story.
    pub cases: Vec<Case>,
    /// How many messages somebody else was looking at, which are therefore not among them; about.
    pub out_of_sight: usize,
    /// How many messages of the movies queue, which is none for failures, cannot be received: enrichers work on them, or
    /// have hidden them; about.
    pub movies_out_of_sight: usize,
}

impl DeadLetters {
    /// The failure queues of an endpoint's stack.
    ///
    /// # Errors
    /// [`EndpointFault`], above all that there is no such stack.
    pub async fn open(endpoint: Endpoint) -> Result<Self, EndpointFault> {
        let names = endpoint.names();
        let queues = [&names.movies_queue, &names.dead_letters, &names.undelivered, &names.ranker_failures];
        let urls = Box::pin(all(queues.map(|name| queue::url(&endpoint, name)))).await?;
        let urls = queues.into_iter().cloned().zip(urls).collect();
        Ok(Self { endpoint, urls })
    }

    /// Everything that lies in them, with the log lines that tell why. Nothing is taken away.
    ///
    /// # Errors
    /// [`EndpointFault`].
    pub async fn read(&self) -> Result<Found, EndpointFault> {
        let read = self.read_queues().await?;
        let out_of_sight = read.iter().map(|(_, out_of_sight)| out_of_sight).sum();
        let letters: Vec<_> = read.into_iter().flat_map(|(letters, _)| letters).collect();
        let records = case::records_about(&self.endpoint, &letters).await?;
        let movies_out_of_sight = self.movies().await?.hidden;
        Ok(Found { cases: with_records(letters, &records), out_of_sight, movies_out_of_sight })
    }

    /// Everything that lies in them, without its log lines. Nothing is taken away.
    ///
    /// # Errors
    /// [`EndpointFault`].
    pub(crate) async fn letters(&self) -> Result<Vec<Letter>, EndpointFault> {
        let read = self.read_queues().await?;
        Ok(read.into_iter().flat_map(|(letters, _)| letters).collect())
    }

    async fn read_queues(&self) -> Result<Vec<(Vec<Letter>, usize)>, EndpointFault> {
        // Several of AWS's calls at once are too much for the stack.
        Box::pin(all(FailureQueue::ALL.map(|queue| self.read_queue(queue)))).await
    }

    async fn read_queue(&self, queue: FailureQueue) -> Result<(Vec<Letter>, usize), EndpointFault> {
        let source = self.source(queue);
        let out_of_sight = source.out_of_sight().await?;
        let letters = source.receive_all().await?;
        source.put_back(&letters).await?;
        Ok((letters, out_of_sight))
    }

    /// Sends these messages on their way again, each where it belongs, and leaves all others where they are.
    ///
    /// # Errors
    /// [`EndpointFault`] when the queues cannot be read; a message that cannot be sent is told in its own outcome.
    pub async fn redrive(&self, cases: &[&Case]) -> Result<Vec<Redriven>, EndpointFault> {
        self.redrive_letters(&cases.iter().map(|case| &case.letter).collect::<Vec<_>>()).await
    }

    /// The same for messages without their log lines.
    ///
    /// # Errors
    /// As [`redrive`](Self::redrive).
    pub(crate) async fn redrive_letters(&self, letters: &[&Letter]) -> Result<Vec<Redriven>, EndpointFault> {
        let mut redriven = Vec::new();
        for queue in FailureQueue::ALL {
            let wanted: Vec<_> = letters.iter().copied().filter(|letter| letter.queue == queue).collect();
            if !wanted.is_empty() {
                redriven.extend(redrive::redrive(self, queue, &wanted).await?);
            }
        }
        Ok(redriven)
    }

    /// The endpoint they lie at.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    fn source(&self, queue: FailureQueue) -> queue::Source<'_> {
        let name = queue.name(self.endpoint.names());
        queue::Source { endpoint: &self.endpoint, queue, name, url: &self.urls[name] }
    }

    /// What lies in the queue where movies wait for the enricher.
    pub(crate) async fn movies(&self) -> Result<Depth, EndpointFault> {
        let depth = Depth::of(&self.endpoint.clients().sqs, self.movies_queue_url()).await;
        let name = &self.endpoint.names().movies_queue;
        depth.map_err(self.endpoint.refusal(Action::GetQueueAttributes, name))
    }

    /// Where movies wait for the enricher.
    pub(crate) fn movies_queue_url(&self) -> &str {
        &self.urls[&self.endpoint.names().movies_queue]
    }
}
