//! An item of the source, checked once on the way in.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An item as the source writes it, nothing checked yet. Text is borrowed from the bytes read wherever JSON allows,
/// since of 250 items (or a million) only the top N are kept.
///
/// Numbers come as text (`"9.2"`), sometimes empty, and are taken as JSON numbers too. A field that is missing, `null`
/// or of another type reads as empty: only the fields that [`SourceItem::check`] wants can reject an item.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SourceItem<'a> {
    /// The IMDb id, such as `tt0111161`.
    #[serde(borrow)]
    pub id: Text<'a>,
    /// The source's own place in the list, counted from 1.
    #[serde(borrow)]
    pub rank: Text<'a>,
    /// The title without the year.
    #[serde(borrow)]
    pub title: Text<'a>,
    /// The title with the year.
    #[serde(borrow)]
    pub full_title: Text<'a>,
    /// The year of release.
    #[serde(borrow)]
    pub year: Text<'a>,
    /// Address of a poster.
    #[serde(borrow)]
    pub image: Text<'a>,
    /// Director and leading actors.
    #[serde(borrow)]
    pub crew: Text<'a>,
    /// The mean rating, 0 to 10.
    #[serde(borrow)]
    pub im_db_rating: Text<'a>,
    /// How many people rated.
    #[serde(borrow)]
    pub im_db_rating_count: Text<'a>,
}

impl<'a> SourceItem<'a> {
    /// Checks everything the pipeline relies on, in the order of [`Rejection`]'s variants.
    ///
    /// # Errors
    /// The first [`Rejection`] found.
    pub fn check(self) -> Result<CheckedItem<'a>, Rejection> {
        let id_number = imdb_number(&self.id)?;
        if self.title.trim().is_empty() {
            return Err(Rejection::TitleMissing);
        }
        let rating = read_rating(&self.im_db_rating)?;
        // A rank that is missing or no number only sorts last among equals; it rejects nothing.
        let rank = self.rank.trim().parse().ok();
        Ok(CheckedItem { id_number, rating, rank, item: self })
    }
}

/// An item that can be ranked.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedItem<'a> {
    /// The id as a number that differs whenever the ids differ: a few bytes instead of a text for each item seen.
    pub id_number: u64,
    /// The rating, 0 to 10.
    pub rating: f64,
    /// The source's own rank, where it gives one.
    pub rank: Option<u32>,
    item: SourceItem<'a>,
}

impl CheckedItem<'_> {
    /// The movie, detached from the bytes it was read from.
    #[must_use]
    pub fn into_movie(self) -> Movie {
        let item = self.item;
        Movie {
            id: ImdbId(item.id.into_string()),
            rank: item.rank.into_string(),
            title: item.title.into_string(),
            full_title: item.full_title.into_string(),
            year: item.year.into_string(),
            image: item.image.into_string(),
            crew: item.crew.into_string(),
            im_db_rating: item.im_db_rating.into_string(),
            im_db_rating_count: item.im_db_rating_count.into_string(),
        }
    }
}

/// Why an item of the source cannot be ranked. It is set aside, counted in `SourceItemsRejected` and logged with its
/// index and this reason; the rest of the list is ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Rejection {
    /// `id` is missing or empty.
    #[error("id is missing or empty")]
    IdMissing,
    /// `id` is not what IMDb gives.
    #[error("id is not \"tt\" followed by 7 to 18 digits")]
    IdMalformed,
    /// `title` is missing or empty.
    #[error("title is missing or empty")]
    TitleMissing,
    /// `imDbRating` is missing or empty.
    #[error("imDbRating is missing or empty")]
    RatingMissing,
    /// `imDbRating` is no number.
    #[error("imDbRating is not a number")]
    RatingNotANumber,
    /// `imDbRating` is a number, but no rating.
    #[error("imDbRating is outside 0 to 10")]
    RatingOutOfRange,
    /// An item before this one has the same id; that one counts.
    #[error("an earlier item has the same id")]
    DuplicateId,
    /// The item is not a JSON object, gives a field twice, or has a value that is no text and no number we can hold.
    #[error("not a JSON object with each field at most once, in UTF-8 and numbers of 64 bits")]
    Malformed,
    /// The item is larger than a message may be, see [`MAX_ITEM_BYTES`].
    #[error("larger than 16 KiB, the most that fits a message")]
    TooLarge,
}

/// The most bytes one item of the source may have: 16 KiB.
///
/// Ten messages travel in one `PublishBatch`, whose total SNS limits to 256 KiB
/// (<https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>). Ten of these with their envelopes stay below
/// that. Real items have about 400 bytes.
pub const MAX_ITEM_BYTES: usize = 16 * 1024;

/// A movie that passed the checks of [`SourceItem::check`]. Fields keep the source's text, so that what is stored in
/// the end is what the source said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Movie {
    /// The IMDb id.
    pub id: ImdbId,
    /// The source's own rank; may be empty.
    pub rank: String,
    /// The title without the year.
    pub title: String,
    /// The title with the year; may be empty.
    pub full_title: String,
    /// The year of release; may be empty.
    pub year: String,
    /// Address of a poster; may be empty.
    pub image: String,
    /// Director and leading actors; may be empty.
    pub crew: String,
    /// The rating, a number from 0 to 10.
    pub im_db_rating: String,
    /// How many people rated; may be empty.
    pub im_db_rating_count: String,
}

impl<'de> Deserialize<'de> for Movie {
    /// Reads a movie through the same checks as an item of the source, so that no unchecked `Movie` can exist.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let item = SourceItem::deserialize(deserializer)?;
        item.check().map(CheckedItem::into_movie).map_err(de::Error::custom)
    }
}

/// An IMDb title id: `tt` and 7 to 18 digits.
///
/// IMDb gives 7 or 8 today (<https://developer.imdb.com/documentation/key-concepts>); 18 is what a `u64` holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct ImdbId(String);

impl ImdbId {
    /// Reads an id.
    ///
    /// # Errors
    /// [`Rejection::IdMissing`] or [`Rejection::IdMalformed`].
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        imdb_number(text).map(|_| Self(text.to_owned()))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ImdbId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The digits of an id behind a leading 1, which keeps `tt0000001` and `tt00000001` apart.
fn imdb_number(id: &str) -> Result<u64, Rejection> {
    if id.is_empty() {
        return Err(Rejection::IdMissing);
    }
    let digits = id.strip_prefix("tt").ok_or(Rejection::IdMalformed)?;
    if !(7..=18).contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Rejection::IdMalformed);
    }
    Ok(digits.bytes().fold(1, |number, digit| number * 10 + u64::from(digit - b'0')))
}

fn read_rating(text: &str) -> Result<f64, Rejection> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Rejection::RatingMissing);
    }
    let rating: f64 = text.parse().map_err(|_| Rejection::RatingNotANumber)?;
    if rating.is_nan() {
        Err(Rejection::RatingNotANumber)
    } else if (0.0..=10.0).contains(&rating) {
        // Adding zero turns -0 into 0, which would otherwise sort below it.
        Ok(rating + 0.0)
    } else {
        Err(Rejection::RatingOutOfRange)
    }
}

/// Text of the source: a JSON string, a number as Rust writes it, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    fn into_string(self) -> String {
        self.0.into_owned()
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self(Cow::Owned(text))
    }
}

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text or a number")
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(text.into())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.to_owned().into())
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(number.to_string().into())
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        Ok(number.to_string().into())
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Self::Value, E> {
        Ok(number.to_string().into())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        Ok(Text::default())
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Text::default())
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(json: &str) -> Result<Movie, Rejection> {
        serde_json::from_str::<SourceItem<'_>>(json).unwrap().check().map(CheckedItem::into_movie)
    }

    #[test]
    fn an_item_of_the_real_shape_keeps_every_field_as_written() {
        let item = json!({
            "id": "tt0111161", "rank": "1", "title": "The Shawshank Redemption",
            "fullTitle": "The Shawshank Redemption (1994)", "year": "1994", "image": "https://example.com/1.jpg",
            "crew": "Frank Darabont (dir.), Tim Robbins", "imDbRating": "9.2", "imDbRatingCount": "2757004",
        });
        let movie = check(&item.to_string()).unwrap();
        assert_eq!(serde_json::to_value(&movie).unwrap(), item);
    }

    #[test]
    fn numbers_may_come_as_json_numbers_and_optional_fields_may_be_null_or_absent() {
        let movie = check(r#"{"id":"tt0111161","title":"T","imDbRating":9.25,"rank":3,"year":null}"#).unwrap();
        assert_eq!((movie.im_db_rating.as_str(), movie.rank.as_str(), movie.year.as_str()), ("9.25", "3", ""));
    }

    #[test]
    fn each_fault_is_rejected_with_its_own_reason() {
        let cases = [
            (r#"{"title":"T","imDbRating":"9"}"#, Rejection::IdMissing),
            (r#"{"id":"","title":"T","imDbRating":"9"}"#, Rejection::IdMissing),
            (r#"{"id":"tt12345","title":"T","imDbRating":"9"}"#, Rejection::IdMalformed),
            (r#"{"id":"nm0111161","title":"T","imDbRating":"9"}"#, Rejection::IdMalformed),
            (r#"{"id":"tt011116x","title":"T","imDbRating":"9"}"#, Rejection::IdMalformed),
            (r#"{"id":"tt0111161/../x","title":"T","imDbRating":"9"}"#, Rejection::IdMalformed),
            (r#"{"id":"tt0111161","imDbRating":"9"}"#, Rejection::TitleMissing),
            (r#"{"id":"tt0111161","title":" ","imDbRating":"9"}"#, Rejection::TitleMissing),
            (r#"{"id":"tt0111161","title":"T"}"#, Rejection::RatingMissing),
            (r#"{"id":"tt0111161","title":"T","imDbRating":""}"#, Rejection::RatingMissing),
            (r#"{"id":"tt0111161","title":"T","imDbRating":"good"}"#, Rejection::RatingNotANumber),
            (r#"{"id":"tt0111161","title":"T","imDbRating":"NaN"}"#, Rejection::RatingNotANumber),
            (r#"{"id":"tt0111161","title":"T","imDbRating":"inf"}"#, Rejection::RatingOutOfRange),
            (r#"{"id":"tt0111161","title":"T","imDbRating":"10.1"}"#, Rejection::RatingOutOfRange),
            (r#"{"id":"tt0111161","title":"T","imDbRating":-0.1}"#, Rejection::RatingOutOfRange),
        ];
        for (item, reason) in cases {
            assert_eq!(check(item), Err(reason), "{item}");
        }
    }

    #[test]
    fn a_field_of_another_type_reads_as_empty_and_rejects_nothing_that_is_not_wanted() {
        let movie =
            check(r#"{"id":"tt0111161","title":"T","imDbRating":"9","rank":true,"crew":["a",["b"]],"year":{"x":[1]}}"#);
        let movie = movie.unwrap();
        assert_eq!((movie.rank.as_str(), movie.crew.as_str(), movie.year.as_str()), ("", "", ""));
        assert_eq!(check(r#"{"id":"tt0111161","title":["T"],"imDbRating":"9"}"#), Err(Rejection::TitleMissing));
    }

    #[test]
    fn a_rank_that_is_no_number_rejects_nothing() {
        let item: SourceItem<'_> =
            serde_json::from_str(r#"{"id":"tt0111161","title":"T","imDbRating":"9","rank":"first"}"#).unwrap();
        assert_eq!(item.check().unwrap().rank, None);
    }

    #[test]
    fn ids_that_differ_only_in_leading_zeros_stay_apart() {
        assert_ne!(imdb_number("tt0000001"), imdb_number("tt00000001"));
    }

    #[test]
    fn a_movie_cannot_be_read_around_the_checks() {
        let error = serde_json::from_str::<Movie>(r#"{"id":"x","title":"T","imDbRating":"9"}"#).unwrap_err();
        assert!(error.to_string().contains("7 to 18 digits"), "{error}");
    }

    proptest! {
        #[test]
        fn every_rating_from_0_to_10_is_taken(rating in 0.0_f64..=10.0) {
            prop_assert_eq!(read_rating(&rating.to_string()), Ok(rating));
        }

        #[test]
        fn no_text_makes_a_check_panic(id in ".*", title in ".*", rating in ".*", rank in ".*") {
            let item = SourceItem {
                id: id.into(), title: title.into(), im_db_rating: rating.into(), rank: rank.into(), ..Default::default()
            };
            let _ = item.check();
        }
    }
}
