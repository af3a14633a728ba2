//! The private bucket in S3.

mod conditional;

use std::future::Future;

use aws_config::SdkConfig;
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::get_object::GetObjectInput;
use aws_sdk_s3::operation::head_object::{HeadObjectInput, HeadObjectOutput};
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Input;
use aws_sdk_s3::operation::put_object::PutObjectInput;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::ServerSideEncryption;
use domain::Run;
use domain::enriched::RUN_METADATA;
use function::aws_calls::{AwsCalls, Description, Input};
use telemetry::spans::{KeyValue, attribute};

pub use conditional::{Attempt, Tries, put_conditionally};

/// What the enricher asks of its bucket.
pub trait Bucket: Send + Sync + 'static {
    /// Whether an object stands at this key, and what it says about itself.
    fn head(&self, key: &str) -> impl Future<Output = Result<Option<Head>, BucketError>> + Send;

    /// An object's bytes.
    fn get(&self, key: &str) -> impl Future<Output = Result<Vec<u8>, BucketError>> + Send;

    /// An object that may not stand.
    fn find(&self, key: &str) -> impl Future<Output = Result<Option<Found>, BucketError>> + Send;

    /// All keys under a prefix. For a run that is one page as a rule; more if it has a thousand movies and its list, or
    /// two rankings because its source changed between two attempts of its event.
    fn list(&self, prefix: &str) -> impl Future<Output = Result<Vec<String>, BucketError>> + Send;

    /// Stores an object, if `condition` holds when it is stored.
    fn put(&self, object: Object<'_>, condition: &Condition) -> impl Future<Output = Result<Put, BucketError>> + Send;
}

/// An object to store: JSON, encrypted with the customer's key.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its bytes.
    pub body: &'a [u8],
    /// For an assembled list, the run that it is of.
    pub run: Option<&'a Run>,
}

/// What an object says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its version for a conditional write.
    pub etag: String,
    /// The run that an assembled list is of.
    pub run: Option<Run>,
}

/// An object as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its bytes.
    pub body: Vec<u8>,
    /// Its version for a conditional write.
    pub etag: String,
}

/// When an object may be stored
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Only where none stands (`If-None-Match: *`).
    Absent,
    /// Only over this very object (`If-Match`).
    Unchanged {
        /// Its `ETag`.
        etag: String,
    },
}

/// What became of a conditional write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// The object stands as given.
    Stored,
    /// Another one stands there: nothing was written.
    ConditionFailed,
}

/// S3 refused or could not be reached.
#[derive(Debug, Clone, thiserror::Error)]
#[error("S3 could not {operation} {key}: {reason}")]
pub struct BucketError {
    /// What was asked.
    pub operation: &'static str,
    /// Of which key or prefix.
    pub key: String,
    /// What S3 said.
    pub reason: String,
}

/// The bucket in S3.
#[derive(Debug, Clone)]
pub struct S3Bucket {
    s3: aws_sdk_s3::Client,
    bucket: String,
    kms_key_arn: String,
}

impl S3Bucket {
    /// A client of this bucket that encrypts with this key.
    #[must_use]
    pub fn new(aws: &SdkConfig, bucket: &str, kms_key_arn: &str) -> Self {
        let config = aws_sdk_s3::config::Builder::from(aws).interceptor(AwsCalls { describe, expected: EXPECTED });
        Self::with_client(aws_sdk_s3::Client::from_conf(config.build()), bucket, kms_key_arn)
    }

    /// The same over a client that exists already.
    #[must_use]
    pub fn with_client(s3: aws_sdk_s3::Client, bucket: &str, kms_key_arn: &str) -> Self {
        Self { s3, bucket: bucket.to_owned(), kms_key_arn: kms_key_arn.to_owned() }
    }
}

/// What S3 answers in the course of things: no such object yet, and a condition that does not hold.
const EXPECTED: &[(&str, u16)] = &[("HeadObject", 404), ("GetObject", 404), ("PutObject", 412)];

fn describe(input: &Input) -> Description {
    let bucket_and_key = [
        input.downcast_ref::<HeadObjectInput>().map(|head| (head.bucket(), head.key())),
        input.downcast_ref::<GetObjectInput>().map(|get| (get.bucket(), get.key())),
        input.downcast_ref::<PutObjectInput>().map(|put| (put.bucket(), put.key())),
        input.downcast_ref::<ListObjectsV2Input>().map(|list| (list.bucket(), None)),
    ];
    let (bucket, key) = bucket_and_key.into_iter().flatten().next().unwrap_or_default();
    let named = [(attribute::AWS_S3_BUCKET, bucket), (attribute::AWS_S3_KEY, key)];
    let attributes = named.into_iter().filter_map(|(name, value)| Some(KeyValue::new(name, value?.to_owned())));
    attributes.collect::<Vec<_>>().into()
}

impl Bucket for S3Bucket {
    async fn head(&self, key: &str) -> Result<Option<Head>, BucketError> {
        let Some(head) = self.look_at(key).await? else { return Ok(None) };
        let run = head.metadata().and_then(|metadata| metadata.get(RUN_METADATA));
        let run = run.and_then(|run| Run::parse(run).ok());
        Ok(Some(Head { etag: head.e_tag.unwrap_or_default(), run }))
    }

    async fn get(&self, key: &str) -> Result<Vec<u8>, BucketError> {
        match self.find(key).await? {
            Some(found) => Ok(found.body),
            None => Err(BucketError { operation: "read", key: key.to_owned(), reason: "NoSuchKey".to_owned() }),
        }
    }

    async fn find(&self, key: &str) -> Result<Option<Found>, BucketError> {
        let object = match self.s3.get_object().bucket(&self.bucket).key(key).send().await {
            Ok(object) => object,
            Err(SdkError::ServiceError(error)) if error.err().is_no_such_key() => return Ok(None),
            Err(error) => return Err(fault("read", key, error)),
        };
        let body = object.body.collect().await.map_err(|error| fault("read", key, error))?;
        Ok(Some(Found { body: body.to_vec(), etag: object.e_tag.unwrap_or_default() }))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, BucketError> {
        let mut pages = self.s3.list_objects_v2().bucket(&self.bucket).prefix(prefix).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let objects = page.map_err(|error| fault("list", prefix, error))?.contents.unwrap_or_default();
            keys.extend(objects.into_iter().filter_map(|object| object.key));
        }
        Ok(keys)
    }

    async fn put(&self, object: Object<'_>, condition: &Condition) -> Result<Put, BucketError> {
        put_conditionally(self, object, condition).await
    }
}

/// User metadata: a random name of the one write that made an object.
const WRITER_METADATA: &str = "writer";

impl Tries for S3Bucket {
    async fn try_put(&self, object: Object<'_>, condition: &Condition, writer: &str) -> Result<Attempt, BucketError> {
        let run = object.run.map(|run| (RUN_METADATA.to_owned(), run.to_string()));
        let metadata = std::iter::once((WRITER_METADATA.to_owned(), writer.to_owned())).chain(run).collect();
        let request = self
            .s3
            .put_object()
            .bucket(&self.bucket)
            .key(object.key)
            .body(ByteStream::from(object.body.to_vec()))
            .content_type("application/json")
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .ssekms_key_id(&self.kms_key_arn)
            .set_metadata(Some(metadata));
        let request = match condition {
            Condition::Absent => request.if_none_match("*"),
            Condition::Unchanged { etag } => request.if_match(etag),
        };
        match request.send().await {
            Ok(_) => Ok(Attempt::Stored),
            Err(error) => match error.code() {
                // 412: another object stands there; for `If-Match` 404: the object is gone.
                Some("PreconditionFailed" | "NoSuchKey") => Ok(Attempt::ConditionFailed),
                // 409: S3 asks for the upload to be tried again.
                Some("ConditionalRequestConflict") => Ok(Attempt::Conflict),
                _ => Err(fault("store", object.key, error)),
            },
        }
    }

    async fn is_written_by(&self, key: &str, writer: &str) -> Result<Option<bool>, BucketError> {
        let by = |head: &HeadObjectOutput| head.metadata().and_then(|metadata| metadata.get(WRITER_METADATA)).cloned();
        Ok(self.look_at(key).await?.map(|head| by(&head).is_some_and(|by| by == writer)))
    }
}

impl S3Bucket {
    async fn look_at(&self, key: &str) -> Result<Option<HeadObjectOutput>, BucketError> {
        match self.s3.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(head) => Ok(Some(head)),
            Err(SdkError::ServiceError(error)) if error.err().is_not_found() => Ok(None),
            Err(error) => Err(fault("look at", key, error)),
        }
    }
}

fn fault(operation: &'static str, key: &str, error: impl std::error::Error) -> BucketError {
    BucketError { operation, key: key.to_owned(), reason: DisplayErrorContext(error).to_string() }
}
