//! Sending messages on their way again.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_lambda::primitives::Blob;
use futures_util::{StreamExt, stream};
use serde_json::Value;

use super::DeadLetters;
use super::letter::{FailureQueue, Letter};
use super::queue::Source;
use crate::endpoint::{Action, EndpointFault};

/// How many messages are sent at once. Events go to the ranker one by one: where concurrency is reserved it has one
/// execution, and whoever finds it taken would be turned away.
fn at_once(queue: FailureQueue) -> usize {
    match queue {
        FailureQueue::DeadLetters | FailureQueue::Undelivered => 8,
        FailureQueue::RankerFailures => 1,
    }
}

/// A message, and what became of it.
#[derive(Debug, Clone)]
pub struct Redriven {
    /// Its id before.
    pub id: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken where it belongs and lies here no more.
    Sent,
    /// It was taken where it belongs but lies here still, for this reason. Sending it again does no harm.
    SentButKept(String),
    /// It could not be sent, for this reason, and lies where it lay.
    Kept(String),
    /// It was not to be seen any more: somebody else deleted it, or is looking at it.
    Gone,
}

/// The two steps of a redrive.
trait Steps {
    /// Hands the message over to where it belongs.
    async fn send(&self, letter: &Letter) -> Result<(), String>;
    /// Deletes it from the failure queue.
    async fn delete(&self, letter: &Letter) -> Result<(), String>;
}

/// Sends a message, and deletes it only once it was taken. Cut short in between, it is there twice.
async fn send_then_delete(steps: &impl Steps, letter: &Letter) -> Outcome {
    if let Err(reason) = steps.send(letter).await {
        return Outcome::Kept(reason);
    }
    match steps.delete(letter).await {
        Ok(()) => Outcome::Sent,
        Err(reason) => Outcome::SentButKept(reason),
    }
}

/// Redrives messages of one queue; all others are put back.
pub(super) async fn redrive(
    dead_letters: &DeadLetters,
    queue: FailureQueue,
    wanted: &[&Letter],
) -> Result<Vec<Redriven>, EndpointFault> {
    let source = dead_letters.source(queue);
    let wanted: BTreeSet<_> = wanted.iter().map(|letter| letter.id.as_str()).collect();
    // Received anew: what was read before the user was asked may be held by somebody else by now.
    let (selected, others): (Vec<_>, Vec<_>) =
        source.receive_all().await?.into_iter().partition(|letter| wanted.contains(letter.id.as_str()));
    source.put_back(&others).await?;

    let calls = Calls { dead_letters, source };
    let outcomes = stream::iter(&selected).map(async |letter| (letter, send_then_delete(&calls, letter).await));
    let outcomes: Vec<_> = outcomes.buffered(at_once(queue)).collect().await;
    let kept = outcomes.iter().filter(|(_, outcome)| *outcome != Outcome::Sent).map(|(letter, _)| *letter);
    // Should it fail: they come back into sight by themselves, and what became of them must be told.
    let _ = source.put_back(kept).await;

    let mut by_id: BTreeMap<_, _> =
        outcomes.into_iter().map(|(letter, outcome)| (letter.id.as_str(), outcome)).collect();
    let mut redriven = |id: &str| Redriven { id: id.to_owned(), outcome: by_id.remove(id).unwrap_or(Outcome::Gone) };
    Ok(wanted.into_iter().map(&mut redriven).collect())
}

/// The steps as calls to AWS.
struct Calls<'a> {
    dead_letters: &'a DeadLetters,
    source: Source<'a>,
}

impl Steps for Calls<'_> {
    async fn send(&self, letter: &Letter) -> Result<(), String> {
        match letter.queue {
            FailureQueue::DeadLetters | FailureQueue::Undelivered => self.to_the_movies_queue(letter).await,
            FailureQueue::RankerFailures => self.to_the_ranker(letter).await,
        }
    }

    async fn delete(&self, letter: &Letter) -> Result<(), String> {
        self.source.delete(letter).await.map_err(|fault| fault.to_string())
    }
}

impl Calls<'_> {
    /// With the same body and the same attributes, so that it stays in its trace.
    async fn to_the_movies_queue(&self, letter: &Letter) -> Result<(), String> {
        let endpoint = self.dead_letters.endpoint();
        let send = endpoint.clients().sqs.send_message().queue_url(self.dead_letters.movies_queue_url());
        let attributes = letter.attributes.clone().into_iter().collect();
        let send = send.message_body(&letter.body).set_message_attributes(Some(attributes)).send().await;
        let refusal = endpoint.refusal(Action::SendMessage, &endpoint.names().movies_queue);
        send.map(|_| ()).map_err(|error| refusal(error).to_string())
    }

    /// Invokes the ranker with the event and waits for its answer: only a run that is published lets the event go.
    async fn to_the_ranker(&self, letter: &Letter) -> Result<(), String> {
        let endpoint = self.dead_letters.endpoint();
        let ranker = &endpoint.names().ranker;
        let event = Blob::new(letter.event().to_string());
        let answer = endpoint.clients().lambda.invoke().function_name(ranker).payload(event).send().await;
        let answer = answer.map_err(|error| endpoint.refusal(Action::InvokeFunction, ranker)(error).to_string())?;
        if answer.function_error().is_none() {
            return Ok(());
        }
        let payload = answer.payload().map_or(&[][..], AsRef::as_ref);
        let error: Value = serde_json::from_slice(payload).unwrap_or_default();
        Err(error["errorMessage"].as_str().unwrap_or("the ranker failed and did not say why").to_owned())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::super::letter::tests::movie;
    use super::*;

    /// Where a message is to be found, and which step fails.
    #[derive(Default)]
    struct Places {
        movies: RefCell<Vec<String>>,
        dead_letters: RefCell<Vec<String>>,
        send_fails: bool,
        delete_fails: bool,
    }

    impl Steps for Places {
        async fn send(&self, letter: &Letter) -> Result<(), String> {
            if self.send_fails {
                return Err("not allowed".to_owned());
            }
            self.movies.borrow_mut().push(letter.id.clone());
            Ok(())
        }

        async fn delete(&self, letter: &Letter) -> Result<(), String> {
            assert!(self.movies.borrow().contains(&letter.id), "deleted before it was sent");
            if self.delete_fails {
                return Err("cut short".to_owned());
            }
            self.dead_letters.borrow_mut().retain(|id| *id != letter.id);
            Ok(())
        }
    }

    async fn redriven(places: Places) -> (Outcome, usize, usize) {
        let letter = movie("m", "r", "tt1");
        let places = Places { dead_letters: RefCell::new(vec!["m".to_owned()]), ..places };
        let outcome = send_then_delete(&places, &letter).await;
        (outcome, places.movies.into_inner().len(), places.dead_letters.into_inner().len())
    }

    #[tokio::test]
    async fn a_message_is_deleted_only_after_it_was_sent() {
        assert_eq!(redriven(Places::default()).await, (Outcome::Sent, 1, 0));
    }

    #[tokio::test]
    async fn a_message_that_cannot_be_sent_stays() {
        let places = Places { send_fails: true, ..Places::default() };
        assert_eq!(redriven(places).await, (Outcome::Kept("not allowed".to_owned()), 0, 1));
    }

    #[tokio::test]
    async fn cut_short_between_the_steps_a_message_is_there_twice_and_never_lost() {
        let places = Places { delete_fails: true, ..Places::default() };
        assert_eq!(redriven(places).await, (Outcome::SentButKept("cut short".to_owned()), 1, 1));
    }
}
