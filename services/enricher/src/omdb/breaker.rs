//! Stops the questions of one batch.

use std::sync::OnceLock;

use super::OmdbError;

/// Stops the questions of one batch once something is known that holds for all of them.
#[derive(Debug, Default)]
pub struct Breaker(OnceLock<OmdbError>);

impl Breaker {
    /// Whether this call opened it; when ten movies learn the same at once, it is one piece of news.
    pub(super) fn open(&self, why: OmdbError) -> bool {
        self.0.set(why).is_ok()
    }

    /// What opened it, if it is open.
    pub(super) fn check(&self) -> Result<(), OmdbError> {
        self.0.get().map_or(Ok(()), |why| Err(why.clone()))
    }
}
