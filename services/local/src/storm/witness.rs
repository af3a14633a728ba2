//! Who sees what the topic accepts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use aws_sdk_sqs::types::{DeleteMessageBatchRequestEntry, Message, QueueAttributeName};
use domain::ranking::RankingId;
use domain::{MovieMessage, Run};

use crate::pipeline::Pipeline;

/// A queue of its own on the topic, beside that of the movies: what the topic accepts comes into both.
#[derive(Debug)]
pub(super) struct Witness {
    queue_url: String,
    seen: Mutex<Seen>,
}

/// What came over the topic.
#[derive(Debug, Default)]
struct Seen {
    bodies: Vec<String>,
    rankings: BTreeMap<(Run, RankingId), Ranking>,
}

#[derive(Debug)]
struct Ranking {
    of: usize,
    positions: BTreeSet<usize>,
}

impl Witness {
    /// From now on, everything that the topic accepts is seen.
    pub(super) async fn attach(pipeline: &Pipeline) -> anyhow::Result<Self> {
        const ARN: QueueAttributeName = QueueAttributeName::QueueArn;
        let (sqs, sns) = (&pipeline.clients().sqs, &pipeline.clients().sns);
        let created = sqs.create_queue().queue_name("witness").send().await.context("creating the witness' queue")?;
        let queue_url = created.queue_url.context("the witness' queue has no URL")?;
        let asked = sqs.get_queue_attributes().queue_url(&queue_url).attribute_names(ARN).send().await?;
        let arn = asked.attributes().and_then(|attributes| attributes.get(&ARN)).context("a queue without ARN")?;
        let subscribe = sns.subscribe().topic_arn(&pipeline.deployment().topic_arn).protocol("sqs").endpoint(arn);
        subscribe.attributes("RawMessageDelivery", "true").send().await.context("subscribing the witness")?;
        Ok(Self { queue_url, seen: Mutex::default() })
    }

    /// Takes what has come since the last time; gives how many messages that were.
    pub(super) async fn look(&self, pipeline: &Pipeline) -> anyhow::Result<usize> {
        let sqs = &pipeline.clients().sqs;
        let mut new = 0;
        loop {
            let receive = sqs.receive_message().queue_url(&self.queue_url).max_number_of_messages(10);
            let messages = receive.send().await.context("asking the witness")?.messages.unwrap_or_default();
            if messages.is_empty() {
                return Ok(new);
            }
            let entries = messages.iter().enumerate().map(|(index, message)| entry(index, message));
            let entries = entries.collect::<Result<_, _>>()?;
            let delete = sqs.delete_message_batch().queue_url(&self.queue_url).set_entries(Some(entries));
            delete.send().await.context("taking what the witness has seen")?;
            new += messages.len();
            let mut seen = self.seen();
            messages.into_iter().filter_map(|message| message.body).for_each(|body| seen.note(body));
        }
    }

    /// Everything seen, in the order in which it was looked at.
    pub(super) fn bodies(&self) -> Vec<String> {
        self.seen().bodies.clone()
    }

    /// How many messages were seen, repeated ones included.
    pub(super) fn count(&self) -> usize {
        self.seen().bodies.len()
    }

    /// How many different movies of runs were seen.
    pub(super) fn movies(&self) -> usize {
        self.seen().rankings.values().map(|ranking| ranking.positions.len()).sum()
    }

    /// The runs of which every movie was seen.
    pub(super) fn whole_runs(&self) -> BTreeSet<Run> {
        let seen = self.seen();
        let whole = seen.rankings.iter().filter(|(_, ranking)| ranking.positions.len() == ranking.of);
        whole.map(|((run, _), _)| run.clone()).collect()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        // Whatever panics under the lock panics before a message is half noted.
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn note(&mut self, body: String) {
        if let Ok(MovieMessage { run, ranking, of, position, .. }) = MovieMessage::parse(&body) {
            let nothing = || Ranking { of, positions: BTreeSet::new() };
            self.rankings.entry((run, ranking)).or_insert_with(nothing).positions.insert(position);
        }
        self.bodies.push(body);
    }
}

fn entry(index: usize, message: &Message) -> anyhow::Result<DeleteMessageBatchRequestEntry> {
    let entry = DeleteMessageBatchRequestEntry::builder().id(index.to_string());
    Ok(entry.set_receipt_handle(message.receipt_handle.clone()).build()?)
}
