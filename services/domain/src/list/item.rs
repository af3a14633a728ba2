//! The text of an item → its fields.

mod plain;

use serde::de::IgnoredAny;

use super::ListFault;
use crate::movie::{MAX_ITEM_BYTES, Rejection, SourceItem};

/// The item that begins these bytes, and how many are its own, when it lies whole among them, as most items do, and
/// nothing is wrong with it. Its end is found while it is read, so that its bytes are gone through once. Of anything else
/// nothing is said: whoever asks then has to find its end first, and [`read_item`] judges it.
pub(super) fn whole_item(bytes: &[u8]) -> Option<(SourceItem<'_>, usize)> {
    let allowed = &bytes[..bytes.len().min(MAX_ITEM_BYTES)];
    plain::plain_item(allowed).or_else(|| any_item(allowed))
}

/// Whatever `serde_json` takes for an item, if it is an object: one in an array has no end of its own.
fn any_item(bytes: &[u8]) -> Option<(SourceItem<'_>, usize)> {
    if bytes.first() != Some(&b'{') {
        return None;
    }
    let mut items = serde_json::Deserializer::from_slice(bytes).into_iter();
    let item = items.next()?.ok()?;
    Some((item, items.byte_offset()))
}

/// An item, or why it is none. Only broken JSON is a fault of the whole list: then nobody can tell where the item ends.
pub(super) fn read_item(text: &[u8], start: u64) -> Result<Result<SourceItem<'_>, Rejection>, ListFault> {
    match serde_json::from_slice::<SourceItem<'_>>(text) {
        // A struct can be read from an array too; an item of ours cannot.
        Ok(item) if text.first() == Some(&b'{') => Ok(Ok(item)),
        Ok(_) => Ok(Err(Rejection::Malformed)),
        Err(error) if error.is_data() => Ok(Err(Rejection::Malformed)),
        // Numbers past 64 bits, halves of a surrogate pair, bytes that are no UTF-8: values that we cannot hold, within
        // an item whose end is known.
        Err(_) if serde_json::from_slice::<IgnoredAny>(text).is_ok() => Ok(Err(Rejection::Malformed)),
        Err(error) => Err(ListFault::broken(&error, text, start)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{Index, select};

    use super::*;
    use crate::list::ListReader;

    /// What became of the items, and how the reading ended.
    type Outcome = (Vec<Result<SourceItem<'static>, Rejection>>, Result<(), ListFault>);

    fn read(list: &[u8], chunk_bytes: usize) -> Outcome {
        let (mut reader, mut items) = (ListReader::new(), Vec::new());
        let mut take = |chunk| reader.feed(chunk, |_, item| items.push(item.map(|item| detached(&item))));
        let end = list.chunks(chunk_bytes).try_for_each(&mut take);
        (items, end.and_then(|()| reader.finish()))
    }

    fn detached(item: &SourceItem<'_>) -> SourceItem<'static> {
        let text = |text: &str| text.to_owned().into();
        SourceItem {
            id: text(&item.id),
            rank: text(&item.rank),
            title: text(&item.title),
            full_title: text(&item.full_title),
            year: text(&item.year),
            image: text(&item.image),
            crew: text(&item.crew),
            im_db_rating: text(&item.im_db_rating),
            im_db_rating_count: text(&item.im_db_rating_count),
        }
    }

    /// Byte by byte no item lies whole in a chunk; each is followed to its end before it is read.
    fn assert_read_the_same_byte_by_byte(list: &[u8]) {
        assert_eq!(read(list, usize::MAX), read(list, 1), "{}", list.escape_ascii());
    }

    /// An item of these members, with this white space before each value.
    fn item_of<'a>(members: impl IntoIterator<Item = (&'a str, Vec<u8>)>, space: &str) -> Vec<u8> {
        let member = |(key, value): (&str, Vec<u8>)| [format!("\"{key}\":{space}").as_bytes(), &value].concat();
        [b"{", members.into_iter().map(member).collect::<Vec<_>>().join(&b',').as_slice(), b"}"].concat()
    }

    const KEYS: [&str; 9] =
        ["id", "rank", "title", "fullTitle", "year", "image", "crew", "imDbRating", "imDbRatingCount"];

    /// Texts that are sound, and bytes that are sound in no text or only there.
    const PIECES: [&[u8]; 24] = [
        b"",
        b"x",
        b"9.2",
        b"tt0111161",
        "é".as_bytes(),
        "\u{10ffff}".as_bytes(),
        b" ",
        b"\x7f",
        b"{",
        b"]}",
        b",",
        br#"\""#,
        br"\\",
        br"\n",
        br"\ud800",
        br"\u00e9",
        br"\x",
        br"\",
        b"\"",
        br#"","rank":""#,
        br#"\","rank":""#,
        b"\n",
        b"\0",
        b"\xff",
    ];

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let sound = select(&PIECES[..12]).prop_map(<[u8]>::to_vec);
        let any = prop::collection::vec(select(&PIECES[..]), 0..3).prop_map(|pieces| pieces.concat());
        prop_oneof![30 => sound, 1 => any].prop_map(|text| [b"\"", text.as_slice(), b"\""].concat())
    }

    fn value() -> impl Strategy<Value = Vec<u8>> {
        let others =
            select(&["9.25", "-0", "1e400", "18446744073709551616", "null", "[[{}]]", "{\"a\":1}", "nul", ""][..]);
        prop_oneof![30 => text(), 1 => others.prop_map(|other| other.as_bytes().to_vec())]
    }

    fn plain() -> impl Strategy<Value = Vec<u8>> {
        prop::collection::vec(value(), 9).prop_map(|values| item_of(KEYS.into_iter().zip(values), ""))
    }

    fn other() -> impl Strategy<Value = Vec<u8>> {
        let key = prop_oneof![4 => select(&KEYS[..]), 1 => Just("other"), 1 => Just("\\u0069d")];
        let members = prop::collection::vec((key, value()), 0..5);
        (members, select(&["", " ", "\n\t"][..])).prop_map(|(members, space)| item_of(members, space))
    }

    fn list() -> impl Strategy<Value = Vec<u8>> {
        let item = prop_oneof![4 => plain(), 2 => other(), 1 => value()];
        let items = prop::collection::vec(item, 0..5).prop_map(|items| items.join(&b','));
        items.prop_map(|items| [br#"{"items":["#, items.as_slice(), br#"],"errorMessage":""}"#].concat())
    }

    /// A few bytes taken out, or others put in.
    fn spoilt() -> impl Strategy<Value = Vec<u8>> {
        (list(), any::<Index>(), 0_usize..3, select(&PIECES[..])).prop_map(|(mut list, at, taken, put)| {
            let start = at.index(list.len());
            list.splice(start..(start + taken).min(list.len()), put.iter().copied());
            list
        })
    }

    #[test]
    fn an_item_may_have_as_many_bytes_as_a_message_allows_and_not_one_more() {
        for keys in [&KEYS[..], &KEYS[2..3]] {
            let titled = |title: &str| {
                let text = |key| format!("\"{}\"", if key == "title" { title } else { "" }).into_bytes();
                item_of(keys.iter().map(|key| (*key, text(*key))), "")
            };
            let room = MAX_ITEM_BYTES - titled("").len();
            for (length, fits) in [(room, true), (room + 1, false)] {
                let item = titled(&"x".repeat(length));
                assert_eq!(whole_item(&item).is_some(), fits, "{length}");
                let list = [br#"{"items":["#, item.as_slice(), br"]}"].concat();
                assert_eq!(read(&list, usize::MAX).0[0].is_ok(), fits, "{length}");
                assert_read_the_same_byte_by_byte(&list);
            }
        }
    }

    #[test]
    fn an_item_as_the_source_writes_it_is_plain_and_one_with_an_escape_is_not() {
        let of_texts = |text: &str| item_of(KEYS.map(|key| (key, format!("\"{text}\"").into_bytes())), "");
        let (plain, escaped) = (of_texts("é"), of_texts(r"\u00e9"));
        let (item, used) = plain::plain_item(&plain).unwrap();
        assert_eq!((used, &*item.title), (plain.len(), "é"));
        assert_eq!(plain::plain_item(&escaped), None);
        assert_eq!(whole_item(&escaped), Some((item, escaped.len())));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn an_item_that_lies_whole_in_a_chunk_is_read_as_one_that_is_followed_byte_by_byte(list in list()) {
            assert_read_the_same_byte_by_byte(&list);
        }

        #[test]
        fn a_spoilt_item_is_judged_the_same_wherever_its_chunks_end(list in spoilt(), chunk_bytes in 2_usize..200) {
            assert_read_the_same_byte_by_byte(&list);
            prop_assert_eq!(read(&list, 1), read(&list, chunk_bytes));
        }

        #[test]
        fn what_is_read_as_plain_is_read_the_same_by_serde(mut item in plain(), rest in select(&PIECES[..])) {
            item.extend_from_slice(rest);
            if let Some((plain, used)) = plain::plain_item(&item) {
                prop_assert_eq!(plain, serde_json::from_slice(&item[..used]).unwrap());
            }
        }
    }
}
