//! What travels over the topic: one message per movie.

use serde::{Deserialize, Serialize};

use crate::movie::Movie;
use crate::ranking::{MAX_TOP_N, RankingId};
use crate::run::Run;

/// The version of [`MovieMessage`]'s JSON. It changes when an older reader would misread a newer message; a new field
/// that readers may ignore does not change it.
pub const SCHEMA_VERSION: u32 = 1;

/// The message attribute that carries the W3C trace context (<https://www.w3.org/TR/trace-context/>). Raw delivery
/// keeps message attributes on the way from SNS to SQS, while X-Ray's `AWSTraceHeader` does not survive SNS.
pub const TRACEPARENT_ATTRIBUTE: &str = "traceparent";

/// The most bytes of a message: 20 KiB. An item of the source has at most 16 KiB ([`crate::movie::MAX_ITEM_BYTES`]); its
/// nine fields, should they be numbers such as `1e300`, are at most 309 bytes longer each as text; the rest is the
/// envelope.
pub const MAX_MESSAGE_BYTES: usize = 20 * 1024;

/// A ranked movie on its way to be enriched.
///
/// ```json
/// {"schema_version":1,"run":"2026-11-22T12-00-00Z","ranking":"86c1d1af72a2b5f4","position":1,"of":10,
///  "movie":{"id":"tt0111161","rank":"1","title":"…","fullTitle":"…","year":"1994","image":"…","crew":"…",
///           "imDbRating":"9.2","imDbRatingCount":"2757004"}}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MovieMessage {
    /// Always [`SCHEMA_VERSION`].
    schema_version: u32,
    /// The run this movie belongs to.
    pub run: Run,
    /// The ranking of this run that it belongs to.
    pub ranking: RankingId,
    /// Its place in the ranking, 1 to `of`.
    pub position: usize,
    /// How many movies the ranking has, 1 to [`MAX_TOP_N`].
    pub of: usize,
    /// The movie.
    pub movie: Movie,
}

impl MovieMessage {
    /// The messages of a run, best movie first.
    #[must_use]
    pub fn for_run(run: &Run, movies: Vec<Movie>) -> Vec<Self> {
        let (ranking, of) = (RankingId::of(&movies), movies.len());
        let message = |(position, movie)| {
            let (run, ranking) = (run.clone(), ranking.clone());
            Self { schema_version: SCHEMA_VERSION, run, ranking, position, of, movie }
        };
        (1..).zip(movies).map(message).collect()
    }

    /// Reads a message and checks what its fields say.
    ///
    /// # Errors
    /// [`MessageFault`], which fails this record alone.
    pub fn parse(body: &str) -> Result<Self, MessageFault> {
        if body.len() > MAX_MESSAGE_BYTES {
            return Err(MessageFault::TooLarge { bytes: body.len() });
        }
        // The version first: of another version, the other fields may mean anything.
        let version: Version = serde_json::from_str(body).map_err(MessageFault::NotAMessage)?;
        if version.schema_version != SCHEMA_VERSION {
            return Err(MessageFault::OtherSchemaVersion { found: version.schema_version });
        }
        let wire: Wire = serde_json::from_str(body).map_err(MessageFault::NotAMessage)?;
        if !(1..=MAX_TOP_N).contains(&wire.of) || !(1..=wire.of).contains(&wire.position) {
            return Err(MessageFault::PositionOutOfRange { position: wire.position, of: wire.of });
        }
        let Wire { run, ranking, position, of, movie } = wire;
        Ok(Self { schema_version: SCHEMA_VERSION, run, ranking, position, of, movie })
    }
}

#[derive(Deserialize)]
struct Version {
    schema_version: u32,
}

#[derive(Deserialize)]
struct Wire {
    run: Run,
    ranking: RankingId,
    position: usize,
    of: usize,
    movie: Movie,
}

/// Why a queue record is no message of ours. It will not become one by trying again, but it must not vanish either:
/// the record is reported as failed, and after the queue's maximum receives it lies whole in the dead-letter queue.
#[derive(Debug, thiserror::Error)]
pub enum MessageFault {
    /// Not JSON, a field missing, or a field that fails its check.
    #[error("not a movie message: {}", shortened(.0))]
    NotAMessage(#[source] serde_json::Error),
    /// Larger than any that the ranker publishes.
    #[error("{bytes} bytes, where a message has at most {MAX_MESSAGE_BYTES}")]
    TooLarge {
        /// How many it has.
        bytes: usize,
    },
    /// A message for a newer or older enricher.
    #[error("schema version {found}, but this enricher reads version {SCHEMA_VERSION}")]
    OtherSchemaVersion {
        /// The version it names.
        found: u32,
    },
    /// A place that its run cannot have.
    #[error("position {position} of {of}; a position lies in 1..=of, and of in 1..={MAX_TOP_N}")]
    PositionOutOfRange {
        /// The place it names.
        position: usize,
        /// The size of the run it names.
        of: usize,
    },
}

/// The most characters of what `serde_json` says, which repeats texts that stand where they should not.
const MAX_REASON_CHARS: usize = 200;

fn shortened(error: &serde_json::Error) -> String {
    error.to_string().chars().take(MAX_REASON_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn valid() -> Value {
        json!({
            "schema_version": 1, "run": "2026-11-22T12-00-00Z", "ranking": "0123456789abcdef",
            "position": 1, "of": 10, "movie": {"id": "tt0111161", "title": "T", "imDbRating": "9.2"},
        })
    }

    fn fault_of(change: impl FnOnce(&mut Value)) -> String {
        let mut message = valid();
        change(&mut message);
        MovieMessage::parse(&message.to_string()).unwrap_err().to_string()
    }

    #[test]
    fn what_is_written_reads_back_the_same() {
        let message = MovieMessage::parse(&valid().to_string()).unwrap();
        assert_eq!(MovieMessage::parse(&serde_json::to_string(&message).unwrap()).unwrap(), message);
    }

    #[test]
    fn the_messages_of_a_run_count_their_places_from_one_and_share_a_ranking() {
        let movie = MovieMessage::parse(&valid().to_string()).unwrap().movie;
        let run = Run::parse("2026-11-22T12-00-00Z").unwrap();
        let messages = MovieMessage::for_run(&run, vec![movie; 3]);
        let places: Vec<_> = messages.iter().map(|message| (message.position, message.of)).collect();
        assert_eq!(places, [(1, 3), (2, 3), (3, 3)]);
        assert!(messages.iter().all(|message| message.ranking == messages[0].ranking));
    }

    #[test]
    fn a_field_that_a_newer_ranker_adds_is_ignored() {
        let mut message = valid();
        message["added_later"] = json!(true);
        assert!(MovieMessage::parse(&message.to_string()).is_ok());
    }

    #[test]
    fn each_fault_says_what_is_wrong() {
        assert!(MovieMessage::parse("not json").unwrap_err().to_string().starts_with("not a movie message"));
        assert!(fault_of(|m| m["schema_version"] = json!(2)).contains("schema version 2"));
        assert!(fault_of(|m| drop(m.as_object_mut().unwrap().remove("run"))).contains("missing field `run`"));
        assert!(fault_of(|m| m["run"] = json!("../..")).contains("names no run"));
        assert!(fault_of(|m| m["ranking"] = json!("../..")).contains("names no ranking"));
        assert!(fault_of(|m| m["position"] = json!(0)).contains("position 0 of 10"));
        assert!(fault_of(|m| m["position"] = json!(11)).contains("position 11 of 10"));
        assert!(fault_of(|m| m["of"] = json!(1001)).contains("of 1001"));
        assert!(fault_of(|m| m["movie"]["id"] = json!("x")).contains("7 to 18 digits"));
    }

    #[test]
    fn the_largest_item_makes_a_message_and_anything_larger_is_refused_unread() {
        let numbers = ["rank", "fullTitle", "year", "image", "crew", "imDbRatingCount"];
        let numbers = numbers.map(|name| format!(r#""{name}":1e308,"#)).concat();
        let item =
            |title: &str| format!(r#"{{"id":"tt000000000000000001",{numbers}"imDbRating":1e-308,"title":"{title}"}}"#);
        let item = item(&"x".repeat(crate::movie::MAX_ITEM_BYTES - item("").len()));
        let movie: Movie = serde_json::from_str(&item).unwrap();
        let message = &MovieMessage::for_run(&Run::parse("2026-11-22T12-00-00Z").unwrap(), vec![movie])[0];
        let body = serde_json::to_string(message).unwrap();
        assert!(body.len() > item.len() && MovieMessage::parse(&body).is_ok());
        let padded = format!("{body}{}", " ".repeat(MAX_MESSAGE_BYTES));
        assert!(MovieMessage::parse(&padded).unwrap_err().to_string().ends_with("a message has at most 20480"));
    }

    #[test]
    fn a_fault_is_short_however_long_the_text_that_stands_where_it_should_not() {
        assert!(fault_of(|m| m["position"] = json!("x".repeat(MAX_MESSAGE_BYTES / 2))).len() < 300);
    }
}
