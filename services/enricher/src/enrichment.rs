//! One record → one object.

use domain::enriched::{enrich, movie_key};
use domain::message::{MessageFault, MovieMessage};
use domain::rest::Rest;
use function::Deadline;

use crate::api_key::KeyStore;
use crate::bucket::{Bucket, BucketError, Condition, Object, Put};
use crate::omdb::{Ask, Breaker, Omdb, OmdbError};
use crate::standing::Standing;

/// What became of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrichment {
    /// The movie was enriched and stored.
    Stored {
        /// The object's bytes, which are for good.
        record: Vec<u8>,
    },
    /// Its object stood already: a delivery before this one stored it. `OMDb` was not asked.
    AlreadyStored,
}

/// Why a record failed. Each goes back to the queue, since only the queue counts receives and moves what fails for
/// good, whole, into the dead-letter queue; nothing is ever deleted unprocessed.
#[derive(Debug, thiserror::Error)]
pub enum EnrichmentError {
    /// The record is no message of ours. Trying again will not help, but the dead-letter queue keeps it.
    #[error(transparent)]
    Message(#[from] MessageFault),
    /// `OMDb` did not give the movie.
    #[error(transparent)]
    Omdb(#[from] OmdbError),
    /// S3 did not take it.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The invocation had no time left for it.
    #[error("the invocation ends before the movie could be stored")]
    OutOfTime,
    /// A fault of ours.
    #[error("a panic: see the log line before this one")]
    Panicked,
}

impl EnrichmentError {
    /// In a word, for spans.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Omdb(error) => error.kind(),
            Self::Bucket(_) => "bucket",
            Self::OutOfTime => "timeout",
            Self::Panicked => "panic",
        }
    }

    /// What has to happen before trying again is of any use, where that takes longer than the queue waits.
    #[must_use]
    pub fn rest(&self) -> Option<Rest> {
        match self {
            Self::Omdb(error) => error.rest(),
            Self::Message(_) | Self::Bucket(_) | Self::OutOfTime | Self::Panicked => None,
        }
    }
}

/// Enriches and stores the movie of one message, unless its object is among what is `standing`.
///
/// # Errors
/// [`EnrichmentError`].
pub async fn store<B: Bucket, A: Ask, K: KeyStore>(
    message: &MovieMessage,
    standing: &Standing<B>,
    bucket: &B,
    omdb: &Omdb<A, K, B>,
    breaker: &Breaker,
    deadline: Deadline,
) -> Result<Enrichment, EnrichmentError> {
    if standing.has(message).await? {
        return Ok(Enrichment::AlreadyStored);
    }
    let movie = omdb.movie(&message.movie.id, breaker, deadline).await?;
    let record = enrich(message, movie);
    let object = Object { key: &movie_key(message), body: &record, run: None };
    // Should two deliveries work at once, the first to store wins, and both find the same object.
    Ok(match bucket.put(object, &Condition::Absent).await? {
        Put::Stored => Enrichment::Stored { record },
        Put::ConditionFailed => Enrichment::AlreadyStored,
    })
}
