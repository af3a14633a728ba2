//! What AWS's services do by themselves once the stack stands: derived from what refers to what, not from names.

use serde_json::Value;

use super::evaluation::Request;
use super::view::{Seen, View, document, permission, statements_of};

/// Something that a service does on behalf of a resource.
pub(super) struct Delivery<'a> {
    pub(super) service: String,
    /// The ARN of what it acts for.
    source: String,
    /// What it delivers to.
    pub(super) target: Seen<'a>,
    /// The ARN of the same.
    resource: String,
}

/// What the use of a key takes to put a message into an encrypted queue or topic
/// (<https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html>,
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html>).
const SEND: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey"];

/// What it takes to keep a log: `Encrypt*`, `Decrypt*`, `ReEncrypt*`, `GenerateDataKey*`, `Describe*`, one by one
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html>).
const KEEP_LOGS: &[&str] = &[
    "kms:Encrypt",
    "kms:Decrypt",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:DescribeKey",
];

/// Where X-Ray keeps spans
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search-Cloudformation.html>).
const SPAN_GROUPS: [&str; 2] = ["aws/spans", "/aws/application-signals/data"];

/// All of them. S3 is none: it encrypts on behalf of whoever puts an object, whose role it asks
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>).
pub(super) fn deliveries<'a>(view: &View<'a>) -> Vec<Delivery<'a>> {
    view.all().flat_map(|sender| deliveries_of(view, sender)).collect()
}

/// Those that one resource sets off.
pub(super) fn deliveries_of<'a>(view: &View<'a>, sender: Seen<'a>) -> Vec<Delivery<'a>> {
    let properties = sender.properties;
    let itself = Some(sender);
    match sender.kind {
        "aws:sns:TopicSubscription" => {
            let dead_letters = &document(&properties["redrivePolicy"])["deadLetterTargetArn"];
            let targets = [&properties["endpoint"], dead_letters];
            to(view, "sns.amazonaws.com", view.referred(&properties["topic"]), targets)
        }
        "aws:cloudwatch:EventTarget" => {
            let targets = [&properties["arn"], &properties["deadLetterConfig"]["arn"]];
            to(view, "events.amazonaws.com", view.referred(&properties["rule"]), targets)
        }
        "aws:cloudwatch:MetricAlarm" | "aws:cloudwatch:CompositeAlarm" => {
            let actions = ["alarmActions", "okActions", "insufficientDataActions"];
            let targets = actions.iter().filter_map(|actions| properties[*actions].as_array()).flatten();
            to(view, "cloudwatch.amazonaws.com", itself, targets)
        }
        "aws:lambda:Function" => to(view, "lambda.amazonaws.com", itself, [&properties["role"]]),
        "aws:cloudwatch:LogGroup" => vec![log_keeping(view, sender)],
        "aws:xray:TraceSegmentDestination" => SPAN_GROUPS.map(|group| span_keeping(sender, group)).into(),
        _ => Vec::new(),
    }
}

/// Deliveries to those targets that are resources of the program. An e-mail address is none.
fn to<'a, 'v>(
    view: &View<'a>,
    service: &str,
    source: Option<Seen<'a>>,
    targets: impl IntoIterator<Item = &'v Value>,
) -> Vec<Delivery<'a>> {
    let source = source.and_then(|source| view.arn_of(source)).unwrap_or_default();
    let targets = targets.into_iter().filter_map(|target| view.referred(target));
    let delivery = |target| {
        let resource = view.arn_of(target)?;
        Some(Delivery { service: service.to_owned(), source: source.clone(), target, resource })
    };
    targets.filter_map(delivery).collect()
}

/// Logs serves each region under a name of its own there.
fn log_keeping<'a>(view: &View<'a>, group: Seen<'a>) -> Delivery<'a> {
    let resource = view.arn_of(group).unwrap_or_default();
    Delivery { service: "logs.${region}.amazonaws.com".to_owned(), source: resource.clone(), target: group, resource }
}

fn span_keeping<'a>(destination: Seen<'a>, group: &str) -> Delivery<'a> {
    let resource = format!("arn:${{partition}}:logs:${{region}}:${{accountId}}:log-group:{group}:log-stream:default");
    let source = "arn:${partition}:xray:${region}:${accountId}:group/default".to_owned();
    Delivery { service: "xray.amazonaws.com".to_owned(), source, target: destination, resource }
}

impl<'a> Delivery<'a> {
    /// What the service asks of the policy of its target, and that policy; none where there is no policy to ask.
    pub(super) fn entry(&self, view: &View<'a>) -> Option<(Request, Vec<Value>)> {
        let target = self.target;
        let policies = |kind, owner| {
            let policies = view.referring(kind, owner, target);
            policies.into_iter().flat_map(|policy| statements_of(policy).into_iter().cloned()).collect()
        };
        let (action, statements) = match target.kind {
            "aws:sqs:Queue" => ("sqs:SendMessage", policies("aws:sqs:QueuePolicy", "queueUrl")),
            "aws:sns:Topic" => ("sns:Publish", policies("aws:sns:TopicPolicy", "arn")),
            "aws:iam:Role" => ("sts:AssumeRole", statements_of(target).into_iter().cloned().collect()),
            "aws:lambda:Function" => {
                let permissions = view.referring("aws:lambda:Permission", "function", target);
                ("lambda:InvokeFunction", permissions.into_iter().map(permission).collect())
            }
            "aws:xray:TraceSegmentDestination" => {
                let policies = view.of_kind("aws:cloudwatch:LogResourcePolicy");
                ("logs:PutLogEvents", policies.flat_map(|policy| statements_of(policy).into_iter().cloned()).collect())
            }
            _ => return None,
        };
        // Lambda tells nothing to the role it takes on.
        let context = if action == "sts:AssumeRole" { Vec::new() } else { self.source_context() };
        Some((self.request(action, &self.resource, context), statements))
    }

    /// The key of its target, and what the service asks of the key's policy.
    pub(super) fn key_use(&self, view: &View<'a>) -> Option<(Seen<'a>, Vec<Request>)> {
        let properties = self.target.properties;
        let (key, actions, encrypted) = match self.target.kind {
            "aws:sqs:Queue" => (&properties["kmsMasterKeyId"], SEND, "kms:EncryptionContext:aws:sqs:arn"),
            "aws:sns:Topic" => (&properties["kmsMasterKeyId"], SEND, "kms:EncryptionContext:aws:sns:topicArn"),
            "aws:cloudwatch:LogGroup" => (&properties["kmsKeyId"], KEEP_LOGS, "kms:EncryptionContext:aws:logs:arn"),
            _ => return None,
        };
        let key = view.referred_of_kind(key, "aws:kms:Key")?;
        let mut context = if self.tells_key() { self.source_context() } else { Vec::new() };
        context.push((encrypted, self.resource.clone()));
        let key_arn = format!("${{{}.arn}}", key.name);
        Some((key, actions.iter().map(|action| self.request(action, &key_arn, context.clone())).collect()))
    }

    /// EventBridge and Logs do not tell KMS on whose behalf they act, see the first page of [`SEND`] and that of
    /// [`KEEP_LOGS`]: a condition on it would shut them out.
    fn tells_key(&self) -> bool {
        self.service != "events.amazonaws.com" && self.target.kind != "aws:cloudwatch:LogGroup"
    }

    fn source_context(&self) -> Vec<(&'static str, String)> {
        vec![("aws:SourceArn", self.source.clone()), ("aws:SourceAccount", "${accountId}".to_owned())]
    }

    fn request(&self, action: &'static str, resource: &str, mut context: Vec<(&'static str, String)>) -> Request {
        context.push(("aws:SecureTransport", "true".to_owned()));
        Request { service: Some(self.service.clone()), action, resource: resource.to_owned(), context }
    }

    /// For messages: who wants to reach what.
    pub(super) fn told(&self) -> String {
        format!("{} for {} to {}", self.service, self.source, self.target.name)
    }
}
