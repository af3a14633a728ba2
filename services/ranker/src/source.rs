//! The source object in S3.

use std::fmt;

use aws_config::SdkConfig;
use aws_sdk_s3::config::Region;
use aws_sdk_s3::error::DisplayErrorContext;
use aws_sdk_s3::operation::get_object::{GetObjectError, GetObjectInput};
use function::aws_calls::{AwsCalls, Description, Input};
use telemetry::spans::{KeyValue, attribute};

/// Where the source list lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// The bucket.
    pub bucket: String,
    /// The object's key.
    pub key: String,
    /// The bucket's region, which need not be the function's.
    pub region: String,
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{} ({})", self.bucket, self.key, self.region)
    }
}

/// Something that the list can be read from.
pub trait Source: Sync {
    /// Where it lies, for messages.
    fn location(&self) -> &Location;

    /// Hands over the bytes as they arrive. Reading ends early when `take` fails; its error is the caller's to keep.
    fn read<E>(
        &self,
        take: impl FnMut(&[u8]) -> Result<(), E> + Send,
    ) -> impl Future<Output = Result<(), ReadError<E>>> + Send;
}

/// Why the list was not read to its end.
#[derive(Debug)]
pub enum ReadError<E> {
    /// The one who takes the bytes wants no more.
    Refused(E),
    /// No more bytes can be had, and why.
    Unreadable(String),
}

/// The list as an S3 object.
#[derive(Debug, Clone)]
pub struct S3Source {
    s3: aws_sdk_s3::Client,
    location: Location,
}

impl S3Source {
    /// A client of the source's own region.
    #[must_use]
    pub fn new(aws: &SdkConfig, location: &Location) -> Self {
        let config = aws_sdk_s3::config::Builder::from(aws).region(Region::new(location.region.clone()));
        let config = config.interceptor(AwsCalls { describe, expected: &[] }).build();
        Self { s3: aws_sdk_s3::Client::from_conf(config), location: location.clone() }
    }
}

fn describe(input: &Input) -> Description {
    let Some(get) = input.downcast_ref::<GetObjectInput>() else { return Description::default() };
    let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
    vec![
        KeyValue::new(attribute::AWS_S3_BUCKET, text(get.bucket())),
        KeyValue::new(attribute::AWS_S3_KEY, text(get.key())),
    ]
    .into()
}

impl Source for S3Source {
    fn location(&self) -> &Location {
        &self.location
    }

    async fn read<E>(&self, mut take: impl FnMut(&[u8]) -> Result<(), E> + Send) -> Result<(), ReadError<E>> {
        let Location { bucket, key, .. } = &self.location;
        let object = self.s3.get_object().bucket(bucket).key(key).send().await;
        let mut body = object.map_err(|error| ReadError::Unreadable(explain(error.into_service_error())))?.body;
        while let Some(chunk) = body.next().await {
            let chunk = chunk.map_err(|error| {
                ReadError::Unreadable(format!("the transfer broke off: {}", DisplayErrorContext(error)))
            })?;
            take(&chunk).map_err(ReadError::Refused)?;
        }
        Ok(())
    }
}

/// What S3 said, with what to look at where its own words do not tell.
fn explain(error: GetObjectError) -> String {
    use aws_sdk_s3::error::ProvideErrorMetadata;
    match error.code() {
        Some("NoSuchKey") => "there is no such object".to_owned(),
        Some("NoSuchBucket") => "there is no such bucket".to_owned(),
        // Without s3:ListBucket, S3 hides from us whether the object exists.
        Some("AccessDenied") => {
            "access is denied: the object does not exist, or its bucket does not let this function read it".to_owned()
        }
        Some("PermanentRedirect") => "the bucket lies in another region; set sourceRegion".to_owned(),
        _ => DisplayErrorContext(error).to_string(),
    }
}
