//! What OpenTelemetry's conventions want of each span, whichever it is.

use std::collections::BTreeMap;

use local::{STACK, Span};

/// # Panics
/// When the span lacks what the conventions for its kind want.
pub(crate) fn check(span: &Span) {
    check_resource(span);
    check_status(span);
    match span.kind {
        2 => check_invocation(span),
        3 if span.attributes.contains_key("rpc.system") => check_aws_call(span),
        3 => check_omdb_request(span),
        4 => check_message(span, "aws.sns", "create"),
        5 => check_message(span, "aws_sqs", "process"),
        kind => assert_eq!(kind, 1, "{span:?}"),
    }
    assert_eq!(span.trace_id.len(), 32);
    assert!(span.start_unix_nano <= span.end_unix_nano, "{span:?}");
}

/// <https://opentelemetry.io/docs/specs/semconv/general/recording-errors/>
fn check_status(span: &Span) {
    let failed = span.status == 2;
    assert_eq!(failed, !span.status_message.is_empty(), "{span:?}");
    assert_eq!(failed, span.attributes.contains_key("error.type"), "{span:?}");
}

/// <https://opentelemetry.io/docs/specs/semconv/resource/>
fn check_resource(span: &Span) {
    has(&span.resource, "service.name", &span.service);
    has(&span.resource, "deployment.environment.name", STACK);
    has(&span.resource, "cloud.provider", "aws");
    has(&span.resource, "cloud.platform", "aws_lambda");
    has(&span.resource, "cloud.region", local::REGION);
    has(&span.resource, "faas.name", &format!("movie-pipeline-{STACK}-{}", span.service));
    for name in ["service.version", "faas.version", "faas.instance"] {
        assert!(span.resource.contains_key(name), "{name} in {:?}", span.resource);
    }
}

/// <https://opentelemetry.io/docs/specs/semconv/faas/aws-lambda/>
fn check_invocation(span: &Span) {
    has(&span.attributes, "faas.trigger", if span.service == "ranker" { "timer" } else { "pubsub" });
    for name in ["faas.invocation_id", "faas.coldstart"] {
        assert!(span.attributes.contains_key(name), "{name} in {span:?}");
    }
}

/// <https://opentelemetry.io/docs/specs/semconv/cloud-providers/aws-sdk/>
fn check_aws_call(span: &Span) {
    has(&span.attributes, "rpc.system", "aws-api");
    let (service, operation) = span.name.split_once('.').unwrap();
    has(&span.attributes, "rpc.service", service);
    has(&span.attributes, "rpc.method", operation);
    for name in ["aws.request_id", "http.response.status_code"] {
        assert!(span.attributes.contains_key(name), "{name} in {span:?}");
    }
    assert_eq!(span.attributes.contains_key("aws.s3.bucket"), service == "S3", "{span:?}");
    if service == "SNS" {
        check_message(span, "aws.sns", "send");
        assert!(span.attributes["aws.sns.topic.arn"].starts_with("arn:aws:sns:"), "{span:?}");
    }
}

/// <https://opentelemetry.io/docs/specs/semconv/http/http-spans/>, without the address: the key is part of it.
fn check_omdb_request(span: &Span) {
    has(&span.attributes, "http.request.method", "GET");
    has(&span.attributes, "server.address", "127.0.0.1");
    assert!(!span.attributes.keys().any(|name| name.starts_with("url.")), "{span:?}");
}

/// <https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/>
fn check_message(span: &Span, system: &str, operation: &str) {
    has(&span.attributes, "messaging.system", system);
    has(&span.attributes, "messaging.operation.type", operation);
    assert!(span.attributes.contains_key("messaging.operation.name"), "{span:?}");
    // A batch by hand without records came from no queue.
    if span.attributes.get("messaging.batch.message_count").is_none_or(|count| count != "0") {
        has(&span.attributes, "messaging.destination.name", &format!("movie-pipeline-{STACK}-movies"));
    }
}

fn has(attributes: &BTreeMap<String, String>, name: &str, value: &str) {
    assert_eq!(attributes.get(name).map(String::as_str), Some(value), "{name} in {attributes:?}");
}
