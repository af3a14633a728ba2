use std::collections::{BTreeMap, BTreeSet};

use domain::contract::{Service, logs, metrics};
use local::{OmdbFault, Options, Pipeline, Span};
use serde_json::Value;

use crate::{PATIENCE, TRIES_ENOUGH, complete, failing, noon, sample_ids};

/// The traces of a service's spans.
fn traces_of(spans: &[Span], service: Service) -> BTreeSet<&str> {
    let own = spans.iter().filter(|span| span.service == service.name());
    own.map(|span| span.trace_id.as_str()).collect()
}

#[tokio::test]
async fn the_work_on_every_movie_belongs_to_the_trace_that_the_schedule_began() {
    let pipeline = Pipeline::start(Options::default()).await.unwrap();
    complete(&pipeline, &noon(&pipeline)).await;
    let spans = pipeline.traces().spans();
    let ranker = traces_of(&spans, Service::Ranker);
    assert_eq!(ranker.len(), 1, "{ranker:?}");
    let by_id: BTreeMap<_, _> = spans.iter().map(|span| (span.span_id.as_str(), span)).collect();
    let parent = |span: &Span| span.parent_span_id.as_deref().and_then(|id| by_id.get(id)).copied();
    let enricher = spans.iter().filter(|span| span.service == Service::Enricher.name());
    let crossed = enricher.filter(|span| parent(span).is_some_and(|parent| parent.service == Service::Ranker.name()));
    let movies: BTreeSet<_> = crossed.filter_map(|span| span.attributes.get(logs::IMDB_ID.name)).cloned().collect();
    assert_eq!(movies, sample_ids(10).into_iter().collect());
}

#[tokio::test]
async fn every_log_line_of_the_functions_is_json_with_the_fields_of_the_contract_and_none_holds_the_key() {
    let pipeline = Pipeline::start(failing(TRIES_ENOUGH)).await.unwrap();
    pipeline.publish("not JSON", None).await.unwrap();
    pipeline.omdb().unwrap().fail(&sample_ids(1)[0], OmdbFault::HtmlPage);
    let event = noon(&pipeline);
    pipeline.fire(&event).await.unwrap();
    let failed =
        async |pipeline: &Pipeline| Ok((pipeline.metric_sum(metrics::ENRICHMENT_FAILURES).await? >= 2.0).then_some(()));
    pipeline.eventually("two failed records", PATIENCE, failed).await.unwrap();
    pipeline.omdb().unwrap().heal();
    pipeline.wait_for_run(&event.run, PATIENCE).await.unwrap();

    for service in Service::ALL {
        let lines = pipeline.log_lines(service).await.unwrap();
        assert!(lines.iter().any(|line| line.starts_with('{')), "{service:?} logged nothing");
        for line in lines.iter().filter(|line| !is_lambdas_own(line)) {
            let record: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
            assert_eq!(unknown_fields(&record), Vec::<&str>::new(), "{line}");
            assert!(!line.contains(local::OMDB_STAND_IN_KEY), "{line}");
        }
    }
}

/// The lines that Lambda itself writes around an invocation
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-view.html>).
fn is_lambdas_own(line: &str) -> bool {
    ["START RequestId: ", "END RequestId: ", "REPORT RequestId: "].iter().any(|start| line.starts_with(start))
}

fn unknown_fields(record: &Value) -> Vec<&str> {
    let known = |name: &str| logs::ALL.iter().any(|field| field.name == name);
    record.as_object().unwrap().keys().map(String::as_str).filter(|name| !known(name)).collect()
}
