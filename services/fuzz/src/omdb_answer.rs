//! An answer of `OMDb`, as the enricher reads it.

use domain::ImdbId;
use domain::omdb::{Answer, Body, MAX_ANSWER_BYTES};
use serde_json::Value;

/// Keys of the form that `OMDb` gives, eight hexadecimal digits: one like a text and one like a number.
const KEYS: [&str; 2] = ["c0ffee42", "12345678"];

/// The movie that was asked for.
const ID: &str = "tt0111161";

/// Statuses that mean something, and some that do not.
const STATUSES: [u16; 7] = [200, 204, 302, 401, 404, 429, 503];

/// A reason is at most 120 characters of the answer and a few words around them.
const MAX_REASON_CHARS: usize = 160;

/// Reads the body under each status, with each of the keys being the secret.
///
/// # Panics
/// When a key comes out, another movie than the one that was asked for is taken, or what comes out is large.
pub fn check(body: &[u8]) {
    let Ok(id) = ImdbId::parse(ID) else { return };
    for key in KEYS {
        let read = Body::read(body).without(&[key]);
        for status in STATUSES {
            let answer = Answer::read(status, &read, &id);
            assert!(is_possible(status, &answer), "{status}: {answer:?}");
            assert!(!shows(&answer, key), "{key} is shown");
            assert_is_bounded(&answer);
        }
    }
}

fn is_possible(status: u16, answer: &Answer) -> bool {
    match answer {
        Answer::Movie(movie) => {
            status == 200 && movie.get("imdbID").is_some_and(|id| id == ID) && movie["Response"] == "True"
        }
        Answer::UnknownId(_) => status == 200,
        Answer::KeyRejected | Answer::QuotaExhausted => matches!(status, 200 | 401),
        Answer::Unusable { .. } => true,
    }
}

fn shows(answer: &Answer, key: &str) -> bool {
    let in_reason = answer.fault().is_some_and(|reason| reason.contains(key));
    let in_movie = match answer {
        Answer::Movie(movie) => movie.iter().any(|(name, value)| name.contains(key) || holds(value, key)),
        _ => false,
    };
    in_reason || in_movie
}

fn holds(json: &Value, key: &str) -> bool {
    match json {
        Value::String(text) => text.contains(key),
        Value::Number(number) => number.to_string().contains(key),
        Value::Array(items) => items.iter().any(|item| holds(item, key)),
        Value::Object(members) => members.iter().any(|(name, value)| name.contains(key) || holds(value, key)),
        Value::Null | Value::Bool(_) => false,
    }
}

fn assert_is_bounded(answer: &Answer) {
    assert!(answer.fault().is_none_or(|reason| reason.chars().count() <= MAX_REASON_CHARS), "{answer:?}");
    if let Answer::Movie(movie) = answer {
        let bytes = Value::Object(movie.clone()).to_string().len();
        assert!(bytes <= MAX_ANSWER_BYTES, "{bytes} bytes");
    }
}
