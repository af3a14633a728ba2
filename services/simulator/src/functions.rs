//! The two functions in their environments, between the simulated services.

use std::sync::Arc;
use std::time::Duration;

use aws_lambda_events::event::sqs::SqsBatchResponse;
use chrono::{DateTime, SecondsFormat};
use domain::Run;
use domain::contract::Service;
use enricher::handler::Enricher;
use enricher::omdb::{Budget, Omdb};
use function::Deadline;
use ranker::handler::Ranker;
use ranker::source::Location;
use serde_json::{Value, json};
use telemetry::Metrics;

use crate::fault::Fault;
use crate::mutation::Mutation;
use crate::queue::Message;
use crate::scenario::OMDB_DAILY_LIMIT;
use crate::services::{
    Caller, Environment, SimulatedBucket, SimulatedKeys, SimulatedOmdb, SimulatedQueue, SimulatedSource, SimulatedTopic,
};
use crate::world::World;

/// Metrics that nobody reads, made once: they cost more than a whole world.
#[derive(Clone)]
pub(crate) struct Gauges {
    ranker: Metrics,
    enricher: Metrics,
}

impl Gauges {
    pub(crate) fn new() -> Self {
        Self { ranker: Metrics::in_memory(Service::Ranker).0, enricher: Metrics::in_memory(Service::Enricher).0 }
    }
}

/// What came of an invocation.
pub(crate) enum Ended<T> {
    /// The function answered.
    Answered(T),
    /// It answered with an error, which leaves the environment as it is.
    Failed(String),
    /// Its environment is no more: killed, or out of time.
    Gone(&'static str),
}

/// How long an environment lives, if its end is set.
pub(crate) fn lifetime(fault: Option<&Fault>) -> Option<Duration> {
    match fault {
        Some(Fault::KilledAt(after)) => Some(*after),
        _ => None,
    }
}

/// Runs an invocation in an environment until it answers, the environment ends, or its time is over. What it was doing
/// is dropped then, between two awaits.
async fn run<T, E: std::fmt::Display>(
    environment: &Environment,
    lifetime: Option<Duration>,
    timeout: Duration,
    work: impl Future<Output = Result<T, E>>,
) -> Ended<T> {
    tokio::select! {
        biased;
        () = environment.ended() => Ended::Gone("its environment ended"),
        () = tokio::time::sleep(lifetime.unwrap_or_default()), if lifetime.is_some() => Ended::Gone("its environment ended"),
        worked = tokio::time::timeout(timeout, work) => match worked {
            Ok(Ok(answer)) => Ended::Answered(answer),
            Ok(Err(error)) => Ended::Failed(error.to_string()),
            Err(_) => Ended::Gone("its time was over"),
        },
    }
}

/// An enricher in its environment, which keeps the key from one event to the next.
pub(crate) struct EnricherEnvironment {
    pub(crate) environment: Arc<Environment>,
    bucket: SimulatedBucket,
    enricher: Enricher<SimulatedBucket, SimulatedOmdb, SimulatedKeys, SimulatedQueue>,
    world: Arc<World>,
    timeout: Duration,
}

/// How often a movie is asked for within an invocation; as deployed.
const OMDB_MAX_ATTEMPTS: u32 = 3;

impl EnricherEnvironment {
    pub(crate) fn new(world: &Arc<World>, gauges: &Gauges, name: String) -> Self {
        let environment = Arc::new(Environment::new(name));
        let caller = Caller { world: Arc::clone(world), environment: Arc::clone(&environment) };
        let (api, keys) = (SimulatedOmdb { caller: caller.clone() }, SimulatedKeys { caller: caller.clone() });
        let (bucket, queue) = (SimulatedBucket::new(caller.clone()), SimulatedQueue { caller });
        let clock = world.clock();
        let budget = Budget::new(bucket.clone(), OMDB_DAILY_LIMIT, clock.clone());
        let omdb = Omdb::new(api, keys, budget, OMDB_MAX_ATTEMPTS, gauges.enricher.clone());
        let enricher = Enricher::new(bucket.clone(), omdb, queue, clock, gauges.enricher.clone());
        let timeout = world.scenario.deployment.enricher_timeout;
        Self { environment, bucket, enricher, world: Arc::clone(world), timeout }
    }

    pub(crate) async fn handle(&self, batch: &[Message], lifetime: Option<Duration>) -> Ended<SqsBatchResponse> {
        let deadline = Deadline::after(self.timeout);
        let event = self.sqs_event(batch);
        self.bucket.begin();
        run(&self.environment, lifetime, self.timeout, self.enricher.handle(event, deadline)).await
    }

    /// The event of a batch (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>), as far as the enricher reads
    /// it.
    fn sqs_event(&self, batch: &[Message]) -> Value {
        let is_ageless = self.world.has(Mutation::AgeUnknown);
        let record = |message: &Message| {
            let sent = self.world.now() - if is_ageless { Duration::ZERO } else { message.sent_at.elapsed() };
            json!({
                "messageId": message_id(message),
                "receiptHandle": message.receipt.to_string(),
                "body": message.letter.body,
                "attributes": {
                    "ApproximateReceiveCount": message.receives.to_string(),
                    "SentTimestamp": sent.timestamp_millis().to_string(),
                },
                "messageAttributes": {},
            })
        };
        json!({"Records": batch.iter().map(record).collect::<Vec<_>>()})
    }
}

/// The id of a message as the event has it.
pub(crate) fn message_id(message: &Message) -> String {
    format!("message-{}", message.id)
}

/// Where the source lies.
fn location(run: &Run) -> Location {
    Location {
        bucket: "top-movies".to_owned(),
        key: format!("Top250Movies.json for {run}"),
        region: "simulated".to_owned(),
    }
}

/// What the ranker is started for.
pub(crate) struct Job {
    /// Of its environment, which serves this one event.
    pub(crate) name: String,
    pub(crate) run: Run,
    /// Which version of the source it meets.
    pub(crate) version: u64,
    pub(crate) lifetime: Option<Duration>,
}

/// Runs the ranker once, in an environment of its own.
pub(crate) async fn rank(world: Arc<World>, gauges: Gauges, job: Job) -> Ended<usize> {
    let environment = Arc::new(Environment::new(job.name));
    let caller = Caller { world: Arc::clone(&world), environment: Arc::clone(&environment) };
    let source = SimulatedSource { caller: caller.clone(), location: location(&job.run), version: job.version };
    let topic = SimulatedTopic { caller, run: job.run.clone() };
    let ranker = Ranker::new(source, topic, world.scenario.top_n, gauges.ranker);
    let time = job.run.time().to_rfc3339_opts(SecondsFormat::Secs, true);
    // An event without a time would run as of now; this has one.
    let work = ranker.handle(json!({"source": "aws.events", "time": time}), DateTime::UNIX_EPOCH);
    let timeout = world.scenario.deployment.ranker_timeout;
    run(&environment, job.lifetime, timeout, async { work.await.map(|summary| summary.ranked) }).await
}
