//! Which failed records are hidden, and until when: SQS tells nobody, so the log of each movie does.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use domain::rest::Waited;
use function::Deadline;
use tracing::Span;

use super::{Enricher, Outcomes};
use crate::api_key::KeyStore;
use crate::bucket::Bucket;
use crate::omdb::Ask;
use crate::queue::{Hidden, Queue};

impl<B: Bucket, A: Ask, K: KeyStore, Q: Queue> Enricher<B, A, K, Q> {
    /// The failed records that are of no use to anybody for a while, each with its span.
    pub(super) fn to_hide(&self, outcomes: &mut Outcomes, received: DateTime<Utc>) -> Vec<(Hidden, Span)> {
        let now = self.clock.now();
        let since = |time: DateTime<Utc>| (now - time).to_std().unwrap_or_default();
        let hidden = outcomes.iter_mut().filter_map(|(record, _)| {
            let (rest, span) = record.resting.take()?;
            let since_sent = record.sent.map_or(Duration::ZERO, since);
            let since_received = since(received);
            let waited = Waited { since_sent, since_received, visibility_timeout: self.queue.visibility_timeout() };
            let time = rest.length(now, waited, fastrand::f64())?;
            Some((Hidden { receipt: record.receipt.clone()?, time }, span))
        });
        hidden.collect()
    }

    /// Hides them. Where that fails, the queue's visibility timeout holds.
    pub(super) async fn hide(&self, records: Vec<(Hidden, Span)>, deadline: Deadline) {
        if records.is_empty() {
            return;
        }
        let (messages, spans): (Vec<_>, Vec<_>) = records.into_iter().unzip();
        let outcome = match tokio::time::timeout_at(deadline.instant(), self.queue.hide(&messages)).await {
            Ok(outcome) => outcome.map_err(|error| error.to_string()),
            Err(_) => Err("SQS did not answer before the invocation's end".to_owned()),
        };
        match outcome {
            Ok(()) => {
                let now = self.clock.now();
                for (message, span) in messages.iter().zip(&spans) {
                    span.in_scope(|| tell_hidden(now + message.time));
                }
            }
            Err(reason) => {
                let not_hidden = messages.len();
                tracing::warn!(not_hidden, reason, "failed movies come back soon, which is of no use");
            }
        }
    }
}

fn tell_hidden(until: DateTime<Utc>) {
    let hidden_until = until.to_rfc3339_opts(SecondsFormat::Secs, true);
    tracing::info!(hidden_until, "the movie is hidden in the queue");
}
