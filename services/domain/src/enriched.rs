//! Movie + OMDb → the record to store, and where a run's objects lie.
//!
//! ```text
//! runs/<run>/<ranking>/<position>-<imdb id>.json   one enriched movie: the source's fields, then OMDb's
//! runs/<run>/Top10Movies.json                      the assembled list of a complete run
//! Top10Movies.json                                 the list of the newest complete run
//! ```
//!
//! The key of a movie comes from its message alone. A message that is delivered again therefore meets its own object
//! instead of making a second one. Should the source change between two attempts of one schedule event, the run has two
//! rankings, each with objects of its own; the first of them to be complete becomes the run's list.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::message::MovieMessage;
use crate::movie::ImdbId;
use crate::ranking::RankingId;
use crate::run::Run;

/// The key of the newest complete list. The name is the original's, whatever `TOP_N` says: readers know it.
pub const LATEST_KEY: &str = "Top10Movies.json";

/// User metadata of an assembled list: the run it came from, so that a HEAD tells it.
pub const RUN_METADATA: &str = "run";

/// OMDb's answer for one title: its JSON object as it came.
pub type OmdbMovie = Map<String, Value>;

/// The record of one enriched movie: the source's fields, then OMDb's. Its bytes depend on nothing else, so storing
/// it twice stores the same. Names do not clash (`title`, `Title`); if one day they do, the source's stands, since it
/// is what was ranked.
#[must_use]
pub fn enrich(message: &MovieMessage, omdb: OmdbMovie) -> Vec<u8> {
    let movie = &message.movie;
    let source = [
        ("id", movie.id.as_str()),
        ("rank", &movie.rank),
        ("title", &movie.title),
        ("fullTitle", &movie.full_title),
        ("year", &movie.year),
        ("image", &movie.image),
        ("crew", &movie.crew),
        ("imDbRating", &movie.im_db_rating),
        ("imDbRatingCount", &movie.im_db_rating_count),
    ];
    let mut record: Map<_, _> =
        source.into_iter().map(|(name, text)| (name.to_owned(), Value::String(text.to_owned()))).collect();
    for (name, value) in omdb {
        record.entry(name).or_insert(value);
    }
    Value::Object(record).to_string().into_bytes()
}

/// The assembled list of a complete run, from its records in order of position.
///
/// `{"run": "…", "items": [record, record, …]}`. Records are joined as stored, byte for byte: two enrichers that
/// finish a run at once write the same list.
#[must_use]
pub fn assemble(run: &Run, records: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let head = format!(r#"{{"run":"{run}","items":["#);
    // Whole from the start: growing would hold the list twice, beside its records.
    let bytes = head.len() + records.iter().map(|record| record.as_ref().len() + 1).sum::<usize>() + 2;
    let mut list = Vec::with_capacity(bytes);
    list.extend_from_slice(head.as_bytes());
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            list.push(b',');
        }
        list.extend_from_slice(record.as_ref());
    }
    list.extend_from_slice(b"]}");
    list
}

/// Where all objects of a run lie.
#[must_use]
pub fn run_prefix(run: &Run) -> String {
    format!("runs/{run}/")
}

/// The most movies of a run for each that is looked for, for a list to be asked for. Looking at an object takes a request,
/// whose signature and headers take as long as reading some ten keys of a list; a page of a list costs as much as twelve
/// such looks (<https://aws.amazon.com/s3/pricing/>).
const MAX_LISTED_FOR_EACH: usize = 10;

/// Whether it is better to list a run than to look at the objects of so many of its movies one by one.
#[must_use]
pub fn is_worth_a_list(looked_for: usize, of: usize) -> bool {
    looked_for > 1 && of <= looked_for.saturating_mul(MAX_LISTED_FOR_EACH)
}

/// The key of a run's assembled list.
#[must_use]
pub fn run_list_key(run: &Run) -> String {
    format!("runs/{run}/{LATEST_KEY}")
}

/// The key of a message's record. The position is padded to the width of `of` (at least two digits), so that a
/// listing shows the movies in order.
#[must_use]
pub fn movie_key(message: &MovieMessage) -> String {
    let width = message.of.to_string().len().max(2);
    let MovieMessage { run, ranking, position, movie, .. } = message;
    format!("runs/{run}/{ranking}/{position:0width$}-{}.json", movie.id)
}

/// What the key of a run's movie names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovieKey {
    /// The ranking it belongs to.
    pub ranking: RankingId,
    /// Its place in the ranking.
    pub position: usize,
    /// The movie.
    pub id: ImdbId,
}

/// Reads the key of a run's movie; nothing for any other key.
#[must_use]
pub fn read_movie_key(run: &Run, key: &str) -> Option<MovieKey> {
    let (ranking, name) = key.strip_prefix(&run_prefix(run))?.split_once('/')?;
    let (position, id) = name.strip_suffix(".json")?.split_once('-')?;
    Some(MovieKey {
        ranking: RankingId::parse(ranking).ok()?,
        position: position.parse().ok()?,
        id: ImdbId::parse(id).ok()?,
    })
}

/// The keys of a run's movies by ranking and position. A run has one ranking, unless its source changed between two
/// attempts of its event.
#[must_use]
pub fn movies_by_ranking<'a>(
    run: &Run,
    keys: impl IntoIterator<Item = &'a str>,
) -> BTreeMap<RankingId, BTreeMap<usize, &'a str>> {
    let mut rankings = BTreeMap::<_, BTreeMap<_, _>>::new();
    for key in keys {
        if let Some(MovieKey { ranking, position, .. }) = read_movie_key(run, key) {
            rankings.entry(ranking).or_default().insert(position, key);
        }
    }
    rankings
}

/// The keys of a ranking's movies in order of position, once all `of` of them are there; nothing before.
#[must_use]
pub fn complete_ranking<'a>(
    run: &Run,
    ranking: &RankingId,
    of: usize,
    keys: impl IntoIterator<Item = &'a str>,
) -> Option<Vec<String>> {
    let mut movies = movies_by_ranking(run, keys).remove(ranking)?;
    movies.retain(|position, _| (1..=of).contains(position));
    (movies.len() == of).then(|| movies.into_values().map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn message(position: usize, of: usize) -> MovieMessage {
        let body = json!({
            "schema_version": 1, "run": "2026-11-22T12-00-00Z", "ranking": "0123456789abcdef",
            "position": position, "of": of,
            "movie": {"id": "tt0111161", "title": "The Shawshank Redemption", "imDbRating": "9.2"},
        });
        MovieMessage::parse(&body.to_string()).unwrap()
    }

    #[test]
    fn a_record_holds_the_fields_of_the_source_and_then_those_of_omdb() {
        let omdb = json!({"Title": "The Shawshank Redemption", "id": "not this one", "Response": "True"});
        let record: Value =
            serde_json::from_slice(&enrich(&message(1, 10), omdb.as_object().unwrap().clone())).unwrap();
        assert_eq!(record["id"], "tt0111161");
        assert_eq!(record["Title"], "The Shawshank Redemption");
        assert_eq!(record.as_object().unwrap().keys().next_back().unwrap(), "Response");
    }

    #[test]
    fn the_list_of_a_run_is_its_records_in_order() {
        let list = assemble(&message(1, 2).run, &[br#"{"id":"a"}"#, br#"{"id":"b"}"#]);
        let expected = json!({"run": "2026-11-22T12-00-00Z", "items": [{"id": "a"}, {"id": "b"}]});
        assert_eq!(serde_json::from_slice::<Value>(&list).unwrap(), expected);
    }

    #[test]
    fn positions_are_padded_so_that_a_listing_is_in_order() {
        assert_eq!(movie_key(&message(1, 10)), "runs/2026-11-22T12-00-00Z/0123456789abcdef/01-tt0111161.json");
        assert_eq!(movie_key(&message(7, 7)), "runs/2026-11-22T12-00-00Z/0123456789abcdef/07-tt0111161.json");
        assert_eq!(movie_key(&message(12, 1000)), "runs/2026-11-22T12-00-00Z/0123456789abcdef/0012-tt0111161.json");
    }

    #[test]
    fn only_the_movies_of_the_ranking_count_towards_its_completion() {
        let MovieMessage { run, ranking, .. } = message(1, 2);
        let first = movie_key(&message(1, 2));
        let stray = [
            first.as_str(),
            "runs/2026-11-23T12-00-00Z/0123456789abcdef/02-tt0111161.json",
            "runs/2026-11-22T12-00-00Z/fedcba9876543210/02-tt0111161.json",
            "runs/2026-11-22T12-00-00Z/02-tt0111161.json",
            "runs/2026-11-22T12-00-00Z/Top10Movies.json",
            "Top10Movies.json",
        ];
        assert_eq!(complete_ranking(&run, &ranking, 2, stray), None);
        let second = movie_key(&message(2, 2));
        let keys = [second.as_str(), &first];
        assert_eq!(complete_ranking(&run, &ranking, 2, keys), Some(vec![first.clone(), second.clone()]));
    }

    #[test]
    fn a_run_is_listed_for_a_good_part_of_it_and_not_for_one_movie() {
        assert!(is_worth_a_list(10, 10) && is_worth_a_list(10, 100) && is_worth_a_list(2, 20));
        assert!(!is_worth_a_list(10, 101) && !is_worth_a_list(1, 1) && !is_worth_a_list(1, 10));
    }

    proptest! {
        #[test]
        fn a_key_names_the_ranking_position_and_id_it_was_made_from(of in 1_usize..=1000, share in 0.0_f64..1.0) {
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let position = 1 + (share * of as f64) as usize;
            let message = message(position, of);
            let named = MovieKey { ranking: message.ranking.clone(), position, id: message.movie.id.clone() };
            prop_assert_eq!(read_movie_key(&message.run, &movie_key(&message)), Some(named));
        }
    }
}
