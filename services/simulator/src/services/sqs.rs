//! SQS as the enricher sees it: it may hide what it received.

use std::time::Duration;

use enricher::queue::{Hidden, Queue, QueueError};

use super::call::{AWS_ATTEMPTS, Caller};
use crate::fault::Operation;
use crate::world::{Event, State};

pub(crate) struct SimulatedQueue {
    pub(crate) caller: Caller,
}

impl Queue for SimulatedQueue {
    fn visibility_timeout(&self) -> Duration {
        self.caller.world.scenario.deployment.visibility_timeout
    }

    async fn hide(&self, messages: &[Hidden]) -> Result<(), QueueError> {
        let hidden: Vec<_> =
            messages.iter().filter_map(|message| Some((message.receipt.parse().ok()?, message.time))).collect();
        // The driver has the queue: it does this before anything else.
        let effect = move |state: &mut State, _: Option<&_>| {
            state.schedule(Duration::ZERO, Event::Hide(hidden.clone()));
        };
        let answer = self.caller.call(Operation::Hide, "messages", AWS_ATTEMPTS, effect).await;
        answer.map_err(|code| QueueError { messages: messages.len(), reason: code.to_owned() })
    }
}
