//! The clients that talk to the local AWS.

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, RequestChecksumCalculation, SharedCredentialsProvider};

use crate::emulator::{OWNER_CREDENTIAL, REGION};

/// One client per service that the harness asks.
#[derive(Debug, Clone)]
pub struct Clients {
    /// Deploys the program.
    pub cloudformation: aws_sdk_cloudformation::Client,
    /// Reads metrics back.
    pub cloudwatch: aws_sdk_cloudwatch::Client,
    /// Reads the functions' logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// Fires the schedule's target.
    pub lambda: aws_sdk_lambda::Client,
    /// Puts the source, reads the movies.
    pub s3: aws_sdk_s3::Client,
    /// Publishes what tests want to publish.
    pub sns: aws_sdk_sns::Client,
    /// Looks into the queues.
    pub sqs: aws_sdk_sqs::Client,
    /// Puts the OMDb key.
    pub ssm: aws_sdk_ssm::Client,
}

impl Clients {
    /// Clients for an emulator. The configuration is built by hand rather than loaded: the caller's profiles,
    /// credentials and `AWS_*` variables must neither be used nor be able to send anything to real AWS.
    #[must_use]
    pub fn new(endpoint: &str) -> Self {
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static(REGION))
            .endpoint_url(endpoint)
            .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
                OWNER_CREDENTIAL,
                OWNER_CREDENTIAL,
                None,
                None,
                "local",
            )))
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build();
        Self::of(&config)
    }

    /// Clients of any configuration.
    pub(crate) fn of(config: &SdkConfig) -> Self {
        Self {
            cloudformation: aws_sdk_cloudformation::Client::new(config),
            cloudwatch: aws_sdk_cloudwatch::Client::new(config),
            logs: aws_sdk_cloudwatchlogs::Client::new(config),
            lambda: aws_sdk_lambda::Client::new(config),
            s3: s3_client(config),
            sns: aws_sdk_sns::Client::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
            ssm: aws_sdk_ssm::Client::new(config),
        }
    }
}

/// S3 without checksums that it does not ask for, see where the packages are uploaded.
fn s3_client(config: &SdkConfig) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::config::Builder::from(config);
    let config = config.request_checksum_calculation(RequestChecksumCalculation::WhenRequired);
    aws_sdk_s3::Client::from_conf(config.build())
}
