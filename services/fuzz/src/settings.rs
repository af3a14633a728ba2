//! The environment of the functions, as they read it at their start.

use std::collections::HashMap;
use std::fmt::Debug;
use std::time::Duration;

use domain::contract::Service;
use domain::contract::environment::is_omdb_base_url;
use domain::ranking::{MAX_TOP_N, MIN_TOP_N};
use function::Reader;

/// What a value begins with that nobody may see; it stands in nothing of ours.
const CANARY: &str = "c4nary";

/// Reads both functions' settings.
///
/// # Panics
/// When what is taken is out of its bounds, or a fault shows a value or names a variable that the function does not have.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let environment: HashMap<_, _> = text.lines().filter_map(|line| line.split_once('=')).collect();
    if let Some(ranker) = read(&environment, Service::Ranker, ranker::settings::Settings::read) {
        assert!((MIN_TOP_N..=MAX_TOP_N).contains(&ranker.top_n), "{ranker:?}");
        assert_is_set(&environment, "SOURCE_BUCKET", &ranker.source.bucket);
        assert_is_set(&environment, "TOPIC_ARN", &ranker.topic_arn);
    }
    if let Some(enricher) = read(&environment, Service::Enricher, enricher::settings::Settings::read) {
        let bounds = Duration::from_millis(1)..=Duration::from_mins(1);
        let omdb = &enricher.omdb;
        assert!(bounds.contains(&omdb.timeout) && bounds.contains(&omdb.connect_timeout), "{omdb:?}");
        assert!((1..=10).contains(&omdb.max_attempts), "{omdb:?}");
        assert!(is_omdb_base_url(omdb.base_url.as_str()), "{omdb:?}");
        assert_is_set(&environment, "MOVIES_BUCKET", &enricher.bucket);
        assert_is_set(&environment, "OMDB_API_KEY_PARAMETER", &enricher.api_key_parameter);
    }
}

fn read<S: Debug + PartialEq>(
    environment: &HashMap<&str, &str>,
    service: Service,
    read: fn(&mut Reader<'_>) -> Option<S>,
) -> Option<S> {
    let mut reader = Reader::new(environment);
    let settings = read(&mut reader);
    let faults = reader.finish(settings).map_err(|faults| (faults.to_string(), faults.0));
    let (shown, faults) = match faults {
        Ok(settings) => return Some(settings),
        Err(refused) => refused,
    };
    assert!(!faults.is_empty() && !shown.contains(CANARY), "{shown}");
    let known = service.variables();
    assert!(faults.iter().all(|fault| known.contains(&fault.variable)), "{shown}");
    None
}

fn assert_is_set(environment: &HashMap<&str, &str>, name: &str, value: &str) {
    assert_eq!(environment.get(name), Some(&value), "{name}");
}
