use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use aws_sdk_lambda::types::Environment;
use domain::contract::environment::OTEL_EXPORTER_OTLP_ENDPOINT;
use local::Pipeline;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{failing, in_order, now, redelivered, sample_ids, told, until_traced};

/// All spans, as the receiver hands them out: in the form in which X-Ray keeps them.
async fn handed_out(pipeline: &Pipeline) -> Vec<Value> {
    let endpoint = pipeline.traces().endpoint();
    let mut stream = TcpStream::connect(endpoint.trim_start_matches("http://")).await.unwrap();
    stream.write_all(b"GET /spans HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// From now on, the enricher's setting says that traces go to X-Ray; it is not invoked any more.
async fn pretend_to_send_to_x_ray(pipeline: &Pipeline) {
    let (lambda, name) = (&pipeline.clients().lambda, &pipeline.deployment().enricher_function);
    let present = lambda.get_function_configuration().function_name(name).send().await.unwrap();
    let mut variables = present.environment().unwrap().variables().unwrap().clone();
    let x_ray = "https://xray.eu-central-1.amazonaws.com".to_owned();
    variables.insert(OTEL_EXPORTER_OTLP_ENDPOINT.name.to_owned(), x_ray);
    let environment = Environment::builder().set_variables(Some(variables)).build();
    lambda.update_function_configuration().function_name(name).environment(environment).send().await.unwrap();
}

async fn keep_as_x_ray_does(pipeline: &Pipeline, spans: &[Value]) {
    let (logs, group, stream) = (&pipeline.clients().logs, "aws/spans", "default");
    logs.create_log_group().log_group_name(group).send().await.unwrap();
    logs.create_log_stream().log_group_name(group).log_stream_name(stream).send().await.unwrap();
    let event = |span: &Value| {
        let time_ms = i64::try_from(span["endTimeUnixNano"].as_u64().unwrap() / 1_000_000).unwrap();
        InputLogEvent::builder().timestamp(time_ms).message(span.to_string()).build().unwrap()
    };
    let put = logs.put_log_events().log_group_name(group).log_stream_name(stream);
    put.set_log_events(Some(spans.iter().map(event).collect())).send().await.unwrap();
}

#[tokio::test]
async fn spans_that_x_ray_keeps_tell_the_same_story_as_those_of_this_machine() {
    let pipeline = Pipeline::start(failing(100, 2)).await.unwrap();
    let [_, id] = sample_ids();
    let event = now(&pipeline);
    redelivered(&pipeline, &event, &id).await;
    until_traced(&pipeline).await;
    let from_the_receiver = told(&pipeline, &[&id], "the latest list").await;
    in_order(&from_the_receiver, &["GET OMDb failed: HTTP status 503", "S3.PutObject its object: 200"]);

    pretend_to_send_to_x_ray(&pipeline).await;
    let without = told(&pipeline, &[&id], "the latest list").await;
    in_order(&without, &["none: there is no log group aws/spans", "the record failed", "the movie is stored"]);
    keep_as_x_ray_does(&pipeline, &handed_out(&pipeline).await).await;
    assert_eq!(told(&pipeline, &[&id], "the latest list").await, from_the_receiver);
}
