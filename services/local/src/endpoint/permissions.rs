//! What the commands ask of AWS, and the permissions for it.

use std::fmt::Write;

/// An AWS call of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as AWS names them")]
pub enum Action {
    GetQueueUrl,
    ListQueues,
    GetQueueAttributes,
    ReceiveMessage,
    ChangeMessageVisibility,
    FilterLogEvents,
    SendMessage,
    DeleteMessage,
    InvokeFunction,
    GetFunctionConfiguration,
    ListBucket,
}

/// When a permission is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needed {
    ToLook,
    ToRedrive,
}

/// What `cargo local explain` asks, and of what.
const EXPLAIN: [(Action, &str); 8] = [
    (Action::FilterLogEvents, "both functions' log groups, and aws/spans for the spans"),
    (Action::GetFunctionConfiguration, "the enricher, for the bucket's name and where traces go"),
    (Action::ListBucket, "the movies' bucket"),
    (Action::GetQueueUrl, "the four queues"),
    (Action::GetQueueAttributes, "the four queues"),
    (Action::ReceiveMessage, "the three failure queues"),
    (Action::ChangeMessageVisibility, "the three failure queues"),
    (Action::ListQueues, "all queues, to name the stacks there are when one is not found"),
];

impl Action {
    /// Those of the dead-letter commands, in the order they are needed.
    pub const ALL: [Self; 9] = [
        Self::GetQueueUrl,
        Self::ListQueues,
        Self::GetQueueAttributes,
        Self::ReceiveMessage,
        Self::ChangeMessageVisibility,
        Self::FilterLogEvents,
        Self::SendMessage,
        Self::DeleteMessage,
        Self::InvokeFunction,
    ];

    /// The IAM action that allows it
    /// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsqs.html>).
    #[must_use]
    pub const fn permission(self) -> &'static str {
        match self {
            Self::GetQueueUrl => "sqs:GetQueueUrl",
            Self::ListQueues => "sqs:ListQueues",
            Self::GetQueueAttributes => "sqs:GetQueueAttributes",
            Self::ReceiveMessage => "sqs:ReceiveMessage",
            Self::ChangeMessageVisibility => "sqs:ChangeMessageVisibility",
            Self::FilterLogEvents => "logs:FilterLogEvents",
            Self::SendMessage => "sqs:SendMessage",
            Self::DeleteMessage => "sqs:DeleteMessage",
            Self::InvokeFunction => "lambda:InvokeFunction",
            Self::GetFunctionConfiguration => "lambda:GetFunctionConfiguration",
            Self::ListBucket => "s3:ListBucket",
        }
    }

    /// What it needs on the stack's KMS key, which encrypts every queue
    /// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html>) and the
    /// functions' environment (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html>).
    #[must_use]
    pub const fn key_permissions(self) -> &'static [&'static str] {
        match self {
            Self::ReceiveMessage | Self::GetFunctionConfiguration => &["kms:Decrypt"],
            Self::SendMessage => &["kms:GenerateDataKey", "kms:Decrypt"],
            _ => &[],
        }
    }

    const fn on(self) -> &'static str {
        match self {
            Self::ListQueues => "all queues, to name the stacks there are when one is not found",
            Self::GetQueueUrl | Self::GetQueueAttributes => "the four queues",
            Self::ReceiveMessage | Self::ChangeMessageVisibility | Self::DeleteMessage => "the three failure queues",
            Self::FilterLogEvents => "both functions' log groups",
            Self::SendMessage => "the movies queue",
            Self::InvokeFunction => "the ranker",
            Self::GetFunctionConfiguration => "the enricher",
            Self::ListBucket => "the movies' bucket",
        }
    }

    const fn needed(self) -> Needed {
        match self {
            Self::SendMessage | Self::DeleteMessage | Self::InvokeFunction => Needed::ToRedrive,
            _ => Needed::ToLook,
        }
    }
}

/// The permissions of the dead-letter commands, for their help.
pub(crate) fn help() -> String {
    let mut help = "On AWS these permissions are needed:\n".to_owned();
    for (needed, title) in [(Needed::ToLook, "to list and inspect"), (Needed::ToRedrive, "to redrive, besides")] {
        // Writing to a String cannot fail.
        let _ = writeln!(help, "  {title}:");
        for action in Action::ALL.into_iter().filter(|action| action.needed() == needed) {
            write_permission(&mut help, action, action.on());
        }
    }
    help
}

/// The permissions of `cargo local explain`, for its help.
pub(crate) fn explain_help() -> String {
    let mut help = "On AWS these permissions are needed; it changes nothing:\n".to_owned();
    for (action, on) in EXPLAIN {
        write_permission(&mut help, action, on);
    }
    help
}

fn write_permission(help: &mut String, action: Action, on: &str) {
    // Writing to a String cannot fail.
    let _ = writeln!(help, "    {:<33} {on}", action.permission());
    for key in action.key_permissions() {
        let _ = writeln!(help, "    {key:<33} the stack's KMS key");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_permission() {
        let help = help();
        for action in Action::ALL {
            assert!(help.contains(action.permission()), "{help}");
            assert!(action.key_permissions().iter().all(|key| help.contains(key)), "{help}");
        }
    }
}
