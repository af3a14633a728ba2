//! A collector and a CloudWatch that answer, refuse or hang as told, and remember what they were sent.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_cloudwatch::config::http::{HttpRequest, HttpResponse};
use aws_sdk_cloudwatch::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_cloudwatch::config::retry::RetryConfig;
use aws_sdk_cloudwatch::config::{BehaviorVersion, ConfigBag, Credentials, Intercept, Region, RuntimeComponents};
use aws_sdk_cloudwatch::error::BoxError;
use aws_sdk_cloudwatch::operation::put_metric_data::PutMetricDataInput;
use aws_sdk_cloudwatch::types::MetricDatum;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use domain::contract::Service;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use telemetry::{Settings, Sinks};

/// Something no log line may show.
pub(crate) const SECRET: &str = "apikey=5ecre7";

pub(crate) fn settings(service: Service) -> Settings {
    Settings {
        service,
        environment: "test".to_owned(),
        log_level: tracing::Level::INFO,
        sdk_disabled: false,
        otlp_endpoint: Some("http://collector.example:4318/".to_owned()),
        flush_timeout: Duration::from_secs(5),
    }
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Mood {
    Answers,
    /// Accepts a request and rejects one span of it; only collectors do.
    RejectsOne,
    Refuses,
    Hangs,
}

/// Both receivers, with their moods.
#[derive(Debug, Clone)]
pub(crate) struct Receivers {
    pub(crate) collector: Arc<Collector>,
    pub(crate) cloudwatch: Arc<CloudWatch>,
}

impl Receivers {
    pub(crate) fn new() -> Self {
        Self { collector: Arc::new(Collector::default()), cloudwatch: Arc::new(CloudWatch::default()) }
    }

    pub(crate) fn sinks(&self) -> Sinks {
        let config = aws_sdk_cloudwatch::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("id", "secret", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .interceptor(Recorder(Arc::clone(&self.cloudwatch)))
            .http_client({
                let connector = SharedHttpConnector::new(Connector(Arc::clone(&self.cloudwatch)));
                http_client_fn(move |_, _| connector.clone())
            })
            .build();
        let http: Arc<dyn HttpClient> = self.collector.clone();
        Sinks { http: Some(http), cloudwatch: Some(aws_sdk_cloudwatch::Client::from_conf(config)) }
    }
}

/// Receives spans.
#[derive(Debug)]
pub(crate) struct Collector {
    mood: Mutex<Mood>,
    requests: Mutex<Vec<Request<Bytes>>>,
}

impl Default for Collector {
    fn default() -> Self {
        Self { mood: Mutex::new(Mood::Answers), requests: Mutex::default() }
    }
}

impl Collector {
    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Address, content type and content of every request so far.
    pub(crate) fn requests(&self) -> Vec<(String, String, ExportTraceServiceRequest)> {
        let read = |request: &Request<Bytes>| {
            let content_type = request.headers()["content-type"].to_str().unwrap().to_owned();
            (request.uri().to_string(), content_type, Message::decode(request.body().clone()).unwrap())
        };
        self.requests.lock().unwrap().iter().map(read).collect()
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        let resources = self.requests().into_iter().flat_map(|(_, _, request)| request.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        // A client of ours may well make a span of what it does.
        tracing::info_span!(target: "function", "request of the exporter")
            .in_scope(|| self.requests.lock().unwrap().push(request));
        let mood = *self.mood.lock().unwrap();
        match mood {
            Mood::Answers => Ok(Response::new(Bytes::new())),
            Mood::RejectsOne => {
                let partial = ExportTracePartialSuccess { rejected_spans: 1, error_message: "too large".to_owned() };
                let answer = ExportTraceServiceResponse { partial_success: Some(partial) };
                Ok(Response::new(answer.encode_to_vec().into()))
            }
            Mood::Refuses => Err(format!("cannot connect to http://collector.example/?{SECRET}").into()),
            Mood::Hangs => pending().await,
        }
    }
}

/// Receives metrics.
#[derive(Debug)]
pub(crate) struct CloudWatch {
    mood: Mutex<Mood>,
    calls: Mutex<Vec<PutMetricDataInput>>,
}

impl Default for CloudWatch {
    fn default() -> Self {
        Self { mood: Mutex::new(Mood::Answers), calls: Mutex::default() }
    }
}

impl CloudWatch {
    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    pub(crate) fn calls(&self) -> Vec<PutMetricDataInput> {
        self.calls.lock().unwrap().clone()
    }
}

/// The value of a counter in one call.
pub(crate) fn value(call: &PutMetricDataInput, name: &str) -> Option<f64> {
    call.metric_data().iter().find(|datum| datum.metric_name() == Some(name)).and_then(MetricDatum::value)
}

#[derive(Debug)]
struct Recorder(Arc<CloudWatch>);

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let input = context.input().downcast_ref::<PutMetricDataInput>().unwrap();
        self.0.calls.lock().unwrap().push(input.clone());
        Ok(())
    }
}

#[derive(Debug)]
struct Connector(Arc<CloudWatch>);

impl HttpConnector for Connector {
    fn call(&self, _request: HttpRequest) -> HttpConnectorFuture {
        match *self.0.mood.lock().unwrap() {
            Mood::Answers | Mood::RejectsOne => {
                // An empty map in CBOR.
                let mut response = HttpResponse::new(200.try_into().unwrap(), SdkBody::from(vec![0xa0]));
                response.headers_mut().insert("smithy-protocol", "rpc-v2-cbor");
                HttpConnectorFuture::ready(Ok(response))
            }
            Mood::Refuses => HttpConnectorFuture::ready(Err(ConnectorError::io("connection refused".into()))),
            Mood::Hangs => HttpConnectorFuture::new(pending()),
        }
    }
}
