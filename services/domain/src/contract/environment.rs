//! The environment variables of the functions: the Pulumi program sets them, the functions read them.
//!
//! Variables that Lambda itself sets (`AWS_REGION`, `AWS_LAMBDA_FUNCTION_NAME`, credentials) are not listed: the AWS
//! SDK and the runtime read them.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// One environment variable.
#[derive(Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name. Units stand in it.
    pub name: &'static str,
    /// What it says.
    pub meaning: &'static str,
    /// What a value looks like; shown to whoever has to mend a faulty one.
    pub looks_like: &'static str,
    /// The value when it is not set; without one it must be set.
    pub default: Option<&'static str>,
}

macro_rules! variables {
    ($($(#[$doc:meta])* $ident:ident { $meaning:literal, looks_like: $looks_like:literal $(, default: $default:literal)? })*) => {
        $(
            #[doc = $meaning]
            $(#[$doc])*
            pub const $ident: &Variable = &Variable {
                name: stringify!($ident),
                meaning: $meaning,
                looks_like: $looks_like,
                default: variables!(@default $($default)?),
            };
        )*
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
}

variables! {
    ENVIRONMENT {
        "The stack this function belongs to; a dimension of every metric.",
        looks_like: "a stack name such as dev"
    }
    LOG_LEVEL {
        "The least severe level that is logged. It governs our own code only: below `warn`, HTTP libraries log whole URLs, and OMDb's carries the key.",
        looks_like: "error, warn, info, debug or trace",
        default: "info"
    }
    OTEL_SDK_DISABLED {
        "Turns traces and metrics off; OpenTelemetry's own variable (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).",
        looks_like: "true or false",
        default: "false"
    }
    OTEL_EXPORTER_OTLP_ENDPOINT {
        "Where traces go by OTLP/HTTP, without `/v1/traces`; OpenTelemetry's own variable. Empty: traces are not exported.",
        looks_like: "an address such as https://collector.example:4318, or nothing",
        default: ""
    }
    TELEMETRY_FLUSH_TIMEOUT_MS {
        "The most time an invocation may spend on sending its telemetry, after its work is done.",
        looks_like: "milliseconds from 1 to 60000",
        default: "2000"
    }
    SOURCE_BUCKET {
        "The bucket that holds the source list.",
        looks_like: "a bucket name such as top-movies"
    }
    SOURCE_KEY {
        "The key of the source list.",
        looks_like: "an object key such as Top250Movies.json"
    }
    SOURCE_REGION {
        "The region of the source bucket.",
        looks_like: "a region such as eu-central-1"
    }
    TOP_N {
        "How many movies a run has.",
        looks_like: "a whole number from 1 to 1000",
        default: "10"
    }
    TOPIC_ARN {
        "The topic that ranked movies are published to.",
        looks_like: "an ARN such as arn:aws:sns:eu-central-1:123456789012:movies"
    }
    MOVIES_BUCKET {
        "The private bucket that enriched movies are stored in.",
        looks_like: "a bucket name such as movie-pipeline-dev-movies"
    }
    KMS_KEY_ARN {
        "The key that stored objects are encrypted with.",
        looks_like: "an ARN such as arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    }
    OMDB_API_KEY_PARAMETER {
        "The name of the SSM parameter (a `SecureString`) that holds the OMDb API key; never the key itself.",
        looks_like: "a parameter name such as /movie-pipeline/dev/omdb-api-key"
    }
    OMDB_BASE_URL {
        "Where OMDb answers, see [`is_omdb_base_url`].",
        looks_like: "an https address without a query, such as https://www.omdbapi.com/",
        default: "https://www.omdbapi.com/"
    }
    OMDB_CONNECT_TIMEOUT_MS {
        "The most time a connection to OMDb may take.",
        looks_like: "milliseconds from 1 to 60000",
        default: "2000"
    }
    OMDB_TIMEOUT_MS {
        "The most time one request to OMDb may take, connecting and reading included.",
        looks_like: "milliseconds from 1 to 60000",
        default: "5000"
    }
    OMDB_MAX_ATTEMPTS {
        "How often one movie is asked for within one invocation before the queue takes over.",
        looks_like: "a whole number from 1 to 10",
        default: "3"
    }
    /// By default what a free key may ask (<https://www.omdbapi.com/apikey.aspx>).
    OMDB_DAILY_LIMIT {
        "The most requests that OMDb gets in a day of UTC, all attempts of all enrichers together.",
        looks_like: "a whole number from 1 to 1000000",
        default: "1000"
    }
    MOVIES_QUEUE_URL {
        "The queue that feeds the enricher, which hides there for longer what cannot succeed before long.",
        looks_like: "an address such as https://sqs.eu-central-1.amazonaws.com/123456789012/movies"
    }
    MOVIES_QUEUE_VISIBILITY_TIMEOUT_SECONDS {
        "For how long that queue hides a movie that was received, so that the enricher hides none for less.",
        looks_like: "a whole number from 0 to 43200"
    }
}

/// What the enricher keeps of each invocation's time for completing runs, answering, and sending telemetry. A movie that
/// is not stored by then fails and is delivered again, so the function's timeout has to be longer than this.
pub const ENRICHER_RESERVE: Duration = Duration::from_secs(3);

/// For how long a movie is hidden in the queue whose key OMDb rejects, before it is tried again. Somebody is paged meanwhile:
/// with five receives as deployed there are two hours and a half to mend the key before the first dead letter, and what
/// waited is there half an hour later at most.
pub const HIDDEN_WHILE_KEY_IS_REJECTED: Duration = Duration::from_mins(30);

/// For how long a message can be hidden at most, from its receive on
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html>).
pub const MAX_HIDDEN: Duration = Duration::from_hours(12);

/// For how long the queue keeps a movie that waits for an enricher: over a long weekend. SQS's own default
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html>).
pub const QUEUE_RETENTION: Duration = Duration::from_hours(4 * 24);

/// For how long a queue for failures keeps what lies in it: the longest that SQS offers. It must be longer than
/// [`QUEUE_RETENTION`], since a dead letter keeps the age it had.
pub const FAILURE_RETENTION: Duration = Duration::from_hours(14 * 24);

/// A message that is older is no longer hidden but left to the queue as any other. What is left of the time for which the
/// queue keeps it is for its remaining receives, so that it ends as a dead letter and does not expire.
pub const HIDDEN_UP_TO_AGE: Duration = Duration::from_hours(48);

/// Whether the OMDb key may travel to this address, in its query: HTTPS, or plain HTTP to this machine by number, since
/// plain HTTP shows the query to everyone on the way. No query or user of its own, and nothing that parsers of addresses
/// disagree about.
#[must_use]
pub fn is_omdb_base_url(text: &str) -> bool {
    let is_odd = |character: char| character.is_whitespace() || character.is_control() || "\\?#@".contains(character);
    if text.contains(is_odd) {
        return false;
    }
    let authority = |rest: &str| rest.split('/').next().unwrap_or_default().to_owned();
    match text.split_once("://") {
        Some(("https", rest)) => !authority(rest).is_empty() && !authority(rest).starts_with(':'),
        Some(("http", rest)) => {
            let authority = authority(rest);
            let address = authority.parse::<SocketAddr>().map(|address| address.ip());
            address.or_else(|_| authority.trim_matches(['[', ']']).parse::<IpAddr>()).is_ok_and(|ip| ip.is_loopback())
        }
        _ => false,
    }
}

/// What every function reads.
pub const COMMON: &[&Variable] =
    &[ENVIRONMENT, LOG_LEVEL, OTEL_SDK_DISABLED, OTEL_EXPORTER_OTLP_ENDPOINT, TELEMETRY_FLUSH_TIMEOUT_MS];

/// What the ranker reads besides.
pub const RANKER: &[&Variable] = &[SOURCE_BUCKET, SOURCE_KEY, SOURCE_REGION, TOP_N, TOPIC_ARN];

/// What the enricher reads besides.
pub const ENRICHER: &[&Variable] = &[
    MOVIES_BUCKET,
    KMS_KEY_ARN,
    OMDB_API_KEY_PARAMETER,
    OMDB_BASE_URL,
    OMDB_CONNECT_TIMEOUT_MS,
    OMDB_TIMEOUT_MS,
    OMDB_MAX_ATTEMPTS,
    OMDB_DAILY_LIMIT,
    MOVIES_QUEUE_URL,
    MOVIES_QUEUE_VISIBILITY_TIMEOUT_SECONDS,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::Service;
    use crate::ranking::DEFAULT_TOP_N;

    #[test]
    fn the_default_of_top_n_is_the_one_of_the_ranking() {
        assert_eq!(TOP_N.default, Some(DEFAULT_TOP_N.to_string().as_str()));
    }

    #[test]
    fn the_omdb_key_travels_over_https_or_stays_on_this_machine() {
        for url in ["https://www.omdbapi.com/", "http://127.0.0.1:8080/", "http://127.0.0.1", "http://[::1]:80/"] {
            assert!(is_omdb_base_url(url), "{url}");
        }
        for url in [
            "http://www.omdbapi.com/",
            "http://localhost/",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.1@example.com/",
            "https://user:password@example.com/",
            "https://example.com/?x=y",
            "https://",
            "https://:443/",
            "ftp://127.0.0.1/",
            "omdbapi.com",
            "",
        ] {
            assert!(!is_omdb_base_url(url), "{url}");
        }
    }

    #[test]
    fn no_service_lists_a_variable_twice() {
        for service in Service::ALL {
            let mut names: Vec<_> = service.variables().iter().map(|variable| variable.name).collect();
            let listed = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), listed, "{}", service.name());
        }
    }
}
