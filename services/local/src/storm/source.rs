//! A source list of as many movies as are wanted.

use serde_json::{Value, json};

/// The JSON of a list of so many movies, each with an id and a rating of its own, in no order.
#[must_use]
pub fn source_of(movies: usize) -> Vec<u8> {
    // Steps of a number that has no divisor in common with the count visit each place once. One more than the count is
    // such a number.
    let step = (movies * 5 / 8..=movies + 1).find(|step| is_coprime(*step, movies)).unwrap_or(1);
    let items: Vec<_> = (0..movies).map(|place| item(place * step % movies, movies)).collect();
    json!({"items": items, "errorMessage": ""}).to_string().into_bytes()
}

fn is_coprime(a: usize, b: usize) -> bool {
    if b == 0 { a == 1 } else { is_coprime(b, a % b) }
}

/// The movie of a rank; the best has 0.
fn item(rank: usize, movies: usize) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "some thousand")]
    let rating = 10.0 - 9.0 * rank as f64 / movies as f64;
    let number = rank + 1;
    json!({
        "id": format!("tt{:07}", 1_000_000 + rank), "rank": number.to_string(), "title": format!("Film {number}"),
        "fullTitle": format!("Film {number} (1994)"), "year": "1994", "image": "",
        "crew": "Somebody (dir.), Somebody Else", "imDbRating": format!("{rating:.4}"), "imDbRatingCount": "1000",
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_list_holds_each_movie_once_and_not_in_order() {
        for movies in [1, 2, 7, 20, 100, 1_000] {
            let list: Value = serde_json::from_slice(&source_of(movies)).unwrap();
            let ranks: Vec<usize> = list["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["rank"].as_str().unwrap().parse().unwrap())
                .collect();
            assert_eq!(ranks.iter().copied().collect::<BTreeSet<_>>(), (1..=movies).collect());
            assert!(movies < 7 || !ranks.is_sorted(), "{ranks:?}");
        }
    }
}
