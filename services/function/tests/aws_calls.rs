//! The span of an AWS call, made with a real client over a connector that answers as told.
#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line that unwrapped")]

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::http::{HttpRequest, HttpResponse};
use aws_sdk_cloudwatch::config::retry::RetryConfig;
use aws_sdk_cloudwatch::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cloudwatch::operation::put_metric_data::PutMetricDataInput;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use domain::contract::Service;
use function::AwsCalls;
use function::aws_calls::{Description, Input};
use telemetry::spans::{KeyValue, attribute};
use telemetry::testing::{Captured, SpanData, capture};

/// One answer for each try.
#[derive(Debug, Clone, Copy)]
enum Answer {
    /// Status and, if any, the header with the error's name.
    Status(u16, Option<&'static str>),
    /// A refusal with this body.
    Refusal(&'static str),
    NoConnection,
    Never,
}

#[derive(Debug)]
struct Script(Mutex<Vec<Answer>>);

impl HttpConnector for Script {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        match self.0.lock().unwrap().remove(0) {
            Answer::Status(status, error) => {
                // An empty map in CBOR.
                let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(vec![0xa0]));
                response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
                response.headers_mut().insert("x-amzn-requestid", "request-1");
                if let Some(error) = error {
                    response.headers_mut().insert("x-amzn-errortype", error);
                }
                HttpConnectorFuture::ready(Ok(response))
            }
            Answer::Refusal(body) => {
                HttpConnectorFuture::ready(Ok(HttpResponse::new(403.try_into().unwrap(), SdkBody::from(body))))
            }
            Answer::NoConnection => HttpConnectorFuture::ready(Err(ConnectorError::io("connection refused".into()))),
            Answer::Never => HttpConnectorFuture::new(std::future::pending()),
        }
    }
}

fn describe(input: &Input) -> Description {
    let put = input.downcast_ref::<PutMetricDataInput>().unwrap();
    vec![KeyValue::new(attribute::AWS_S3_KEY, put.namespace().unwrap().to_owned())].into()
}

/// Calls `PutMetricData` once and gives the span of it.
async fn call(answers: &[Answer], expected: &'static [(&'static str, u16)]) -> (SpanData, bool) {
    let captured: Captured = capture(Service::Enricher);
    let connector = SharedHttpConnector::new(Script(Mutex::new(answers.to_vec())));
    let config = aws_sdk_cloudwatch::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
        .retry_config(RetryConfig::standard().with_max_attempts(3))
        .http_client(http_client_fn(move |_, _| connector.clone()))
        .interceptor(AwsCalls { describe, expected })
        .build();
    let put = Client::from_conf(config).put_metric_data().namespace("MoviePipeline").send();
    let outcome = tokio::time::timeout(Duration::from_mins(1), put).await;
    let spans = captured.spans();
    assert_eq!(spans.len(), 1, "{spans:?}");
    (spans[0].clone(), matches!(outcome, Ok(Ok(_))))
}

fn attributes(span: &SpanData) -> BTreeMap<&str, String> {
    let pairs = span.attributes.iter().map(|pair| (pair.key.as_str(), pair.value.to_string()));
    pairs.collect()
}

#[tokio::test(start_paused = true)]
async fn a_call_is_a_client_span_by_the_conventions() {
    let (span, succeeded) = call(&[Answer::Status(200, None)], &[]).await;
    assert!(succeeded);
    assert_eq!(span.name, "CloudWatch.PutMetricData");
    assert_eq!(format!("{:?} {:?}", span.span_kind, span.status), "Client Unset");
    let expected = [
        ("aws.request_id", "request-1"),
        ("aws.s3.key", "MoviePipeline"),
        ("http.response.status_code", "200"),
        ("rpc.method", "PutMetricData"),
        ("rpc.service", "CloudWatch"),
        ("rpc.system", "aws-api"),
    ];
    let seen = attributes(&span);
    for (name, value) in expected {
        assert_eq!(seen.get(name).map(String::as_str), Some(value), "{name} in {seen:?}");
    }
    assert!(!seen.contains_key("error.type"), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn each_further_try_is_an_event_with_its_number_and_why_the_one_before_failed() {
    let answers = [Answer::NoConnection, Answer::Status(503, None), Answer::Status(200, None)];
    let (span, succeeded) = call(&answers, &[]).await;
    assert!(succeeded);
    let events: Vec<_> = span.events.iter().map(|event| format!("{} {:?}", event.name, event.attributes)).collect();
    assert_eq!(events.len(), 2, "{events:?}");
    assert!(events[0].starts_with("retry") && events[0].contains("I64(2)"), "{}", events[0]);
    assert!(events[0].contains("connection refused"), "{}", events[0]);
    assert!(events[1].contains("I64(3)"), "{}", events[1]);
    assert_eq!(format!("{:?}", span.status), "Unset");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_names_the_error_as_the_service_does() {
    for header in ["AccessDenied", "AccessDenied:http://amazonaws.com/", "com.amazonaws#AccessDenied"] {
        let (span, succeeded) = call(&[Answer::Status(403, Some(header))], &[]).await;
        assert!(!succeeded);
        assert_eq!(attributes(&span)["error.type"], "AccessDenied", "{header}");
        assert!(format!("{:?}", span.status).starts_with("Error"), "{:?}", span.status);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_tells_the_services_own_words() {
    for body in [
        "<ErrorResponse><Error><Code>Denied</Code><Message>Not for you.</Message></Error></ErrorResponse>",
        r#"{"__type":"com.amazonaws#Denied","message":"Not for you."}"#,
        r#"{"__type":"Denied","Message":"Not for you."}"#,
    ] {
        let (span, _) = call(&[Answer::Refusal(body)], &[]).await;
        assert_eq!(attributes(&span)["error.type"], "Denied", "{body}");
        let status = format!("{:?}", span.status);
        assert!(status.contains("\"Denied: Not for you.\""), "{status} for {body}");
    }
    let (span, _) = call(&[Answer::Status(403, Some("Denied"))], &[]).await;
    assert!(format!("{:?}", span.status).contains("\"Denied\""), "{:?}", span.status);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_fails_without_a_name_or_an_answer_says_so() {
    let (span, _) = call(&[Answer::Status(403, None)], &[]).await;
    assert_eq!(attributes(&span)["error.type"], "403");
    let (span, _) = call(&[Answer::NoConnection; 3], &[]).await;
    assert_eq!(attributes(&span)["error.type"], "no answer");
    assert!(format!("{:?}", span.status).contains("connection refused"), "{:?}", span.status);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_expected_of_the_operation_is_no_error() {
    let (span, _) = call(&[Answer::Status(404, None)], &[("PutMetricData", 404)]).await;
    assert_eq!(format!("{:?}", span.status), "Unset");
    assert_eq!(attributes(&span)["http.response.status_code"], "404");
    let (span, _) = call(&[Answer::Status(404, None)], &[("GetMetricData", 404)]).await;
    assert!(format!("{:?}", span.status).starts_with("Error"), "{:?}", span.status);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_given_up_says_so() {
    let (span, succeeded) = call(&[Answer::Never; 3], &[]).await;
    assert!(!succeeded);
    assert_eq!(attributes(&span)["error.type"], "given up");
}
