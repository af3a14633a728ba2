//! What can go wrong, and where.
//!
//! | Service | What it documents |
//! |---|---|
//! | S3 | `SlowDown`, `InternalError`, `AccessDenied`, 409 `ConditionalRequestConflict` (<https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>, <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>) |
//! | SNS | `Throttled`, `InternalError`, `KMSThrottling`, entries that fail by themselves (<https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>), messages delivered twice or, in the end, not at all (<https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html>) |
//! | SSM | `ThrottlingException`, `InternalServerError`, `AccessDeniedException`, `ParameterNotFound` (<https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html>) |
//! | SQS | `RequestThrottled`, `ReceiptHandleIsInvalid` (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html>), at least once, in any order, sometimes again after deletion (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/standard-queues-at-least-once-delivery.html>) |
//! | Lambda | throttling, timeouts, environments that end, an event delivered twice (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>) |
//! | `OMDb` | see [`enricher::omdb`] |

mod menu;

use std::fmt;
use std::time::Duration;

use serde::Serialize;

pub(crate) use menu::pick;

/// Something that a world does and that can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Lambda takes a schedule event.
    AcceptEvent,
    /// Lambda starts the ranker.
    InvokeRanker,
    /// The ranker's answer reaches Lambda.
    RankerAnswer,
    /// The ranker reads the source object.
    ReadSource,
    /// The ranker publishes a batch.
    Publish,
    /// SNS delivers a message to the queue.
    Deliver,
    /// The event source mapping receives a message.
    Receive,
    /// Lambda starts the enricher.
    InvokeEnricher,
    /// The enricher's answer reaches the event source mapping.
    EnricherAnswer,
    /// The event source mapping deletes a message.
    Delete,
    /// The enricher reads the key.
    FetchKey,
    /// The enricher asks `OMDb`.
    AskOmdb,
    /// The enricher looks whether an object stands.
    LookAt,
    /// The enricher reads an object.
    Read,
    /// The enricher lists a run.
    List,
    /// The enricher hides messages for a while.
    Hide,
    /// The enricher writes an object.
    Store,
}

/// One occasion on which something can go wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Site {
    /// What is done.
    pub operation: Operation,
    /// To what: a key, a message, a run.
    pub subject: String,
    /// How often it was done before.
    pub nth: u32,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {} #{}", self.operation, self.subject, self.nth)
    }
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The service refuses with this code; nothing has happened.
    Refused(&'static str),
    /// It happens, and the answer is lost.
    AnswerLost,
    /// The caller is told that the connection broke, and it happens so much later.
    Late(Duration),
    /// It happens, and the answer takes so long.
    Slow(Duration),
    /// No answer ever comes, and nothing happens.
    Silent,
    /// The function's environment ends before it happens.
    KilledBefore,
    /// It happens, and the function's environment ends before it learns so.
    KilledAfter,
    /// The environment ends this long after the function's start, wherever it is then.
    KilledAt(Duration),
    /// The code that asks panics.
    Panicked,
    /// The topic refuses some entries of a batch.
    EntriesRefused {
        /// A bit for each entry.
        mask: u16,
        /// Whether SNS blames the sender: sending again is then of no use.
        sender_fault: bool,
    },
    /// The transfer breaks off after so many of 100 parts.
    CutOff(u8),
    /// `OMDb` answers something else than the movie.
    Omdb(OmdbFault),
    /// Lambda has no concurrency left.
    Throttled,
    /// It happens again, so much later.
    Doubled(Duration),
    /// It happens so much later.
    Delayed(Duration),
    /// SNS gives the message up and leaves it in the subscription's queue for failures.
    Undelivered,
    /// The message becomes visible after this time already, while the function works.
    Reappears(Duration),
    /// The call fails: the message stays as it is.
    NotDeleted,
    /// One of the queue's servers keeps a copy, which shows after this time.
    Undead(Duration),
}

/// What `OMDb` answers instead of the movie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum OmdbFault {
    /// 401, the key.
    KeyRejected,
    /// 401, the quota.
    QuotaExhausted,
    /// An error page.
    Unusable,
    /// 429 with `Retry-After` in seconds.
    RetryAfter(u64),
    /// 200, but unknown.
    UnknownId,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(code) => write!(f, "refused with {code}"),
            Self::AnswerLost => f.write_str("done, but the answer is lost"),
            Self::Late(after) => write!(f, "the connection breaks, and it is done {after:?} later"),
            Self::Slow(after) => write!(f, "done, and the answer takes {after:?}"),
            Self::Silent => f.write_str("no answer ever comes"),
            Self::KilledBefore => f.write_str("the environment ends before it is done"),
            Self::KilledAfter => f.write_str("done, and the environment ends before it knows"),
            Self::KilledAt(after) => write!(f, "started, and its environment ends {after:?} later"),
            Self::Panicked => f.write_str("a panic"),
            Self::EntriesRefused { mask, sender_fault } => {
                let blame = if *sender_fault { "for good" } else { "for now" };
                write!(f, "some entries are refused {blame} (mask {mask:010b})")
            }
            Self::CutOff(percent) => write!(f, "the transfer breaks off at {percent} %"),
            Self::Omdb(fault) => write!(f, "OMDb answers {fault:?}"),
            Self::Throttled => f.write_str("throttled"),
            Self::Doubled(after) => write!(f, "it happens again {after:?} later"),
            Self::Delayed(after) => write!(f, "it happens {after:?} later"),
            Self::Undelivered => f.write_str("it is given up and left undelivered"),
            Self::Reappears(after) => write!(f, "visible again after {after:?} already"),
            Self::NotDeleted => f.write_str("the deletion fails"),
            Self::Undead(after) => write!(f, "a copy survives and shows {after:?} later"),
        }
    }
}
