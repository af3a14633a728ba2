//! The source object in S3, read in pieces.

use std::sync::Arc;

use ranker::source::{Location, ReadError, Source};

use super::call::{AWS_ATTEMPTS, Caller};
use crate::fault::{Fault, Operation};
use crate::world::State;

/// How many bytes arrive at once: an item is usually cut into two.
const PIECE_BYTES: usize = 200;

pub(crate) struct SimulatedSource {
    pub(crate) caller: Caller,
    pub(crate) location: Location,
    /// Which version of the list stands there now.
    pub(crate) version: u64,
}

impl Source for SimulatedSource {
    fn location(&self) -> &Location {
        &self.location
    }

    async fn read<E>(&self, mut take: impl FnMut(&[u8]) -> Result<(), E> + Send) -> Result<(), ReadError<E>> {
        let body = Arc::new(self.caller.world.scenario.source(self.version));
        let (whole, by) = (Arc::clone(&body), self.caller.environment.name.clone());
        let effect = move |state: &mut State, fault: Option<&Fault>| {
            state.say(|| format!("{by} reads the source"));
            match fault {
                Some(Fault::CutOff(percent)) => whole.len() * usize::from(*percent) / 100,
                _ => whole.len(),
            }
        };
        let arrived = self.caller.call(Operation::ReadSource, &self.location.key, AWS_ATTEMPTS, effect).await;
        let arrived = arrived.map_err(|code| ReadError::Unreadable(code.to_owned()))?;
        for piece in body[..arrived].chunks(PIECE_BYTES) {
            take(piece).map_err(ReadError::Refused)?;
        }
        let broke_off = || ReadError::Unreadable("the transfer broke off".to_owned());
        (arrived == body.len()).then_some(()).ok_or_else(broke_off)
    }
}
