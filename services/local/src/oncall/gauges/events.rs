//! What the log of the local AWS tells and its metrics do not: environments that ended, deliveries that failed.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use anyhow::Context;
use domain::contract::Service;

use super::delivery::may_send;
use super::{lock, since};
use crate::aws::Clients;
use crate::oncall::declared::url_of_undelivered;
use crate::oncall::recording::{Recording, metric};
use crate::pipeline::Pipeline;

/// Reads the log as it grows.
#[derive(Debug)]
pub(super) struct Events {
    clients: Clients,
    fired: SystemTime,
    noted: Arc<Mutex<Recording>>,
    log: PathBuf,
    read_bytes: usize,
    functions: [String; 2],
    topic: String,
    undelivered_queue_url: String,
}

/// Something that the log tells.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Told {
    /// A function's environment ended in the middle of an invocation: a crash or a timeout.
    EnvironmentEnded(String),
    /// A failed event of a function could not be left in its on-failure destination.
    DestinationFailed(String),
    /// The topic could not deliver a message.
    DeliveryFailed,
}

impl Events {
    pub(super) async fn of(
        pipeline: &Pipeline,
        fired: SystemTime,
        noted: Arc<Mutex<Recording>>,
    ) -> anyhow::Result<Self> {
        let deployment = pipeline.deployment();
        let topic = deployment.topic_arn.rsplit(':').next().unwrap_or_default().to_owned();
        let log = pipeline.emulator().log_path();
        let read_bytes = tokio::fs::read(&log).await.context("reading the log of the local AWS")?.len();
        Ok(Self {
            clients: pipeline.clients().clone(),
            fired,
            noted,
            log,
            read_bytes,
            functions: Service::ALL.map(|service| deployment.function(service).to_owned()),
            topic,
            undelivered_queue_url: url_of_undelivered(pipeline).await?,
        })
    }

    /// Notes what was told since the last look.
    pub(super) async fn look(&mut self) -> anyhow::Result<()> {
        let log = tokio::fs::read(&self.log).await.context("reading the log of the local AWS")?;
        let new = log.get(self.read_bytes..).unwrap_or_default();
        // A line that is being written is read when it is whole.
        let whole = new.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines = String::from_utf8_lossy(&new[..whole]).into_owned();
        self.read_bytes += whole;
        for told in lines.lines().filter_map(|line| told(line, &self.functions, &self.topic)) {
            self.note(told).await?;
        }
        Ok(())
    }

    async fn note(&self, told: Told) -> anyhow::Result<()> {
        match told {
            Told::EnvironmentEnded(function) => self.count("AWS/Lambda", "Errors", "FunctionName", &function),
            Told::DestinationFailed(function) => {
                self.count("AWS/Lambda", "AsyncEventsDropped", "FunctionName", &function);
                self.count("AWS/Lambda", "DestinationDeliveryFailures", "FunctionName", &function);
            }
            Told::DeliveryFailed => {
                self.count("AWS/SNS", "NumberOfNotificationsFailed", "TopicName", &self.topic);
                self.redrive().await?;
            }
        }
        Ok(())
    }

    /// What SNS does next by the subscription's redrive policy
    /// (<https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html>). A refusal is not tried again. The local
    /// AWS has lost the message by now; another stands for it.
    async fn redrive(&self) -> anyhow::Result<()> {
        let queue = &self.undelivered_queue_url;
        if may_send(&self.clients, queue, "sns.amazonaws.com").await? {
            let stand_in = "stands for a message that SNS could not deliver";
            self.clients.sqs.send_message().queue_url(queue).message_body(stand_in).send().await?;
            self.count("AWS/SNS", "NumberOfNotificationsRedrivenToDlq", "TopicName", &self.topic);
        } else {
            self.count("AWS/SNS", "NumberOfNotificationsFailedToRedriveToDlq", "TopicName", &self.topic);
        }
        Ok(())
    }

    fn count(&self, namespace: &str, name: &str, dimension: &str, of: &str) {
        lock(&self.noted).count(metric(namespace, name, dimension, of), since(self.fired), 1.0);
    }
}

/// The words are those of ministack 1.5, which is pinned.
fn told(line: &str, functions: &[String], topic: &str) -> Option<Told> {
    for function in functions {
        let Some((_, after)) = line.split_once(&format!("Lambda {function}")) else { continue };
        if after.starts_with(": Task timed out") || after.starts_with(": Runtime exited") {
            return Some(Told::EnvironmentEnded(function.clone()));
        }
        if after.starts_with(" DLQ target not found") || after.starts_with(" DLQ/OnFailure dispatch failed") {
            return Some(Told::DestinationFailed(function.clone()));
        }
    }
    let (_, after) = line.split_once("SNS fanout: queue policy denies delivery from ")?;
    let from = after.split(' ').next()?;
    (from.rsplit(':').next() == Some(topic)).then_some(Told::DeliveryFailed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_tells_of_ends_and_failed_deliveries_of_ours_alone() {
        let functions = ["movies-ranker".to_owned(), "movies-enricher".to_owned()];
        let told = |line: &str| told(&format!("2026-11-22 18:28:22 WARNING [x] {line}"), &functions, "movies");
        let ended = Some(Told::EnvironmentEnded("movies-enricher".to_owned()));
        assert_eq!(told("Lambda movies-enricher: Task timed out after 4.00 seconds"), ended);
        assert_eq!(told("Lambda movies-enricher: Runtime exited before returning a response"), ended);
        let failed = Some(Told::DestinationFailed("movies-ranker".to_owned()));
        assert_eq!(told("Lambda movies-ranker DLQ target not found: arn:aws:sqs:x"), failed);
        let denied = "SNS fanout: queue policy denies delivery from arn:aws:sns:eu-central-1:1:movies to q";
        assert_eq!(told(denied), Some(Told::DeliveryFailed));
        assert_eq!(told(&denied.replace(":movies", ":alarms")), None);
        assert_eq!(told("Lambda movies-enricher async output (attempt 1):"), None);
    }
}
