//! Whether a service of AWS may leave messages in a queue. The local AWS does not ask that of the services that are
//! played here.

use anyhow::Context;
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesError;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::Value;

use crate::aws::Clients;

/// Whether the queue is there and its policy admits the service, such as `sns.amazonaws.com`.
pub(crate) async fn may_send(clients: &Clients, queue_url: &str, service: &str) -> anyhow::Result<bool> {
    let ask = clients.sqs.get_queue_attributes().queue_url(queue_url);
    let answer = match ask.attribute_names(QueueAttributeName::Policy).send().await {
        Ok(answer) => answer,
        Err(error) if error.as_service_error().is_some_and(GetQueueAttributesError::is_queue_does_not_exist) => {
            return Ok(false);
        }
        Err(error) => return Err(error).context("asking for a queue's policy"),
    };
    let policy = answer.attributes().and_then(|attributes| attributes.get(&QueueAttributeName::Policy));
    Ok(policy.is_some_and(|policy| admits(policy, service)))
}

fn admits(policy: &str, service: &str) -> bool {
    let policy: Value = serde_json::from_str(policy).unwrap_or_default();
    let mut statements = policy["Statement"].as_array().into_iter().flatten();
    statements.any(|statement| statement["Effect"] == "Allow" && statement["Principal"]["Service"] == service)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_admits_whom_it_names() {
        let policy = |effect: &str| {
            json!({"Statement": [{"Effect": effect, "Principal": {"Service": "sns.amazonaws.com"}}]}).to_string()
        };
        assert!(admits(&policy("Allow"), "sns.amazonaws.com"));
        assert!(!admits(&policy("Allow"), "events.amazonaws.com"));
        assert!(!admits(&policy("Deny"), "sns.amazonaws.com"));
        assert!(!admits("", "sns.amazonaws.com"));
    }
}
