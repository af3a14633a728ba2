//! The source's JSON, item by item, as it arrives.
//!
//! ```json
//! {"items": [{"id": "tt0111161", …}, …], "errorMessage": ""}
//! ```
//!
//! `serde_json` reads from a slice or from a blocking reader; bytes from the network come as neither. So the outer
//! object and the array are read here, byte by byte, and each item as soon as it is complete: mostly straight from the
//! chunk that it arrived in; one that goes on in the next is first followed to its end. Memory is bounded by the largest
//! item allowed ([`MAX_ITEM_BYTES`]), whatever the list's size.
//!
//! Keys besides `items` and `errorMessage` are skipped: their values are only followed to their end, not judged.

mod item;
mod value;

use std::fmt;

use crate::movie::{MAX_ITEM_BYTES, Rejection, SourceItem};
use item::{read_item, whole_item};
use value::{Captured, ValueReader};

/// The most items of a list. Whoever ranks them keeps their ids, to tell whether one comes twice: of this many in 90 MB at
/// most, and 40 MB more while they move to more room. IMDb has less than 2 million titles that anyone rated, whose ids take
/// 14 MB.
const MAX_ITEMS: u64 = 5_000_000;

/// The most bytes of `errorMessage` that are read and shown.
const MAX_ERROR_MESSAGE_BYTES: usize = 4 * 1024;

/// The longest key that is told apart from others. `errorMessage` in its longest form, each of its 12 letters escaped
/// with 6 bytes and in quotes, has 74.
const MAX_KEY_BYTES: usize = 74;

/// Reads the list from chunks of any size.
#[derive(Debug)]
pub struct ListReader {
    state: State,
    value: ValueReader,
    key: Key,
    position: u64,
    items: u64,
    max_items: u64,
    has_items: bool,
    error_message: String,
}

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    ListStart,
    KeyOrEnd,
    KeyStart,
    KeyText,
    Colon,
    ValueStart,
    ValueText,
    ItemOrEnd,
    ItemStart,
    ItemText,
    AfterItem,
    AfterValue,
    End,
}

/// The keys that mean something to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Items,
    ErrorMessage,
    Other,
}

impl Default for ListReader {
    fn default() -> Self {
        Self::new()
    }
}

impl ListReader {
    /// A reader before the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::ListStart,
            value: ValueReader::default(),
            key: Key::Other,
            position: 0,
            items: 0,
            max_items: MAX_ITEMS,
            has_items: false,
            error_message: String::new(),
        }
    }

    /// How many items have been handed over so far, rejected ones included.
    #[must_use]
    pub fn items(&self) -> u64 {
        self.items
    }

    /// Takes the next bytes and hands over each item that they complete, with its index.
    ///
    /// # Errors
    /// [`ListFault`]; the reader is of no use then.
    pub fn feed(
        &mut self,
        mut bytes: &[u8],
        mut on_item: impl FnMut(u64, Result<SourceItem<'_>, Rejection>),
    ) -> Result<(), ListFault> {
        while let Some(&byte) = bytes.first() {
            let used = match self.state {
                State::KeyText | State::ValueText | State::ItemText => self.continue_value(bytes, &mut on_item)?,
                _ if is_space(byte) => 1,
                State::ItemOrEnd | State::ItemStart => self.start_item(bytes, &mut on_item)?,
                _ => self.step(byte)?,
            };
            self.position += used as u64;
            bytes = &bytes[used..];
        }
        Ok(())
    }

    /// Ends the reading: the list must be whole, hold items, and report no error of its own.
    ///
    /// # Errors
    /// [`ListFault`].
    pub fn finish(self) -> Result<(), ListFault> {
        if self.state != State::End {
            return Err(ListFault::CutOff { position: self.position });
        }
        if !is_blank(&self.error_message) {
            return Err(ListFault::ReportsError(self.error_message));
        }
        if !self.has_items {
            return Err(ListFault::NoItems);
        }
        Ok(())
    }

    /// One byte between values. Bytes that begin a value are not used up: the value reader wants them.
    fn step(&mut self, byte: u8) -> Result<usize, ListFault> {
        let (next, used) = match (self.state, byte) {
            (State::ListStart, b'{') => (State::KeyOrEnd, 1),
            (State::KeyOrEnd | State::KeyStart, b'"') => (self.begin(State::KeyText, MAX_KEY_BYTES), 0),
            (State::KeyOrEnd | State::AfterValue, b'}') => (State::End, 1),
            (State::Colon, b':') => (State::ValueStart, 1),
            (State::ValueStart, _) if self.key == Key::Items => self.begin_items(byte)?,
            (State::ValueStart, _) => (self.begin(State::ValueText, self.value_limit()), 0),
            (State::ItemOrEnd | State::AfterItem, b']') => (State::AfterValue, 1),
            (State::ItemOrEnd | State::ItemStart, _) => self.begin_item()?,
            (State::AfterItem, b',') => (State::ItemStart, 1),
            (State::AfterValue, b',') => (State::KeyStart, 1),
            _ => return Err(self.unexpected(byte)),
        };
        self.state = next;
        Ok(used)
    }

    fn begin(&mut self, state: State, limit: usize) -> State {
        self.value.begin(limit);
        state
    }

    /// Only the text of `errorMessage` is kept; of other keys' values nothing is.
    fn value_limit(&self) -> usize {
        if self.key == Key::ErrorMessage { MAX_ERROR_MESSAGE_BYTES } else { 0 }
    }

    fn begin_items(&mut self, byte: u8) -> Result<(State, usize), ListFault> {
        if self.has_items {
            return Err(ListFault::ItemsTwice { position: self.position });
        }
        match byte {
            b'[' => {
                self.has_items = true;
                Ok((State::ItemOrEnd, 1))
            }
            // `null` stands for no items, which `finish` tells.
            b'n' => Ok((self.begin(State::ValueText, 0), 0)),
            _ => Err(self.unexpected(byte)),
        }
    }

    fn begin_item(&mut self) -> Result<(State, usize), ListFault> {
        if self.items == self.max_items {
            return Err(ListFault::TooManyItems { most: self.max_items, position: self.position });
        }
        Ok((self.begin(State::ItemText, MAX_ITEM_BYTES), 0))
    }

    /// Takes an item that lies whole in these bytes, as most do, at once. The first byte of anything else is looked at as
    /// any byte between values is.
    fn start_item(
        &mut self,
        bytes: &[u8],
        on_item: &mut impl FnMut(u64, Result<SourceItem<'_>, Rejection>),
    ) -> Result<usize, ListFault> {
        match whole_item(bytes) {
            Some((item, used)) if self.items < self.max_items => {
                on_item(self.items, Ok(item));
                self.items += 1;
                self.state = State::AfterItem;
                Ok(used)
            }
            _ => self.step(bytes[0]),
        }
    }

    /// Lets the value reader go on; gives how many bytes it used.
    fn continue_value(
        &mut self,
        bytes: &[u8],
        on_item: &mut impl FnMut(u64, Result<SourceItem<'_>, Rejection>),
    ) -> Result<usize, ListFault> {
        let Some(used) = self.value.scan(bytes) else {
            self.value.keep(bytes);
            return Ok(bytes.len());
        };
        if used == 0 && self.value.is_empty() {
            return Err(self.unexpected(bytes[0]));
        }
        let end = self.position + used as u64;
        match self.value.end(&bytes[..used]) {
            Captured::Whole(text) => match self.state {
                State::KeyText => self.key = read_key(text),
                State::ItemText => {
                    on_item(self.items, read_item(text, end - text.len() as u64)?);
                    self.items += 1;
                }
                _ if self.key == Key::ErrorMessage && is_blank(&self.error_message) => {
                    self.error_message = read_error_message(text, end)?;
                }
                _ => {}
            },
            Captured::TooLarge => match self.state {
                State::KeyText => self.key = Key::Other,
                State::ItemText => {
                    on_item(self.items, Err(Rejection::TooLarge));
                    self.items += 1;
                }
                _ if self.key == Key::ErrorMessage && is_blank(&self.error_message) => {
                    self.error_message = format!("(more than {MAX_ERROR_MESSAGE_BYTES} bytes)");
                }
                _ => {}
            },
        }
        self.state = match self.state {
            State::KeyText => State::Colon,
            State::ItemText => State::AfterItem,
            _ => State::AfterValue,
        };
        Ok(used)
    }

    fn unexpected(&self, byte: u8) -> ListFault {
        ListFault::Unexpected { found: byte, expected: self.state.expected(), position: self.position }
    }
}

impl State {
    /// What this state waits for, in words.
    fn expected(self) -> &'static str {
        match self {
            Self::ListStart => "an object that begins with '{'",
            Self::KeyOrEnd => "a key or '}'",
            Self::KeyStart | Self::KeyText => "a key in double quotes",
            Self::Colon => "':'",
            Self::ValueStart => "a list of items that begins with '['",
            Self::ValueText | Self::ItemStart | Self::ItemText => "a value",
            Self::ItemOrEnd => "an item or ']'",
            Self::AfterItem => "',' or ']'",
            Self::AfterValue => "',' or '}'",
            Self::End => "nothing more",
        }
    }
}

/// A message that stands beside a blank one of the same name is a message all the same.
fn is_blank(error_message: &str) -> bool {
    error_message.trim().is_empty()
}

/// A key is the same key in each of its forms: `"\u0069tems"` is `"items"`.
fn read_key(text: &[u8]) -> Key {
    match serde_json::from_slice::<String>(text).as_deref() {
        Ok("items") => Key::Items,
        Ok("errorMessage") => Key::ErrorMessage,
        _ => Key::Other,
    }
}

/// The white space of JSON (<https://www.rfc-editor.org/rfc/rfc8259#section-2>), which has no form feed.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// Text, `null` or nothing; anything else is shown as it stands.
fn read_error_message(text: &[u8], end: u64) -> Result<String, ListFault> {
    match serde_json::from_slice(text) {
        Ok(serde_json::Value::String(message)) => Ok(message),
        Ok(serde_json::Value::Null) => Ok(String::new()),
        Ok(other) => Ok(other.to_string()),
        Err(error) => Err(ListFault::broken(&error, text, end - text.len() as u64)),
    }
}

/// Why the bytes are not the list we know. Positions count from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListFault {
    /// A byte that JSON, or our list, does not allow at its place.
    Unexpected {
        /// The byte.
        found: u8,
        /// What could have stood there.
        expected: &'static str,
        /// Where it stands.
        position: u64,
    },
    /// A value that is no JSON.
    Broken {
        /// What `serde_json` says.
        reason: String,
        /// Where.
        position: u64,
    },
    /// The bytes end before the list does.
    CutOff {
        /// How many there were.
        position: u64,
    },
    /// `items` stands twice.
    ItemsTwice {
        /// Where the second begins.
        position: u64,
    },
    /// There are more items than a list may have.
    TooManyItems {
        /// How many it may have.
        most: u64,
        /// Where the first that is too many begins.
        position: u64,
    },
    /// There is no `items`, or it is `null`.
    NoItems,
    /// `errorMessage` is not empty: whoever wrote the list did not get it whole.
    ReportsError(String),
}

impl ListFault {
    fn broken(error: &serde_json::Error, text: &[u8], start: u64) -> Self {
        // serde_json tells line and column; the byte is found by counting lines.
        let line_start = text
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'\n')
            .nth(error.line().saturating_sub(2))
            .map_or(0, |(index, _)| if error.line() > 1 { index + 1 } else { 0 });
        let offset = (line_start + error.column().saturating_sub(1)).min(text.len());
        // Its message ends with line and column within the item, which would mislead beside the position.
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or_default().to_owned();
        Self::Broken { reason, position: start + offset as u64 }
    }
}

impl fmt::Display for ListFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { found: b'<', position: 0, .. } => {
                f.write_str("it begins with '<' at byte 0, as HTML or XML does, where JSON was expected")
            }
            Self::Unexpected { found: 0x1f, position: 0, .. } => {
                f.write_str("it begins with byte 0x1f, as gzip does, where JSON was expected; it is not unpacked")
            }
            Self::Unexpected { found, expected, position } => {
                write!(f, "found '{}' at byte {position} where {expected} was expected", found.escape_ascii())
            }
            Self::Broken { reason, position } => write!(f, "broken JSON at byte {position}: {reason}"),
            Self::CutOff { position: 0 } => f.write_str("it is empty"),
            Self::CutOff { position } => write!(f, "it ends after {position} bytes, before the list does"),
            Self::ItemsTwice { position } => write!(f, "a second \"items\" begins at byte {position}"),
            Self::TooManyItems { most, position } => {
                write!(f, "it has more than {most} items; the first that is too many begins at byte {position}")
            }
            Self::NoItems => f.write_str("it has no \"items\""),
            Self::ReportsError(message) => write!(f, "its errorMessage says: {message}"),
        }
    }
}

impl std::error::Error for ListFault {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Ids (or reasons) of the items, fed in chunks of this size.
    fn read(text: &[u8], chunk_bytes: usize) -> Result<Vec<String>, ListFault> {
        let mut reader = ListReader::new();
        let mut items = Vec::new();
        for chunk in text.chunks(chunk_bytes) {
            reader.feed(chunk, |index, item| {
                assert_eq!(index, items.len() as u64);
                items.push(item.map_or_else(|reason| format!("{reason:?}"), |item| item.id.to_string()));
            })?;
        }
        assert_eq!(reader.items(), items.len() as u64);
        reader.finish().map(|()| items)
    }

    fn fault(text: &str) -> String {
        let fault = read(text.as_bytes(), 7).unwrap_err();
        assert_eq!(read(text.as_bytes(), usize::MAX).unwrap_err(), fault, "chunks must not matter");
        fault.to_string()
    }

    #[test]
    fn items_are_handed_over_wherever_the_chunks_end() {
        let list =
            br#" {"a":[1,{"items":[2]}],"items" : [ {"id":"x","title":"\"}]\\"} ,{"id":"y"}], "errorMessage":""} "#;
        for chunk_bytes in 1..list.len() {
            assert_eq!(read(list, chunk_bytes).unwrap(), ["x", "y"], "{chunk_bytes}");
        }
    }

    #[test]
    fn an_item_of_another_type_is_rejected_alone() {
        let list = br#"{"items":[1,"x",null,["tt0111161"],{"id":"y","id":"z"},{"id":"z"}],"errorMessage":null}"#;
        assert_eq!(read(list, 5).unwrap(), ["Malformed", "Malformed", "Malformed", "Malformed", "Malformed", "z"]);
    }

    #[test]
    fn an_item_with_a_value_that_cannot_be_held_is_rejected_alone() {
        for value in [&b"1e400"[..], b"-1e999", br#""\ud800""#, b"\"\xff\""] {
            let list = [br#"{"items":[{"id":"#, value, br#"},{"id":"y"}]}"#].concat();
            assert_eq!(read(&list, 3).unwrap(), ["Malformed", "y"], "{}", value.escape_ascii());
        }
    }

    #[test]
    fn a_key_is_known_in_each_of_its_forms() {
        let letters = "errorMessage".bytes().map(|letter| format!("\\u{letter:04x}")).collect::<Vec<_>>().concat();
        let list = format!(r#"{{"\u0069tems":[{{"id":"x"}}],"{letters}":"Maximum usage"}}"#);
        assert_eq!(fault(&list), "its errorMessage says: Maximum usage");
        assert_eq!(read(list.replace("Maximum usage", "").as_bytes(), 3).unwrap(), ["x"]);
    }

    #[test]
    fn an_error_message_is_not_undone_by_an_empty_one_of_the_same_name() {
        assert_eq!(
            fault(r#"{"errorMessage":"Maximum usage","items":[],"errorMessage":""}"#),
            "its errorMessage says: Maximum usage"
        );
    }

    #[test]
    fn an_item_too_large_for_a_message_is_rejected_and_the_next_one_read() {
        let list = json!({"items": [{"id": "x".repeat(MAX_ITEM_BYTES)}, {"id": "y"}]}).to_string();
        for chunk_bytes in [100, 5_000, usize::MAX] {
            assert_eq!(read(list.as_bytes(), chunk_bytes).unwrap(), ["TooLarge", "y"]);
        }
    }

    #[test]
    fn a_list_of_more_items_than_can_be_told_apart_is_refused() {
        let mut reader = ListReader { max_items: 2, ..ListReader::new() };
        assert_eq!(reader.feed(br#"{"items":[1,2"#, |_, _| {}), Ok(()));
        let fault = reader.feed(b",3]}", |_, _| {}).unwrap_err();
        assert_eq!(fault.to_string(), "it has more than 2 items; the first that is too many begins at byte 14");
    }

    #[test]
    fn an_empty_list_is_sound_as_a_list() {
        assert_eq!(read(br#"{"errorMessage":"","items":[]}"#, 3).unwrap(), [""; 0]);
    }

    #[test]
    fn each_fault_says_what_is_wrong_and_at_which_byte() {
        assert_eq!(fault(""), "it is empty");
        assert_eq!(
            fault("<!DOCTYPE html>"),
            "it begins with '<' at byte 0, as HTML or XML does, where JSON was expected"
        );
        assert_eq!(
            read(b"\x1f\x8b\x08", 7).unwrap_err().to_string(),
            "it begins with byte 0x1f, as gzip does, where JSON was expected; it is not unpacked"
        );
        assert_eq!(fault("[]"), "found '[' at byte 0 where an object that begins with '{' was expected");
        assert_eq!(
            fault(r#"{"items":{}}"#),
            "found '{' at byte 9 where a list of items that begins with '[' was expected"
        );
        assert_eq!(fault(r#"{"items":[{"id":"x"}"#), "it ends after 20 bytes, before the list does");
        assert_eq!(fault(r#"{"items":[]"#), "it ends after 11 bytes, before the list does");
        assert_eq!(fault(r#"{"items":[{"id":"x"},]}"#), "found ']' at byte 21 where a value was expected");
        assert_eq!(fault(r#"{"items":[]}x"#), "found 'x' at byte 12 where nothing more was expected");
        assert_eq!(fault(r#"{"items":null}"#), r#"it has no "items""#);
        assert_eq!(fault("{}"), r#"it has no "items""#);
        assert_eq!(fault(r#"{"items":[],"items":[]}"#), r#"a second "items" begins at byte 20"#);
        assert_eq!(fault(r#"{"items":[],"errorMessage":"Maximum usage"}"#), "its errorMessage says: Maximum usage");
        assert_eq!(fault(r#"{"items":[{"id":}]}"#), "broken JSON at byte 16: expected value");
        assert_eq!(fault("{\"items\":[{\n\"id\":nul}]}"), "broken JSON at byte 20: expected ident");
    }

    proptest! {
        #[test]
        fn what_serde_reads_as_a_whole_is_read_the_same_in_any_chunks(
            ids in prop::collection::vec(".*", 0..8),
            other in ".*",
            chunk_bytes in 1_usize..40,
        ) {
            let items: Vec<_> = ids.iter().map(|id| json!({"id": id, "other": {"x": [other]}})).collect();
            let list = json!({"first": [other, {"items": 1}], "items": items, "errorMessage": ""}).to_string();
            prop_assert_eq!(read(list.as_bytes(), chunk_bytes).unwrap(), ids);
        }

        #[test]
        fn no_bytes_make_the_reader_panic_and_chunks_do_not_matter(
            bytes in prop::collection::vec(prop::sample::select(&br#"{}[]",:\ null1"itemserrorMessage"#[..]), 0..60),
            chunk_bytes in 1_usize..10,
        ) {
            prop_assert_eq!(read(&bytes, chunk_bytes), read(&bytes, usize::MAX));
        }

        #[test]
        fn a_list_cut_off_anywhere_is_never_taken_for_a_whole_one(share in 0.0_f64..1.0) {
            let list = json!({"items": [{"id": "x"}, {"id": "y"}], "errorMessage": ""}).to_string();
            #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            let length = (share * list.len() as f64) as usize;
            prop_assert!(read(&list.as_bytes()[..length], 4).is_err());
        }
    }
}
