//! The AWS command line, as far as the runbook uses it.

/// What can be called, with the options that it takes of those that the runbook uses
/// (<https://docs.aws.amazon.com/cli/latest/reference/>).
const CALLS: &[(&str, &[&str])] = &[
    ("cloudwatch describe-alarms", &["state-value", "alarm-name-prefix", "alarm-names", "alarm-types"]),
    ("cloudwatch describe-alarm-history", &["alarm-name", "history-item-type", "max-records"]),
    ("cloudwatch put-metric-data", &["namespace", "metric-name", "dimensions", "value"]),
    ("events describe-rule", &["name"]),
    ("events enable-rule", &["name"]),
    ("events list-targets-by-rule", &["rule"]),
    ("kms describe-key", &["key-id"]),
    ("lambda get-account-settings", &[]),
    ("lambda get-function-concurrency", &["function-name"]),
    ("lambda get-function-event-invoke-config", &["function-name"]),
    ("lambda get-policy", &["function-name"]),
    ("lambda invoke", &["invocation-type", "function-name", "payload"]),
    ("lambda list-event-source-mappings", &["function-name"]),
    ("lambda update-event-source-mapping", &["uuid", "enabled"]),
    ("s3 cp", &[]),
    ("s3api head-object", &["bucket", "key"]),
    ("sns list-subscriptions-by-topic", &["topic-arn"]),
    ("sqs delete-message", &["queue-url", "receipt-handle"]),
    ("sqs get-queue-attributes", &["queue-url", "attribute-names"]),
    ("sqs purge-queue", &["queue-url"]),
    ("sqs receive-message", &["queue-url", "max-number-of-messages", "message-attribute-names"]),
    ("sqs start-message-move-task", &["source-arn"]),
    ("ssm get-parameter", &["name", "with-decryption"]),
    ("ssm put-parameter", &["overwrite", "type", "key-id", "name", "value"]),
];

/// What every call takes.
const OF_ALL: [&str; 4] = ["query", "output", "region", "cli-binary-format"];

/// The calls within a line of shell.
pub(super) fn calls(line: &str) -> impl Iterator<Item = String> {
    let begins = |at: usize| at == 0 || line[..at].ends_with("$(") || line[..at].ends_with("| ");
    let from = line.match_indices("aws ").filter(move |(at, _)| begins(*at));
    from.map(|(at, _)| line[at..].split([')', '|', ';']).next().unwrap_or_default().to_owned())
}

/// Everybody on the machine can list the arguments of a program: a secret comes by its standard input.
pub(super) fn shows_secret(line: &str) -> bool {
    let puts = line.contains("aws ssm put-parameter") && !line.contains("--value file:///dev/stdin");
    puts || line.contains("$(aws ssm get-parameter")
}

pub(super) fn fault(call: &str) -> Option<String> {
    let words: Vec<_> = call.split_whitespace().skip(1).collect();
    let name = words.iter().take(2).copied().collect::<Vec<_>>().join(" ");
    let Some((_, known)) = CALLS.iter().find(|(known, _)| *known == name) else {
        return Some(format!("nothing is known of aws {name}"));
    };
    let mut options = words.iter().filter_map(|word| word.strip_prefix("--"));
    let unknown = options.find(|option| !known.contains(option) && !OF_ALL.contains(option))?;
    Some(format!("aws {name} takes no --{unknown}"))
}
