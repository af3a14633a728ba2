//! What every queue of the program holds.

use std::time::SystemTime;

use anyhow::Context;
use aws_sdk_sqs::operation::get_queue_attributes::GetQueueAttributesError;

use super::since;
use crate::aws::Clients;
use crate::depth::Depth;
use crate::oncall::declared::queues;
use crate::oncall::recording::{QueueReading, QueueTrace};
use crate::pipeline::Pipeline;

/// Every queue, the dead letters after the queue that they come from.
#[derive(Debug)]
pub(super) struct Queues {
    clients: Clients,
    fired: SystemTime,
    all: Vec<Queue>,
    /// Messages that became dead letters and have not yet been missed in the queue that they come from.
    moved: usize,
}

#[derive(Debug)]
struct Queue {
    url: String,
    role: Role,
    total: usize,
    trace: QueueTrace,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Movies,
    DeadLetters,
    Other,
}

impl Queues {
    pub(super) async fn of(pipeline: &Pipeline, fired: SystemTime) -> anyhow::Result<Self> {
        let clients = pipeline.clients().clone();
        let deployment = pipeline.deployment();
        let mut all = Vec::new();
        for name in queues(pipeline.program())? {
            let answer = clients.sqs.get_queue_url().queue_name(&name).send().await;
            let answer = answer.with_context(|| format!("looking for the queue {name}"))?;
            let url = answer.queue_url().with_context(|| format!("the queue {name} has no URL"))?.to_owned();
            let role = match &url {
                url if *url == deployment.queue_url => Role::Movies,
                url if *url == deployment.dead_letter_queue_url => Role::DeadLetters,
                _ => Role::Other,
            };
            // Lambda polls the queue of movies all day.
            let trace = QueueTrace { name, polled: role == Role::Movies, readings: Vec::new() };
            all.push(Queue { url, role, total: 0, trace });
        }
        all.sort_by_key(|queue| queue.role != Role::Movies);
        Ok(Self { clients, fired, all, moved: 0 })
    }

    /// Looks at each. A queue that is gone holds nothing.
    pub(super) async fn look(&mut self) -> anyhow::Result<()> {
        for index in 0..self.all.len() {
            let Depth { visible, hidden } = self.depth(&self.all[index].url).await?;
            let at = since(self.fired);
            let queue = &mut self.all[index];
            let (before, total) = (queue.total, visible + hidden);
            let (sent, mut gone) = (total.saturating_sub(before), before.saturating_sub(total));
            match queue.role {
                Role::DeadLetters => self.moved += sent,
                Role::Movies => {
                    let moved = gone.min(self.moved);
                    self.moved -= moved;
                    gone -= moved;
                }
                Role::Other => {}
            }
            let queue = &mut self.all[index];
            queue.total = total;
            queue.trace.readings.push(QueueReading { at, visible, hidden, sent, deleted: gone });
        }
        Ok(())
    }

    async fn depth(&self, queue_url: &str) -> anyhow::Result<Depth> {
        match Depth::of(&self.clients.sqs, queue_url).await {
            Err(error) if error.as_service_error().is_some_and(GetQueueAttributesError::is_queue_does_not_exist) => {
                Ok(Depth { visible: 0, hidden: 0 })
            }
            asked => asked.context("asking a queue"),
        }
    }

    /// The readings of the queue with this URL.
    pub(super) fn readings(&self, queue_url: &str) -> &[QueueReading] {
        let queue = self.all.iter().find(|queue| queue.url == queue_url);
        queue.map_or(&[], |queue| &queue.trace.readings)
    }

    pub(super) fn into_traces(self) -> Vec<QueueTrace> {
        self.all.into_iter().map(|queue| queue.trace).collect()
    }
}
