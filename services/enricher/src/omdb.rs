//! The `OMDb` API: which movie is asked for, how often, with which key, and when to stop asking.
//!
//! | Answer | What is done |
//! |---|---|
//! | the movie | taken |
//! | no answer, 5xx, 429, something else than JSON, more than 1 MiB | asked again after a pause, while attempts and time last |
//! | unknown id | not asked again: the queue does, in case `OMDb` learns of it |
//! | 401 "invalid key" | the key is fetched again, once for the batch; if it is the same or invalid too, no more is asked in this batch |
//! | 401 "request limit reached" | no more is asked in this batch: the quota is per day |

mod answer;
mod http;

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use domain::ImdbId;
use domain::contract::metrics::{OMDB_AUTH_REJECTED, OMDB_DURATION, OMDB_QUOTA_EXHAUSTED, OMDB_REQUESTS};
use domain::enriched::OmdbMovie;
use function::backoff::Backoff;
use function::{Deadline, milliseconds};
use telemetry::spans::attribute;
use telemetry::{Metrics, spans};
use tokio::sync::Semaphore;
use tracing::{Instrument, Span, info_span};

pub use answer::Answer;
pub use http::{Ask, HttpError, OmdbHttp};

use crate::api_key::{ApiKey, CachedKey, KeyError, KeyStore};

/// Pauses between tries: long enough for a hiccup, short enough for three tries within the function's timeout.
const BACKOFF: Backoff = Backoff { base: Duration::from_millis(200), cap: Duration::from_secs(5) };

/// How many questions are in flight at once: a batch of ten all together, a larger one ten at a time, so that an open
/// breaker still spares most of it.
const MAX_IN_FLIGHT: usize = 10;

/// The `OMDb` API with its key.
pub struct Omdb<A, K> {
    api: A,
    key: CachedKey<K>,
    max_attempts: u32,
    /// Lets [`MAX_IN_FLIGHT`] questions through at once.
    in_flight: Semaphore,
    metrics: Metrics,
}

/// Stops the questions of one batch when `OMDb` has said something that holds for all of them.
#[derive(Debug, Default)]
pub struct Breaker(AtomicU8);

const CLOSED: u8 = 0;
const OPEN_KEY: u8 = 1;
const OPEN_QUOTA: u8 = 2;

impl Breaker {
    /// Whether this call opened it; when ten movies learn the same at once, it is one piece of news.
    fn open(&self, why: u8) -> bool {
        self.0.compare_exchange(CLOSED, why, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn check(&self) -> Result<(), OmdbError> {
        match self.0.load(Ordering::Relaxed) {
            OPEN_KEY => Err(OmdbError::KeyRejected),
            OPEN_QUOTA => Err(OmdbError::QuotaExhausted),
            _ => Ok(()),
        }
    }
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
    /// The day's requests are used up.
    #[error("OMDb's request limit for today is reached")]
    QuotaExhausted,
    /// `OMDb` has no such title.
    #[error("OMDb does not know the id: {0}")]
    UnknownId(String),
    /// No usable answer after all attempts.
    #[error("OMDb gave no usable answer in {attempts} attempts, the last time: {reason}")]
    Unavailable {
        /// How often it was asked.
        attempts: u32,
        /// What came of the last one.
        reason: String,
    },
    /// The invocation ends before another try could.
    #[error("no time is left to ask OMDb again, the last time: {reason}")]
    OutOfTime {
        /// What came of the last try.
        reason: String,
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
            Self::UnknownId(_) => "unknown id",
            Self::Unavailable { .. } => "OMDb unavailable",
            Self::OutOfTime { .. } => "timeout",
        }
    }
}

impl<A: Ask, K: KeyStore> Omdb<A, K> {
    /// The API behind `api`, with the key from `keys`.
    #[must_use]
    pub fn new(api: A, keys: K, max_attempts: u32, metrics: Metrics) -> Self {
        Self { api, key: CachedKey::new(keys), max_attempts, in_flight: Semaphore::new(MAX_IN_FLIGHT), metrics }
    }

    /// The movie of this id.
    ///
    /// # Errors
    /// [`OmdbError`].
    pub async fn movie(&self, id: &ImdbId, breaker: &Breaker, deadline: Deadline) -> Result<OmdbMovie, OmdbError> {
        let mut key = self.key.get().await?;
        let mut key_is_fresh = false;
        let (mut attempt, mut requests) = (1, 0);
        loop {
            requests += 1;
            let reason = match self.ask(id, &key.value, requests, breaker, deadline).await? {
                Answer::Movie(movie) => return Ok(movie),
                Answer::UnknownId(reason) => return Err(OmdbError::UnknownId(reason)),
                Answer::QuotaExhausted => return Err(self.quota_exhausted(breaker)),
                Answer::KeyRejected if key_is_fresh => return Err(self.key_rejected(breaker)),
                Answer::KeyRejected => {
                    tracing::warn!("OMDb rejects the API key; it is fetched again");
                    let fetched = self.key.get_newer_than(&key).await?;
                    // The same key would be rejected again.
                    if fetched.value == key.value {
                        return Err(self.key_rejected(breaker));
                    }
                    key = fetched;
                    key_is_fresh = true;
                    continue;
                }
                Answer::Unusable { reason, retry_after } => {
                    if attempt == self.max_attempts {
                        return Err(OmdbError::Unavailable { attempts: attempt, reason });
                    }
                    self.pause(attempt, reason, retry_after, deadline).await?
                }
            };
            tracing::debug!(attempt, reason, "OMDb is asked again");
            attempt += 1;
        }
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
        let span = request_span(id, number);
        let started = Instant::now();
        self.metrics.count(OMDB_REQUESTS, 1);
        let asked = tokio::time::timeout_at(deadline.instant(), self.api.ask(id, key).instrument(span.clone()));
        let answer = asked.await.unwrap_or_else(|_| Answer::unusable("no answer before the invocation's end"));
        self.metrics.measure(OMDB_DURATION, started.elapsed());
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
            return Err(OmdbError::OutOfTime { reason });
        }
        let delay_ms = milliseconds(pause);
        tracing::warn!(attempt, reason, delay_ms, "OMDb gave no usable answer");
        tokio::time::sleep(pause).await;
        Ok(reason)
    }

    fn quota_exhausted(&self, breaker: &Breaker) -> OmdbError {
        self.metrics.count(OMDB_QUOTA_EXHAUSTED, u64::from(breaker.open(OPEN_QUOTA)));
        OmdbError::QuotaExhausted
    }

    fn key_rejected(&self, breaker: &Breaker) -> OmdbError {
        self.metrics.count(OMDB_AUTH_REJECTED, u64::from(breaker.open(OPEN_KEY)));
        OmdbError::KeyRejected
    }
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
