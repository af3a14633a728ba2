//! Messages that failed of the same.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::case::Case;
use super::letter::FailureQueue;

/// Messages of one queue with one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The queue they lie in.
    pub queue: FailureQueue,
    /// Why they failed.
    pub cause: String,
    /// When the oldest was first sent.
    pub oldest: DateTime<Utc>,
    /// The runs they belong to, oldest first.
    pub runs: BTreeSet<String>,
    /// The IMDb ids of their movies.
    pub movies: BTreeSet<String>,
    /// Their ids, oldest message first.
    pub ids: Vec<String>,
}

/// Groups messages, which come oldest first; the largest group comes first, of equals the older one.
#[must_use]
pub fn group(cases: &[Case]) -> Vec<Group> {
    let mut groups = BTreeMap::<(FailureQueue, &str), Group>::new();
    for Case { letter, cause, .. } in cases {
        let group = groups.entry((letter.queue, cause)).or_insert_with(|| Group {
            queue: letter.queue,
            cause: cause.clone(),
            oldest: letter.sent,
            runs: BTreeSet::new(),
            movies: BTreeSet::new(),
            ids: Vec::new(),
        });
        group.oldest = group.oldest.min(letter.sent);
        group.runs.extend(letter.run());
        group.movies.extend(letter.movie().map(str::to_owned));
        group.ids.push(letter.id.clone());
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    groups.sort_by_key(|group| (std::cmp::Reverse(group.ids.len()), group.oldest));
    groups
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::super::letter::tests::movie;
    use super::*;

    fn case(id: &str, run: &str, imdb_id: &str, cause: &str, queue: FailureQueue) -> Case {
        let mut letter = movie(id, run, imdb_id);
        letter.queue = queue;
        Case { letter, cause: cause.to_owned(), log: Vec::new() }
    }

    #[test]
    fn messages_are_grouped_by_queue_and_cause_the_most_first() {
        use FailureQueue::{DeadLetters, Undelivered};
        let mut cases = [
            case("a", "r1", "tt1", "quota", DeadLetters),
            case("b", "r2", "tt2", "unknown id", DeadLetters),
            case("c", "r1", "tt3", "unknown id", DeadLetters),
            case("d", "r1", "tt4", "quota", Undelivered),
        ];
        cases[0].letter.sent += TimeDelta::minutes(2);
        cases[2].letter.sent -= TimeDelta::minutes(1);
        let groups = group(&cases);
        let shown: Vec<_> = groups.iter().map(|group| (group.queue, group.cause.as_str(), group.ids.len())).collect();
        assert_eq!(shown, [(DeadLetters, "unknown id", 2), (Undelivered, "quota", 1), (DeadLetters, "quota", 1)]);
        assert_eq!(groups[0].oldest, cases[2].letter.sent);
        assert_eq!(groups[0].runs, BTreeSet::from(["r1".to_owned(), "r2".to_owned()]));
        assert_eq!(groups[0].movies, BTreeSet::from(["tt2".to_owned(), "tt3".to_owned()]));
    }
}
