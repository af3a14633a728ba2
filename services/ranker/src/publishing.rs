//! Batches in flight, failed entries sent again.

use std::collections::HashMap;
use std::time::Duration;

use function::backoff::Backoff;
use function::milliseconds;
use futures_util::{StreamExt, stream};

use crate::topic::{MAX_BATCH_ENTRIES, Outgoing, Refused, Topic};

/// How many batches are in flight at once.
///
/// SNS accepts 300 to 30,000 messages a second, by region (<https://docs.aws.amazon.com/general/latest/gr/sns.html>). A run
/// has at most 1,000, so where it is more than that no width is too much; at some 10 ms a batch, eight are through within an
/// eighth of a second. Where it is 300, SNS throttles what comes too fast, and that is sent again after a pause. A
/// batch keeps its place in flight meanwhile, so the less SNS takes, the slower the others follow.
const BATCHES_IN_FLIGHT: usize = 8;

/// How often an entry is sent before the run gives up. The invocation then fails, and Lambda tries the event again. The
/// pauses between them take 3.6 s on average, about what 1,000 messages take at 300 a second, where SNS besides has room
/// for a burst.
const MAX_ATTEMPTS: u32 = 8;

/// Pauses between tries: an entry fails by itself when SNS throttles or stumbles, which passes within a second or two.
const BACKOFF: Backoff = Backoff { base: Duration::from_millis(100), cap: Duration::from_secs(2) };

/// Publishes all messages, [`BATCHES_IN_FLIGHT`] batches at a time. Entries that the topic reports as failed, and only
/// they, are sent again.
///
/// # Errors
/// [`Unpublished`] with every entry that could not be sent. The others have been: a retried run sends them again, and
/// the enricher meets their objects.
pub async fn publish(topic: &impl Topic, messages: Vec<Outgoing>) -> Result<(), Unpublished> {
    let batches: Vec<_> = messages.chunks(MAX_BATCH_ENTRIES).map(<[Outgoing]>::to_vec).collect();
    let mut refused: Vec<_> = stream::iter(batches)
        .map(|batch| publish_batch(topic, batch))
        .buffer_unordered(BATCHES_IN_FLIGHT)
        .flat_map(stream::iter)
        .collect()
        .await;
    if refused.is_empty() {
        return Ok(());
    }
    refused.sort_by_key(|entry| entry.position);
    Err(Unpublished { refused, of: messages.len() })
}

/// Publishes one batch; gives what could not be sent in the end.
async fn publish_batch(topic: &impl Topic, mut batch: Vec<Outgoing>) -> Vec<Refused> {
    let mut given_up = Vec::new();
    for attempt in 1.. {
        let refused = topic.publish(&batch).await;
        let may_retry = attempt < MAX_ATTEMPTS;
        let (again, lost): (Vec<_>, Vec<_>) = refused.into_iter().partition(|entry| may_retry && entry.worth_retrying);
        given_up.extend(lost);
        if again.is_empty() {
            break;
        }
        let again: HashMap<_, _> = again.into_iter().map(|entry| (entry.position, entry.reason)).collect();
        batch.retain(|entry| again.contains_key(&entry.position));
        let pause = BACKOFF.pause(attempt, fastrand::f64());
        log_retry(&again, attempt, pause);
        tokio::time::sleep(pause).await;
    }
    given_up
}

fn log_retry(again: &HashMap<usize, String>, attempt: u32, pause: Duration) {
    let delay_ms = milliseconds(pause);
    for (position, reason) in again {
        tracing::warn!(position, reason, attempt, delay_ms, "the topic refused a movie; it is sent again");
    }
}

/// Entries that the topic did not take in the end.
#[derive(Debug, thiserror::Error)]
pub struct Unpublished {
    refused: Vec<Refused>,
    of: usize,
}

impl Unpublished {
    /// They, in order of position.
    #[must_use]
    pub fn refused(&self) -> &[Refused] {
        &self.refused
    }
}

impl std::fmt::Display for Unpublished {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the topic refused {} of {} movies:", self.refused.len(), self.of)?;
        for entry in &self.refused {
            write!(f, " position {} ({});", entry.position, entry.reason)?;
        }
        f.write_str(" the event will be tried again")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Refuses a position as often as told, and keeps what was sent.
    #[derive(Default)]
    struct Stubborn {
        refusals: Mutex<HashMap<usize, (u32, bool)>>,
        sent: Mutex<Vec<Vec<usize>>>,
    }

    impl Topic for Stubborn {
        fn name(&self) -> &'static str {
            "movies"
        }

        async fn publish(&self, batch: &[Outgoing]) -> Vec<Refused> {
            self.sent.lock().unwrap().push(batch.iter().map(|entry| entry.position).collect());
            let mut refusals = self.refusals.lock().unwrap();
            let refused = batch.iter().filter_map(|entry| {
                let (left, worth_retrying) = refusals.get_mut(&entry.position).filter(|(left, _)| *left > 0)?;
                *left -= 1;
                Some(Refused {
                    position: entry.position,
                    reason: "Throttled: slow down".into(),
                    worth_retrying: *worth_retrying,
                })
            });
            refused.collect()
        }
    }

    fn messages(count: usize) -> Vec<Outgoing> {
        (1..=count).map(|position| Outgoing { position, body: String::new(), traceparent: None }).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn messages_go_out_in_batches_of_ten() {
        let topic = Stubborn::default();
        publish(&topic, messages(25)).await.unwrap();
        let mut sizes: Vec<_> = topic.sent.lock().unwrap().iter().map(Vec::len).collect();
        sizes.sort_unstable();
        assert_eq!(sizes, [5, 10, 10]);
    }

    /// Takes 10 ms for a batch, and no more messages a second than so many.
    struct Throttling {
        messages_per_second: f64,
        taken: Mutex<f64>,
        started: tokio::time::Instant,
        in_flight: Mutex<(usize, usize)>,
    }

    impl Throttling {
        fn new(messages_per_second: f64) -> Self {
            let (taken, in_flight) = (Mutex::default(), Mutex::default());
            Self { messages_per_second, taken, started: tokio::time::Instant::now(), in_flight }
        }

        /// Has room for a second's messages at the start.
        fn takes(&self, messages: f64) -> bool {
            let room = self.messages_per_second * (1.0 + self.started.elapsed().as_secs_f64());
            let mut taken = self.taken.lock().unwrap();
            let has_room = *taken + messages <= room;
            *taken += if has_room { messages } else { 0.0 };
            has_room
        }
    }

    impl Topic for Throttling {
        fn name(&self) -> &'static str {
            "movies"
        }

        async fn publish(&self, batch: &[Outgoing]) -> Vec<Refused> {
            {
                let mut in_flight = self.in_flight.lock().unwrap();
                in_flight.0 += 1;
                in_flight.1 = in_flight.1.max(in_flight.0);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            self.in_flight.lock().unwrap().0 -= 1;
            if self.takes(f64::from(u32::try_from(batch.len()).unwrap())) {
                return Vec::new();
            }
            let refused = |entry: &Outgoing| Refused {
                position: entry.position,
                reason: "Throttled: slow down".into(),
                worth_retrying: true,
            };
            batch.iter().map(refused).collect()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_movies_are_out_within_an_eighth_of_a_second_eight_batches_at_a_time() {
        let topic = Throttling::new(30_000.0);
        publish(&topic, messages(1_000)).await.unwrap();
        assert_eq!(topic.in_flight.lock().unwrap().1, BATCHES_IN_FLIGHT);
        assert!(topic.started.elapsed() <= Duration::from_millis(130), "{:?}", topic.started.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_thousand_movies_are_out_within_seconds_where_sns_takes_300_a_second() {
        for seed in 0..20 {
            fastrand::seed(seed);
            let topic = Throttling::new(300.0);
            publish(&topic, messages(1_000)).await.unwrap();
            assert!(topic.started.elapsed() < Duration::from_secs(10), "{:?}", topic.started.elapsed());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn only_the_entries_that_the_topic_refused_are_sent_again() {
        let topic = Stubborn { refusals: Mutex::new([(3, (2, true)), (7, (1, true))].into()), ..Stubborn::default() };
        publish(&topic, messages(10)).await.unwrap();
        assert_eq!(topic.sent.lock().unwrap()[1..], [vec![3, 7], vec![3]]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_that_is_refused_to_the_end_is_named_with_its_reason() {
        let topic = Stubborn { refusals: Mutex::new([(3, (99, true))].into()), ..Stubborn::default() };
        let error = publish(&topic, messages(10)).await.unwrap_err().to_string();
        assert!(error.contains("1 of 10 movies: position 3 (Throttled: slow down)"), "{error}");
        assert_eq!(topic.sent.lock().unwrap().len(), MAX_ATTEMPTS as usize);
    }

    #[tokio::test(start_paused = true)]
    async fn an_entry_that_is_wrong_in_itself_is_not_sent_again() {
        let topic = Stubborn { refusals: Mutex::new([(3, (99, false))].into()), ..Stubborn::default() };
        assert!(publish(&topic, messages(10)).await.is_err());
        assert_eq!(topic.sent.lock().unwrap().len(), 1);
    }
}
