//! What the Pulumi program says about what will be paid for.

use anyhow::{Context, ensure};
use domain::contract::environment::{OTEL_EXPORTER_OTLP_ENDPOINT, TOP_N};
use domain::contract::metrics::ALL as CUSTOM_METRICS;
use domain::quota;
use pulumi::Program;
use pulumi::resource::Resource;
use serde::Serialize;
use serde_json::Value;

/// An alarm with a shorter period is one of high resolution, and costs more.
const STANDARD_RESOLUTION_SECONDS: u64 = 60;

/// Facts of a stack that its costs depend on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field is what its name says, read from the program")]
pub struct Facts {
    pub is_arm64: bool,
    pub movies_per_run: u64,
    pub batch_size: u64,
    pub enrichers_at_once: u64,
    pub ranker_memory_mb: u64,
    pub enricher_memory_mb: u64,
    pub keys: usize,
    /// Metrics that alarms of standard resolution look at, each counted once for each alarm.
    pub alarm_metrics: usize,
    /// The same for alarms with a period below a minute.
    pub high_resolution_alarm_metrics: usize,
    pub composite_alarms: usize,
    /// Metrics of our own, each counted once for each service that sends it, since that is a dimension.
    pub custom_metrics: usize,
    pub dashboards: usize,
    pub log_groups: usize,
    pub log_retention_days: u64,
    pub run_retention_days: u64,
    pub noncurrent_version_retention_days: u64,
    pub sends_traces_to_xray: bool,
}

impl Facts {
    /// Reads them.
    ///
    /// # Errors
    /// What the program lacks, by name.
    pub fn of(program: &Program) -> anyhow::Result<Self> {
        let view = View(program.resources());
        let (ranker, enricher) = (view.named("ranker")?, view.named("enricher")?);
        let (rules, mapping) = (view.named("moviesBucketLifecycle")?, view.named("enricherSource")?);
        let (high, standard): (Vec<_>, Vec<_>) = view
            .of_kind("aws:cloudwatch:MetricAlarm")
            .flat_map(periods)
            .partition(|period| period.is_some_and(|seconds| seconds < STANDARD_RESOLUTION_SECONDS));
        let retention = |group: &Resource| whole(group, "/retentionInDays");
        let retentions: Vec<_> = view.of_kind("aws:cloudwatch:LogGroup").map(retention).collect::<Result<_, _>>()?;
        Ok(Self {
            is_arm64: text(ranker, "/architectures/0")? == "arm64",
            movies_per_run: text(ranker, &variable(TOP_N.name))?.parse().context("TOP_N is no number")?,
            batch_size: whole(mapping, "/batchSize")?,
            enrichers_at_once: whole(mapping, "/scalingConfig/maximumConcurrency")?,
            ranker_memory_mb: whole(ranker, "/memorySize")?,
            enricher_memory_mb: whole(enricher, "/memorySize")?,
            keys: view.count("aws:kms:Key"),
            alarm_metrics: standard.len(),
            high_resolution_alarm_metrics: high.len(),
            composite_alarms: view.count("aws:cloudwatch:CompositeAlarm"),
            custom_metrics: CUSTOM_METRICS.iter().map(|metric| metric.services.len()).sum(),
            dashboards: view.count("aws:cloudwatch:Dashboard"),
            log_groups: retentions.len(),
            log_retention_days: retentions.into_iter().max().context("the program has no log group")?,
            run_retention_days: rule(rules, "/expiration/days")?,
            noncurrent_version_retention_days: rule(rules, "/noncurrentVersionExpiration/noncurrentDays")?,
            sends_traces_to_xray: text(ranker, &variable(OTEL_EXPORTER_OTLP_ENDPOINT.name))?.starts_with(XRAY),
        })
    }
}

/// How the address of X-Ray's OTLP endpoint begins.
const XRAY: &str = "https://xray.";

struct View<'a>(&'a [Resource]);

impl<'a> View<'a> {
    fn named(&self, name: &str) -> anyhow::Result<&'a Resource> {
        self.0.iter().find(|resource| resource.name == name).with_context(|| format!("the program has no {name}"))
    }

    fn of_kind(&self, kind: &str) -> impl Iterator<Item = &'a Resource> {
        self.0.iter().filter(move |resource| resource.kind == kind)
    }

    fn count(&self, kind: &str) -> usize {
        self.of_kind(kind).count()
    }
}

/// The period of each metric that an alarm looks at: of one that names its metric, and of one that computes with
/// several. What computes is not paid for.
pub(super) fn periods(alarm: &Resource) -> Vec<Option<u64>> {
    match alarm.properties.get("metricQueries").and_then(Value::as_array) {
        None => vec![alarm.properties.get("period").and_then(Value::as_u64)],
        Some(queries) => {
            let metrics = queries.iter().filter_map(|query| query.get("metric"));
            metrics.map(|metric| metric.get("period").and_then(Value::as_u64)).collect()
        }
    }
}

fn variable(name: &str) -> String {
    format!("/environment/variables/{name}")
}

fn value<'a>(resource: &'a Resource, path: &str) -> anyhow::Result<&'a Value> {
    let (first, rest) = path[1..].split_once('/').unwrap_or((&path[1..], ""));
    let found = resource.properties.get(first);
    let found = if rest.is_empty() { found } else { found.and_then(|value| value.pointer(&format!("/{rest}"))) };
    found.with_context(|| format!("{} has no {path}", resource.name))
}

fn whole(resource: &Resource, path: &str) -> anyhow::Result<u64> {
    value(resource, path)?.as_u64().with_context(|| format!("{path} of {} is no whole number", resource.name))
}

fn text<'a>(resource: &'a Resource, path: &str) -> anyhow::Result<&'a str> {
    value(resource, path)?.as_str().with_context(|| format!("{path} of {} is no text", resource.name))
}

/// The one value at this path among the rules of a lifecycle, but for that of the counts of requests: what is kept of
/// those is some hundred bytes.
fn rule(lifecycle: &Resource, path: &str) -> anyhow::Result<u64> {
    let rules = value(lifecycle, "/rules")?.as_array().context("the lifecycle has no rules")?;
    let rules = rules.iter().filter(|rule| rule.pointer("/filter/prefix") != Some(&Value::from(quota::PREFIX)));
    let found: Vec<_> = rules.filter_map(|rule| rule.pointer(path)?.as_u64()).collect();
    ensure!(found.len() == 1, "{} of the rules of {} have {path}, not one", found.len(), lifecycle.name);
    Ok(found[0])
}
