//! The source list, as the ranker reads it.

use domain::list::{ListFault, ListReader};
use domain::movie::{MAX_ITEM_BYTES, Rejection, SourceItem};

use crate::json::Json;

/// The fields that are read, in the order of [`fields_of`].
const FIELDS: [&str; 9] =
    ["id", "rank", "title", "fullTitle", "year", "image", "crew", "imDbRating", "imDbRatingCount"];

/// Up to here no limit of the reader comes into play: it keeps 4 KiB of an `errorMessage` and more of an item.
const MAX_BYTES_COMPARED: usize = 4 * 1024;

/// What became of an item: its fields, or why it is none.
type Item = Result<[String; 9], Rejection>;

/// Reads the list in one piece, byte by byte and in chunks of any size, and as `serde_json` reads it as a whole.
///
/// # Panics
/// When these differ, an item is larger than one may be, a fault lies behind the last byte, or a list that is cut off
/// passes for a whole one.
pub fn check(bytes: &[u8]) {
    let whole = read([bytes]);
    assert_eq!(read(bytes.chunks(1)), whole, "byte by byte");
    assert_eq!(read(chunks_of_any_size(bytes)), whole, "in chunks");
    match &whole {
        Ok(_) => assert_end_is_needed(bytes),
        Err(fault) => assert!(position(fault).is_none_or(|at| at <= bytes.len() as u64), "{fault:?}"),
    }
    if bytes.len() <= MAX_BYTES_COMPARED
        && let Some(json) = Json::read(bytes)
    {
        assert_eq!(whole.ok(), expected(json));
    }
}

fn read<'a>(chunks: impl IntoIterator<Item = &'a [u8]>) -> Result<Vec<Item>, ListFault> {
    let mut reader = ListReader::new();
    let mut items = Vec::new();
    for chunk in chunks {
        reader.feed(chunk, |index, item| {
            assert_eq!(index, items.len() as u64);
            items.push(item.map(|item| fields_of(&item)));
        })?;
    }
    assert_eq!(reader.items(), items.len() as u64);
    reader.finish().map(|()| items)
}

fn fields_of(item: &SourceItem<'_>) -> [String; 9] {
    let SourceItem { id, rank, title, full_title, year, image, crew, im_db_rating, im_db_rating_count } = item;
    let fields = [id, rank, title, full_title, year, image, crew, im_db_rating, im_db_rating_count];
    // JSON needs no fewer bytes for a text than the text has, except for numbers, whose zeros it need not write out.
    let has_zeros_written_out = |text: &str| text.parse::<f64>().is_ok();
    assert!(fields.iter().all(|field| field.len() <= MAX_ITEM_BYTES || has_zeros_written_out(field)), "{item:?}");
    fields.map(|field| field.to_string())
}

/// Sizes that come from the bytes themselves, so that each input has its own and the same each time.
fn chunks_of_any_size(bytes: &[u8]) -> Vec<&[u8]> {
    let mut state =
        bytes.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    let mut rest = bytes;
    let mut chunks = Vec::new();
    while !rest.is_empty() {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (chunk, after) = rest.split_at((state >> 26) as usize % (rest.len() + 1));
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

fn assert_end_is_needed(bytes: &[u8]) {
    let list = bytes.trim_ascii_end();
    let cut_off = &list[..list.len() - 1];
    assert_eq!(read([cut_off]), Err(ListFault::CutOff { position: cut_off.len() as u64 }));
}

fn position(fault: &ListFault) -> Option<u64> {
    match fault {
        ListFault::Unexpected { position, .. }
        | ListFault::Broken { position, .. }
        | ListFault::CutOff { position }
        | ListFault::ItemsTwice { position }
        | ListFault::TooManyItems { position, .. } => Some(*position),
        ListFault::NoItems | ListFault::ReportsError(_) => None,
    }
}

/// The items of a list that is sound; nothing for any other.
fn expected(json: Json) -> Option<Vec<Item>> {
    let Json::Object(members) = json else { return None };
    let mut items = None;
    for (name, value) in members {
        match (name.as_str(), value) {
            ("items", Json::List(list)) if items.is_none() => {
                items = Some(list.into_iter().map(expected_item).collect());
            }
            ("items", Json::Word(None)) if items.is_none() => {}
            ("errorMessage", Json::Text(message)) if message.trim().is_empty() => {}
            ("errorMessage", Json::Word(None)) => {}
            ("items" | "errorMessage", _) => return None,
            _ => {}
        }
    }
    items
}

fn expected_item(json: Json) -> Item {
    let Json::Object(members) = json else { return Err(Rejection::Malformed) };
    let mut fields = [const { None }; 9];
    for (name, value) in members {
        let Some(index) = FIELDS.iter().position(|field| *field == name) else { continue };
        if fields[index].replace(text_of(value)).is_some() {
            return Err(Rejection::Malformed);
        }
    }
    Ok(fields.map(Option::unwrap_or_default))
}

fn text_of(json: Json) -> String {
    match json {
        Json::Text(text) => text,
        Json::Number(number) => {
            let whole = number.as_u64().map(|number| number.to_string()).or(number.as_i64().map(|n| n.to_string()));
            whole.or(number.as_f64().map(|number| number.to_string())).unwrap_or_default()
        }
        Json::Word(_) | Json::List(_) | Json::Object(_) => String::new(),
    }
}
