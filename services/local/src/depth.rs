//! How much lies in a queue.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesError;
use aws_sdk_sqs::types::QueueAttributeName::{
    ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesNotVisible as Hidden,
};

/// The messages of a queue, about
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Depth {
    /// Those that can be received.
    pub(crate) visible: usize,
    /// Those that somebody has received and not deleted.
    pub(crate) hidden: usize,
}

impl Depth {
    /// Asks the queue of this URL. A number that the answer lacks counts as none.
    pub(crate) async fn of(sqs: &Client, queue_url: &str) -> Result<Self, SdkError<GetQueueAttributesError>> {
        let ask = sqs.get_queue_attributes().queue_url(queue_url);
        let answer = ask.attribute_names(Visible).attribute_names(Hidden).send().await?;
        let number = |name| answer.attributes().and_then(|all| all.get(&name)?.parse().ok()).unwrap_or_default();
        Ok(Self { visible: number(Visible), hidden: number(Hidden) })
    }

    pub(crate) const fn total(self) -> usize {
        self.visible + self.hidden
    }
}
