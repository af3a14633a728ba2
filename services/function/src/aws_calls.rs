//! A client span for each AWS call, by OpenTelemetry's conventions
//! (<https://opentelemetry.io/docs/specs/semconv/cloud-providers/aws-sdk/>).
//!
//! One call is one span however often the SDK tries it: each further try is an event of it. The configuration that
//! clients share takes no interceptors, so each client is given [`AwsCalls`] by itself.

pub use aws_smithy_runtime_api::client::interceptors::context::Input;

use std::sync::atomic::{AtomicBool, Ordering};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextRef, Error,
    FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, Metadata, OrchestratorError};
use aws_smithy_runtime_api::client::retries::RequestAttempts;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::{ConfigBag, Storable, StoreReplace};
use domain::contract::logs;
use serde_json::Value;
use telemetry::propagation;
use telemetry::spans::{self, KeyValue, attribute};
use tracing::{Span, info_span};

/// Makes a span of each call of a client.
#[derive(Debug, Clone, Copy)]
pub struct AwsCalls {
    /// What the span says of a request; the request is the operation's input, such as `GetObjectInput`.
    pub describe: fn(&Input) -> Description,
    /// Operations and the HTTP status that is one of their regular answers, such as 404 for a question whether an object
    /// exists. It is no error then.
    pub expected: &'static [(&'static str, u16)],
}

/// What a span says of one request.
#[derive(Debug, Clone, Default)]
pub struct Description {
    /// Attributes by their conventional names.
    pub attributes: Vec<KeyValue>,
    /// W3C trace contexts of what the request is about.
    pub links: Vec<String>,
}

impl From<Vec<KeyValue>> for Description {
    fn from(attributes: Vec<KeyValue>) -> Self {
        Self { attributes, links: Vec::new() }
    }
}

/// The header that has the id of a request: S3's and everybody else's.
const REQUEST_ID_HEADERS: [&str; 2] = ["x-amz-request-id", "x-amzn-requestid"];

/// The error's name in answers of the JSON protocols, as `name`, `name:address` or `namespace#name`
/// (<https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization>).
const ERROR_TYPE_HEADER: &str = "x-amzn-errortype";

/// A call under way. Dropping it ends its span.
#[derive(Debug)]
struct Call {
    span: Span,
    answered: AtomicBool,
}

impl Storable for Call {
    type Storer = StoreReplace<Self>;
}

impl Drop for Call {
    fn drop(&mut self) {
        if !self.answered.load(Ordering::Relaxed) {
            spans::fail(&self.span, "given up", "given up before there was an answer");
        }
    }
}

/// Why the latest try failed.
#[derive(Debug)]
struct LastFailure(String);

impl Storable for LastFailure {
    type Storer = StoreReplace<Self>;
}

impl AwsCalls {
    fn start(&self, metadata: &Metadata, input: &Input) -> Span {
        let (service, operation) = (metadata.service(), metadata.name());
        // The conventions have since renamed these three; X-Ray's console knows them under these names.
        let span = info_span!(
            "AWS call",
            otel.name = format!("{service}.{operation}"),
            otel.kind = "client",
            rpc.system = "aws-api",
            rpc.service = service,
            rpc.method = operation,
        );
        let Description { attributes, links } = (self.describe)(input);
        spans::set_all(&span, attributes);
        for link in &links {
            // A context that cannot be read is one that nobody can follow.
            let _ = propagation::link(&span, link);
        }
        span
    }

    fn finish(&self, operation: &str, span: &Span, context: &FinalizerInterceptorContextRef<'_>) {
        let response = context.response();
        if let Some(response) = response {
            spans::set(span, attribute::HTTP_RESPONSE_STATUS_CODE, i64::from(response.status().as_u16()));
            if let Some(id) = REQUEST_ID_HEADERS.iter().find_map(|name| response.headers().get(*name)) {
                spans::set(span, attribute::AWS_REQUEST_ID, id.to_owned());
            }
        }
        if let Some(Err(error)) = context.output_or_error() {
            let status = response.map(|response| response.status().as_u16());
            let is_expected = self.expected.iter().any(|(of, expected)| *of == operation && Some(*expected) == status);
            if !is_expected {
                spans::fail(span, error_type(error, response), cause(error, response));
            }
        }
    }
}

impl Intercept for AwsCalls {
    fn name(&self) -> &'static str {
        "AwsCalls"
    }

    // The first hook that knows which operation it is.
    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(metadata) = config.load::<Metadata>() {
            let span = self.start(metadata, context.input());
            config.interceptor_state().store_put(Call { span, answered: AtomicBool::new(false) });
        }
        Ok(())
    }

    fn read_before_attempt(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let attempt = config.load::<RequestAttempts>().map_or(1, RequestAttempts::attempts);
        if attempt > 1
            && let Some(call) = config.load::<Call>()
        {
            let reason = config.load::<LastFailure>().map(|failure| failure.0.clone()).unwrap_or_default();
            let attributes =
                vec![KeyValue::new(logs::ATTEMPT.name, i64::from(attempt)), KeyValue::new(logs::REASON.name, reason)];
            spans::event(&call.span, "retry", attributes);
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(Err(error)) = context.output_or_error() {
            config.interceptor_state().store_put(LastFailure(cause(error, context.response())));
        }
        Ok(())
    }

    fn read_after_execution(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let (Some(call), Some(metadata)) = (config.load::<Call>(), config.load::<Metadata>()) {
            self.finish(metadata.name(), &call.span, context);
            call.answered.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// What the service said, or all that kept it from saying something.
fn cause(error: &OrchestratorError<Error>, response: Option<&HttpResponse>) -> String {
    let Some(answer) = error.as_operation_error() else { return telemetry::reasons(error) };
    // The SDK's own text of an error that it has no type for is one for programmers, and may lack the message.
    if let Some(said) = response.and_then(said) {
        return said;
    }
    let mut innermost: &dyn std::error::Error = answer;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// The service's own name of the error, or what kept its answer from arriving.
fn error_type(error: &OrchestratorError<Error>, response: Option<&HttpResponse>) -> String {
    if error.is_timeout_error() {
        return "timeout".to_owned();
    }
    let named = response.and_then(error_code);
    let status = || response.map(|response| response.status().as_u16().to_string());
    named.or_else(status).unwrap_or_else(|| "no answer".to_owned())
}

/// The service's words, after its name of the error.
fn said(response: &HttpResponse) -> Option<String> {
    let code = error_code(response)?;
    let body = text_of(response);
    let message = between(body, "<Message>", "</Message>").map(str::to_owned).or_else(|| json_message(body));
    Some(message.map_or_else(|| code.clone(), |message| format!("{code}: {message}")))
}

/// Services write the name with a small letter or a capital one
/// (<https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization>).
fn json_message(body: &str) -> Option<String> {
    let json: Value = serde_json::from_str(body).ok()?;
    json.get("message").or_else(|| json.get("Message"))?.as_str().map(str::to_owned)
}

fn error_code(response: &HttpResponse) -> Option<String> {
    let body = text_of(response);
    // XML of S3 and SNS, JSON of SSM.
    let in_body = || between(body, "<Code>", "</Code>").or_else(|| between(body, "\"__type\":\"", "\""));
    let code = response.headers().get(ERROR_TYPE_HEADER).or_else(in_body)?;
    let code = code.split(':').next()?.rsplit('#').next()?;
    Some(code.to_owned()).filter(|code| !code.is_empty())
}

fn text_of(response: &HttpResponse) -> &str {
    response.body().bytes().and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?.1.split_once(end).map(|(code, _)| code)
}
