//! What the functions report, read back from the local CloudWatch: every metric of the catalogue, by each of its
//! services, and no other. Counters report zero even if nothing ever counts, so being reported is not enough: each is
//! driven above zero.

use std::collections::BTreeSet;
use std::time::SystemTime;

use aws_sdk_cloudwatch::primitives::DateTime;
use aws_sdk_cloudwatch::types::{Dimension, Metric as Series, Statistic};
use domain::contract::Service;
use domain::contract::metrics::{self, ENVIRONMENT_DIMENSION, Kind, Metric, NAMESPACE, SERVICE_DIMENSION};
use local::{OmdbFault, Options, Outcome, Permissions, Pipeline, SAMPLE_SOURCE, STACK};
use serde_json::{Value, json};

use crate::{PATIENCE, TRIES_ENOUGH, failing, noon};

/// Name and dimensions as CloudWatch has them, written out.
type Name = String;

/// A port that nobody listens on.
const NO_COLLECTOR: &str = "http://127.0.0.1:1";

fn name(metric: &str, dimensions: &[(&str, &str)]) -> Name {
    let dimensions: BTreeSet<_> = dimensions.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("{metric} {}", dimensions.into_iter().collect::<Vec<_>>().join(" "))
}

/// Every metric with each service that has it.
fn catalogue() -> Vec<(&'static Metric, Service)> {
    metrics::ALL
        .iter()
        .copied()
        .flat_map(|metric| metric.services.iter().map(move |service| (metric, *service)))
        .collect()
}

fn name_of(metric: &Metric, service: Service) -> Name {
    name(metric.name, &[(ENVIRONMENT_DIMENSION, STACK), (SERVICE_DIMENSION, service.name())])
}

/// What CloudWatch has of all namespaces but AWS's own.
async fn reported(pipeline: &Pipeline) -> anyhow::Result<BTreeSet<Name>> {
    let mut pages = pipeline.clients().cloudwatch.list_metrics().into_paginator().send();
    let mut names = BTreeSet::new();
    while let Some(page) = pages.next().await {
        let page = page?;
        let ours = page.metrics().iter().filter(|series| !series.namespace().unwrap_or_default().starts_with("AWS/"));
        names.extend(ours.map(read));
    }
    Ok(names)
}

fn read(series: &Series) -> Name {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let dimensions: Vec<_> =
        series.dimensions().iter().map(|dimension| (text(dimension.name()), text(dimension.value()))).collect();
    let dimensions: Vec<_> = dimensions.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let metric = text(series.metric_name());
    if series.namespace() == Some(NAMESPACE) {
        name(&metric, &dimensions)
    } else {
        format!("{} {}", text(series.namespace()), name(&metric, &dimensions))
    }
}

/// Whether a metric ever had another value than zero; a histogram, any value.
async fn is_counted(pipeline: &Pipeline, metric: &Metric, service: Service) -> anyhow::Result<bool> {
    let dimension = |name, value| Dimension::builder().name(name).value(value).build();
    let statistic = match metric.kind {
        Kind::Counter => Statistic::Sum,
        Kind::Histogram => Statistic::SampleCount,
    };
    let ask = pipeline.clients().cloudwatch.get_metric_statistics().namespace(NAMESPACE).metric_name(metric.name);
    let ask = ask
        .dimensions(dimension(ENVIRONMENT_DIMENSION, STACK))
        .dimensions(dimension(SERVICE_DIMENSION, service.name()));
    let (from, to) = (pipeline.started() - PATIENCE, SystemTime::now() + PATIENCE);
    let ask = ask.start_time(DateTime::from(from)).end_time(DateTime::from(to)).period(60).statistics(statistic);
    let answer = ask.send().await?;
    Ok(answer.datapoints().iter().any(|point| point.sum().or(point.sample_count()).unwrap_or_default() > 0.0))
}

async fn never_counted(pipeline: &Pipeline) -> anyhow::Result<Vec<Name>> {
    let mut never = Vec::new();
    for (metric, service) in catalogue() {
        if !is_counted(pipeline, metric, service).await? {
            never.push(name_of(metric, service));
        }
    }
    Ok(never)
}

/// What one side has and the other lacks.
fn odd(catalogue: &BTreeSet<Name>, reported: &BTreeSet<Name>) -> Vec<String> {
    let silent =
        catalogue.difference(reported).map(|name| format!("{name} is in the catalogue, and nobody reports it"));
    let strange = reported.difference(catalogue).map(|name| format!("{name} is reported, and not in the catalogue"));
    silent.chain(strange).collect()
}

/// The sample with an item that cannot be ranked.
fn soured_source() -> Vec<u8> {
    let mut source: Value = serde_json::from_slice(SAMPLE_SOURCE).unwrap();
    source["items"].as_array_mut().unwrap().push(json!({"id": "no id"}));
    source.to_string().into_bytes()
}

async fn until_counted(pipeline: &Pipeline, metric: &Metric) {
    let counted = async |pipeline: &Pipeline| Ok((pipeline.metric_sum(metric).await? > 0.0).then_some(()));
    pipeline.eventually(metric.name, PATIENCE, counted).await.unwrap();
}

#[tokio::test]
async fn the_functions_report_every_metric_of_the_catalogue_and_no_other() {
    let permissions = Permissions::Recorded;
    let mut options = Options { source: Some(soured_source()), permissions, ..failing(TRIES_ENOUGH) };
    options.configuration.insert("otlpEndpoint".to_owned(), NO_COLLECTOR.to_owned());
    let pipeline = Pipeline::start(options).await.unwrap();
    let event = noon(&pipeline);
    pipeline.omdb().unwrap().fail_all(OmdbFault::QuotaExhausted);
    pipeline.fire(&event).await.unwrap();
    until_counted(&pipeline, metrics::OMDB_QUOTA_EXHAUSTED).await;
    pipeline.omdb().unwrap().fail_all(OmdbFault::InvalidKey);
    let completing = pipeline.showing_hidden(async {
        until_counted(&pipeline, metrics::OMDB_AUTH_REJECTED).await;
        pipeline.omdb().unwrap().heal();
        pipeline.wait_for_run(&event.run, PATIENCE).await
    });
    assert_eq!(completing.await.unwrap(), Outcome::Completed);

    let all = async |pipeline: &Pipeline| Ok(never_counted(pipeline).await?.is_empty().then_some(()));
    let waited = pipeline.eventually("every metric is counted", PATIENCE, all).await;
    assert_eq!(never_counted(&pipeline).await.unwrap(), Vec::<Name>::new(), "{waited:?}");
    let catalogue = catalogue().into_iter().map(|(metric, service)| name_of(metric, service)).collect();
    assert_eq!(odd(&catalogue, &reported(&pipeline).await.unwrap()), Vec::<String>::new());
}

#[test]
fn a_metric_that_nobody_reports_and_one_that_is_not_in_the_catalogue_are_named() {
    let catalogue: BTreeSet<_> = catalogue().into_iter().map(|(metric, service)| name_of(metric, service)).collect();
    let mut reported = catalogue.clone();
    let silent = name_of(metrics::RUNS_COMPLETED, Service::Enricher);
    assert!(reported.remove(&silent));
    let strange = name("RunsCompleted", &[(ENVIRONMENT_DIMENSION, STACK)]);
    reported.insert(strange.clone());
    let expected = [
        format!("{silent} is in the catalogue, and nobody reports it"),
        format!("{strange} is reported, and not in the catalogue"),
    ];
    assert_eq!(odd(&catalogue, &reported), expected);
    assert_eq!(silent, "RunsCompleted Environment=local Service=enricher");
}
