//! The configuration of a stack, read once and checked as a whole: every fault is told at the same time.

mod checks;
mod provider;
mod read;
mod schedule;
pub mod settings;

use std::fmt;

pub use artefacts::Architecture;
use domain::contract::environment::{ENRICHER_RESERVE, HIDDEN_UP_TO_AGE, QUEUE_RETENTION};
pub use provider::{AssumedRole, ProviderSettings, REGION_KEY};
use read::Reader;
use settings as setting;

use crate::messaging::visibility_timeout_seconds;

/// The word for X-Ray in the setting of the OTLP endpoint.
const XRAY: &str = "xray";

/// Where traces go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OtlpEndpoint {
    /// To X-Ray in the region of the stack.
    XRay,
    /// To this address, without `/v1/traces`.
    Address(String),
}

/// The configuration of a stack. What each field means, its default and bounds: [`settings`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "each field is the setting of its name")]
pub struct Config {
    /// The name of the stack: lower-case letters and digits.
    pub stack: String,
    /// How the provider reaches AWS.
    pub provider: ProviderSettings,
    pub top_n: u32,
    pub schedule: String,
    pub source_bucket: String,
    pub source_key: String,
    pub source_region: String,
    pub architecture: Architecture,
    pub ranker_memory_mb: u32,
    pub ranker_timeout_seconds: u32,
    pub enricher_memory_mb: u32,
    pub enricher_timeout_seconds: u32,
    pub enricher_maximum_concurrency: u32,
    pub reserve_concurrency: bool,
    pub batch_size: u32,
    pub batching_window_seconds: u32,
    pub max_receive_count: u32,
    pub omdb_base_url: String,
    pub omdb_connect_timeout_ms: u32,
    pub omdb_timeout_ms: u32,
    pub omdb_max_attempts: u32,
    pub omdb_daily_limit: u32,
    pub run_retention_days: u32,
    pub noncurrent_version_retention_days: u32,
    pub log_retention_days: u32,
    pub log_level: String,
    pub otlp_endpoint: Option<OtlpEndpoint>,
    pub transaction_search: bool,
    pub alarm_email: Option<String>,
    pub failed_messages_alarm_threshold: u32,
    pub source_items_alarm_threshold: u32,
    pub run_late_alarm_hours: u32,
    pub runbook_url: String,
    pub protect_resources: bool,
}

impl Config {
    /// Reads the configuration of a stack.
    ///
    /// `pulumi_config` is what Pulumi puts into `PULUMI_CONFIG`: a JSON object of `"<project>:<name>": "<value>"`.
    /// Without it every value is its default. Only the values of keys that [`settings`] names are read, and among them
    /// not the secret.
    ///
    /// # Errors
    /// All faults at once: values that are not allowed, keys of this project that it does not know, keys of the provider
    /// that it does not hand on, a stack name that AWS names cannot be made from.
    pub fn read(stack: &str, pulumi_config: Option<&str>) -> Result<Self, ConfigFaults> {
        let mut reader = Reader::new(pulumi_config);
        let config = Self {
            stack: reader.stack(stack),
            provider: ProviderSettings::read(&mut reader),
            top_n: reader.value(setting::TOP_N),
            schedule: reader.text(setting::SCHEDULE),
            source_bucket: reader.text(setting::SOURCE_BUCKET),
            source_key: reader.text(setting::SOURCE_KEY),
            source_region: reader.text(setting::SOURCE_REGION),
            architecture: reader.architecture(),
            ranker_memory_mb: reader.value(setting::RANKER_MEMORY_MB),
            ranker_timeout_seconds: reader.value(setting::RANKER_TIMEOUT_SECONDS),
            enricher_memory_mb: reader.value(setting::ENRICHER_MEMORY_MB),
            enricher_timeout_seconds: reader.value(setting::ENRICHER_TIMEOUT_SECONDS),
            enricher_maximum_concurrency: reader.value(setting::ENRICHER_MAXIMUM_CONCURRENCY),
            reserve_concurrency: reader.value(setting::RESERVE_CONCURRENCY),
            batch_size: reader.value(setting::BATCH_SIZE),
            batching_window_seconds: reader.value(setting::BATCHING_WINDOW_SECONDS),
            max_receive_count: reader.value(setting::MAX_RECEIVE_COUNT),
            omdb_base_url: reader.text(setting::OMDB_BASE_URL),
            omdb_connect_timeout_ms: reader.value(setting::OMDB_CONNECT_TIMEOUT_MS),
            omdb_timeout_ms: reader.value(setting::OMDB_TIMEOUT_MS),
            omdb_max_attempts: reader.value(setting::OMDB_MAX_ATTEMPTS),
            omdb_daily_limit: reader.value(setting::OMDB_DAILY_LIMIT),
            run_retention_days: reader.value(setting::RUN_RETENTION_DAYS),
            noncurrent_version_retention_days: reader.value(setting::NONCURRENT_VERSION_RETENTION_DAYS),
            log_retention_days: reader.value(setting::LOG_RETENTION_DAYS),
            log_level: reader.text(setting::LOG_LEVEL),
            otlp_endpoint: reader.otlp_endpoint(),
            transaction_search: reader.value(setting::TRANSACTION_SEARCH),
            alarm_email: reader.optional_text(setting::ALARM_EMAIL),
            failed_messages_alarm_threshold: reader.value(setting::FAILED_MESSAGES_ALARM_THRESHOLD),
            source_items_alarm_threshold: reader.value(setting::SOURCE_ITEMS_ALARM_THRESHOLD),
            run_late_alarm_hours: reader.value(setting::RUN_LATE_ALARM_HOURS),
            runbook_url: reader.text(setting::RUNBOOK_URL),
            protect_resources: reader.value(setting::PROTECT_RESOURCES),
        };
        config.check_together(&mut reader);
        reader.finish(config)
    }

    /// What no single value can tell. A value that was refused is told as such; its default is nobody's choice.
    fn check_together(&self, reader: &mut Reader) {
        self.check_batches(reader);
        self.check_timeouts(reader);
        self.check_daily_limit(reader);
        self.check_receives(reader);
        self.check_run_late(reader);
        // It changes the whole account: not by mistake.
        let is_known = reader.knows(&[setting::TRANSACTION_SEARCH, setting::OTLP_ENDPOINT]);
        if is_known && self.transaction_search && self.otlp_endpoint != Some(OtlpEndpoint::XRay) {
            let allowed = format!("false unless {} is {XRAY}", setting::OTLP_ENDPOINT.key());
            reader.refuse(setting::TRANSACTION_SEARCH, "true", &allowed);
        }
    }

    /// <https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html#lambda-CreateEventSourceMapping-request-BatchSize>
    fn check_batches(&self, reader: &mut Reader) {
        let is_known = reader.knows(&[setting::BATCH_SIZE, setting::BATCHING_WINDOW_SECONDS]);
        if is_known && self.batch_size > 10 && self.batching_window_seconds == 0 {
            let allowed = format!("1 or more while {} is above 10", setting::BATCH_SIZE.key());
            reader.refuse(setting::BATCHING_WINDOW_SECONDS, "0", &allowed);
        }
    }

    fn check_timeouts(&self, reader: &mut Reader) {
        let is_known = reader.knows(&[setting::OMDB_TIMEOUT_MS, setting::ENRICHER_TIMEOUT_SECONDS]);
        let reserve_ms = ENRICHER_RESERVE.as_millis();
        let needed_ms = u128::from(self.omdb_timeout_ms) + reserve_ms;
        if is_known && needed_ms >= u128::from(self.enricher_timeout_seconds) * 1_000 {
            let timeout = format!("{} ({} s)", setting::ENRICHER_TIMEOUT_SECONDS.key(), self.enricher_timeout_seconds);
            reader.refuse(
                setting::OMDB_TIMEOUT_MS,
                &self.omdb_timeout_ms.to_string(),
                &format!("less than {timeout} by more than the {reserve_ms} ms that the enricher keeps for storing"),
            );
        }
    }

    /// A movie that comes back more often would expire in the queue before it is a dead letter, and be lost.
    fn check_receives(&self, reader: &mut Reader) {
        let settings =
            [setting::MAX_RECEIVE_COUNT, setting::ENRICHER_TIMEOUT_SECONDS, setting::BATCHING_WINDOW_SECONDS];
        let kept_seconds = QUEUE_RETENTION.saturating_sub(HIDDEN_UP_TO_AGE).as_secs();
        let most = (kept_seconds - 1) / u64::from(visibility_timeout_seconds(self));
        if reader.knows(&settings) && u64::from(self.max_receive_count) > most {
            let timeout = format!("{} is {}", setting::ENRICHER_TIMEOUT_SECONDS.key(), self.enricher_timeout_seconds);
            let allowed =
                format!("{most} or less while {timeout}: the queue would lose a movie that comes back more often");
            reader.refuse(setting::MAX_RECEIVE_COUNT, &self.max_receive_count.to_string(), &allowed);
        }
    }

    /// A run that needs more than a day's requests is late each day, and the next one comes on top.
    fn check_daily_limit(&self, reader: &mut Reader) {
        let is_known = reader.knows(&[setting::TOP_N, setting::OMDB_DAILY_LIMIT]);
        if is_known && self.omdb_daily_limit < self.top_n {
            let allowed = format!("{} or more, which is {}", self.top_n, setting::TOP_N.key());
            reader.refuse(setting::OMDB_DAILY_LIMIT, &self.omdb_daily_limit.to_string(), &allowed);
        }
    }

    /// The alarm would go off between any two runs, and page for ever.
    fn check_run_late(&self, reader: &mut Reader) {
        let Some(minutes) = schedule::rate_minutes(&self.schedule) else { return };
        let is_known = reader.knows(&[setting::SCHEDULE, setting::RUN_LATE_ALARM_HOURS]);
        if is_known && self.run_late_alarm_hours * 60 <= minutes {
            let allowed =
                format!("{} or more while {} is {}", minutes / 60 + 1, setting::SCHEDULE.key(), self.schedule);
            reader.refuse(setting::RUN_LATE_ALARM_HOURS, &self.run_late_alarm_hours.to_string(), &allowed);
        }
    }
}

/// One thing that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The key, such as `movie-pipeline:topN`.
    pub key: String,
    /// The value; nothing where it might be a secret.
    pub value: Option<String>,
    /// What is allowed.
    pub allowed: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            Some(value) => write!(formatter, "{} is {value:?}; allowed: {}", self.key, self.allowed),
            None => write!(formatter, "{}; allowed: {}", self.key, self.allowed),
        }
    }
}

/// Everything that is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigFaults {
    /// At least one.
    pub faults: Vec<Fault>,
    /// What the functions should be built for, unless that is among the faults.
    pub architecture: Option<Architecture>,
}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("The configuration of the stack cannot be used:")?;
        for fault in &self.faults {
            write!(formatter, "\n  {fault}")?;
        }
        formatter
            .write_str("\nChange a value with `pulumi config set KEY VALUE`, remove one with `pulumi config rm KEY`.")
    }
}

#[cfg(test)]
mod tests {
    use domain::ranking::DEFAULT_TOP_N;
    use serde_json::json;

    use super::*;

    fn faults(values: &serde_json::Value) -> Vec<String> {
        let faults = Config::read("dev", Some(&values.to_string())).unwrap_err().faults;
        faults.iter().map(Fault::to_string).collect()
    }

    #[test]
    fn every_default_is_allowed() {
        for setting in settings::ALL {
            assert!(setting.default.is_none_or(|default| setting.allowed.accepts(default)), "{}", setting.name);
        }
        assert_eq!(Config::read("dev", None).unwrap().top_n as usize, DEFAULT_TOP_N);
    }

    #[test]
    fn only_the_secret_has_no_default() {
        let required: Vec<_> = settings::ALL.iter().filter(|setting| setting.default.is_none()).collect();
        assert!(matches!(required[..], [setting] if matches!(setting.allowed, settings::Allowed::Secret)));
    }

    #[test]
    fn values_of_the_stack_replace_the_defaults() {
        let values =
            json!({"movie-pipeline:topN": "25", "movie-pipeline:architecture": "x86_64", "aws:region": "eu-west-1"});
        let config = Config::read("prod", Some(&values.to_string())).unwrap();
        assert_eq!((config.top_n, config.architecture), (25, Architecture::X86_64));
        assert_eq!((config.stack.as_str(), config.provider.region.as_deref()), ("prod", Some("eu-west-1")));
    }

    #[test]
    fn all_faults_are_told_at_once_with_key_value_and_what_is_allowed() {
        let values = json!({"movie-pipeline:topN": "0", "movie-pipeline:architecture": "sparc", "movie-pipeline:logRetentionDays": "31"});
        let faults = faults(&values);
        assert_eq!(faults.len(), 3, "{faults:?}");
        assert_eq!(faults[0], r#"movie-pipeline:topN is "0"; allowed: a whole number from 1 to 1000"#);
        assert_eq!(faults[1], r#"movie-pipeline:architecture is "sparc"; allowed: one of arm64, x86_64"#);
        assert!(faults[2].starts_with(r#"movie-pipeline:logRetentionDays is "31"; allowed: one of 30, 60, "#));
    }

    #[test]
    fn whole_numbers_are_plain_digits() {
        for value in ["", " 10", "+10", "1e1", "10.0", "-1", "99999999999", "ten", "010"] {
            assert_eq!(faults(&json!({"movie-pipeline:topN": value})).len(), 1, "{value:?}");
        }
    }

    #[test]
    fn an_unknown_key_is_named_but_its_value_is_not_since_it_may_be_a_misspelt_secret() {
        let faults = faults(&json!({"movie-pipeline:omdbApiKei": "canary"}));
        assert_eq!(faults.len(), 1);
        assert!(
            faults[0].starts_with(
                "movie-pipeline:omdbApiKei is no configuration value; allowed: movie-pipeline:omdbApiKey, "
            )
        );
        assert!(!faults[0].contains("canary"));
    }

    #[test]
    fn what_is_no_object_is_refused_without_being_shown() {
        for text in ["", "\"canary\"", "[\"canary\"]", "{\"movie-pipeline:topN\": \"canary"] {
            let faults = Config::read("dev", Some(text)).unwrap_err().to_string();
            assert!(faults.contains("PULUMI_CONFIG") && !faults.contains("canary"), "{faults}");
        }
    }

    #[test]
    fn values_of_the_engine_and_the_secret_are_passed_over() {
        let values = json!({"movie-pipeline:omdbApiKey": 12345, "pulumi:disable-default-providers": ["aws"]});
        assert_eq!(Config::read("dev", Some(&values.to_string())), Config::read("dev", None));
    }

    #[test]
    fn a_key_that_nothing_reads_is_named_but_its_value_is_not() {
        for key in ["movie-pipline:topN", "random:seed", "topN", ":topN", "AWS:region"] {
            let faults = faults(&json!({key: "canary"}));
            assert_eq!(faults.len(), 1, "{faults:?}");
            let told =
                format!("{key} is read by nothing; allowed: keys that begin with movie-pipeline:, aws: or pulumi:,");
            assert!(faults[0].starts_with(&told) && !faults[0].contains("canary"), "{faults:?}");
        }
    }

    #[test]
    fn a_list_an_object_and_null_are_no_value_and_not_shown() {
        for key in ["movie-pipeline:alarmEmail", "movie-pipeline:sourceKey", "aws:region", "aws:allowedAccountIds"] {
            for value in [json!(["a@canary.c"]), json!({"a": "canary"}), json!(null)] {
                let faults = faults(&json!({key: value}));
                assert_eq!(
                    faults,
                    [format!("{key} is a list, an object or null; allowed: a text, a number or a flag")]
                );
            }
        }
    }

    #[test]
    fn numbers_and_flags_without_quotes_are_their_texts() {
        let values = json!({"movie-pipeline:topN": 25, "movie-pipeline:protectResources": false});
        let config = Config::read("dev", Some(&values.to_string())).unwrap();
        assert_eq!((config.top_n, config.protect_resources), (25, false));
    }

    #[test]
    fn a_default_that_stands_in_for_a_refused_value_is_not_blamed() {
        for (refused, other, value) in [
            ("batchSize", "batchingWindowSeconds", "0"),
            ("enricherTimeoutSeconds", "omdbTimeoutMs", "59000"),
            ("otlpEndpoint", "transactionSearch", "true"),
            ("schedule", "runLateAlarmHours", "2"),
            ("topN", "omdbDailyLimit", "9"),
            ("enricherTimeoutSeconds", "maxReceiveCount", "1000"),
        ] {
            let other = format!("movie-pipeline:{other}");
            for wrong in [json!("wrong"), json!([])] {
                let faults = faults(&json!({format!("movie-pipeline:{refused}"): wrong, &other: value}));
                assert!(matches!(&faults[..], [only] if only.contains(refused)), "{faults:?}");
            }
        }
    }

    #[test]
    fn more_receives_than_the_queue_keeps_a_movie_for_are_refused() {
        let read = |receives: &str| {
            let values =
                json!({"movie-pipeline:maxReceiveCount": receives, "movie-pipeline:enricherTimeoutSeconds": "900"});
            Config::read("dev", Some(&values.to_string())).map_err(|error| error.to_string())
        };
        // Two of four days, and 6 × 900 s + 1 s for each.
        assert!(read("31").is_ok());
        assert!(read("32").unwrap_err().contains("31 or less while movie-pipeline:enricherTimeoutSeconds is 900"));
    }

    #[test]
    fn a_rate_that_is_slower_than_the_alarm_for_a_late_run_is_refused() {
        let read = |rate: &str, hours: &str| {
            let values = json!({"movie-pipeline:schedule": rate, "movie-pipeline:runLateAlarmHours": hours});
            Config::read("dev", Some(&values.to_string())).map_or_else(|faults| faults.faults, |_| Vec::new())
        };
        for (rate, hours) in [("rate(2 days)", "26"), ("rate(24 hours)", "24"), ("rate(1441 minutes)", "24")] {
            assert_eq!(read(rate, hours).len(), 1, "{rate} {hours}");
        }
        for (rate, hours) in [("rate(1 day)", "26"), ("rate(6 days)", "145"), ("rate(167 hours)", "168")] {
            assert_eq!(read(rate, hours), [], "{rate} {hours}");
        }
        assert_eq!(
            read("rate(2 days)", "26")[0].to_string(),
            r#"movie-pipeline:runLateAlarmHours is "26"; allowed: 49 or more while movie-pipeline:schedule is rate(2 days)"#
        );
    }

    #[test]
    fn a_run_has_to_fit_into_the_requests_of_a_day() {
        let read = |limit: &str| {
            let values = json!({"movie-pipeline:topN": "25", "movie-pipeline:omdbDailyLimit": limit});
            Config::read("dev", Some(&values.to_string())).map_or_else(|faults| faults.to_string(), |_| String::new())
        };
        assert_eq!(read("25"), "");
        let told = r#"movie-pipeline:omdbDailyLimit is "24"; allowed: 25 or more, which is movie-pipeline:topN"#;
        assert!(read("24").contains(told), "{}", read("24"));
    }

    #[test]
    fn faults_tell_what_the_functions_should_be_built_for_unless_that_is_at_fault() {
        let architecture = |values: &str| Config::read("dev", Some(values)).unwrap_err().architecture;
        let x86_64 = r#"{"movie-pipeline:topN": "0", "movie-pipeline:architecture": "x86_64"}"#;
        assert_eq!(architecture(x86_64), Some(Architecture::X86_64));
        assert_eq!(architecture(r#"{"movie-pipeline:topN": "0"}"#), Some(Architecture::Arm64));
        for unknown in [r#"{"movie-pipeline:architecture": "sparc"}"#, r#"{"movie-pipeline:architecture": []}"#, "{"] {
            assert_eq!(architecture(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn logs_outlive_the_dead_letters_whose_reason_they_tell() {
        for (days, count) in [("1", 1), ("7", 1), ("14", 1), ("30", 0), ("3653", 0)] {
            let read = Config::read("dev", Some(&json!({"movie-pipeline:logRetentionDays": days}).to_string()));
            assert_eq!(read.map_or_else(|faults| faults.faults.len(), |_| 0), count, "{days}");
        }
    }

    #[test]
    fn values_that_do_not_go_together_are_refused() {
        let values = json!({
            "movie-pipeline:batchSize": "11", "movie-pipeline:batchingWindowSeconds": "0",
            "movie-pipeline:omdbTimeoutMs": "5000", "movie-pipeline:enricherTimeoutSeconds": "5",
            "movie-pipeline:transactionSearch": "true", "movie-pipeline:otlpEndpoint": "https://collector.example",
        });
        let faults = faults(&values);
        assert_eq!(
            faults[0],
            r#"movie-pipeline:batchingWindowSeconds is "0"; allowed: 1 or more while movie-pipeline:batchSize is above 10"#
        );
        assert_eq!(
            faults[1],
            r#"movie-pipeline:omdbTimeoutMs is "5000"; allowed: less than movie-pipeline:enricherTimeoutSeconds (5 s) by more than the 3000 ms that the enricher keeps for storing"#
        );
        assert_eq!(
            faults[2],
            r#"movie-pipeline:transactionSearch is "true"; allowed: false unless movie-pipeline:otlpEndpoint is xray"#
        );
    }

    #[test]
    fn a_stack_name_that_aws_names_cannot_be_made_from_is_refused() {
        for name in ["Prod_EU", "prod-eu"] {
            let faults = Config::read(name, None).unwrap_err().to_string();
            assert!(faults.contains(&format!("the name of the stack is {name:?}; allowed: ")), "{faults}");
        }
    }
}
