//! What the enricher reads from its environment.

use std::time::Duration;

use domain::contract::environment::{
    KMS_KEY_ARN, MAX_HIDDEN, MOVIES_BUCKET, MOVIES_QUEUE_URL, MOVIES_QUEUE_VISIBILITY_TIMEOUT_SECONDS,
    OMDB_API_KEY_PARAMETER, OMDB_BASE_URL, OMDB_CONNECT_TIMEOUT_MS, OMDB_DAILY_LIMIT, OMDB_MAX_ATTEMPTS,
    OMDB_TIMEOUT_MS, is_omdb_base_url,
};
use function::Reader;
use reqwest::Url;

/// Settings of the enricher.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where movies are stored: `MOVIES_BUCKET`.
    pub bucket: String,
    /// What they are encrypted with: `KMS_KEY_ARN`.
    pub kms_key_arn: String,
    /// The name of the parameter that holds the key: `OMDB_API_KEY_PARAMETER`.
    pub api_key_parameter: String,
    /// The queue that the movies come from: `MOVIES_QUEUE_URL`.
    pub queue_url: String,
    /// For how long it hides what was received: `MOVIES_QUEUE_VISIBILITY_TIMEOUT_SECONDS`.
    pub visibility_timeout: Duration,
    /// How OMDb is asked.
    pub omdb: OmdbSettings,
}

/// How OMDb is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OmdbSettings {
    /// `OMDB_BASE_URL`.
    pub base_url: Url,
    /// `OMDB_CONNECT_TIMEOUT_MS`.
    pub connect_timeout: Duration,
    /// `OMDB_TIMEOUT_MS`.
    pub timeout: Duration,
    /// `OMDB_MAX_ATTEMPTS`.
    pub max_attempts: u32,
    /// `OMDB_DAILY_LIMIT`.
    pub daily_limit: u32,
}

impl Settings {
    /// Reads them, leaving faults with the reader.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        // Each is read before the first `?`, so that all faults are found.
        let bucket = reader.text(MOVIES_BUCKET);
        let kms_key_arn = reader.read(KMS_KEY_ARN, |arn| is_key(arn).then(|| arn.to_owned()));
        let api_key_parameter = reader.text(OMDB_API_KEY_PARAMETER);
        let base_url = reader.read(OMDB_BASE_URL, read_base_url);
        let connect_timeout = reader.milliseconds(OMDB_CONNECT_TIMEOUT_MS);
        let timeout = reader.milliseconds(OMDB_TIMEOUT_MS);
        let max_attempts = reader.number(OMDB_MAX_ATTEMPTS, 1..=10);
        let daily_limit = reader.number(OMDB_DAILY_LIMIT, 1..=1_000_000);
        let queue_url = reader.text(MOVIES_QUEUE_URL);
        let visibility_timeout_seconds =
            reader.number(MOVIES_QUEUE_VISIBILITY_TIMEOUT_SECONDS, 0..=MAX_HIDDEN.as_secs());
        Some(Self {
            bucket: bucket?,
            kms_key_arn: kms_key_arn?,
            api_key_parameter: api_key_parameter?,
            queue_url: queue_url?,
            visibility_timeout: Duration::from_secs(visibility_timeout_seconds?),
            omdb: OmdbSettings {
                base_url: base_url?,
                connect_timeout: connect_timeout?,
                timeout: timeout?,
                max_attempts: max_attempts?,
                daily_limit: daily_limit?,
            },
        })
    }
}

/// `arn:<partition>:kms:<region>:<account>:key/<id>`
fn is_key(arn: &str) -> bool {
    let parts: Vec<_> = arn.split(':').collect();
    matches!(parts[..], ["arn", _, "kms", _, _, key] if key.starts_with("key/"))
}

fn read_base_url(text: &str) -> Option<Url> {
    Url::parse(text).ok().filter(|_| is_omdb_base_url(text))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn read(changes: &[(&'static str, &'static str)]) -> Result<Settings, String> {
        let mut environment = HashMap::from([
            ("MOVIES_BUCKET", "movies"),
            ("KMS_KEY_ARN", "arn:aws:kms:eu-central-1:123456789012:key/1234abcd"),
            ("OMDB_API_KEY_PARAMETER", "/movie-pipeline/dev/omdb-api-key"),
            ("MOVIES_QUEUE_URL", "https://sqs.eu-central-1.amazonaws.com/123456789012/movie-pipeline-dev-movies"),
            ("MOVIES_QUEUE_VISIBILITY_TIMEOUT_SECONDS", "180"),
        ]);
        environment.extend(changes.iter().copied());
        let mut reader = Reader::new(&environment);
        let settings = Settings::read(&mut reader);
        reader.finish(settings).map_err(|faults| faults.to_string())
    }

    #[test]
    fn omdb_is_asked_over_https_unless_told_otherwise() {
        assert_eq!(read(&[]).unwrap().omdb.base_url.as_str(), "https://www.omdbapi.com/");
    }

    #[test]
    fn plain_http_is_taken_for_this_machine_alone() {
        assert!(read(&[("OMDB_BASE_URL", "http://127.0.0.1:8080/")]).is_ok());
        for url in ["http://www.omdbapi.com/", "http://127.0.0.1.example.com/", "ftp://127.0.0.1/", "omdbapi.com"] {
            assert!(read(&[("OMDB_BASE_URL", url)]).unwrap_err().contains("OMDB_BASE_URL cannot be read"), "{url}");
        }
    }

    #[test]
    fn every_faulty_variable_is_named() {
        let changes = [
            ("MOVIES_BUCKET", ""),
            ("KMS_KEY_ARN", "key"),
            ("MOVIES_QUEUE_URL", ""),
            ("MOVIES_QUEUE_VISIBILITY_TIMEOUT_SECONDS", "43201"),
            ("OMDB_TIMEOUT_MS", "5s"),
            ("OMDB_MAX_ATTEMPTS", "0"),
            ("OMDB_DAILY_LIMIT", "0"),
        ];
        let error = read(&changes).unwrap_err();
        for (name, _) in changes {
            assert!(error.contains(name), "{name} is not in: {error}");
        }
    }
}
