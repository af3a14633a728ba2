//! What came over a wire while the pipeline ran.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::{Leak, Needles};

/// Everything that was heard so far, each thing once; a clone is the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heard(Arc<Mutex<Kept>>);

type Kept = BTreeSet<(&'static str, Bytes)>;

impl Heard {
    /// Keeps something to be searched, with what it is.
    pub(crate) fn keep(&self, what: &'static str, bytes: impl Into<Bytes>) {
        self.lock().insert((what, bytes.into()));
    }

    pub(crate) fn search(&self, needles: &Needles) -> Vec<Leak> {
        self.lock().iter().flat_map(|(what, bytes)| needles.search(what, bytes)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // The data is whole after any panic: every change to it is one insertion.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
