//! What an answer of `OMDb` means. Read from its documentation (<https://www.omdbapi.com/>) and from what it is seen to
//! send: errors come as 401 or as 200 with `"Response":"False"`, and as HTML pages under load.

use std::time::Duration;

use memchr::memmem::Finder;
use serde_json::Value;

use crate::enriched::OmdbMovie;
use crate::movie::ImdbId;

/// The most bytes of an answer, both as it comes and as it would be stored: 32 KiB. Real ones have about 1 KiB.
///
/// A run has at most 1,000 movies, each of at most 20 KiB from its message ([`crate::message::MAX_MESSAGE_BYTES`]) and as
/// much as this from `OMDb`. Whoever completes a run holds all of its records, 51 MiB at most, and the list of the same
/// size beside them; later the list and the copy of it that is sent. These 102 MiB fit a function of 256 MiB.
pub const MAX_ANSWER_BYTES: usize = 32 * 1024;

/// The most text of an unusable answer that a reason shows.
const MAX_SHOWN_CHARS: usize = 120;

/// What came of one request.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The movie that was asked for.
    Movie(OmdbMovie),
    /// There is none of this id, in `OMDb`'s words.
    UnknownId(String),
    /// The key is not valid.
    KeyRejected,
    /// The key's requests of today are used up.
    QuotaExhausted,
    /// Nothing that can be used; worth asking again.
    Unusable {
        /// What came instead.
        reason: String,
        /// When `OMDb` wants to be asked again, if it said so.
        retry_after: Option<Duration>,
    },
}

impl Answer {
    /// Nothing that can be used.
    #[must_use]
    pub fn unusable(reason: impl Into<String>) -> Self {
        Self::Unusable { reason: reason.into(), retry_after: None }
    }

    /// The kind of answer in a word, for spans.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Movie(_) => "movie",
            Self::UnknownId(_) => "unknown id",
            Self::KeyRejected => "key rejected",
            Self::QuotaExhausted => "quota exhausted",
            Self::Unusable { .. } => "unusable",
        }
    }

    /// Why there is no movie, if there is none.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        match self {
            Self::Movie(_) => None,
            Self::UnknownId(reason) | Self::Unusable { reason, .. } => Some(reason),
            Self::KeyRejected => Some("the API key is rejected"),
            Self::QuotaExhausted => Some("today's request limit is reached"),
        }
    }

    /// Reads status and body of an answer to a question for `id`.
    #[must_use]
    pub fn read(status: u16, body: &Body, id: &ImdbId) -> Self {
        let error = body.error();
        let says = |words: &str| error.to_ascii_lowercase().contains(words);
        match (status, body) {
            // The two share a status and differ in their text alone.
            (401, _) if says("limit") => Self::QuotaExhausted,
            (401, _) if says("key") => Self::KeyRejected,
            (200, Body::Json(movie)) if is_movie(movie, id) => Self::bounded(movie),
            // Other errors come as 200, so these may as well.
            (200, _) if says("request limit reached") => Self::QuotaExhausted,
            (200, _) if says("invalid api key") => Self::KeyRejected,
            (200, Body::Json(_)) if is_unknown_id(error) => Self::UnknownId(shorten(error)),
            (200, Body::Json(_)) if !error.is_empty() => Self::unusable(format!("its error: {}", shorten(error))),
            (200, Body::Json(_)) => Self::unusable("JSON, but not of the movie that was asked for"),
            (200, Body::Text(text)) => Self::unusable(format!("no JSON but: {}", shorten(text))),
            (status, _) => Self::unusable(format!("HTTP status {status}")),
        }
    }

    /// Written out, numbers can be longer than they came: `1e15` has four digits then sixteen.
    fn bounded(movie: &Value) -> Self {
        match movie {
            Value::Object(members) if movie.to_string().len() <= MAX_ANSWER_BYTES => Self::Movie(members.clone()),
            _ => Self::unusable(format!("a movie of more than {MAX_ANSWER_BYTES} bytes")),
        }
    }
}

/// The body of an answer, before it is known what it means.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// JSON, as it should be.
    Json(Value),
    /// Anything else.
    Text(String),
}

impl Body {
    /// Reads the bytes of an answer.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        serde_json::from_slice(bytes)
            .map_or_else(|_| Self::Text(String::from_utf8_lossy(bytes).into_owned()), Self::Json)
    }

    /// Puts `…` in the place of a secret wherever the body repeats it, before any part of the body is stored or told.
    #[must_use]
    pub fn without(self, secrets: &[&str]) -> Self {
        // Prepared once: an answer has dozens of texts, and almost never a secret in one of them.
        let secrets: Vec<_> = secrets.iter().map(|secret| (Finder::new(*secret), *secret)).collect();
        let hide = |text: &str| {
            let found = |(finder, _): &&(Finder, &str)| finder.find(text.as_bytes()).is_some();
            let mut there = secrets.iter().filter(found).peekable();
            there.peek()?;
            Some(there.fold(text.to_owned(), |text, (_, secret)| text.replace(secret, "…")))
        };
        match self {
            Self::Json(mut json) => {
                change_texts(&mut json, &hide);
                Self::Json(json)
            }
            Self::Text(text) => Self::Text(hide(&text).unwrap_or(text)),
        }
    }

    fn error(&self) -> &str {
        let Self::Json(json) = self else { return "" };
        json.get("Error").and_then(Value::as_str).unwrap_or_default()
    }
}

/// Changes each text of a JSON value that is to be changed, names included, and each number whose digits are. It goes as
/// deep as the value, which `serde_json` bounds at 128.
fn change_texts(json: &mut Value, change: &impl Fn(&str) -> Option<String>) {
    match json {
        Value::String(text) => {
            if let Some(changed) = change(text) {
                *text = changed;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| change_texts(item, change)),
        Value::Object(members) => {
            if members.keys().any(|name| change(name).is_some()) {
                let renamed = |(name, value): (String, Value)| (change(&name).unwrap_or(name), value);
                *members = std::mem::take(members).into_iter().map(renamed).collect();
            }
            members.values_mut().for_each(|value| change_texts(value, change));
        }
        Value::Number(number) => {
            if let Some(changed) = change(&number.to_string()) {
                *json = Value::String(changed);
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn is_movie(movie: &Value, id: &ImdbId) -> bool {
    let is = |name, expected| movie.get(name).and_then(Value::as_str) == Some(expected);
    is("Response", "True") && is("imdbID", id.as_str())
}

fn is_unknown_id(error: &str) -> bool {
    let error = error.to_ascii_lowercase();
    error.contains("incorrect imdb id") || error.contains("error getting data") || error.contains("not found")
}

fn shorten(text: &str) -> String {
    text.chars().take(MAX_SHOWN_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(status: u16, body: &str) -> Answer {
        Answer::read(status, &Body::read(body.as_bytes()), &ImdbId::parse("tt0111161").unwrap())
    }

    #[test]
    fn the_movie_that_was_asked_for_is_taken_whole() {
        let answer = read(200, r#"{"Title":"The Shawshank Redemption","imdbID":"tt0111161","Response":"True"}"#);
        assert!(matches!(answer, Answer::Movie(movie) if movie.len() == 3));
    }

    #[test]
    fn another_movie_than_the_one_asked_for_is_not_taken() {
        let answer = read(200, r#"{"Title":"The Godfather","imdbID":"tt0068646","Response":"True"}"#);
        assert_eq!(answer, Answer::unusable("JSON, but not of the movie that was asked for"));
    }

    #[test]
    fn a_movie_that_is_too_large_to_be_stored_is_not_taken() {
        let movie = |member: &str| format!(r#"{{"imdbID":"tt0111161","Response":"True","Plot":{member}}}"#);
        let most = MAX_ANSWER_BYTES - movie(r#""""#).len();
        assert!(matches!(read(200, &movie(&format!(r#""{}""#, "x".repeat(most)))), Answer::Movie(_)));
        let too_large = Answer::unusable("a movie of more than 32768 bytes");
        assert_eq!(read(200, &movie(&format!(r#""{}""#, "x".repeat(most + 1)))), too_large);
        let grows = movie(&format!("[{}1]", "1e15,".repeat(MAX_ANSWER_BYTES / 10)));
        assert!(grows.len() < MAX_ANSWER_BYTES);
        assert_eq!(read(200, &grows), too_large);
    }

    #[test]
    fn a_rejected_key_and_a_used_up_quota_are_told_apart_by_their_text() {
        assert_eq!(read(401, r#"{"Response":"False","Error":"No API key provided."}"#), Answer::KeyRejected);
        for status in [200, 401] {
            assert_eq!(read(status, r#"{"Response":"False","Error":"Invalid API key!"}"#), Answer::KeyRejected);
            assert_eq!(
                read(status, r#"{"Response":"False","Error":"Request limit reached!"}"#),
                Answer::QuotaExhausted
            );
        }
    }

    #[test]
    fn an_id_that_omdb_does_not_know_is_told_from_a_passing_failure() {
        for error in ["Incorrect IMDb ID.", "Error getting data.", "Movie not found!"] {
            let answer = read(200, &format!(r#"{{"Response":"False","Error":"{error}"}}"#));
            assert_eq!(answer, Answer::UnknownId(error.to_owned()));
        }
        let answer = read(200, r#"{"Response":"False","Error":"The service is unavailable."}"#);
        assert_eq!(answer, Answer::unusable("its error: The service is unavailable."));
    }

    #[test]
    fn everything_else_is_unusable_and_says_what_came() {
        assert_eq!(read(503, "busy"), Answer::unusable("HTTP status 503"));
        assert_eq!(read(401, "<html>"), Answer::unusable("HTTP status 401"));
        assert_eq!(read(302, ""), Answer::unusable("HTTP status 302"));
        assert_eq!(read(200, "<html>busy</html>"), Answer::unusable("no JSON but: <html>busy</html>"));
        assert_eq!(read(200, "[]"), Answer::unusable("JSON, but not of the movie that was asked for"));
    }

    #[test]
    fn a_secret_that_a_body_repeats_is_hidden_wherever_it_stands() {
        let body = Body::read(br#"{"s3cret":["a s3cret","\u00733cret"],"Title":"The Secret","Year":1994}"#);
        let hidden = serde_json::json!({"…": ["a …", "…"], "Title": "The Secret", "Year": 1994});
        assert_eq!(body.without(&["s3cret"]), Body::Json(hidden));
        assert_eq!(
            Body::read(br#"{"a":12345678,"b":[-1.5,912345678e0]}"#).without(&["12345678"]),
            Body::Json(serde_json::json!({"a": "…", "b": [-1.5, "9….0"]}))
        );
        assert_eq!(Body::read(b"<p>s3cret s%33cret").without(&["s3cret", "s%33cret"]), Body::Text("<p>… …".to_owned()));
    }

    #[test]
    fn a_secret_that_stands_where_a_reason_is_cut_leaves_no_part_of_itself() {
        let page = format!("{}0123456789abcdef", "x".repeat(MAX_SHOWN_CHARS - 8));
        let answer = Answer::read(
            200,
            &Body::read(page.as_bytes()).without(&["0123456789abcdef"]),
            &ImdbId::parse("tt0111161").unwrap(),
        );
        assert!(answer.fault().is_some_and(|reason| reason.contains('…') && !reason.contains('0')), "{answer:?}");
    }

    proptest! {
        #[test]
        fn no_answer_makes_the_reader_panic(status in 100_u16..600, body in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Answer::read(status, &Body::read(&body).without(&["a"]), &ImdbId::parse("tt0111161").unwrap());
        }
    }
}
