//! Which objects of a batch's runs stand already: looked for first, so that a message delivered again costs none of the
//! day's requests.
//!
//! A batch that is a good part of its run asks for a list of it, once for all its movies; one of a large run looks at
//! each object by itself, since a list would bring hundreds of keys for each that is wanted. Objects of a run are never
//! deleted while it matters, so what was found standing stands for good.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use domain::enriched::{is_worth_a_list, movie_key, run_prefix};
use domain::{MovieMessage, Run};
use tokio::sync::OnceCell;
use tracing::{Instrument, Span};

use crate::bucket::{Bucket, BucketError};

/// What stands of the runs that a batch is of.
#[derive(Debug)]
pub struct Standing<B> {
    bucket: Arc<B>,
    /// The batch's: whichever movie is the first to ask, a list is for all of them.
    span: Span,
    /// The runs that are worth a list, with the keys once somebody has asked.
    listed: HashMap<Run, OnceCell<Result<BTreeSet<String>, BucketError>>>,
}

impl<B: Bucket> Standing<B> {
    /// Of a batch of these messages, with its span. Nothing is asked yet.
    pub fn of_batch<'a>(bucket: Arc<B>, messages: impl IntoIterator<Item = &'a MovieMessage>, span: &Span) -> Self {
        let mut runs = HashMap::<_, (usize, usize)>::new();
        for message in messages {
            let (here, of) = runs.entry(message.run.clone()).or_default();
            *here += 1;
            *of = message.of.max(*of);
        }
        let worth_it = runs.into_iter().filter(|(_, (here, of))| is_worth_a_list(*here, *of));
        Self { bucket, span: span.clone(), listed: worth_it.map(|(run, _)| (run, OnceCell::new())).collect() }
    }

    /// Whether the object of this message stands. Where a list fails, it fails all movies that wanted it: asking anew
    /// for each would fail as well, and take the more time.
    ///
    /// # Errors
    /// [`BucketError`].
    pub async fn has(&self, message: &MovieMessage) -> Result<bool, BucketError> {
        let key = movie_key(message);
        let Some(keys) = self.listed.get(&message.run) else {
            return Ok(self.bucket.head(&key).await?.is_some());
        };
        let keys = keys.get_or_init(|| self.list(&message.run).instrument(self.span.clone())).await;
        keys.as_ref().map(|keys| keys.contains(&key)).map_err(Clone::clone)
    }

    /// The keys of a run that have been listed, without asking anybody.
    #[must_use]
    pub fn listed(&self, run: &Run) -> BTreeSet<String> {
        let keys = self.listed.get(run).and_then(OnceCell::get).and_then(|keys| keys.as_ref().ok());
        keys.cloned().unwrap_or_default()
    }

    async fn list(&self, run: &Run) -> Result<BTreeSet<String>, BucketError> {
        Ok(self.bucket.list(&run_prefix(run)).await?.into_iter().collect())
    }
}
