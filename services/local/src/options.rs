//! What a pipeline is started with, and the configuration of the Pulumi program that follows from it.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use domain::contract::Service;
use pulumi::config::settings;

use crate::api_key::ApiKey;
use crate::deploy::{Configuration, SOURCE_BUCKET, SOURCE_KEY};
use crate::emulator::REGION;
use crate::omdb::OmdbStandIn;
use crate::permissions::Permissions;
use crate::progress::Progress;
use crate::traces::TraceReceiver;

/// The source list that ships with the repository: 250 films in the real shape.
pub const SAMPLE_SOURCE: &[u8] = include_bytes!("../samples/Top250Movies.json");

/// What a pipeline is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The bytes of the source object, whatever they are; nothing: there is no such object.
    pub source: Option<Vec<u8>>,
    /// How many movies a run has, 1 to 1,000.
    pub top_n: usize,
    /// Further configuration of the Pulumi program, by key without the project's name.
    pub configuration: Configuration,
    /// A key of the real OMDb, which is then asked; without one, the stand-in is.
    pub real_omdb: Option<ApiKey>,
    /// After how long SQS delivers a failed message again; without it, as deployed, which is many minutes.
    pub redelivery_delay: Option<Duration>,
    /// After how long Lambda tries a failed asynchronous invocation again; the second time it waits twice as long. AWS
    /// waits 1 and then 2 minutes (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>),
    /// which nobody at a terminal wants to; the number of tries stays the deployed one.
    pub async_retry_delay: Duration,
    /// How the functions' permissions are looked at while they run.
    pub permissions: Permissions,
    /// Whether the local AWS keeps its state on disk, so that it can be restarted.
    pub is_durable: bool,
    /// Deployment packages of other functions than those of this workspace, built for this machine.
    pub functions: Option<BTreeMap<Service, Bytes>>,
    /// Where progress is shown.
    pub progress: Progress,
}

impl Default for Options {
    /// The sample, the default size of a run, the stand-in of OMDb, everything as deployed, silent.
    fn default() -> Self {
        Self {
            source: Some(SAMPLE_SOURCE.to_vec()),
            top_n: domain::ranking::DEFAULT_TOP_N,
            configuration: Configuration::new(),
            real_omdb: None,
            redelivery_delay: None,
            async_retry_delay: Duration::from_millis(100),
            permissions: Permissions::default(),
            functions: None,
            is_durable: false,
            progress: Progress::Silent,
        }
    }
}

impl Options {
    /// The configuration of the program for this machine. What the caller sets stands above it.
    pub(crate) fn stack_configuration(&self, omdb: Option<&OmdbStandIn>, traces: &TraceReceiver) -> Configuration {
        let architecture = if cfg!(target_arch = "aarch64") { "arm64" } else { "x86_64" };
        let mut configuration = Configuration::from([
            (settings::ARCHITECTURE.name.to_owned(), architecture.to_owned()),
            (settings::OTLP_ENDPOINT.name.to_owned(), traces.endpoint()),
            (settings::SCHEDULE.name.to_owned(), NEVER.to_owned()),
            (settings::SOURCE_BUCKET.name.to_owned(), SOURCE_BUCKET.to_owned()),
            (settings::SOURCE_KEY.name.to_owned(), SOURCE_KEY.to_owned()),
            (settings::SOURCE_REGION.name.to_owned(), REGION.to_owned()),
            (settings::TOP_N.name.to_owned(), self.top_n.to_string()),
        ]);
        if let Some(omdb) = omdb {
            configuration.insert(settings::OMDB_BASE_URL.name.to_owned(), omdb.base_url());
            configuration.insert(settings::OMDB_DAILY_LIMIT.name.to_owned(), STAND_INS_DAILY_LIMIT.to_owned());
        }
        configuration.extend(self.configuration.clone());
        configuration
    }
}

/// As much as the program allows: the stand-in has no quota, and a run of 1,000 is run here more often than once a day.
const STAND_INS_DAILY_LIMIT: &str = "1000000";

/// The emulator fires schedules by itself. A pipeline that happens to run at noon must not get a second run.
const NEVER: &str = "cron(0 0 1 1 ? 2199)";
