//! The customer key: one key encrypts everything the stack stores.
//!
//! AWS services that act on their own, not for one of our roles, are named in the key's policy, each confined to what
//! belongs to this stack. The roles' own use of the key stands in their policies (`functions`).

use domain::contract::Service;
use serde_json::json;

use crate::messaging::{RANKER_FAILURES_QUEUE, TOPIC};
use crate::policy::{Statement, account_administers, allow, document};
use crate::program::{ACCOUNT_ID, REGION, Stack};
use crate::resource::{Handle, Key, KeyAlias};

/// The longest that AWS offers: time to notice that a key is to be deleted, since with it goes all that it encrypted
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html>).
const DELETION_WINDOW_DAYS: u32 = 30;

/// What a service needs to put a message into an encrypted queue or topic
/// (<https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html>).
const SEND: &[&str] = &["kms:Decrypt", "kms:GenerateDataKey"];

/// Within a key's policy, the key itself.
const THIS_KEY: &str = "*";

pub(crate) fn add(stack: &mut Stack) -> Handle<Key> {
    let statements = [
        account_administers("kms:*"),
        topic_sends_to_queues(stack),
        alarms_reach_their_topic(stack),
        schedule_leaves_failed_events(stack),
        logs_are_encrypted(stack),
    ];
    let key = stack.resources.add::<Key>(
        "key",
        json!({
            "description": format!("Encrypts what {} stores", stack.name("*")),
            "enableKeyRotation": true,
            "deletionWindowInDays": DELETION_WINDOW_DAYS,
            "policy": document(statements),
        }),
    );
    let alias = json!({"name": format!("alias/{}", stack.name("key")), "targetKeyId": key.key_id()});
    stack.resources.add::<KeyAlias>("keyAlias", alias);
    key
}

fn topic_sends_to_queues(stack: &Stack) -> Statement {
    allow("TopicSendsToQueues")
        .service("sns.amazonaws.com")
        .actions(SEND, THIS_KEY)
        .when("StringEquals", "aws:SourceAccount", ACCOUNT_ID)
        .when("ArnLike", "aws:SourceArn", Stack::arn("sns", &stack.name(TOPIC)))
}

/// Without it an alarm goes off and nobody is told.
fn alarms_reach_their_topic(stack: &Stack) -> Statement {
    allow("AlarmsReachTheirTopic")
        .service("cloudwatch.amazonaws.com")
        .actions(SEND, THIS_KEY)
        .when("StringEquals", "aws:SourceAccount", ACCOUNT_ID)
        .when("ArnLike", "aws:SourceArn", Stack::arn("cloudwatch", &format!("alarm:{}", stack.name("*"))))
}

/// EventBridge does not tell KMS on whose behalf it acts: with a condition on `aws:SourceAccount` or `aws:SourceArn`
/// its events would be lost without a word (AWS says so of topics on the page above). SQS tells which queue the key is
/// used for, and that queue's policy admits this stack's rule alone.
fn schedule_leaves_failed_events(stack: &Stack) -> Statement {
    let queue = Stack::arn("sqs", &stack.name(RANKER_FAILURES_QUEUE));
    allow("ScheduleLeavesFailedEvents").service("events.amazonaws.com").actions(SEND, THIS_KEY).when(
        "ArnLike",
        "kms:EncryptionContext:aws:sqs:arn",
        queue,
    )
}

/// The actions of <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html>, one by one.
fn logs_are_encrypted(stack: &Stack) -> Statement {
    const ACTIONS: &[&str] = &[
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ];
    let group = |service: Service| format!("log-group:/aws/lambda/{}", stack.name(service.name()));
    let groups = Service::ALL.map(|service| Stack::arn("logs", &group(service)));
    allow("LogsAreEncrypted").service(&format!("logs.{REGION}.amazonaws.com")).actions(ACTIONS, THIS_KEY).when(
        "ArnLike",
        "kms:EncryptionContext:aws:logs:arn",
        groups,
    )
}
