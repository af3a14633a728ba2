//! Which ids came before, of up to millions.

use std::collections::HashSet;

/// How many ids share a page: few enough that a short list, whose ids lie far apart, fills little memory; many enough that
/// the table of the pages is small beside them.
const PAGE_IDS: usize = 4096;

/// A bit for each of its ids.
type Page = [u64; WORDS];

const WORDS: usize = PAGE_IDS / WORD_IDS;
const WORD_IDS: usize = 64;

/// Ids seen so far, as the numbers that [`CheckedItem::id_number`] makes of them.
///
/// An id of 7 or 8 digits, as IMDb gives them today, is a bit in a page, and a page is there once an id of its own was
/// seen: at most 14 MB for all of them. Beside a set of numbers this is a fraction of the memory and, in a list that
/// outgrows the processor's caches, of the time; and as nothing is hashed, no choice of ids makes it slow. Longer ids
/// lie in a set, whose hashes nobody can foresee.
///
/// [`CheckedItem::id_number`]: crate::movie::CheckedItem::id_number
#[derive(Debug, Default)]
pub(super) struct SeenIds {
    pages: Vec<Option<Box<Page>>>,
    longer: HashSet<u64>,
}

impl SeenIds {
    /// Takes an id in; tells whether it is new.
    pub(super) fn insert(&mut self, id: u64) -> bool {
        match bit_of(id) {
            Some(bit) => set(self.page_of(bit), bit),
            None => self.longer.insert(id),
        }
    }

    fn page_of(&mut self, bit: usize) -> &mut Page {
        let page = bit / PAGE_IDS;
        if page >= self.pages.len() {
            self.pages.resize_with(page + 1, || None);
        }
        self.pages[page].get_or_insert_with(|| Box::new([0; WORDS]))
    }
}

/// Where the bit of an id is, if it has one: those of 8 digits follow those of 7.
fn bit_of(id: u64) -> Option<usize> {
    let bit = match id {
        10_000_000..20_000_000 => id - 10_000_000,
        100_000_000..200_000_000 => id - 90_000_000,
        _ => return None,
    };
    usize::try_from(bit).ok()
}

/// Sets a bit; tells whether it was not set before.
fn set(page: &mut Page, bit: usize) -> bool {
    let word = &mut page[bit % PAGE_IDS / WORD_IDS];
    let mask = 1 << (bit % WORD_IDS);
    let is_new = *word & mask == 0;
    *word |= mask;
    is_new
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Where ids change from one form to the other, and their last.
    const EDGES: [u64; 6] =
        [10_000_000, 20_000_000, 100_000_000, 200_000_000, 1_000_000_000, 1_999_999_999_999_999_999];

    #[test]
    fn the_last_id_of_seven_digits_and_the_first_of_eight_stand_side_by_side() {
        assert_eq!([bit_of(10_000_000), bit_of(19_999_999)], [Some(0), Some(9_999_999)]);
        assert_eq!([bit_of(100_000_000), bit_of(199_999_999)], [Some(10_000_000), Some(109_999_999)]);
    }

    proptest! {
        #[test]
        fn an_id_is_new_when_it_would_be_new_to_a_set(
            ids in prop::collection::vec((prop::sample::select(&EDGES[..]), -130_i64..130), 0..300),
        ) {
            let (mut seen, mut set) = (SeenIds::default(), HashSet::new());
            for (edge, distance) in ids {
                let id = edge.saturating_add_signed(distance);
                prop_assert_eq!(seen.insert(id), set.insert(id), "{}", id);
            }
        }
    }
}
