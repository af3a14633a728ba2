//! The configuration values a stack can set: name, default, what is allowed, meaning. `Pulumi.yaml` declares the same
//! ones; a test holds it against this table.

use std::fmt;

use domain::contract::{PROJECT, environment};
use domain::ranking::{MAX_TOP_N, MIN_TOP_N};

use super::{checks, schedule};

/// One configuration value.
#[derive(Debug)]
pub struct Setting {
    /// Its name without the project. Units stand in it.
    pub name: &'static str,
    /// What it says, and why the default is what it is.
    pub description: &'static str,
    /// The value when the stack does not set it; without one the stack must.
    pub default: Option<&'static str>,
    /// What a value may be.
    pub allowed: Allowed,
}

impl Setting {
    /// The name as `pulumi config` shows it, such as `movie-pipeline:topN`.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{PROJECT}:{}", self.name)
    }
}

/// What a configuration value may be.
#[derive(Debug)]
pub enum Allowed {
    /// Anything, never read here: Pulumi's engine hands it on, encrypted.
    Secret,
    /// `true` or `false`.
    Flag,
    /// A whole number within these bounds, both included.
    Whole(u32, u32),
    /// One of these whole numbers.
    WholeOf(&'static [u32]),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A text that the function accepts; the first field says what it looks like.
    Text(&'static str, fn(&str) -> bool),
}

impl Allowed {
    /// Whether a value is allowed.
    #[must_use]
    pub fn accepts(&self, value: &str) -> bool {
        match self {
            Self::Secret => true,
            Self::Flag => value.parse::<bool>().is_ok(),
            Self::Whole(least, most) => checks::whole(value).is_some_and(|number| (*least..=*most).contains(&number)),
            Self::WholeOf(numbers) => checks::whole(value).is_some_and(|number| numbers.contains(&number)),
            Self::Word(words) => words.contains(&value),
            Self::Text(_, is_valid) => is_valid(value),
        }
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Secret => formatter.write_str("a secret"),
            Self::Flag => formatter.write_str("true or false"),
            Self::Whole(least, most) => write!(formatter, "a whole number from {least} to {most}"),
            Self::WholeOf(numbers) => {
                let numbers: Vec<_> = numbers.iter().map(u32::to_string).collect();
                write!(formatter, "one of {}", numbers.join(", "))
            }
            Self::Word(words) => write!(formatter, "one of {}", words.join(", ")),
            Self::Text(looks_like, _) => formatter.write_str(looks_like),
        }
    }
}

/// The retention periods that CloudWatch Logs knows, in days
/// (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>), from the first
/// that is longer than the 14 days of dead letters: why a movie failed stands in the log.
const LOG_RETENTION_DAYS_ALLOWED: &[u32] =
    &[30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// A Lambda function's memory in MB (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>).
const MEMORY_MB: Allowed = Allowed::Whole(128, 10_240);

/// A Lambda function's timeout in seconds (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html>).
const TIMEOUT_SECONDS: Allowed = Allowed::Whole(1, 900);

/// The bounds that the enricher itself sets, see the variable's `looks_like`.
const OMDB_TIMEOUT_MS_ALLOWED: Allowed = Allowed::Whole(1, 60_000);

/// A movie that is moved back on its last day as a dead letter still finds its run, and a day to spare.
const LEAST_RUN_RETENTION_DAYS: u32 = 19;

/// A hundred years; S3 takes any positive number.
const RETENTION_DAYS: Allowed = Allowed::Whole(1, 36_500);

#[expect(clippy::cast_possible_truncation, reason = "both are at most 1,000")]
const TOP_N_ALLOWED: Allowed = Allowed::Whole(MIN_TOP_N as u32, MAX_TOP_N as u32);

macro_rules! settings {
    ($($ident:ident = $name:literal, $default:expr, $allowed:expr, $description:literal;)*) => {
        $(
            #[doc = $description]
            pub const $ident: &Setting =
                &Setting { name: $name, description: $description, default: $default, allowed: $allowed };
        )*

        /// Every configuration value.
        pub const ALL: &[&Setting] = &[$($ident),*];
    };
}

settings! {
    OMDB_API_KEY = "omdbApiKey", None, Allowed::Secret,
        "The OMDb API key, to be had from omdbapi.com. It is stored encrypted by the first deployment, never read by this program, and from then on changed by `aws ssm put-parameter`, see dashboards/runbook.md.";
    TOP_N = "topN", environment::TOP_N.default, TOP_N_ALLOWED,
        "How many movies a run publishes, best first.";
    SCHEDULE = "schedule", Some("cron(0 12 * * ? *)"),
        Allowed::Text(schedule::LOOKS_LIKE, schedule::is_schedule),
        "When a run starts, in UTC: daily at noon, as the source changes at most once a day.";
    SOURCE_BUCKET = "sourceBucket", Some("top-movies"),
        Allowed::Text("a bucket name: 3 to 63 lower-case letters, digits, hyphens and dots", checks::is_bucket_name),
        "The public bucket that holds the source list.";
    SOURCE_KEY = "sourceKey", Some("Top250Movies.json"),
        Allowed::Text("an object key of 1 to 1024 bytes without control characters, *, ? and ${", checks::is_object_key),
        "The key of the source list. The ranker may read this one object and no other.";
    SOURCE_REGION = "sourceRegion", Some("eu-central-1"),
        Allowed::Text(checks::REGION_LOOKS_LIKE, checks::is_region),
        "The region of the source bucket.";
    ARCHITECTURE = "architecture", Some("arm64"), Allowed::Word(&["arm64", "x86_64"]),
        "The processor the functions are built for. arm64 costs a fifth less for the same time.";
    RANKER_MEMORY_MB = "rankerMemoryMb", Some("256"), MEMORY_MB,
        "The ranker's memory in MB. It needs about 10; more memory buys processor time, which TLS wants at start-up.";
    RANKER_TIMEOUT_SECONDS = "rankerTimeoutSeconds", Some("60"), TIMEOUT_SECONDS,
        "The most time a run's ranking may take: seconds are usual, a source of a million items takes longer.";
    ENRICHER_MEMORY_MB = "enricherMemoryMb", Some("256"), MEMORY_MB,
        "The enricher's memory in MB, chosen as the ranker's.";
    ENRICHER_TIMEOUT_SECONDS = "enricherTimeoutSeconds", Some("30"), TIMEOUT_SECONDS,
        "The most time a batch may take: all attempts at OMDb, then storing. The queue hides a message for six times as long.";
    ENRICHER_MAXIMUM_CONCURRENCY = "enricherMaximumConcurrency", Some("2"), Allowed::Whole(2, 1_000),
        "How many enrichers may run at once. 2 is the least that SQS knows and is gentle to OMDb: 20 requests at once.";
    RESERVE_CONCURRENCY = "reserveConcurrency", Some("true"), Allowed::Flag,
        "Whether the functions reserve their concurrency, so that nothing else can start more of them. Set false in an account whose limit leaves less than 100 unreserved, as a new account's does.";
    BATCH_SIZE = "batchSize", Some("10"), Allowed::Whole(1, 10_000),
        "The most movies one invocation of the enricher gets. They are enriched at the same time.";
    BATCHING_WINDOW_SECONDS = "batchingWindowSeconds", Some("1"), Allowed::Whole(0, 300),
        "How long the queue waits for a batch to fill. One second gathers a run of ten into one invocation.";
    MAX_RECEIVE_COUNT = "maxReceiveCount", Some("5"), Allowed::Whole(1, 1_000),
        "How often a movie is tried before it goes to the dead-letter queue. AWS advises 5 or more for queues that feed functions, since a receive that Lambda throttles counts as well; fewer are for trying out what fails.";
    OMDB_BASE_URL = "omdbBaseUrl", environment::OMDB_BASE_URL.default,
        Allowed::Text("an https address without a query, or an http address on a loopback IP address", environment::is_omdb_base_url),
        "Where OMDb answers. Plain HTTP only on a loopback address, since the key travels in the query.";
    OMDB_CONNECT_TIMEOUT_MS = "omdbConnectTimeoutMs", environment::OMDB_CONNECT_TIMEOUT_MS.default, OMDB_TIMEOUT_MS_ALLOWED,
        "The most time a connection to OMDb may take, in milliseconds.";
    OMDB_TIMEOUT_MS = "omdbTimeoutMs", environment::OMDB_TIMEOUT_MS.default, OMDB_TIMEOUT_MS_ALLOWED,
        "The most time one request to OMDb may take, in milliseconds.";
    OMDB_MAX_ATTEMPTS = "omdbMaxAttempts", environment::OMDB_MAX_ATTEMPTS.default, Allowed::Whole(1, 10),
        "How often one movie is asked for within one invocation before the queue takes over.";
    OMDB_DAILY_LIMIT = "omdbDailyLimit", environment::OMDB_DAILY_LIMIT.default, Allowed::Whole(1, 1_000_000),
        "The most requests that OMDb gets from this stack in a day of UTC, all attempts included: what a free key may ask. Movies beyond it wait for the next day. Stacks that share a key share its requests: give each its part.";
    RUN_RETENTION_DAYS = "runRetentionDays", Some("365"), Allowed::Whole(LEAST_RUN_RETENTION_DAYS, 36_500),
        "How long the objects of a run are kept, in days: longer than dead letters, which are kept for 14 and, moved back then, may wait for 4 more until they complete their run. The latest list stays.";
    NONCURRENT_VERSION_RETENTION_DAYS = "noncurrentVersionRetentionDays", Some("30"), RETENTION_DAYS,
        "How long a replaced or removed object can be brought back, in days.";
    LOG_RETENTION_DAYS = "logRetentionDays", Some("30"), Allowed::WholeOf(LOG_RETENTION_DAYS_ALLOWED),
        "How long logs are kept, in days: longer than dead letters, which are kept for 14 and whose reason stands in the log.";
    LOG_LEVEL = "logLevel", environment::LOG_LEVEL.default, Allowed::Word(&["error", "warn", "info", "debug", "trace"]),
        "The least severe level that is logged.";
    OTLP_ENDPOINT = "otlpEndpoint", environment::OTEL_EXPORTER_OTLP_ENDPOINT.default,
        Allowed::Text("empty, xray, an https address, or an http address on a loopback host", checks::is_otlp_endpoint),
        "Where traces go by OTLP/HTTP, without /v1/traces. xray: to X-Ray in the region of the stack, which needs transactionSearch once per account and region. Empty: traces are not exported.";
    TRANSACTION_SEARCH = "transactionSearch", Some("false"), Allowed::Flag,
        "Whether this stack turns X-Ray's Transaction Search on, for the whole account in its region, for good: all traces of the account are then kept, and paid for, as logs. X-Ray takes OTLP only with it. Leave it false where it is on already.";
    ALARM_EMAIL = "alarmEmail", Some(""),
        Allowed::Text("empty or an e-mail address", checks::is_empty_or_email),
        "Who is told of alarms by e-mail, once they confirmed the subscription. Empty: nobody; subscribe to the alarm topic yourself.";
    FAILED_MESSAGES_ALARM_THRESHOLD = "failedMessagesAlarmThreshold", Some("1"), Allowed::Whole(1, 1_000),
        "How many messages in a queue for failures set its alarm off. Each is a movie or a run that is missing, hence the first.";
    SOURCE_ITEMS_ALARM_THRESHOLD = "sourceItemsAlarmThreshold", Some("200"), Allowed::Whole(1, 10_000_000),
        "The fewest items the source list should have; fewer set an alarm off. Four fifths of the usual 250: a list that was cut short is ranked all the same, and nothing else would tell.";
    RUN_LATE_ALARM_HOURS = "runLateAlarmHours", Some("26"), Allowed::Whole(2, 168),
        "After how many hours without a complete run an alarm goes off: a day between runs and two to spare. CloudWatch may take up to 3 hours longer, since it looks further back where data is missing. It goes with the schedule: more than the hours between two runs of a rate, which is checked, and more than the longest pause of a cron, such as its weekend, which is not; with fewer it goes off though nothing is wrong. CloudWatch looks back seven days at most, so a cron that pauses for longer sets it off each time.";
    RUNBOOK_URL = "runbookUrl", Some("dashboards/runbook.md"),
        Allowed::Text("an address or path of 1 to 300 visible ASCII characters without #", checks::is_runbook_url),
        "Where whoever is told finds the runbook. Alarms add # and their section: the address of the file in your repository makes it a link; the default is a path, which is no link.";
    PROTECT_RESOURCES = "protectResources", Some("true"), Allowed::Flag,
        "Whether bucket, key, queues, parameter and log groups are kept from removal. Set false and deploy before you remove the stack; the bucket is then emptied, too.";
}

/// The setting of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Setting> {
    ALL.iter().copied().find(|setting| setting.name == name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::contract::environment::{FAILURE_RETENTION, QUEUE_RETENTION};

    use super::*;

    #[test]
    fn a_dead_letter_that_is_moved_back_on_its_last_day_still_finds_its_run() {
        let kept = Duration::from_hours(24) * LEAST_RUN_RETENTION_DAYS;
        assert!(kept > FAILURE_RETENTION + QUEUE_RETENTION);
    }
}
