//! How AWS can be made to fail a call, in the words and the form of the service that is asked.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use aws_smithy_cbor::Encoder;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::AwsRequest;

/// An operation that can be made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// S3: the source, or what is stored already.
    GetObject,
    /// S3: a movie, or a list.
    PutObject,
    /// SNS: the movies of a run.
    PublishBatch,
    /// SSM: the OMDb key.
    GetParameter,
    /// CloudWatch: the functions' metrics.
    PutMetricData,
}

impl Operation {
    fn of(request: &AwsRequest) -> Option<Self> {
        match request {
            AwsRequest::GetObject { .. } => Some(Self::GetObject),
            AwsRequest::PutObject { .. } => Some(Self::PutObject),
            AwsRequest::PublishBatch { .. } => Some(Self::PublishBatch),
            AwsRequest::GetParameter { .. } => Some(Self::GetParameter),
            AwsRequest::PutMetricData { .. } => Some(Self::PutMetricData),
            AwsRequest::HeadObject { .. }
            | AwsRequest::ListObjectsV2 { .. }
            | AwsRequest::ChangeMessageVisibilityBatch { .. }
            | AwsRequest::Unknown(_) => None,
        }
    }

    /// An error in the protocol of the operation's service.
    fn error(self, status: u16, code: &str, message: &str) -> Response {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let (content_type, body) = match self {
            // https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
            Self::GetObject | Self::PutObject => {
                ("application/xml", format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>").into())
            }
            // https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
            Self::PublishBatch => {
                let error = format!("<Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>");
                ("text/xml", format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>").into())
            }
            // https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html
            Self::GetParameter => {
                ("application/x-amz-json-1.1", json!({"__type": code, "message": message}).to_string().into_bytes())
            }
            // https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
            Self::PutMetricData => ("application/cbor", cbor_error(code, message)),
        };
        let mut response = (status, [(header::CONTENT_TYPE, content_type)], body).into_response();
        if self == Self::PutMetricData {
            response.headers_mut().insert("smithy-protocol", header::HeaderValue::from_static("rpc-v2-cbor"));
        }
        response
    }
}

fn cbor_error(code: &str, message: &str) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    encoder.map(2).str("__type").str(code).str("message").str(message);
    encoder.into_writer()
}

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AwsFault {
    /// It is refused.
    Error {
        /// The HTTP status.
        status: u16,
        /// AWS's name of the error, such as `AccessDenied`.
        code: &'static str,
        /// What AWS says about it.
        message: &'static str,
    },
    /// It is answered right, late.
    Delay(Duration),
}

/// One fault, to be had by one call.
#[derive(Debug)]
pub(super) struct Due {
    operation: Operation,
    fault: AwsFault,
}

impl Due {
    /// What is answered in the place of AWS; nothing when AWS is still to answer.
    pub(super) async fn take_place(self) -> Option<Response> {
        match self.fault {
            AwsFault::Error { status, code, message } => Some(self.operation.error(status, code, message)),
            AwsFault::Delay(delay) => {
                tokio::time::sleep(delay).await;
                None
            }
        }
    }
}

/// The faults that are still to come.
#[derive(Debug, Default)]
pub(super) struct Faults(Mutex<BTreeMap<Operation, (AwsFault, Option<usize>)>>);

impl Faults {
    pub(super) fn set(&self, operation: Operation, fault: AwsFault, times: Option<usize>) {
        self.lock().insert(operation, (fault, times));
    }

    /// The fault that this request gets.
    pub(super) fn of(&self, request: &AwsRequest) -> Option<Due> {
        let operation = Operation::of(request)?;
        let mut faults = self.lock();
        let (fault, times) = faults.get_mut(&operation)?;
        if let Some(times) = times {
            *times = times.checked_sub(1)?;
        }
        Some(Due { operation, fault: fault.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Operation, (AwsFault, Option<usize>)>> {
        // The data is whole after any panic: every change to it is one assignment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THROTTLED: AwsFault = AwsFault::Error { status: 503, code: "SlowDown", message: "Reduce your request rate" };

    #[test]
    fn a_fault_meets_its_operation_as_often_as_it_was_told() {
        let faults = Faults::default();
        let parameter = AwsRequest::GetParameter { parameter: "key".to_owned(), with_decryption: true };
        let object = AwsRequest::GetObject { object: "list".to_owned() };
        faults.set(Operation::GetParameter, THROTTLED, Some(2));
        let met = [&parameter, &object, &parameter, &parameter].map(|request| faults.of(request).is_some());
        assert_eq!(met, [true, false, true, false]);
    }

    #[test]
    fn a_fault_without_end_is_always_met() {
        let faults = Faults::default();
        let publish = AwsRequest::PublishBatch { topic: "movies".to_owned() };
        faults.set(Operation::PublishBatch, THROTTLED, None);
        assert!((0..100).all(|_| faults.of(&publish).is_some()));
    }
}
