//! Who telemetry comes from, in OpenTelemetry's words.

use domain::contract::Service;
use opentelemetry::KeyValue;
use opentelemetry_aws::detector::LambdaResourceDetector;
use opentelemetry_sdk::Resource;
use opentelemetry_semantic_conventions::resource::{DEPLOYMENT_ENVIRONMENT_NAME, SERVICE_NAME, SERVICE_VERSION};

/// The service, its stack, and what Lambda's environment variables say of the function (`faas.*`, `cloud.*`; nothing
/// outside Lambda). The version is the workspace's, which all packages share; `faas.version` is Lambda's. Attributes of
/// `OTEL_RESOURCE_ATTRIBUTES` are added by the SDK and yield to ours.
pub(crate) fn describe(service: Service, environment: &str) -> Resource {
    Resource::builder()
        .with_detector(Box::new(LambdaResourceDetector))
        .with_attributes([
            KeyValue::new(SERVICE_NAME, service.name()),
            KeyValue::new(SERVICE_VERSION, env!("CARGO_PKG_VERSION")),
            KeyValue::new(DEPLOYMENT_ENVIRONMENT_NAME, environment.to_owned()),
        ])
        .build()
}
