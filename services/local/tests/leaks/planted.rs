//! Leaks planted into a running pipeline, one per place, each written differently: all are found, and nothing else is.

use aws_sdk_cloudwatch::types::{Dimension, MetricDatum};
use aws_sdk_cloudwatchlogs::types::InputLogEvent;
use aws_sdk_sqs::types::MessageAttributeValue;
use aws_smithy_types::base64;
use local::{OMDB_STAND_IN_KEY as KEY, Options, Permissions, Pipeline};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn url_encoded() -> String {
    utf8_percent_encode(KEY, NON_ALPHANUMERIC).to_string()
}

async fn plant_in_logs(pipeline: &Pipeline) {
    let logs = &pipeline.clients().logs;
    let group = &pipeline.deployment().enricher_log_group;
    logs.create_log_stream().log_group_name(group).log_stream_name("planted").send().await.unwrap();
    let event =
        InputLogEvent::builder().timestamp(1_795_348_800_000).message(format!("GET /?apikey={}", url_encoded()));
    let put = logs.put_log_events().log_group_name(group).log_stream_name("planted");
    put.log_events(event.build().unwrap()).send().await.unwrap();
}

async fn plant_in_metrics(pipeline: &Pipeline) {
    let dimension = Dimension::builder().name("Planted").value(KEY).build();
    let datum = MetricDatum::builder().metric_name("Planted").dimensions(dimension).value(1.0).build();
    pipeline.clients().cloudwatch.put_metric_data().namespace("Planted").metric_data(datum).send().await.unwrap();
}

/// In a version that is no longer the current one.
async fn plant_in_bucket(pipeline: &Pipeline) {
    let put = |body: String| {
        let put = pipeline.clients().s3.put_object().bucket(&pipeline.deployment().movies_bucket).key("planted.json");
        put.body(body.into_bytes().into())
    };
    put(base64::encode(format!("a{KEY}"))).send().await.unwrap();
    put("{}".to_owned()).send().await.unwrap();
}

async fn plant_in_queues(pipeline: &Pipeline) {
    let deployment = pipeline.deployment();
    let clear = || pipeline.clients().sqs.send_message().message_body(format!("{KEY:?}"));
    clear().queue_url(&deployment.dead_letter_queue_url).send().await.unwrap();
    let attribute = MessageAttributeValue::builder().data_type("String").string_value(base64::encode(KEY));
    let send = pipeline.clients().sqs.send_message().message_body("{}");
    let send = send.message_attributes("planted", attribute.build().unwrap());
    send.queue_url(&deployment.ranker_failures_queue_url).send().await.unwrap();
}

async fn plant_in_parameters(pipeline: &Pipeline) {
    let put = pipeline.clients().ssm.put_parameter().name("/planted").value(KEY);
    put.r#type(aws_sdk_ssm::types::ParameterType::String).send().await.unwrap();
}

/// Sends bytes to a server of the pipeline and waits for its answer.
async fn send(endpoint: &str, head: &str, body: &[u8]) {
    let mut connection =
        TcpStream::connect(endpoint.trim_start_matches("http://").trim_end_matches('/')).await.unwrap();
    let head = format!("{head}Host: localhost\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    connection.write_all(&[head.as_bytes(), body].concat()).await.unwrap();
    connection.read_to_end(&mut Vec::new()).await.unwrap();
}

async fn plant_in_spans(pipeline: &Pipeline) {
    send(&pipeline.traces().endpoint(), "POST /v1/traces HTTP/1.1\r\n", format!("\u{a}{KEY}").as_bytes()).await;
}

async fn plant_in_calls_to_aws(pipeline: &Pipeline) {
    let head = format!("PUT /bucket/object HTTP/1.1\r\nx-amz-meta-planted: {}\r\n", url_encoded());
    send(&pipeline.recorder().unwrap().endpoint(), &head, base64::encode(format!("ab{KEY}")).as_bytes()).await;
}

async fn plant_in_requests_to_omdb(pipeline: &Pipeline) {
    let key = url_encoded();
    let head = format!("GET /?apikey={key}&i=tt0111161 HTTP/1.1\r\nReferer: https://omdb/?apikey={key}\r\n");
    send(&pipeline.omdb().unwrap().base_url(), &head, b"").await;
}

/// The local AWS names what it delivers.
async fn plant_in_the_log_of_the_local_aws(pipeline: &Pipeline) {
    pipeline.publish(&format!("apikey={KEY}"), None).await.unwrap();
}

/// A part of each place, and the form.
const PLANTED: [(&str, &str); 10] = [
    ("emulator.log:", "in clear"),
    ("services.cloudwatch._metrics", "in clear"),
    ("services.cloudwatch_logs.", "in clear"),
    ("services.s3._object_versions", "base64"),
    ("dead-letters')]['messages'][0]['body']", "in clear"),
    ("ranker-failures')]['messages'][0]['message_attributes']['planted']", "base64"),
    ("services.ssm._parameters._data[('123456789012', 'eu-central-1', '/planted')]['Value']", "in clear"),
    ("an export of spans", "in clear"),
    ("a request to OMDb", "in clear"),
    ("a call of a function to AWS", "in clear"),
];

/// Where the planted things come by as well: what is published lies in the queue until it is done with, and the enricher
/// says that it can make nothing of it.
const ALONG: [&str; 4] = [
    "services.ssm._parameter",
    "movies')]['messages']",
    "the body of a function's call to AWS",
    "services.cloudwatch_logs._log_records",
];

#[tokio::test]
async fn every_planted_leak_is_told_with_its_place_and_its_form_and_nothing_else_is() {
    let pipeline = Pipeline::start(Options { permissions: Permissions::Recorded, ..Options::default() }).await.unwrap();
    plant_in_logs(&pipeline).await;
    plant_in_metrics(&pipeline).await;
    plant_in_bucket(&pipeline).await;
    plant_in_queues(&pipeline).await;
    plant_in_parameters(&pipeline).await;
    plant_in_spans(&pipeline).await;
    plant_in_calls_to_aws(&pipeline).await;
    plant_in_requests_to_omdb(&pipeline).await;
    plant_in_the_log_of_the_local_aws(&pipeline).await;
    let leaks: Vec<_> = pipeline.end().iter().map(ToString::to_string).collect();
    let is_at =
        |leak: &str, (part, form): (&str, &str)| leak.contains(part) && leak.ends_with(&format!(": the key, {form}"));
    for planted in PLANTED {
        assert!(leaks.iter().any(|leak| is_at(leak, planted)), "{planted:?}: {leaks:#?}");
    }
    for leak in &leaks {
        let is_planted = PLANTED.iter().any(|planted| is_at(leak, *planted));
        assert!(is_planted || ALONG.iter().any(|part| leak.contains(part)), "{leak}");
        assert!(!leak.contains("omdb-api-key"), "the key may stand in its parameter: {leak}");
        local::assert_no_canary("what is told of a leak", leak.as_bytes());
    }
}
