//! Items as the source writes most of them.

use std::ops::Range;

use memchr::memchr2;

use crate::movie::SourceItem;

/// What stands before each of the nine texts.
const BEFORE: [&[u8]; 9] = [
    br#"{"id":""#,
    br#"","rank":""#,
    br#"","title":""#,
    br#"","fullTitle":""#,
    br#"","year":""#,
    br#"","image":""#,
    br#"","crew":""#,
    br#"","imDbRating":""#,
    br#"","imDbRatingCount":""#,
];

/// What stands behind the last text.
const AFTER: &[u8] = br#""}"#;

/// The item that begins these bytes, and how many are its own, if it is plain: its nine fields in the source's order,
/// each a text without an escape, and no white space between. `serde_json` would read the same from it, several times as
/// slowly: it looks at each byte of each key, and at each text alone.
pub(super) fn plain_item(bytes: &[u8]) -> Option<(SourceItem<'_>, usize)> {
    let (texts, length) = find_texts(bytes)?;
    let item = sound(&bytes[..length])?;
    let [id, rank, title, full_title, year, image, crew, im_db_rating, im_db_rating_count] =
        texts.map(|range| item[range].into());
    let item = SourceItem { id, rank, title, full_title, year, image, crew, im_db_rating, im_db_rating_count };
    Some((item, length))
}

/// Where the texts are, and where the item ends.
fn find_texts(bytes: &[u8]) -> Option<([Range<usize>; 9], usize)> {
    let mut texts = [const { 0..0 }; 9];
    let mut at = 0;
    for (text, before) in texts.iter_mut().zip(BEFORE) {
        let start = after(bytes, at, before)?;
        at = start + memchr2(b'"', b'\\', &bytes[start..])?;
        *text = start..at;
    }
    Some((texts, after(bytes, at, AFTER)?))
}

/// Where the bytes go on after these, if these are there. A text that ends before an escape is none: a backslash follows
/// it, where only a quote is expected.
fn after(bytes: &[u8], at: usize, expected: &[u8]) -> Option<usize> {
    bytes[at..].starts_with(expected).then_some(at + expected.len())
}

/// The bytes as text, if JSON allows each of them in one: UTF-8 without control characters. Looked at as a whole, since
/// what is between the texts is sound anyway.
fn sound(item: &[u8]) -> Option<&str> {
    let least = item.iter().fold(u8::MAX, |least, byte| least.min(*byte));
    if least < b' ' { None } else { std::str::from_utf8(item).ok() }
}
