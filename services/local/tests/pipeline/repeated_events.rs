use std::collections::BTreeMap;

use domain::contract::{Service, logs, metrics};
use local::{Options, Pipeline};

use crate::{PATIENCE, complete, noon};

async fn all_objects(pipeline: &Pipeline) -> BTreeMap<String, Vec<u8>> {
    let mut objects = BTreeMap::new();
    for key in pipeline.objects("").await.unwrap() {
        let bytes = pipeline.read_object(&key).await.unwrap().unwrap();
        objects.insert(key, bytes.to_vec());
    }
    objects
}

#[tokio::test]
async fn the_same_event_twice_is_the_same_run_with_the_same_objects_and_asks_omdb_nothing_more() {
    let pipeline = Pipeline::start(Options::default()).await.unwrap();
    let event = noon(&pipeline);
    complete(&pipeline, &event).await;
    let (objects, requests) = (all_objects(&pipeline).await, pipeline.omdb().unwrap().total_requests());
    assert_eq!(requests, 10);
    assert_eq!(objects.len(), 13, "ten movies, the list of the run, the latest list, the count of requests to OMDb");

    pipeline.fire(&event).await.unwrap();
    let met_again = async |pipeline: &Pipeline| {
        let records = pipeline.log_records(Service::Enricher).await?;
        let met: u64 = records.iter().filter_map(|record| record.get(logs::ALREADY_STORED.name)?.as_u64()).sum();
        Ok((met >= 10).then_some(()))
    };
    pipeline.eventually("every movie met again", PATIENCE, met_again).await.unwrap();

    assert_eq!(all_objects(&pipeline).await, objects);
    assert_eq!(pipeline.omdb().unwrap().total_requests(), requests);
    assert!((pipeline.metric_sum(metrics::MOVIES_ENRICHED).await.unwrap() - 10.0).abs() < 0.5);
}

#[tokio::test]
async fn an_older_event_that_comes_late_makes_its_run_but_does_not_move_the_latest_list_back() {
    let pipeline = Pipeline::start(Options::default()).await.unwrap();
    let today = noon(&pipeline);
    complete(&pipeline, &today).await;
    let latest = pipeline.read_object("Top10Movies.json").await.unwrap();

    let yesterday = pipeline.event_at("2026-11-21T12:00:00Z".parse().unwrap()).unwrap();
    complete(&pipeline, &yesterday).await;
    assert_eq!(pipeline.objects("runs/2026-11-21T12-00-00Z/").await.unwrap().len(), 11);
    assert_eq!(pipeline.read_object("Top10Movies.json").await.unwrap(), latest);
}
