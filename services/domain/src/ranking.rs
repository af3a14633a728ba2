//! Items → the top N.
//!
//! The rule: rating, highest first; among equals the source's own rank, lowest first; then file order. IMDb ranks
//! its Top 250 by a weighted rating that counts votes too
//! (<https://help.imdb.com/article/imdb/track-movies-tv/ratings-faq/G67Y87TFYYP6TWAV>), while the source gives that
//! rating rounded to one decimal. The source's rank therefore breaks ties by what rounding hid.

mod id;
mod seen;

use std::cmp::Ordering;
use std::collections::BinaryHeap;

pub use id::{RankingId, RankingIdError};

use crate::movie::{CheckedItem, Movie, Rejection};
use seen::SeenIds;

/// The fewest movies a run may have.
pub const MIN_TOP_N: usize = 1;

/// The most movies a run may have: one LIST page of a run's objects holds 1,000 keys
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>), and a free OMDb key allows 1,000
/// requests a day (<https://www.omdbapi.com/apikey.aspx>).
pub const MAX_TOP_N: usize = 1_000;

/// How many movies a run has when nothing else is said.
pub const DEFAULT_TOP_N: usize = 10;

/// Whether a run may have this many movies.
#[must_use]
pub fn is_valid_top_n(top_n: usize) -> bool {
    (MIN_TOP_N..=MAX_TOP_N).contains(&top_n)
}

/// The best N of the items seen so far. Memory grows with N, and by what tells the ids that came before: 14 MB at most for
/// all of 7 and 8 digits together, which are there once a hundred thousand ids that lie far apart were seen, and some 20
/// bytes for each longer one. An item costs O(log N).
#[derive(Debug)]
pub struct Ranking {
    top_n: usize,
    considered: u64,
    seen: SeenIds,
    /// The worst of the kept ones on top, ready to be replaced.
    kept: BinaryHeap<Placed>,
}

impl Ranking {
    /// An empty ranking that keeps the best `top_n`.
    #[must_use]
    pub fn new(top_n: usize) -> Self {
        Self { top_n, considered: 0, seen: SeenIds::default(), kept: BinaryHeap::with_capacity(top_n + 1) }
    }

    /// Takes the next item of the list into account.
    ///
    /// # Errors
    /// [`Rejection::DuplicateId`] when a rankable item with this id came before; that one counts.
    pub fn consider(&mut self, item: CheckedItem<'_>) -> Result<(), Rejection> {
        if !self.seen.insert(item.id_number) {
            return Err(Rejection::DuplicateId);
        }
        let standing = Standing { rating: item.rating, rank: item.rank, index: self.considered };
        self.considered += 1;
        let has_room = self.kept.len() < self.top_n;
        // Most items of a long list end here, before anything of them is copied.
        if has_room || self.kept.peek().is_some_and(|worst| standing < worst.standing) {
            self.kept.push(Placed { standing, movie: item.into_movie() });
            if !has_room {
                self.kept.pop();
            }
        }
        Ok(())
    }

    /// The best first.
    #[must_use]
    pub fn into_movies(self) -> Vec<Movie> {
        self.kept.into_sorted_vec().into_iter().map(|placed| placed.movie).collect()
    }
}

#[derive(Debug)]
struct Placed {
    standing: Standing,
    movie: Movie,
}

impl PartialEq for Placed {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Placed {}

impl PartialOrd for Placed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Placed {
    fn cmp(&self, other: &Self) -> Ordering {
        self.standing.cmp(&other.standing)
    }
}

/// What decides an item's place. The smaller standing is the better one.
#[derive(Debug, Clone, Copy)]
struct Standing {
    rating: f64,
    rank: Option<u32>,
    index: u64,
}

impl Ord for Standing {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |standing: &Self| standing.rank.map_or(u64::MAX, u64::from);
        (other.rating.total_cmp(&self.rating))
            .then_with(|| rank(self).cmp(&rank(other)))
            .then_with(|| self.index.cmp(&other.index))
    }
}

impl PartialOrd for Standing {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Standing {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Standing {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::movie::SourceItem;

    fn item(id: u32, rating: &str, rank: &str) -> SourceItem<'static> {
        SourceItem {
            id: format!("tt{id:07}").into(),
            title: format!("Movie {id}").into(),
            im_db_rating: rating.to_owned().into(),
            rank: rank.to_owned().into(),
            ..SourceItem::default()
        }
    }

    fn rank_ids(top_n: usize, items: impl IntoIterator<Item = SourceItem<'static>>) -> Vec<String> {
        let mut ranking = Ranking::new(top_n);
        for item in items {
            let _ = ranking.consider(item.check().unwrap());
        }
        ranking.into_movies().into_iter().map(|movie| movie.id.to_string()).collect()
    }

    #[test]
    fn the_highest_rating_comes_first() {
        let ids = rank_ids(2, [item(1, "8.9", "1"), item(2, "9.2", "2"), item(3, "9.0", "3")]);
        assert_eq!(ids, ["tt0000002", "tt0000003"]);
    }

    #[test]
    fn equal_ratings_follow_the_rank_of_the_source_as_a_number_not_as_text() {
        let ids = rank_ids(3, [item(1, "9.0", "10"), item(2, "9", "9"), item(3, "9.00", "2")]);
        assert_eq!(ids, ["tt0000003", "tt0000002", "tt0000001"]);
    }

    #[test]
    fn an_item_without_a_rank_comes_last_among_equals_in_file_order() {
        let ids = rank_ids(4, [item(1, "9", ""), item(2, "9", "?"), item(3, "9", "250"), item(4, "8", "1")]);
        assert_eq!(ids, ["tt0000003", "tt0000001", "tt0000002", "tt0000004"]);
    }

    #[test]
    fn of_two_items_with_one_id_the_first_counts() {
        let mut ranking = Ranking::new(10);
        ranking.consider(item(1, "5", "1").check().unwrap()).unwrap();
        assert_eq!(ranking.consider(item(1, "9", "1").check().unwrap()), Err(Rejection::DuplicateId));
        assert_eq!(ranking.into_movies()[0].im_db_rating, "5");
    }

    #[test]
    fn fewer_items_than_wanted_are_all_kept() {
        assert_eq!(rank_ids(10, [item(1, "5", "1"), item(2, "6", "2")]).len(), 2);
    }

    proptest! {
        #[test]
        fn keeping_the_best_while_reading_gives_what_sorting_everything_would(
            ratings in prop::collection::vec((0_u8..=100, prop::option::of(0_u32..20)), 0..200),
            top_n in 1_usize..50,
        ) {
            let items = ratings.iter().zip(0..).map(|((tenths, rank), id)| {
                let rank = rank.map(|rank| rank.to_string()).unwrap_or_default();
                item(id, &format!("{}", f64::from(*tenths) / 10.0), &rank)
            });
            let mut sorted: Vec<_> = ratings.iter().zip(0_u32..).collect();
            sorted.sort_by_key(|((tenths, rank), _)| (u8::MAX - tenths, rank.unwrap_or(u32::MAX)));
            let expected: Vec<_> = sorted.iter().take(top_n).map(|(_, id)| format!("tt{id:07}")).collect();
            prop_assert_eq!(rank_ids(top_n, items), expected);
        }
    }
}
