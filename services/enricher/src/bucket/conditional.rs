//! A conditional write out of tries whose answers may be lost: whether it is this write that stands in the end.

use std::future::Future;
use std::time::Duration;

use function::backoff::Backoff;

use super::{BucketError, Condition, Object, Put};

/// How often a write is tried when another one of the same key is under way.
const MAX_CONFLICTS: u32 = 3;

/// Pauses between these tries: a write takes some ten milliseconds.
const CONFLICT_BACKOFF: Backoff = Backoff { base: Duration::from_millis(50), cap: Duration::from_millis(500) };

/// The two calls that a conditional write is made of. A client of S3 sends a call again when its answer is lost.
pub trait Tries: Sync {
    /// One try to store an object, with `writer` in its metadata.
    fn try_put(
        &self,
        object: Object<'_>,
        condition: &Condition,
        writer: &str,
    ) -> impl Future<Output = Result<Attempt, BucketError>> + Send;

    /// Whether the object that stands at this key has this `writer` in its metadata; nothing if none stands.
    fn is_written_by(&self, key: &str, writer: &str) -> impl Future<Output = Result<Option<bool>, BucketError>> + Send;
}

/// What came of one try of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// The object stands as given.
    Stored,
    /// Another object stands there, or this one does, and the answer that said so was lost.
    ConditionFailed,
    /// Another write of the same key was under way, and it is not said which one stands: to be tried again.
    Conflict,
}

/// Stores an object if `condition` holds, and tells its own object from another's.
///
/// # Errors
/// [`BucketError`]; the object may stand all the same, if S3's last answer was lost.
pub async fn put_conditionally(
    tries: &impl Tries,
    object: Object<'_>,
    condition: &Condition,
) -> Result<Put, BucketError> {
    // Tells our own object from another's when the answer to a write was lost and the SDK's next try finds it.
    let writer = format!("{:016x}", fastrand::u64(..));
    for attempt in 1..=MAX_CONFLICTS {
        match tries.try_put(object, condition, &writer).await? {
            Attempt::Stored => return Ok(Put::Stored),
            Attempt::ConditionFailed => match tries.is_written_by(object.key, &writer).await? {
                Some(true) => return Ok(Put::Stored),
                // Whoever is told that it stands already deletes a message, so it is not said of what is gone again.
                None if *condition == Condition::Absent => {}
                Some(false) | None => return Ok(Put::ConditionFailed),
            },
            Attempt::Conflict => {}
        }
        tokio::time::sleep(CONFLICT_BACKOFF.pause(attempt, fastrand::f64())).await;
    }
    let reason = format!("others wrote it at the same time, {MAX_CONFLICTS} times in a row");
    Err(BucketError { operation: "store", key: object.key.to_owned(), reason })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// S3 as a test tells it to be.
    #[derive(Default)]
    struct Told {
        /// What comes of each try, the last first.
        attempts: Mutex<Vec<Attempt>>,
        /// What stands when somebody looks.
        stands: Stands,
        /// The writers of all tries.
        writers: Mutex<Vec<String>>,
    }

    #[derive(Default, Clone, Copy)]
    enum Stands {
        #[default]
        Nothing,
        Ours,
        Anothers,
        Refused,
    }

    impl Tries for Told {
        async fn try_put(&self, _: Object<'_>, _: &Condition, writer: &str) -> Result<Attempt, BucketError> {
            self.writers.lock().unwrap().push(writer.to_owned());
            Ok(self.attempts.lock().unwrap().pop().unwrap_or(Attempt::Stored))
        }

        async fn is_written_by(&self, key: &str, writer: &str) -> Result<Option<bool>, BucketError> {
            assert_eq!(self.writers.lock().unwrap().last().map(String::as_str), Some(writer));
            match self.stands {
                Stands::Nothing => Ok(None),
                Stands::Ours => Ok(Some(true)),
                Stands::Anothers => Ok(Some(false)),
                Stands::Refused => Err(fault(key, "AccessDenied")),
            }
        }
    }

    fn fault(key: &str, reason: &str) -> BucketError {
        BucketError { operation: "look at", key: key.to_owned(), reason: reason.to_owned() }
    }

    /// What comes of a write with these attempts, and how often it was tried.
    async fn written(
        attempts: impl IntoIterator<Item = Attempt>,
        stands: Stands,
        condition: Condition,
    ) -> (Result<Put, String>, usize) {
        let mut attempts: Vec<_> = attempts.into_iter().collect();
        attempts.reverse();
        let told = Told { attempts: attempts.into(), stands, ..Told::default() };
        let object = Object { key: "Top10Movies.json", body: b"{}", run: None };
        let put = put_conditionally(&told, object, &condition).await;
        let writers = told.writers.into_inner().unwrap();
        assert!(
            writers.iter().all(|writer| *writer == writers[0]),
            "one write has one name, however often it is tried"
        );
        (put.map_err(|error| error.to_string()), writers.len())
    }

    fn over_another() -> Condition {
        Condition::Unchanged { etag: "1".to_owned() }
    }

    #[tokio::test]
    async fn a_write_whose_answer_was_lost_is_known_by_its_writer() {
        for condition in [Condition::Absent, over_another()] {
            let put = written([Attempt::ConditionFailed], Stands::Ours, condition.clone()).await;
            assert_eq!(put, (Ok(Put::Stored), 1), "{condition:?}");
        }
    }

    #[tokio::test]
    async fn anothers_object_is_not_taken_for_ones_own() {
        for condition in [Condition::Absent, over_another()] {
            let put = written([Attempt::ConditionFailed], Stands::Anothers, condition.clone()).await;
            assert_eq!(put, (Ok(Put::ConditionFailed), 1), "{condition:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_gone_again_is_not_said_to_stand_but_written_anew() {
        assert_eq!(written([Attempt::ConditionFailed], Stands::Nothing, Condition::Absent).await, (Ok(Put::Stored), 2));
        let gone = written([Attempt::ConditionFailed], Stands::Nothing, over_another()).await;
        assert_eq!(gone, (Ok(Put::ConditionFailed), 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_beside_another_one_is_tried_again_and_has_an_end() {
        assert_eq!(written([Attempt::Conflict; 2], Stands::Nothing, Condition::Absent).await, (Ok(Put::Stored), 3));
        let (refused, tries) = written([Attempt::Conflict; 3], Stands::Nothing, Condition::Absent).await;
        assert_eq!(tries, 3);
        assert_eq!(
            refused.unwrap_err(),
            "S3 could not store Top10Movies.json: others wrote it at the same time, 3 times in a row"
        );
    }

    #[tokio::test]
    async fn a_write_is_no_success_while_nobody_can_tell_whose_object_stands() {
        let (put, _) = written([Attempt::ConditionFailed], Stands::Refused, Condition::Absent).await;
        assert_eq!(put.unwrap_err(), "S3 could not look at Top10Movies.json: AccessDenied");
    }
}
