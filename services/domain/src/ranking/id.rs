//! The name of one ranking, made from its movies.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::movie::Movie;

/// Names one ranking of a run: 16 hexadecimal digits in lower case, the first 64 bits of a SHA-256 digest of its movies
/// in order, with all that their messages say of them.
///
/// A run has one ranking as long as its source stays as it is. Should the source change between two attempts of one
/// schedule event, the run has two, of which some messages of the first may be out already. Their names keep them apart,
/// so that no list mixes them.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RankingId(String);

/// How long a name is.
const DIGITS: usize = 16;

impl RankingId {
    /// The name of these movies, best first.
    #[must_use]
    #[expect(clippy::expect_used, clippy::missing_panics_doc, reason = "a movie is text, which always has a JSON form")]
    pub fn of(movies: &[Movie]) -> Self {
        let mut digest = Sha256::new();
        for movie in movies {
            digest.update(serde_json::to_vec(movie).expect("a movie has a JSON form"));
        }
        let first: u64 = digest.finalize().iter().take(DIGITS / 2).fold(0, |bits, byte| bits << 8 | u64::from(*byte));
        Self(format!("{first:0DIGITS$x}"))
    }

    /// Reads a name.
    ///
    /// # Errors
    /// [`RankingIdError`] for anything but 16 hexadecimal digits in lower case: it becomes part of an object key.
    pub fn parse(name: &str) -> Result<Self, RankingIdError> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let fault = || RankingIdError { found: name.chars().take(40).collect() };
        (name.len() == DIGITS && name.bytes().all(is_digit)).then(|| Self(name.to_owned())).ok_or_else(fault)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RankingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for RankingId {
    type Error = RankingIdError;

    fn try_from(name: String) -> Result<Self, RankingIdError> {
        Self::parse(&name)
    }
}

impl From<RankingId> for String {
    fn from(id: RankingId) -> Self {
        id.0
    }
}

/// A text that names no ranking.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{found:?} names no ranking; a ranking is named by {DIGITS} hexadecimal digits in lower case")]
pub struct RankingIdError {
    /// The first 40 characters of what was given.
    found: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn movie(id: &str, votes: &str) -> Movie {
        let json = serde_json::json!({"id": id, "title": "T", "imDbRating": "9.2", "imDbRatingCount": votes});
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_name_tells_rankings_apart_by_movies_order_and_all_that_is_said_of_them() {
        let (a, b) = (movie("tt0000001", "1"), movie("tt0000002", "1"));
        let rankings = [
            vec![a.clone(), b.clone()],
            vec![b.clone(), a.clone()],
            vec![a.clone()],
            vec![movie("tt0000001", "2"), b.clone()],
        ];
        let names: std::collections::HashSet<_> = rankings.iter().map(|movies| RankingId::of(movies)).collect();
        assert_eq!(names.len(), rankings.len());
        assert_eq!(RankingId::of(&[a.clone(), b.clone()]), RankingId::of(&[a, b]));
    }

    #[test]
    fn a_name_stays_the_same_from_release_to_release_since_objects_are_found_by_it() {
        assert_eq!(RankingId::of(&[movie("tt0000001", "1")]).as_str(), "514c485f45a96f5b");
    }

    #[test]
    fn anything_but_sixteen_digits_is_refused() {
        assert!(RankingId::parse("0123456789abcdef").is_ok());
        for name in
            ["", "0123456789abcde", "0123456789abcdef0", "0123456789ABCDEF", "../3456789abcdef", "０123456789ab"]
        {
            assert!(RankingId::parse(name).is_err(), "{name}");
        }
    }
}
