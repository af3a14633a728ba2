//! The SNS topic.

use aws_config::SdkConfig;
use aws_sdk_sns::error::DisplayErrorContext;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use domain::message::TRACEPARENT_ATTRIBUTE;

/// The most entries of one batch (<https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>).
pub const MAX_BATCH_ENTRIES: usize = 10;

/// One message, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The message's place in its run, which tells it apart from the others.
    pub position: usize,
    /// The message as JSON.
    pub body: String,
    /// The W3C trace context of the span that sends it.
    pub traceparent: Option<String>,
}

/// An entry that the topic did not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Which one.
    pub position: usize,
    /// Why, in the topic's words.
    pub reason: String,
    /// Whether sending the same again can help.
    pub worth_retrying: bool,
}

/// Something that messages can be published to.
pub trait Topic: Sync {
    /// Publishes one batch of at most [`MAX_BATCH_ENTRIES`] and says which entries were not taken.
    fn publish(&self, batch: &[Outgoing]) -> impl Future<Output = Vec<Refused>> + Send;
}

/// The topic in SNS.
#[derive(Debug, Clone)]
pub struct SnsTopic {
    sns: aws_sdk_sns::Client,
    arn: String,
}

impl SnsTopic {
    /// A client of this topic.
    #[must_use]
    pub fn new(aws: &SdkConfig, arn: &str) -> Self {
        Self { sns: aws_sdk_sns::Client::new(aws), arn: arn.to_owned() }
    }
}

impl Topic for SnsTopic {
    async fn publish(&self, batch: &[Outgoing]) -> Vec<Refused> {
        let entries = batch.iter().map(entry).collect();
        let answer = self.sns.publish_batch().topic_arn(&self.arn).set_publish_batch_request_entries(Some(entries));
        let accepted = match answer.send().await {
            Ok(answer) => answer,
            Err(error) => {
                // The SDK has tried this call three times by now, so it failed for good.
                let reason = DisplayErrorContext(error).to_string();
                return refuse_all(batch, &reason, false);
            }
        };
        let refused = accepted.failed().iter().map(|failed| Refused {
            // An id that we did not send would be SNS's fault; position 0 then shows in the error.
            position: failed.id().parse().unwrap_or(0),
            reason: format!("{}: {}", failed.code(), failed.message().unwrap_or("no message")),
            worth_retrying: !failed.sender_fault(),
        });
        refused.collect()
    }
}

fn refuse_all(batch: &[Outgoing], reason: &str, worth_retrying: bool) -> Vec<Refused> {
    batch.iter().map(|entry| Refused { position: entry.position, reason: reason.to_owned(), worth_retrying }).collect()
}

#[expect(clippy::expect_used, reason = "both builders are given every field they require")]
fn entry(outgoing: &Outgoing) -> PublishBatchRequestEntry {
    let mut entry = PublishBatchRequestEntry::builder().id(outgoing.position.to_string()).message(&outgoing.body);
    if let Some(traceparent) = &outgoing.traceparent {
        let value = MessageAttributeValue::builder().data_type("String").string_value(traceparent);
        entry = entry.message_attributes(TRACEPARENT_ATTRIBUTE, value.build().expect("the data type is set"));
    }
    entry.build().expect("the id is set")
}
