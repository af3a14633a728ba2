//! The SNS topic.

use aws_config::SdkConfig;
use aws_sdk_sns::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_sns::operation::publish_batch::PublishBatchInput;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use domain::message::TRACEPARENT_ATTRIBUTE;
use function::aws_calls::{AwsCalls, Description, Input};
use telemetry::spans::{KeyValue, attribute};

/// The most entries of one batch (<https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>).
pub const MAX_BATCH_ENTRIES: usize = 10;

/// SNS in OpenTelemetry's list of messaging systems
/// (<https://opentelemetry.io/docs/specs/semconv/registry/attributes/messaging/#messaging-system>).
pub const MESSAGING_SYSTEM: &str = "aws.sns";

/// One message, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The message's place in its run, which tells it apart from the others.
    pub position: usize,
    /// The message as JSON.
    pub body: String,
    /// The W3C trace context of its own span.
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
    /// Its name, for spans.
    fn name(&self) -> &str;

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
        let config = aws_sdk_sns::config::Builder::from(aws).interceptor(AwsCalls { describe, expected: &[] });
        Self { sns: aws_sdk_sns::Client::from_conf(config.build()), arn: arn.to_owned() }
    }
}

/// How SNS says that it is asked too often, or KMS behind it
/// (<https://docs.aws.amazon.com/sns/latest/api/CommonErrors.html>,
/// <https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html#API_PublishBatch_Errors>).
const THROTTLING: [&str; 5] = ["Throttled", "Throttling", "ThrottlingException", "RequestThrottled", "KMSThrottling"];

/// The call links to the spans of the messages that it sends.
fn describe(input: &Input) -> Description {
    let Some(publish) = input.downcast_ref::<PublishBatchInput>() else { return Description::default() };
    let arn = publish.topic_arn().unwrap_or_default();
    let entries = publish.publish_batch_request_entries();
    let sender = |entry: &PublishBatchRequestEntry| {
        entry.message_attributes()?.get(TRACEPARENT_ATTRIBUTE)?.string_value().map(str::to_owned)
    };
    Description {
        attributes: vec![
            KeyValue::new(attribute::MESSAGING_SYSTEM, MESSAGING_SYSTEM),
            KeyValue::new(attribute::MESSAGING_OPERATION_TYPE, "send"),
            KeyValue::new(attribute::MESSAGING_OPERATION_NAME, "publish_batch"),
            KeyValue::new(attribute::MESSAGING_DESTINATION_NAME, name_in(arn).to_owned()),
            KeyValue::new(attribute::MESSAGING_BATCH_MESSAGE_COUNT, i64::try_from(entries.len()).unwrap_or(i64::MAX)),
            KeyValue::new(attribute::AWS_SNS_TOPIC_ARN, arn.to_owned()),
        ],
        links: entries.iter().filter_map(sender).collect(),
    }
}

/// The last part of `arn:<partition>:sns:<region>:<account>:<name>`.
fn name_in(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or_default()
}

impl Topic for SnsTopic {
    fn name(&self) -> &str {
        name_in(&self.arn)
    }

    async fn publish(&self, batch: &[Outgoing]) -> Vec<Refused> {
        let entries = batch.iter().map(entry).collect();
        let answer = self.sns.publish_batch().topic_arn(&self.arn).set_publish_batch_request_entries(Some(entries));
        let accepted = match answer.send().await {
            Ok(answer) => answer,
            Err(error) => {
                // What the SDK takes for passing, it has tried three times by now; being throttled may take longer. KMS's
                // throttling, as SNS tells it, the SDK does not take for passing.
                let is_passing = error.code().is_some_and(|code| THROTTLING.contains(&code));
                return refuse_all(batch, &DisplayErrorContext(error).to_string(), is_passing);
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
