use domain::contract::{Service, logs, metrics};
use local::{OmdbFault, Pipeline};
use serde_json::Value;

use crate::{PATIENCE, TRIES_ENOUGH, failing, noon, sample_ids};

#[tokio::test]
async fn every_log_line_is_json_with_the_fields_of_the_contract_and_neither_lines_nor_spans_hold_the_key() {
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
    for span in pipeline.traces().spans() {
        let text = format!("{span:?}");
        for secret in [local::OMDB_STAND_IN_KEY, "apikey", "?i=tt", "&i=tt"] {
            assert!(!text.contains(secret), "{secret} is in {text}");
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
