//! What a request to AWS asks for.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::time::Duration;

use aws_smithy_cbor::Decoder;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::emulator::{ACCOUNT_ID, REGION};

/// What a function asks of AWS, as far as permissions depend on it. Resources are ARNs.
///
/// Only what is known to need exactly the permissions that its name tells is named; everything else is
/// [`Unknown`](Self::Unknown).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AwsRequest {
    /// S3: what an object says about itself.
    HeadObject {
        /// The object.
        object: String,
    },
    /// S3: an object.
    GetObject {
        /// The object.
        object: String,
    },
    /// S3: stores an object.
    PutObject {
        /// The object.
        object: String,
        /// The key that the request names to encrypt it with.
        kms_key: Option<String>,
    },
    /// S3: the keys of a bucket.
    ListObjectsV2 {
        /// The bucket.
        bucket: String,
        /// What the keys begin with, if that is asked.
        prefix: Option<String>,
    },
    /// SNS: publishes messages.
    PublishBatch {
        /// The topic.
        topic: String,
    },
    /// SSM: a parameter.
    GetParameter {
        /// The parameter.
        parameter: String,
        /// Whether it is to be decrypted.
        with_decryption: bool,
    },
    /// SQS: hides received messages.
    ChangeMessageVisibilityBatch {
        /// The queue.
        queue: String,
        /// Receipt handles, and for how long.
        messages: Vec<(String, Duration)>,
    },
    /// `CloudWatch`: reports metrics.
    PutMetricData {
        /// The namespace of the metrics.
        namespace: String,
    },
    /// Anything else, with what is known of it.
    Unknown(String),
}

impl AwsRequest {
    /// Reads a request by the protocol of the AWS service that it is signed for.
    pub(super) fn read(head: &Parts, body: &[u8]) -> Self {
        let signed_for = signed_for(&head.headers);
        let known = match signed_for {
            // https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
            Some("s3") => read_s3(head),
            // https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html
            Some("sns") => read_sns(body),
            // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
            Some("ssm") => read_ssm(&head.headers, body),
            // https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibilityBatch.html
            Some("sqs") => read_sqs(&head.headers, body),
            // https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
            Some("monitoring") => read_cloudwatch(head, body),
            _ => None,
        };
        known.unwrap_or_else(|| Self::Unknown(describe(head, signed_for.unwrap_or("nothing"))))
    }
}

/// The service in the scope of the signature: `Credential=<id>/<date>/<region>/<service>/aws4_request`
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-authentication-methods.html>).
fn signed_for(headers: &HeaderMap) -> Option<&str> {
    let (_, credential) = headers.get("authorization")?.to_str().ok()?.split_once("Credential=")?;
    credential.split('/').nth(3)
}

/// For whoever has to teach the operation here.
fn describe(head: &Parts, signed_for: &str) -> String {
    let target = head.headers.get("x-amz-target").and_then(|target| target.to_str().ok()).unwrap_or_default();
    format!("{} {} {target} signed for {signed_for}", head.method, head.uri)
}

/// The SDK speaks to an endpoint without a name of its own in paths: `/<bucket>/<key>`
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html#path-style-access>).
fn read_s3(head: &Parts) -> Option<AwsRequest> {
    let path = head.uri.path().strip_prefix('/')?;
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let query = pairs(head.uri.query().unwrap_or_default())?;
    let bucket = format!("arn:aws:s3:::{}", decode(bucket)?);
    if key.is_empty() {
        return (head.method == Method::GET).then(|| list(bucket, &query))?;
    }
    // Another subresource of an object, such as its ACL, needs another permission.
    let is_the_object_itself = query.iter().all(|(name, _)| name == "x-id");
    let object = is_the_object_itself.then_some(format!("{bucket}/{}", decode(key)?))?;
    match head.method {
        // With its checksum, the head of an encrypted object needs the key too
        // (https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html).
        Method::HEAD if !head.headers.contains_key("x-amz-checksum-mode") => Some(AwsRequest::HeadObject { object }),
        Method::GET => Some(AwsRequest::GetObject { object }),
        Method::PUT => put(object, &head.headers),
        _ => None,
    }
}

fn list(bucket: String, query: &[(String, String)]) -> Option<AwsRequest> {
    const FILTERS: [&str; 5] = ["continuation-token", "list-type", "max-keys", "prefix", "x-id"];
    let is_plain = query.iter().all(|(name, _)| FILTERS.contains(&name.as_str()));
    let value = |wanted| query.iter().find_map(|(name, value)| (name == wanted).then(|| value.clone()));
    (is_plain && value("list-type").as_deref() == Some("2"))
        .then(|| AwsRequest::ListObjectsV2 { bucket, prefix: value("prefix") })
}

/// A put with one of these needs further permissions
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>).
fn put(object: String, headers: &HeaderMap) -> Option<AwsRequest> {
    const FURTHER: [&str; 5] =
        ["x-amz-acl", "x-amz-copy-source", "x-amz-grant-", "x-amz-object-lock-", "x-amz-tagging"];
    let needs_more = headers.keys().any(|name| FURTHER.iter().any(|further| name.as_str().starts_with(further)));
    let kms_key = headers.get("x-amz-server-side-encryption-aws-kms-key-id");
    let kms_key = kms_key.map(|key| key.to_str().map(str::to_owned)).transpose().ok()?;
    (!needs_more).then_some(AwsRequest::PutObject { object, kms_key })
}

fn read_sns(body: &[u8]) -> Option<AwsRequest> {
    let fields = pairs(std::str::from_utf8(body).ok()?)?;
    let field = |wanted| fields.iter().find_map(|(name, value)| (name == wanted).then(|| value.clone()));
    let topic = field("TopicArn")?;
    (field("Action").as_deref() == Some("PublishBatch")).then_some(AwsRequest::PublishBatch { topic })
}

fn read_ssm(headers: &HeaderMap, body: &[u8]) -> Option<AwsRequest> {
    if headers.get("x-amz-target")? != "AmazonSSM.GetParameter" {
        return None;
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    // A name has a slash in front in its ARN, whether it has one itself or not; one with a colon asks for a version.
    let name = body.get("Name")?.as_str().filter(|name| !name.contains(':'))?.trim_start_matches('/');
    Some(AwsRequest::GetParameter {
        parameter: format!("arn:aws:ssm:{REGION}:{ACCOUNT_ID}:parameter/{name}"),
        with_decryption: body.get("WithDecryption").and_then(Value::as_bool).unwrap_or_default(),
    })
}

fn read_sqs(headers: &HeaderMap, body: &[u8]) -> Option<AwsRequest> {
    if headers.get("x-amz-target")? != "AmazonSQS.ChangeMessageVisibilityBatch" {
        return None;
    }
    let body: Value = serde_json::from_slice(body).ok()?;
    let name = body.get("QueueUrl")?.as_str()?.rsplit('/').next()?;
    let message = |entry: &Value| {
        let seconds = entry.get("VisibilityTimeout")?.as_u64()?;
        Some((entry.get("ReceiptHandle")?.as_str()?.to_owned(), Duration::from_secs(seconds)))
    };
    Some(AwsRequest::ChangeMessageVisibilityBatch {
        queue: format!("arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{name}"),
        messages: body.get("Entries")?.as_array()?.iter().map(message).collect::<Option<_>>()?,
    })
}

fn read_cloudwatch(head: &Parts, body: &[u8]) -> Option<AwsRequest> {
    // A compressed body is none that the namespace can be read from.
    let is_plain = !head.headers.contains_key("content-encoding");
    let asks = is_plain && head.uri.path().ends_with("/operation/PutMetricData");
    asks.then(|| read_namespace(body))?.map(|namespace| AwsRequest::PutMetricData { namespace })
}

/// The member `Namespace` of a CBOR map of text keys.
fn read_namespace(body: &[u8]) -> Option<String> {
    let mut decoder = Decoder::new(body);
    decoder.map().ok()?;
    while let Ok(name) = decoder.str() {
        if name == "Namespace" {
            return decoder.string().ok();
        }
        decoder.skip().ok()?;
    }
    None
}

/// The fields of a form or a query (<https://url.spec.whatwg.org/#application/x-www-form-urlencoded>).
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let fields = text.split('&').filter(|field| !field.is_empty());
    let pair = |field: &str| {
        let (name, value) = field.split_once('=').unwrap_or((field, ""));
        Some((decode(&name.replace('+', " "))?.into_owned(), decode(&value.replace('+', " "))?.into_owned()))
    };
    fields.map(pair).collect()
}

fn decode(text: &str) -> Option<Cow<'_, str>> {
    percent_decode_str(text).decode_utf8().ok()
}
