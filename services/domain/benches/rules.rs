//! How long the pure rules take: `cargo bench -p domain`. `cargo local bench` measures them in the functions.

#![expect(clippy::unwrap_used, reason = "a benchmark that unwraps fails with the line that unwrapped")]

use std::fmt::Write;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use domain::enriched::{assemble, enrich};
use domain::list::ListReader;
use domain::message::MovieMessage;
use domain::movie::SourceItem;
use domain::ranking::Ranking;
use domain::{Movie, Run};
use serde_json::{Map, Value, json};

fn main() {
    divan::main();
}

/// What arrives at once over HTTP, about.
const CHUNK_BYTES: usize = 64 * 1024;

fn list_of(items: usize) -> Vec<u8> {
    let mut list = "{\"items\":[".to_owned();
    for rank in 1..=items {
        let comma = if rank > 1 { "," } else { "" };
        // A multiplier without a factor in common with 90 spreads the ratings.
        let rating = 10 + rank * 7_919 % 90;
        write!(
            list,
            "{comma}{{\"id\":\"tt{rank:08}\",\"rank\":\"{rank}\",\"title\":\"The Return of Number {rank}\",\
             \"fullTitle\":\"The Return of Number {rank} (1994)\",\"year\":\"1994\",\"image\":\"\",\
             \"crew\":\"Frank Darabont (dir.), Tim Robbins, Morgan Freeman\",\"imDbRating\":\"{}.{}\",\
             \"imDbRatingCount\":\"2738028\"}}",
            rating / 10,
            rating % 10,
        )
        .unwrap();
    }
    (list + "],\"errorMessage\":\"\"}").into_bytes()
}

fn read(list: &[u8], mut on_item: impl FnMut(SourceItem<'_>)) {
    let mut reader = ListReader::new();
    for chunk in list.chunks(CHUNK_BYTES) {
        reader.feed(chunk, |_, item| on_item(item.unwrap())).unwrap();
    }
    reader.finish().unwrap();
}

fn best(list: &[u8], top_n: usize) -> Vec<Movie> {
    let mut ranking = Ranking::new(top_n);
    read(list, |item| ranking.consider(item.check().unwrap()).unwrap());
    ranking.into_movies()
}

const LENGTHS: [usize; 3] = [250, 10_000, 100_000];

/// Reads a list item by item, and nothing more.
#[divan::bench(args = LENGTHS)]
fn parse(bencher: Bencher<'_, '_>, items: usize) {
    let list = list_of(items);
    let bencher = bencher.counter(ItemsCount::new(items)).counter(BytesCount::new(list.len()));
    bencher.bench_local(|| read(black_box(&list), |item| drop(black_box(item))));
}

/// Reads a list and keeps its best ten.
#[divan::bench(args = LENGTHS)]
fn parse_and_rank(bencher: Bencher<'_, '_>, items: usize) {
    let list = list_of(items);
    let bencher = bencher.counter(ItemsCount::new(items)).counter(BytesCount::new(list.len()));
    bencher.bench_local(|| best(black_box(&list), 10));
}

/// Reads and checks the message of one movie.
#[divan::bench]
fn read_message(bencher: Bencher<'_, '_>) {
    let body = serde_json::to_string(&messages(1)[0]).unwrap();
    bencher.bench_local(|| MovieMessage::parse(black_box(&body)).unwrap());
}

/// Puts the records of a run into its list.
#[divan::bench(args = [10, 100, 1_000])]
fn assemble_run(bencher: Bencher<'_, '_>, movies: usize) {
    let messages = messages(movies);
    let omdb = Map::from_iter([("Response".to_owned(), Value::from("True")), ("Ratings".to_owned(), json!([{}, {}]))]);
    let records: Vec<_> = messages.iter().map(|message| enrich(message, omdb.clone())).collect();
    let bencher = bencher.counter(ItemsCount::new(movies));
    bencher.bench_local(|| assemble(black_box(&messages[0].run), black_box(&records)));
}

fn messages(movies: usize) -> Vec<MovieMessage> {
    let run = Run::parse("2026-11-22T12-00-00Z").unwrap();
    MovieMessage::for_run(&run, best(&list_of(movies), movies))
}
