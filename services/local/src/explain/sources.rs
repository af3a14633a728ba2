//! Where everything is read from: the functions' logs, the bucket, the queues. Nothing is changed; of what lies in the
//! failure queues, see `dead_letters`.

use std::collections::BTreeSet;
use std::time::SystemTime;

use aws_sdk_s3::types::Object;
use chrono::{DateTime, TimeDelta, Utc};
use domain::contract::environment::{MOVIES_BUCKET, OTEL_EXPORTER_OTLP_ENDPOINT};
use domain::contract::{Service, logs};
use domain::enriched::{read_movie_key, run_prefix};
use domain::{ImdbId, Run};
use futures_util::future::join;
use serde_json::Value;

use super::material::{DeadLetter, LogLine, Material, StoredObject};
use super::movies::trace_ids;
use super::traces::Traces;
use crate::dead_letters::{DeadLetters, TRIED_FOR, with_records};
use crate::endpoint::{Action, CLOCKS_DIFFER_BY, Endpoint, EndpointFault};
use crate::together::all;

/// How long failed messages are kept.
const KEPT_FOR: TimeDelta = TimeDelta::days(14);

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
        let (letters, settings) = join(dead_letters.letters(), settings(&endpoint)).await;
        let (letters, (bucket, otlp_endpoint)) = (letters?, settings?);
        // As far back as a failed message that is still kept may have been tried. A run that is older is read from its
        // event on.
        let read = DateTime::<Utc>::from(SystemTime::now());
        let since = read - KEPT_FOR - TRIED_FOR - CLOCKS_DIFFER_BY;
        let (lines, stored_runs) = join(read_logs(&endpoint, since), stored_runs(&endpoint, &bucket)).await;
        let (lines, stored_runs) = (lines?, stored_runs?);
        let cases = with_records(letters, &records(&lines));
        let in_flight = dead_letters.movies().await?.total();
        let traces = Traces::of(otlp_endpoint.as_deref());
        let mut material = Material {
            dead_letters: cases.iter().map(|case| DeadLetter::read(case, endpoint.names())).collect(),
            lines,
            read,
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
            self.material.lines = read_logs(&self.endpoint, since).await?;
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

/// Every line of the functions' logs, one function after the other, each in order.
async fn read_logs(endpoint: &Endpoint, since: DateTime<Utc>) -> Result<Vec<LogLine>, EndpointFault> {
    let mut logs = all(Service::ALL.map(|service| read_lines(endpoint, service, since))).await?;
    for lines in &mut logs {
        lines.sort_by_key(|line| line.time);
    }
    Ok(logs.concat())
}

/// The lines that are JSON.
fn records(lines: &[LogLine]) -> Vec<Value> {
    lines.iter().filter_map(|line| serde_json::from_str(&line.text).ok()).collect()
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
