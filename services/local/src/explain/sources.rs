//! Where everything is read from: the functions' logs, the bucket, the queues. Nothing is changed; of what lies in the
//! failure queues, see `dead_letters`.

use std::collections::BTreeSet;
use std::time::SystemTime;

use aws_sdk_s3::types::Object;
use aws_sdk_sqs::types::QueueAttributeName;
use chrono::{DateTime, TimeDelta, Utc};
use domain::contract::environment::{MOVIES_BUCKET, OTEL_EXPORTER_OTLP_ENDPOINT};
use domain::contract::{Service, logs};
use domain::enriched::{read_movie_key, run_prefix};
use domain::{ImdbId, Run};
use futures_util::future::{try_join, try_join_all};

use super::material::{DeadLetter, LogLine, Material, StoredObject};
use super::movies::trace_ids;
use super::traces::Traces;
use crate::dead_letters::DeadLetters;
use crate::endpoint::{Action, CLOCKS_DIFFER_BY, Endpoint, EndpointFault};

/// How far logs are read back: as long as dead letters are kept. A run that is older is read from its event on.
const LOOK_BACK: TimeDelta = TimeDelta::days(14);

/// Where the objects of all runs lie.
const RUNS: &str = "runs/";

/// What was read of a stack.
pub(super) struct Sources {
    endpoint: Endpoint,
    bucket: String,
    traces: Traces,
    since: DateTime<Utc>,
    stored_runs: BTreeSet<Run>,
    /// Of all runs but for the objects, which are read for one.
    material: Material,
}

impl Sources {
    pub(super) async fn open(endpoint: Endpoint) -> Result<Self, EndpointFault> {
        let dead_letters = DeadLetters::open(endpoint.clone()).await?;
        let (found, (bucket, otlp_endpoint)) = try_join(dead_letters.read(), settings(&endpoint)).await?;
        let names = endpoint.names();
        let dead_letters = found.cases.iter().map(|case| DeadLetter::read(case, names)).collect();
        let since = DateTime::<Utc>::from(SystemTime::now()) - LOOK_BACK;
        let read = try_join_all(Service::ALL.map(|service| read_lines(&endpoint, service, since)));
        let (lines, stored_runs) = try_join(read, stored_runs(&endpoint, &bucket)).await?;
        let in_flight = in_flight(&endpoint).await?;
        let traces = Traces::of(otlp_endpoint.as_deref());
        let mut material = Material {
            lines: lines.concat(),
            dead_letters,
            in_flight,
            bucket: format!("s3://{bucket}/"),
            ..Material::default()
        };
        traces.read_all(&mut material).await;
        Ok(Self { endpoint, bucket, traces, since, stored_runs, material })
    }

    /// Reads the logs on from this run's event, if that was before what has been read.
    pub(super) async fn look_back_to(&mut self, run: &Run) -> Result<(), EndpointFault> {
        let since = run.time() - CLOCKS_DIFFER_BY;
        if since < self.since {
            let lines = Service::ALL.map(|service| read_lines(&self.endpoint, service, since));
            self.material.lines = try_join_all(lines).await?.concat();
            self.since = since;
        }
        Ok(())
    }

    /// Every run that anything tells of.
    pub(super) fn runs(&self) -> BTreeSet<Run> {
        let Material { lines, spans, dead_letters, .. } = &self.material;
        let of_lines = lines.iter().filter_map(|line| line.text_of(logs::RUN));
        let of_spans = spans.iter().filter_map(|span| span.field(logs::RUN));
        let dead = dead_letters.iter().filter_map(|dead| dead.run.as_deref());
        let told = of_lines.chain(of_spans).chain(dead).filter_map(|run| Run::parse(run).ok());
        told.chain(self.stored_runs.iter().cloned()).collect()
    }

    pub(super) async fn knows_movie(&self, run: &Run, id: &ImdbId) -> Result<bool, EndpointFault> {
        let is_it = |one: Option<&str>, other: Option<&str>| one == Some(run.as_str()) && other == Some(id.as_str());
        let Material { lines, spans, dead_letters, .. } = &self.material;
        let told = lines.iter().any(|line| is_it(line.text_of(logs::RUN), line.text_of(logs::IMDB_ID)))
            || spans.iter().any(|span| is_it(span.field(logs::RUN), span.field(logs::IMDB_ID)))
            || dead_letters.iter().any(|dead| is_it(dead.run.as_deref(), dead.imdb_id.as_deref()));
        if told || !self.stored_runs.contains(run) {
            return Ok(told);
        }
        let objects = objects(&self.endpoint, &self.bucket, run).await?;
        Ok(objects.iter().any(|object| read_movie_key(run, &object.key).is_some_and(|named| named.id == *id)))
    }

    /// Everything there is to tell of one run.
    pub(super) async fn of_run(&mut self, run: &Run) -> Result<Material, EndpointFault> {
        self.material.objects = objects(&self.endpoint, &self.bucket, run).await?;
        let trace_ids = trace_ids(run, &self.material);
        let times = self.material.lines.iter().filter(|line| line.text_of(logs::RUN) == Some(run.as_str()));
        let times: Vec<_> = times.map(|line| line.time).collect();
        let first = times.iter().min().copied().unwrap_or(run.time()) - CLOCKS_DIFFER_BY;
        let last = times.iter().max().copied().unwrap_or(run.time()) + CLOCKS_DIFFER_BY;
        self.traces.read_run(&self.endpoint, &trace_ids, first..last, &mut self.material).await;
        Ok(self.material.clone())
    }
}

/// The name of the bucket and where traces go, which the enricher's configuration tells. Whoever may not decrypt it is
/// not told.
async fn settings(endpoint: &Endpoint) -> Result<(String, Option<String>), EndpointFault> {
    let name = &endpoint.names().enricher;
    let ask = endpoint.clients().lambda.get_function_configuration().function_name(name).send().await;
    let answer = ask.map_err(endpoint.refusal(Action::GetFunctionConfiguration, name))?;
    let environment = answer.environment();
    let value = |variable: &str| environment?.variables()?.get(variable).cloned();
    let Some(bucket) = value(MOVIES_BUCKET.name) else {
        let said = environment.and_then(|environment| environment.error()?.message().map(str::to_owned));
        let said = said.unwrap_or_else(|| format!("it names no {}", MOVIES_BUCKET.name));
        return Err(endpoint.key_refusal(Action::GetFunctionConfiguration, name, said));
    };
    Ok((bucket, value(OTEL_EXPORTER_OTLP_ENDPOINT.name)))
}

/// Every line of a service's log, Lambda's own included. A log group that is gone has none.
async fn read_lines(
    endpoint: &Endpoint,
    service: Service,
    since: DateTime<Utc>,
) -> Result<Vec<LogLine>, EndpointFault> {
    let events = endpoint.log_events(service, since, None).await?;
    Ok(events.iter().map(|(time, text)| LogLine::read(service, *time, text)).collect())
}

/// The runs that have any object.
async fn stored_runs(endpoint: &Endpoint, bucket: &str) -> Result<BTreeSet<Run>, EndpointFault> {
    let list = endpoint.clients().s3.list_objects_v2().bucket(bucket).prefix(RUNS).delimiter("/");
    let mut pages = list.into_paginator().send();
    let mut runs = BTreeSet::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(endpoint.refusal(Action::ListBucket, bucket))?;
        let names =
            page.common_prefixes().iter().filter_map(|prefix| prefix.prefix()?.strip_prefix(RUNS)?.strip_suffix('/'));
        runs.extend(names.filter_map(|name| Run::parse(name).ok()));
    }
    Ok(runs)
}

async fn objects(endpoint: &Endpoint, bucket: &str, run: &Run) -> Result<Vec<StoredObject>, EndpointFault> {
    let list = endpoint.clients().s3.list_objects_v2().bucket(bucket).prefix(run_prefix(run));
    let mut pages = list.into_paginator().send();
    let mut objects = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(endpoint.refusal(Action::ListBucket, bucket))?;
        objects.extend(page.contents().iter().filter_map(object));
    }
    Ok(objects)
}

fn object(object: &Object) -> Option<StoredObject> {
    let stored = object.last_modified()?;
    Some(StoredObject {
        key: object.key()?.to_owned(),
        bytes: u64::try_from(object.size()?).ok()?,
        stored: DateTime::from_timestamp(stored.secs(), stored.subsec_nanos())?,
    })
}

/// How many messages wait in the movies queue or are being worked on, about.
async fn in_flight(endpoint: &Endpoint) -> Result<usize, EndpointFault> {
    use QueueAttributeName::{ApproximateNumberOfMessages as Waiting, ApproximateNumberOfMessagesNotVisible as Taken};
    let (sqs, name) = (&endpoint.clients().sqs, &endpoint.names().movies_queue);
    let url = sqs.get_queue_url().queue_name(name).send().await.map_err(endpoint.refusal(Action::GetQueueUrl, name))?;
    let ask = sqs.get_queue_attributes().queue_url(url.queue_url().unwrap_or_default());
    let ask = ask.attribute_names(Waiting).attribute_names(Taken).send().await;
    let answer = ask.map_err(endpoint.refusal(Action::GetQueueAttributes, name))?;
    let number = |name| answer.attributes().and_then(|all| all.get(&name)?.parse::<usize>().ok()).unwrap_or_default();
    Ok(number(Waiting) + number(Taken))
}
