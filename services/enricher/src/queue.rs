//! The queue that feeds the enricher: what cannot succeed before long is hidden there.

use std::future::Future;
use std::sync::OnceLock;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_sqs::error::DisplayErrorContext;
use aws_sdk_sqs::operation::change_message_visibility_batch::ChangeMessageVisibilityBatchInput;
use aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry as Entry;
use function::aws_calls::{AwsCalls, Description, Input};
use telemetry::spans::{KeyValue, attribute};

use crate::handler::MESSAGING_SYSTEM;

/// The most entries of a batch
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html>).
const MAX_ENTRIES: usize = 10;

/// What the enricher asks of its queue.
pub trait Queue: Send + Sync + 'static {
    /// For how long it hides a received message by itself.
    fn visibility_timeout(&self) -> Duration;

    /// Hides received messages, each for its time from now on.
    fn hide(&self, messages: &[Hidden]) -> impl Future<Output = Result<(), QueueError>> + Send;
}

/// A message to hide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// The handle of its last receive.
    pub receipt: String,
    /// For how long, in whole seconds, at most 12 hours.
    pub time: Duration,
}

/// SQS refused or could not be reached: some messages come back after the queue's visibility timeout.
#[derive(Debug, Clone, thiserror::Error)]
#[error("SQS did not hide {messages} of the messages: {reason}")]
pub struct QueueError {
    /// How many, at least.
    pub messages: usize,
    /// What SQS said.
    pub reason: String,
}

/// The queue in SQS.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    aws: SdkConfig,
    /// Begun when first needed. Most environments never hide a message, and each client makes the start longer.
    sqs: OnceLock<aws_sdk_sqs::Client>,
    url: String,
    visibility_timeout: Duration,
}

impl SqsQueue {
    /// A client of this queue, which has this visibility timeout.
    #[must_use]
    pub fn new(aws: &SdkConfig, url: &str, visibility_timeout: Duration) -> Self {
        Self { aws: aws.clone(), sqs: OnceLock::new(), url: url.to_owned(), visibility_timeout }
    }

    fn sqs(&self) -> &aws_sdk_sqs::Client {
        self.sqs.get_or_init(|| {
            let config = aws_sdk_sqs::config::Builder::from(&self.aws);
            aws_sdk_sqs::Client::from_conf(config.interceptor(AwsCalls { describe, expected: &[] }).build())
        })
    }

    /// At most [`MAX_ENTRIES`].
    async fn hide_some(&self, messages: &[Hidden]) -> Result<(), QueueError> {
        let entries = messages.iter().enumerate().map(|(index, message)| entry(index, message)).collect();
        let change = self.sqs().change_message_visibility_batch().queue_url(&self.url).set_entries(Some(entries));
        let answer = change
            .send()
            .await
            .map_err(|error| QueueError { messages: messages.len(), reason: DisplayErrorContext(error).to_string() })?;
        answer.failed().first().map_or(Ok(()), |first| {
            let reason = format!("{}: {}", first.code(), first.message().unwrap_or_default());
            Err(QueueError { messages: answer.failed().len(), reason })
        })
    }
}

impl Queue for SqsQueue {
    fn visibility_timeout(&self) -> Duration {
        self.visibility_timeout
    }

    async fn hide(&self, messages: &[Hidden]) -> Result<(), QueueError> {
        let mut outcome = Ok(());
        for some in messages.chunks(MAX_ENTRIES) {
            // What is refused of one part keeps no other from being hidden.
            outcome = outcome.and(self.hide_some(some).await);
        }
        outcome
    }
}

/// An entry; its id tells it from the others of the batch.
#[expect(clippy::expect_used, reason = "only an entry without id or receipt handle cannot be built")]
fn entry(index: usize, message: &Hidden) -> Entry {
    let seconds = i32::try_from(message.time.as_secs()).unwrap_or(i32::MAX);
    let entry = Entry::builder().id(index.to_string()).receipt_handle(&message.receipt).visibility_timeout(seconds);
    entry.build().expect("id and receipt handle are set")
}

fn describe(input: &Input) -> Description {
    let Some(change) = input.downcast_ref::<ChangeMessageVisibilityBatchInput>() else { return Description::default() };
    let url = change.queue_url().unwrap_or_default();
    vec![
        KeyValue::new(attribute::MESSAGING_SYSTEM, MESSAGING_SYSTEM),
        KeyValue::new(attribute::MESSAGING_DESTINATION_NAME, url.rsplit('/').next().unwrap_or_default().to_owned()),
        KeyValue::new(
            attribute::MESSAGING_BATCH_MESSAGE_COUNT,
            i64::try_from(change.entries().len()).unwrap_or(i64::MAX),
        ),
        KeyValue::new(attribute::AWS_SQS_QUEUE_URL, url.to_owned()),
    ]
    .into()
}
