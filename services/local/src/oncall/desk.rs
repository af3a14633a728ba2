//! Where notifications arrive: a queue that is subscribed to the stack's alarm topic.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use alarms::{Alarm, Resource};
use anyhow::{Context, bail};
use aws_sdk_sqs::types::QueueAttributeName;
use serde::Deserialize;
use serde_json::{Value, json};

use super::notification::notification;
use super::watch::{Change, Watch};
use crate::aws::Clients;
use crate::emulator::{ACCOUNT_ID, REGION};

const QUEUE: &str = "on-call";

/// How long a notification may take from the topic to the queue.
const PATIENCE: Duration = Duration::from_secs(10);

/// Somebody who is subscribed to the alarms of a stack.
#[derive(Debug)]
pub(crate) struct Desk {
    clients: Clients,
    queue_url: String,
    /// Rules of the composite alarms, by name.
    rules: BTreeMap<String, String>,
}

/// A notification as the subscriber received it.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) subject: String,
    /// What CloudWatch wrote.
    pub(crate) message: Value,
}

impl Desk {
    /// Subscribes to every topic that one of these alarms tells.
    pub(crate) async fn open(clients: &Clients, declared: &[Resource]) -> anyhow::Result<Self> {
        let created = clients.sqs.create_queue().queue_name(QUEUE).send().await.context("making the desk's queue")?;
        let queue_url = created.queue_url().context("the desk's queue has no URL")?.to_owned();
        let queue_arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{QUEUE}");
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": queue_arn,
        }]});
        let set = clients.sqs.set_queue_attributes().queue_url(&queue_url);
        set.attributes(QueueAttributeName::Policy, policy.to_string()).send().await?;
        for topic in topics(declared) {
            let subscribe = clients.sns.subscribe().topic_arn(&topic).protocol("sqs").endpoint(&queue_arn);
            subscribe.send().await.with_context(|| format!("subscribing to {topic}"))?;
        }
        let rule = |resource: &Resource| {
            let text = |name: &str| resource.properties.get(name)?.as_str().map(str::to_owned);
            text("alarmName").zip(text("alarmRule"))
        };
        Ok(Self { clients: clients.clone(), queue_url, rules: declared.iter().filter_map(rule).collect() })
    }

    /// Takes the actions of a change, if there are any, and gives what the subscriber received of it.
    pub(crate) async fn act(&self, change: &Change, watch: &Watch) -> anyhow::Result<Vec<Received>> {
        let mut received = Vec::new();
        for action in change.event.taken() {
            let alarm = watch.alarm(change.event.alarm()).context("an alarm that nobody declared changed")?;
            let rule = self.rules.get(alarm.name()).context("only composite alarms have actions here")?;
            let Alarm::Composite(composite) = alarm else { bail!("{} is no composite alarm", alarm.name()) };
            let named = composite.rule.alarms();
            let children = change.alarming.iter().filter(|name| named.contains(&name.as_str())).cloned();
            let (subject, message) = notification(change, alarm, rule, &children.collect::<Vec<_>>());
            let publish = self.clients.sns.publish().topic_arn(action).subject(subject);
            publish.message(message.to_string()).send().await.with_context(|| format!("publishing to {action}"))?;
            received.push(self.receive().await?);
        }
        Ok(received)
    }

    async fn receive(&self) -> anyhow::Result<Received> {
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Envelope {
            subject: String,
            message: String,
        }
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            let receive = self.clients.sqs.receive_message().queue_url(&self.queue_url);
            let answer = receive.max_number_of_messages(1).wait_time_seconds(1).send().await?;
            let Some(message) = answer.messages().first() else { continue };
            let handle = message.receipt_handle().context("a message without a receipt handle")?;
            self.clients.sqs.delete_message().queue_url(&self.queue_url).receipt_handle(handle).send().await?;
            let Envelope { subject, message } = serde_json::from_str(message.body().unwrap_or_default())?;
            return Ok(Received { subject, message: serde_json::from_str(&message)? });
        }
        bail!("a notification did not arrive within {} s of being published", PATIENCE.as_secs())
    }
}

/// The topics that are told of anything.
fn topics(declared: &[Resource]) -> Vec<String> {
    let lists = declared.iter().flat_map(|alarm| ["alarmActions", "okActions"].map(|name| &alarm.properties[name]));
    let mut topics: Vec<_> =
        lists.filter_map(Value::as_array).flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    topics.sort();
    topics.dedup();
    topics
}
