//! The `OMDb` API: which movie is asked for, how often, with which key, and when to stop asking.
//!
//! | Answer | What is done |
//! |---|---|
//! | the movie | taken |
//! | no answer, 5xx, 429, something else than JSON, packed, more than 32 KiB | asked again after a pause, while attempts and time last |
//! | unknown id | not asked again: the queue does, in case `OMDb` learns of it |
//! | 401, or an error in a 200, "invalid key" | the key is fetched again, once for the batch; if it is the same or invalid too, no more is asked in this batch, and the next one begins with one question |
//! | the same, "request limit reached" | no more is asked in this batch, and the next one begins with one question: the quota is per day |
//!
//! Each request is first taken off what the day has left, see [`Budget`]. When that is nothing, no more is asked in this
//! batch either.

mod breaker;
mod budget;
mod http;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use domain::ImdbId;
use domain::contract::metrics::{OMDB_AUTH_REJECTED, OMDB_DURATION, OMDB_QUOTA_EXHAUSTED, OMDB_REQUESTS};
use domain::enriched::OmdbMovie;
use domain::rest::Rest;
use function::backoff::Backoff;
use function::{Deadline, milliseconds};
use telemetry::spans::attribute;
use telemetry::{Metrics, spans};
use tokio::sync::{Mutex, MutexGuard, Semaphore};
use tracing::{Instrument, Span, info_span};

pub use breaker::Breaker;
pub use budget::Budget;
pub use domain::omdb::Answer;
pub use http::{Ask, HttpError, OmdbHttp};

use crate::api_key::{ApiKey, CachedKey, KeyError, KeyStore};
use crate::bucket::{Bucket, BucketError};

/// Pauses between tries: long enough for a hiccup, short enough for three tries within the function's timeout.
const BACKOFF: Backoff = Backoff { base: Duration::from_millis(200), cap: Duration::from_secs(5) };

/// How many questions are in flight at once: a batch of ten all together, a larger one ten at a time, so that an open
/// breaker still spares most of it.
const MAX_IN_FLIGHT: usize = 10;

/// The `OMDb` API with its key.
pub struct Omdb<A, K, B> {
    api: A,
    key: CachedKey<K>,
    budget: Budget<B>,
    max_attempts: u32,
    /// Lets [`MAX_IN_FLIGHT`] questions through at once.
    in_flight: Semaphore,
    /// Whether OMDb refused all questions when it was last asked.
    in_doubt: AtomicBool,
    one_by_one: Mutex<()>,
    metrics: Metrics,
}

/// Why there is no movie. None of these carries the address that was asked, since the key is part of it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum OmdbError {
    /// The key cannot be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// `OMDb` does not take the key, nor the one that SSM gave after that.
    #[error("OMDb rejects the API key; put a valid one into the SSM parameter")]
    KeyRejected,
    /// The day's requests are used up, says `OMDb`.
    #[error("OMDb's request limit for today is reached")]
    QuotaExhausted,
    /// The day's requests are used up, by our own count.
    #[error("OMDb has had the {limit} requests that OMDB_DAILY_LIMIT allows it a day; the next day begins at {until}")]
    DailyLimit {
        /// How many are allowed.
        limit: u32,
        /// When the day ends.
        until: DateTime<Utc>,
    },
    /// The day's requests cannot be counted, so none is sent.
    #[error(transparent)]
    Count(BucketError),
    /// `OMDb` has no such title.
    #[error("OMDb does not know the id: {0}")]
    UnknownId(String),
    /// No usable answer after all attempts.
    #[error("OMDb gave no usable answer in {attempts} attempts{}, the last time: {reason}", asked(*retry_after))]
    Unavailable {
        /// How often it was asked.
        attempts: u32,
        /// What came of the last one.
        reason: String,
        /// After which time OMDb wants to be asked again, if it said so.
        retry_after: Option<Duration>,
    },
    /// The invocation ends before another try could.
    #[error("no time is left to ask OMDb again{}, the last time: {reason}", asked(*retry_after))]
    OutOfTime {
        /// What came of the last try.
        reason: String,
        /// After which time OMDb wants to be asked again, if it said so.
        retry_after: Option<Duration>,
    },
}

impl OmdbError {
    /// In a word, for spans.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Key(_) => "key unreadable",
            Self::KeyRejected => "key rejected",
            Self::QuotaExhausted => "quota exhausted",
            Self::DailyLimit { .. } => "daily limit reached",
            Self::Count(_) => "bucket",
            Self::UnknownId(_) => "unknown id",
            Self::Unavailable { .. } => "OMDb unavailable",
            Self::OutOfTime { .. } => "timeout",
        }
    }

    /// What has to happen before asking again is of any use, where that takes longer than the queue waits.
    #[must_use]
    pub fn rest(&self) -> Option<Rest> {
        match self {
            Self::KeyRejected => Some(Rest::UntilKeyIsMended),
            Self::QuotaExhausted | Self::DailyLimit { .. } => Some(Rest::UntilNextDay),
            Self::Unavailable { retry_after, .. } | Self::OutOfTime { retry_after, .. } => {
                retry_after.map(Rest::AsOmdbAsks)
            }
            Self::Key(_) | Self::Count(_) | Self::UnknownId(_) => None,
        }
    }
}

impl<A: Ask, K: KeyStore, B: Bucket> Omdb<A, K, B> {
    /// The API behind `api`, with the key from `keys` and the requests of `budget`.
    #[must_use]
    pub fn new(api: A, keys: K, budget: Budget<B>, max_attempts: u32, metrics: Metrics) -> Self {
        let in_flight = Semaphore::new(MAX_IN_FLIGHT);
        let (in_doubt, one_by_one) = (AtomicBool::new(false), Mutex::new(()));
        Self { api, key: CachedKey::new(keys), budget, max_attempts, in_flight, in_doubt, one_by_one, metrics }
    }

    /// The movie of this id.
    ///
    /// # Errors
    /// [`OmdbError`].
    pub async fn movie(&self, id: &ImdbId, breaker: &Breaker, deadline: Deadline) -> Result<OmdbMovie, OmdbError> {
        // Held until it is known what follows from the answer.
        let mut alone = self.alone_if_in_doubt().await;
        let mut key = self.key.get().await?;
        let mut key_is_fresh = false;
        let (mut attempt, mut requests) = (1, 0);
        loop {
            requests += 1;
            let reason = match self.ask(id, &key.value, requests, breaker, deadline).await? {
                Answer::Movie(movie) => return Ok(movie),
                Answer::UnknownId(reason) => return Err(OmdbError::UnknownId(reason)),
                Answer::QuotaExhausted => return Err(self.stop(breaker, OmdbError::QuotaExhausted)),
                Answer::KeyRejected if key_is_fresh => return Err(self.stop(breaker, OmdbError::KeyRejected)),
                Answer::KeyRejected => {
                    tracing::warn!("OMDb rejects the API key; it is fetched again");
                    let fetched = self.key.get_newer_than(&key).await?;
                    // The same key would be rejected again.
                    if fetched.value == key.value {
                        return Err(self.stop(breaker, OmdbError::KeyRejected));
                    }
                    key = fetched;
                    key_is_fresh = true;
                    continue;
                }
                Answer::Unusable { reason, retry_after } => {
                    if attempt == self.max_attempts {
                        return Err(OmdbError::Unavailable { attempts: attempt, reason, retry_after });
                    }
                    drop(alone.take());
                    self.pause(attempt, reason, retry_after, deadline).await?
                }
            };
            tracing::debug!(attempt, reason, "OMDb is asked again");
            attempt += 1;
            alone = self.alone_if_in_doubt().await;
        }
    }

    /// After OMDb has refused all questions, the next batches put one first: it would refuse the others as well, and each of
    /// them counts. Whatever else it answers ends the doubt.
    async fn alone_if_in_doubt(&self) -> Option<MutexGuard<'_, ()>> {
        if !self.in_doubt.load(Ordering::Relaxed) {
            return None;
        }
        let alone = self.one_by_one.lock().await;
        self.in_doubt.load(Ordering::Relaxed).then_some(alone)
    }

    /// One request, counted and timed, unless the batch has been told to stop meanwhile. `number` counts from 1.
    async fn ask(
        &self,
        id: &ImdbId,
        key: &ApiKey,
        number: u32,
        breaker: &Breaker,
        deadline: Deadline,
    ) -> Result<Answer, OmdbError> {
        // The semaphore is never closed, so there is a permit in the end; without one, asking is all the same right.
        let _permit = self.in_flight.acquire().await;
        breaker.check()?;
        self.budget.take(breaker).await.map_err(|error| self.stop_if_spent(breaker, error))?;
        let span = request_span(id, number);
        let started = Instant::now();
        self.metrics.count(OMDB_REQUESTS, 1);
        let asked = tokio::time::timeout_at(deadline.instant(), self.api.ask(id, key).instrument(span.clone()));
        let answer = asked.await.unwrap_or_else(|_| Answer::unusable("no answer before the invocation's end"));
        self.metrics.measure(OMDB_DURATION, started.elapsed());
        self.in_doubt.store(matches!(answer, Answer::KeyRejected | Answer::QuotaExhausted), Ordering::Relaxed);
        if let Some(fault) = answer.fault() {
            spans::fail(&span, answer.name(), fault);
        }
        Ok(answer)
    }

    /// Waits before the next try, if there is time for it. Gives the reason back.
    async fn pause(
        &self,
        attempt: u32,
        reason: String,
        retry_after: Option<Duration>,
        deadline: Deadline,
    ) -> Result<String, OmdbError> {
        let pause = BACKOFF.pause(attempt, fastrand::f64()).max(retry_after.unwrap_or_default());
        if pause >= deadline.remaining() {
            return Err(OmdbError::OutOfTime { reason, retry_after });
        }
        let delay_ms = milliseconds(pause);
        tracing::warn!(attempt, reason, delay_ms, "OMDb gave no usable answer");
        tokio::time::sleep(pause).await;
        Ok(reason)
    }

    /// A count that cannot be had may be had by the next movie.
    fn stop_if_spent(&self, breaker: &Breaker, error: OmdbError) -> OmdbError {
        if matches!(error, OmdbError::DailyLimit { .. }) { self.stop(breaker, error) } else { error }
    }

    /// Stops the batch, which is counted once.
    fn stop(&self, breaker: &Breaker, why: OmdbError) -> OmdbError {
        if breaker.open(why.clone()) {
            let metric = if matches!(why, OmdbError::KeyRejected) { OMDB_AUTH_REJECTED } else { OMDB_QUOTA_EXHAUSTED };
            self.metrics.count(metric, 1);
        }
        why
    }
}

/// What OMDb asks for, as a part of a sentence.
fn asked(retry_after: Option<Duration>) -> String {
    retry_after.map(|time| format!(", which it wants after {} s", time.as_secs())).unwrap_or_default()
}

/// One request is one span, and a repeated one says so
/// (<https://opentelemetry.io/docs/specs/semconv/http/http-spans/#http-client-span>). The movie's span has each failed
/// try as an event.
fn request_span(id: &ImdbId, number: u32) -> Span {
    let span = info_span!("GET OMDb", otel.kind = "client", imdb_id = id.as_str());
    if number > 1 {
        spans::set(&span, attribute::HTTP_REQUEST_RESEND_COUNT, i64::from(number - 1));
    }
    span
}
