//! The body of a queue record, as the enricher reads it.

use domain::enriched::{MovieKey, enrich, movie_key, read_movie_key, run_prefix};
use domain::message::{MovieMessage, SCHEMA_VERSION};
use domain::ranking::MAX_TOP_N;
use serde_json::{Map, Value};

use crate::json::Json;

/// A fault goes into a line of the log.
const MAX_FAULT_CHARS: usize = 300;

/// Reads a body; SQS has let through nothing but Unicode
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html>).
///
/// # Panics
/// When a message that is taken does not read back the same from what is written of it, is of another version, has a
/// place that its run cannot have, or names an object outside of its run; and when a fault is long.
pub fn check(bytes: &[u8]) {
    let Ok(body) = std::str::from_utf8(bytes) else { return };
    let message = match MovieMessage::parse(body) {
        Ok(message) => message,
        Err(fault) => {
            assert!(fault.to_string().chars().count() <= MAX_FAULT_CHARS, "{fault}");
            return;
        }
    };
    assert!((1..=MAX_TOP_N).contains(&message.of) && (1..=message.of).contains(&message.position), "{message:?}");
    assert_reads_back_the_same(&message);
    assert_is_the_bodys(body, &message);
    assert_stays_within_its_run(&message);
    assert_record_is_of_the_movie(&message);
}

fn assert_reads_back_the_same(message: &MovieMessage) {
    let written = serde_json::to_string(message);
    let read = written.ok().and_then(|written| MovieMessage::parse(&written).ok());
    assert_eq!(read.as_ref(), Some(message));
}

/// Whatever is not read is not judged, so what is taken may have, say, a number there that nothing can hold.
fn assert_is_the_bodys(body: &str, message: &MovieMessage) {
    let Some(Json::Object(members)) = Json::read(body.as_bytes()) else { return };
    let values = |name| members.iter().filter(move |member| member.0 == name).map(|member| &member.1);
    let number = |number: u64| Json::Number(number.into());
    let expected = [
        ("schema_version", number(SCHEMA_VERSION.into())),
        ("run", Json::Text(message.run.to_string())),
        ("ranking", Json::Text(message.ranking.to_string())),
        ("position", number(message.position as u64)),
        ("of", number(message.of as u64)),
    ];
    for (name, expected) in expected {
        assert_eq!(values(name).collect::<Vec<_>>(), [&expected], "{name}");
    }
}

fn assert_stays_within_its_run(message: &MovieMessage) {
    let key = movie_key(message);
    assert!(key.starts_with(&run_prefix(&message.run)), "{key}");
    // Characters that S3 calls safe, and no step upwards: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
    assert!(
        key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-.".contains(&byte)) && !key.contains(".."),
        "{key}"
    );
    let named = MovieKey { ranking: message.ranking.clone(), position: message.position, id: message.movie.id.clone() };
    assert_eq!(read_movie_key(&message.run, &key), Some(named));
}

fn assert_record_is_of_the_movie(message: &MovieMessage) {
    let record: Option<Value> = serde_json::from_slice(&enrich(message, Map::new())).ok();
    assert_eq!(record, serde_json::to_value(&message.movie).ok());
}
