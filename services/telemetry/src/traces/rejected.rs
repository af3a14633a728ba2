//! Spans that the collector took delivery of and threw away.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;

/// An HTTP client that reads along in the answers. A collector may accept a request and still reject spans of it
/// (<https://opentelemetry.io/docs/specs/otlp/#partial-success-1>); the exporter logs that and calls it a success.
#[derive(Debug)]
pub(super) struct CountRejected {
    pub(super) http: Arc<dyn HttpClient>,
    pub(super) rejected: Arc<AtomicU64>,
}

#[async_trait]
impl HttpClient for CountRejected {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let response = self.http.send_bytes(request).await?;
        if response.status().is_success() {
            self.rejected.fetch_add(rejected(response.body()), Ordering::Relaxed);
        }
        Ok(response)
    }
}

/// A body that cannot be read rejects nothing: collectors may answer with an empty one.
fn rejected(body: &Bytes) -> u64 {
    let partial = ExportTraceServiceResponse::decode(body.as_ref()).ok().and_then(|answer| answer.partial_success);
    partial.and_then(|partial| u64::try_from(partial.rejected_spans).ok()).unwrap_or_default()
}
