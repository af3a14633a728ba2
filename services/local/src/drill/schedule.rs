//! EventBridge's part: it starts the ranker, and if it may not, leaves the event in the target's dead-letter queue. The
//! local AWS fires rules but knows neither permissions nor dead-letter queues of targets.

use anyhow::Context;
use aws_sdk_lambda::error::ProvideErrorMetadata;
use serde_json::Value;

use super::stage::Stage;
use crate::oncall::{delivery, metric};

const SERVICE: &str = "events.amazonaws.com";

impl Stage {
    /// Fires the schedule once.
    pub(super) async fn fire(&self) -> anyhow::Result<()> {
        if self.may_be_started().await? {
            self.count("Invocations");
            return self.pipeline.fire(&self.event).await;
        }
        // A missing permission is not tried again
        // (https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html).
        self.count("FailedInvocations");
        let (clients, queue) = (self.pipeline.clients(), &self.pipeline.deployment().ranker_failures_queue_url);
        if delivery::may_send(clients, queue, SERVICE).await? {
            self.count("InvocationsSentToDlq");
            let send = clients.sqs.send_message().queue_url(queue).message_body(self.event.json().to_string());
            send.send().await.context("leaving the event in the target's dead-letter queue")?;
        } else {
            self.count("InvocationsFailedToBeSentToDlq");
        }
        Ok(())
    }

    /// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html>
    fn count(&self, name: &str) {
        self.gauges.note(metric("AWS/Events", name, "RuleName", &self.pipeline.deployment().schedule_rule), 1.0);
    }

    /// Whether the ranker's policy admits EventBridge.
    async fn may_be_started(&self) -> anyhow::Result<bool> {
        let ranker = &self.pipeline.deployment().ranker_function;
        let policy = match self.pipeline.clients().lambda.get_policy().function_name(ranker).send().await {
            Ok(answer) => answer.policy().unwrap_or_default().to_owned(),
            Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(false),
            Err(error) => return Err(error).context("asking who may start the ranker"),
        };
        let policy: Value = serde_json::from_str(&policy).context("the ranker's policy")?;
        let mut statements = policy["Statement"].as_array().into_iter().flatten();
        Ok(statements.any(|statement| statement["Effect"] == "Allow" && statement["Principal"]["Service"] == SERVICE))
    }

    /// Takes the permission to start the ranker from EventBridge.
    pub(super) async fn forbid_starting(&self) -> anyhow::Result<()> {
        let (lambda, ranker) = (&self.pipeline.clients().lambda, &self.pipeline.deployment().ranker_function);
        let policy =
            lambda.get_policy().function_name(ranker).send().await.context("asking who may start the ranker")?;
        let policy: Value = serde_json::from_str(policy.policy().unwrap_or_default())?;
        for statement in policy["Statement"].as_array().into_iter().flatten() {
            let id = statement["Sid"].as_str().context("a statement without an id")?;
            lambda.remove_permission().function_name(ranker).statement_id(id).send().await?;
        }
        Ok(())
    }
}
