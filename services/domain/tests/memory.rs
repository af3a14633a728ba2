//! How much memory the rules take for inputs that are made to take much: what is allocated at once, counted.
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Run;
use domain::enriched::assemble;
use domain::list::{ListFault, ListReader};
use domain::message::{MAX_MESSAGE_BYTES, MovieMessage};
use domain::movie::{MAX_ITEM_BYTES, Rejection, SourceItem};
use domain::omdb::{Body, MAX_ANSWER_BYTES};
use domain::ranking::{MAX_TOP_N, Ranking};
use peak_alloc::PeakAlloc;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Held by each test from its first line on, since all threads are counted together.
fn alone() -> MutexGuard<'static, ()> {
    static RUNNING: Mutex<()> = Mutex::new(());
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The most bytes that `work` had allocated at once.
fn peak_of<T>(work: impl FnOnce() -> T) -> (T, usize) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = work();
    (result, ALLOCATOR.peak_usage() - before)
}

/// Feeds a piece so often that it makes this many bytes.
fn feed_again_and_again(reader: &mut ListReader, piece: &[u8], bytes: usize, outcomes: &mut Vec<Option<Rejection>>) {
    for _ in 0..bytes / piece.len() {
        feed(reader, piece, outcomes).unwrap();
    }
}

fn feed(reader: &mut ListReader, bytes: &[u8], outcomes: &mut Vec<Option<Rejection>>) -> Result<(), ListFault> {
    reader.feed(bytes, |_, item| outcomes.push(item.err()))
}

/// A list in which an item and the value of a key that means nothing begin like this, go on and on, and end.
fn read_list_with(start: &str, piece: &[u8], end: &str) -> Result<Vec<Option<Rejection>>, ListFault> {
    let mut reader = ListReader::new();
    let mut outcomes = Vec::new();
    feed(&mut reader, format!(r#"{{"items":[{{"title":{start}"#).as_bytes(), &mut outcomes)?;
    feed_again_and_again(&mut reader, piece, 200 * MIB, &mut outcomes);
    feed(&mut reader, format!(r#"{end}}},{{"id":"tt0111161"}}],"other":{start}"#).as_bytes(), &mut outcomes)?;
    feed_again_and_again(&mut reader, piece, 200 * MIB, &mut outcomes);
    feed(&mut reader, format!(r#"{end},"errorMessage":""}}"#).as_bytes(), &mut outcomes)?;
    reader.finish().map(|()| outcomes)
}

#[test]
fn texts_of_200_mib_in_a_list_take_no_more_memory_than_an_item_may_have() {
    let _alone = alone();
    let piece = vec![b'x'; 64 * KIB];
    let (outcomes, peak) = peak_of(|| read_list_with("\"", &piece, "\""));
    assert_eq!(outcomes.unwrap(), [Some(Rejection::TooLarge), None]);
    assert!(peak <= 4 * MAX_ITEM_BYTES, "{peak} bytes");
}

#[test]
fn an_error_message_of_200_mib_is_told_without_its_text() {
    let _alone = alone();
    let piece = vec![b'x'; 64 * KIB];
    let (fault, peak) = peak_of(|| {
        let (mut reader, mut outcomes) = (ListReader::new(), Vec::new());
        feed(&mut reader, br#"{"errorMessage":""#, &mut outcomes).unwrap();
        feed_again_and_again(&mut reader, &piece, 200 * MIB, &mut outcomes);
        feed(&mut reader, br#"","items":[]}"#, &mut outcomes).unwrap();
        reader.finish().unwrap_err().to_string()
    });
    assert_eq!(fault, "its errorMessage says: (more than 4096 bytes)");
    assert!(peak <= 4 * MAX_ITEM_BYTES, "{peak} bytes");
}

#[test]
fn nesting_of_any_depth_in_a_list_takes_neither_memory_nor_stack() {
    let _alone = alone();
    // Ten million levels, each of which would be a frame on the stack of a reader that recurses.
    let deep = 10_000_000;
    let (outcomes, peak) = peak_of(|| {
        let (mut reader, mut outcomes) = (ListReader::new(), Vec::new());
        feed(&mut reader, br#"{"other":"#, &mut outcomes).unwrap();
        feed_again_and_again(&mut reader, &[b'['; 1000], deep, &mut outcomes);
        feed_again_and_again(&mut reader, &[b']'; 1000], deep, &mut outcomes);
        feed(&mut reader, br#","items":["#, &mut outcomes).unwrap();
        feed_again_and_again(&mut reader, &[b'['; 1000], deep, &mut outcomes);
        feed_again_and_again(&mut reader, &[b']'; 1000], deep, &mut outcomes);
        feed(&mut reader, b"]}", &mut outcomes).unwrap();
        reader.finish().map(|()| outcomes)
    });
    assert_eq!(outcomes.unwrap(), [Some(Rejection::TooLarge)]);
    assert!(peak <= 4 * MAX_ITEM_BYTES, "{peak} bytes");
}

#[test]
fn an_item_as_deep_as_its_bytes_allow_is_read_without_a_stack() {
    let _alone = alone();
    let nested = |levels| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    for field in ["title", "crew", "other"] {
        let list = format!(r#"{{"items":[{{"id":"tt0111161","{field}":{}}}]}}"#, nested(8_000));
        let (outcomes, peak) = peak_of(|| {
            let (mut reader, mut outcomes) = (ListReader::new(), Vec::new());
            feed(&mut reader, list.as_bytes(), &mut outcomes)?;
            reader.finish().map(|()| outcomes)
        });
        assert_eq!(outcomes.unwrap(), [None], "{field}");
        assert!(peak <= 4 * MAX_ITEM_BYTES, "{field}: {peak} bytes");
    }
}

/// Ranks a list of items with these ids; tells how long it was and how much memory that took.
fn rank(ids: impl Iterator<Item = u64>) -> (usize, usize) {
    let crew = "x".repeat(300);
    peak_of(|| {
        let mut reader = ListReader::new();
        let mut ranking = Ranking::new(10);
        reader.feed(br#"{"items":["#, |_, _| {}).unwrap();
        let mut bytes = 0;
        for (index, id) in ids.enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let item = format!(r#"{comma}{{"id":"tt{id:07}","title":"T","imDbRating":"9.{index}","crew":"{crew}"}}"#);
            bytes += item.len();
            let mut consider = |item: SourceItem<'_>| ranking.consider(item.check()?);
            reader.feed(item.as_bytes(), |_, item| item.and_then(&mut consider).unwrap()).unwrap();
        }
        reader.feed(b"]}", |_, _| {}).unwrap();
        reader.finish().unwrap();
        assert_eq!(ranking.into_movies().len(), 10);
        bytes
    })
}

#[test]
fn a_list_takes_memory_for_the_ids_of_its_items_and_the_best_of_them_alone() {
    let _alone = alone();
    let items = 40_000;
    // Side by side; as far apart as eight digits allow, which a step does that shares no factor with their number; longer.
    let spread = (1..=items).map(|index| index * 61_803_399 % 100_000_000);
    let (side_by_side, longer) = (0..items, 10_000_000_000..10_000_000_000 + items);
    let of_longer = usize::try_from(items).unwrap() * 28;
    for ((list_bytes, peak), most) in
        [(rank(side_by_side), 16 * KIB), (rank(spread), 14_000_000), (rank(longer), of_longer)]
    {
        assert!(list_bytes > 10 * MIB && peak <= most + 4 * MAX_ITEM_BYTES, "{list_bytes} bytes took {peak}");
    }
}

#[test]
fn a_message_that_is_large_or_deep_takes_little_memory_and_no_stack() {
    let _alone = alone();
    let bodies = [
        "[".repeat(MIB),
        format!(r#"{{"schema_version":"{}"}}"#, "x".repeat(MIB)),
        format!(r#"{{"schema_version":1,"other":{}"#, "[".repeat(MAX_MESSAGE_BYTES - 100)),
        format!(r#"{{"schema_version":1,"run":{}"#, r#"{"a":"#.repeat(MAX_MESSAGE_BYTES / 5 - 20)),
        format!(r#"{{"schema_version":1,"movie":{{"crew":{}"#, "[".repeat(MAX_MESSAGE_BYTES - 100)),
    ];
    for body in bodies {
        let (fault, peak) = peak_of(|| MovieMessage::parse(&body).unwrap_err().to_string());
        assert!(fault.len() < 300 && peak <= 4 * MAX_MESSAGE_BYTES, "{fault}: {peak} bytes");
    }
}

#[test]
fn an_answer_made_to_take_much_memory_takes_a_bounded_amount() {
    let _alone = alone();
    // Three bytes for an object, whose form in memory is many times as large.
    let dense = format!("[{}{{}}]", "{},".repeat(MAX_ANSWER_BYTES / 3 - 2));
    assert!(dense.len() <= MAX_ANSWER_BYTES);
    let (body, peak) = peak_of(|| Body::read(dense.as_bytes()).without(&["c0ffee42"]));
    assert!(matches!(body, Body::Json(_)));
    // Ten answers are in flight at once.
    assert!(10 * peak <= 32 * MIB, "{peak} bytes");

    let deep = "[".repeat(MAX_ANSWER_BYTES);
    let (body, peak) = peak_of(|| Body::read(deep.as_bytes()).without(&["c0ffee42"]));
    assert!(matches!(body, Body::Text(_)));
    assert!(peak <= 8 * MAX_ANSWER_BYTES, "{peak} bytes");
}

#[test]
fn the_largest_run_is_assembled_in_memory_for_its_records_and_its_list() {
    let _alone = alone();
    let largest = MAX_MESSAGE_BYTES + MAX_ANSWER_BYTES;
    let run = Run::parse("2026-11-22T12-00-00Z").unwrap();
    let (list, peak) = peak_of(|| assemble(&run, &vec![vec![b'x'; largest]; MAX_TOP_N]));
    assert!(list.capacity() - list.len() <= 1);
    assert!(peak <= 2 * MAX_TOP_N * largest + 64 * KIB, "{peak} bytes");
    assert!(peak <= 104 * MIB, "{peak} bytes");
}
