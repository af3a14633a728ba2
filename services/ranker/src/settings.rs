//! What the ranker reads from its environment.

use domain::contract::environment::{SOURCE_BUCKET, SOURCE_KEY, SOURCE_REGION, TOP_N, TOPIC_ARN};
use domain::ranking::{MAX_TOP_N, MIN_TOP_N};
use function::Reader;

use crate::source::Location;

/// Settings of the ranker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Where the list lies: `SOURCE_BUCKET`, `SOURCE_KEY`, `SOURCE_REGION`.
    pub source: Location,
    /// Where movies are published: `TOPIC_ARN`.
    pub topic_arn: String,
    /// How many: `TOP_N`.
    pub top_n: usize,
}

impl Settings {
    /// Reads them, leaving faults with the reader.
    pub fn read(reader: &mut Reader<'_>) -> Option<Self> {
        // Each is read before the first `?`, so that all faults are found.
        let bucket = reader.text(SOURCE_BUCKET);
        let key = reader.text(SOURCE_KEY);
        let region = reader.text(SOURCE_REGION);
        let topic_arn = reader.read(TOPIC_ARN, |arn| is_topic(arn).then(|| arn.to_owned()));
        let top_n = reader.number(TOP_N, MIN_TOP_N..=MAX_TOP_N);
        Some(Self {
            source: Location { bucket: bucket?, key: key?, region: region? },
            topic_arn: topic_arn?,
            top_n: top_n?,
        })
    }
}

/// `arn:<partition>:sns:<region>:<account>:<name>`
fn is_topic(arn: &str) -> bool {
    let parts: Vec<_> = arn.split(':').collect();
    matches!(parts[..], ["arn", _, "sns", _, _, name] if !name.is_empty())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn read(changes: &[(&'static str, &'static str)]) -> Result<Settings, String> {
        let mut environment = HashMap::from([
            ("SOURCE_BUCKET", "top-movies"),
            ("SOURCE_KEY", "Top250Movies.json"),
            ("SOURCE_REGION", "eu-central-1"),
            ("TOPIC_ARN", "arn:aws:sns:eu-central-1:123456789012:movies"),
        ]);
        environment.extend(changes.iter().copied());
        let mut reader = Reader::new(&environment);
        let settings = Settings::read(&mut reader);
        reader.finish(settings).map_err(|faults| faults.to_string())
    }

    #[test]
    fn ten_movies_are_ranked_unless_told_otherwise() {
        assert_eq!(read(&[]).unwrap().top_n, 10);
        assert_eq!(read(&[("TOP_N", "1000")]).unwrap().top_n, 1000);
    }

    #[test]
    fn a_top_n_outside_1_to_1000_is_refused() {
        for top_n in ["0", "1001", "-1", "ten", "10.5"] {
            assert!(read(&[("TOP_N", top_n)]).unwrap_err().contains("TOP_N cannot be read"), "{top_n}");
        }
    }

    #[test]
    fn every_faulty_variable_is_named() {
        let error = read(&[("SOURCE_BUCKET", ""), ("TOPIC_ARN", "movies"), ("TOP_N", "0")]).unwrap_err();
        for name in ["SOURCE_BUCKET", "TOPIC_ARN", "TOP_N"] {
            assert!(error.contains(name), "{name} is not in: {error}");
        }
    }
}
