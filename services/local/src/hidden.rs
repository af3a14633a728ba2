//! Movies that the enricher has hidden until the next day or until somebody mends the key: nobody here waits for that.

use std::future::Future;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_sqs::error::ProvideErrorMetadata;

use crate::pipeline::Pipeline;
use crate::recorder::{AwsRequest, Call};

/// Between two looks for what was hidden.
const PAUSE: Duration = Duration::from_millis(200);

impl Pipeline {
    /// The receipt handles of all that the enricher has hidden so far, with the time that each was hidden for.
    ///
    /// # Errors
    /// The functions' calls are not recorded.
    pub fn hidden(&self) -> anyhow::Result<Vec<(String, Duration)>> {
        let calls = self.recorder().context("the functions' calls are not recorded")?.calls();
        let hidden = calls.into_iter().filter(|call| call.status == 200).filter_map(|call| match call {
            Call { request: AwsRequest::ChangeMessageVisibilityBatch { messages, .. }, .. } => Some(messages),
            _ => None,
        });
        Ok(hidden.flatten().collect())
    }

    /// Makes what the enricher has hidden visible again, as if the time had come. How many there were; what has been
    /// received again or deleted since is none.
    ///
    /// # Errors
    /// The functions' calls are not recorded, or the local AWS refuses.
    pub async fn show_hidden(&self) -> anyhow::Result<usize> {
        let mut shown = 0;
        for (receipt, _) in self.hidden()? {
            let show = self.clients().sqs.change_message_visibility().queue_url(&self.deployment().queue_url);
            match show.receipt_handle(receipt).visibility_timeout(0).send().await {
                Ok(_) => shown += 1,
                Err(error) if error.code() == Some("ReceiptHandleIsInvalid") => {}
                Err(error) => return Err(error).context("making a hidden movie visible"),
            }
        }
        Ok(shown)
    }

    /// Does something while whatever the enricher hides is made visible at once.
    ///
    /// # Errors
    /// Those of the work, and of [`show_hidden`](Self::show_hidden).
    pub async fn showing_hidden<T>(&self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        let showing = async {
            loop {
                self.show_hidden().await?;
                tokio::time::sleep(PAUSE).await;
            }
        };
        let work = Box::pin(work);
        tokio::select! {
            done = work => done,
            failed = showing => failed,
        }
    }
}
