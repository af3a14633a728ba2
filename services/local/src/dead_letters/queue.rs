//! Reading a queue to its end without taking anything away.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_sqs::operation::get_queue_url::GetQueueUrlError;
use aws_sdk_sqs::types::{ChangeMessageVisibilityBatchRequestEntry, MessageSystemAttributeName};
use domain::contract::PROJECT;

use super::letter::{FailureQueue, Letter};
use crate::depth::Depth;
use crate::endpoint::{Action, Endpoint, EndpointFault};

/// How long a message that is being looked at stays out of everybody else's sight, if it is not put back before: long
/// enough to read some thousand, short enough to wait for after a crash.
pub(super) const HOLD: Duration = Duration::from_mins(2);

/// The most messages of one call
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>).
const MAX_MESSAGES: usize = 10;

/// With any wait at all SQS asks all of its servers, so that no answer means an empty queue
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-short-and-long-polling.html>).
const WAIT_SECONDS: i32 = 1;

/// One of the failure queues.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) queue: FailureQueue,
    pub(super) name: &'a str,
    pub(super) url: &'a str,
}

impl Source<'_> {
    /// Every message that is in sight, held for [`HOLD`] from its receipt.
    pub(super) async fn receive_all(&self) -> Result<Vec<Letter>, EndpointFault> {
        let mut letters = BTreeMap::<String, Letter>::new();
        loop {
            let received = self.receive().await?;
            let known = letters.len();
            // A message that comes a second time has been held too long; its last receipt is the valid one.
            letters.extend(received.into_iter().map(|letter| (letter.id.clone(), letter)));
            if letters.len() == known {
                return Ok(letters.into_values().collect());
            }
        }
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "10 and 120")]
    async fn receive(&self) -> Result<Vec<Letter>, EndpointFault> {
        let receive = self.endpoint.clients().sqs.receive_message().queue_url(self.url);
        let receive = receive
            .max_number_of_messages(MAX_MESSAGES as i32)
            .visibility_timeout(HOLD.as_secs() as i32)
            .wait_time_seconds(WAIT_SECONDS)
            .message_system_attribute_names(MessageSystemAttributeName::All)
            .message_attribute_names("All");
        let received = receive.send().await.map_err(self.endpoint.refusal(Action::ReceiveMessage, self.name))?;
        let messages = received.messages.unwrap_or_default();
        Ok(messages.into_iter().map(|message| Letter::read(self.queue, message)).collect())
    }

    /// Lets everybody see these messages again. One that cannot be put back comes back by itself.
    pub(super) async fn put_back<'l>(
        &self,
        letters: impl IntoIterator<Item = &'l Letter>,
    ) -> Result<(), EndpointFault> {
        let receipts: Vec<_> = letters.into_iter().map(|letter| letter.receipt.as_str()).collect();
        for batch in receipts.chunks(MAX_MESSAGES) {
            let entries = batch.iter().enumerate().map(|(index, receipt)| into_sight(index, receipt)).collect();
            let change = self.endpoint.clients().sqs.change_message_visibility_batch().queue_url(self.url);
            let change = change.set_entries(Some(entries)).send().await;
            change.map_err(self.endpoint.refusal(Action::ChangeMessageVisibility, self.name))?;
        }
        Ok(())
    }

    /// How many messages somebody else holds right now, about.
    pub(super) async fn out_of_sight(&self) -> Result<usize, EndpointFault> {
        let depth = Depth::of(&self.endpoint.clients().sqs, self.url).await;
        Ok(depth.map_err(self.endpoint.refusal(Action::GetQueueAttributes, self.name))?.hidden)
    }

    pub(super) async fn delete(&self, letter: &Letter) -> Result<(), EndpointFault> {
        let delete = self.endpoint.clients().sqs.delete_message().queue_url(self.url).receipt_handle(&letter.receipt);
        delete.send().await.map_err(self.endpoint.refusal(Action::DeleteMessage, self.name))?;
        Ok(())
    }
}

#[expect(clippy::expect_used, reason = "an entry can be built once it has an id and a receipt")]
fn into_sight(index: usize, receipt: &str) -> ChangeMessageVisibilityBatchRequestEntry {
    let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(index.to_string());
    entry.receipt_handle(receipt).visibility_timeout(0).build().expect("it has an id and a receipt")
}

/// The URL of a queue of the endpoint's stack. Without such a queue, the stacks that there are are named.
pub(super) async fn url(endpoint: &Endpoint, name: &str) -> Result<String, EndpointFault> {
    match endpoint.clients().sqs.get_queue_url().queue_name(name).send().await {
        Ok(answer) => Ok(answer.queue_url.unwrap_or_default()),
        Err(error) if error.as_service_error().is_some_and(GetQueueUrlError::is_queue_does_not_exist) => {
            Err(EndpointFault::NoSuchStack {
                queue: name.to_owned(),
                stack: endpoint.names().stack.clone(),
                place: endpoint.place().to_owned(),
                existing: existing(endpoint).await,
            })
        }
        Err(error) => Err(endpoint.refusal(Action::GetQueueUrl, name)(error)),
    }
}

/// Which stacks there are, in a sentence.
async fn existing(endpoint: &Endpoint) -> String {
    let list = endpoint.clients().sqs.list_queues().queue_name_prefix(PROJECT).max_results(1000);
    let mut pages = list.into_paginator().send();
    let mut stacks = Vec::new();
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => {
                let names = page.queue_urls().iter().filter_map(|url| url.rsplit('/').next());
                stacks.extend(names.filter_map(|name| endpoint.names().stack_of(name)));
            }
            Err(error) => {
                let fault = endpoint.refusal(Action::ListQueues, "all queues")(error);
                return format!("which there are cannot be told: {fault}");
            }
        }
    }
    if stacks.is_empty() {
        "there is none of this project here: is it the right account and region?".to_owned()
    } else {
        format!("there are: {}", stacks.join(", "))
    }
}
