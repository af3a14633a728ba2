//! Reads a source list that is in memory, over and over, for someone who looks at how much processor time it takes: as
//! the ranker does, or as `serde_json` alone does: the same bytes read into the same fields, and nothing made of them, not
//! even a list. That is the measure, not a limit: whoever knows how the source writes its items need not look at each byte.
//!
//! ```text
//! read-list FILE      # then, for each line on stdin, "rank" or "serde", it answers with the number of items
//! ```

use std::error::Error;
use std::fmt;
use std::io::{self, Write};

use domain::list::ListReader;
use domain::movie::SourceItem;
use domain::ranking::{DEFAULT_TOP_N, Ranking};
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};

/// What arrives at once over HTTP, about.
const CHUNK_BYTES: usize = 64 * 1024;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args_os().nth(1).ok_or("the first argument is the list's file")?;
    let list = std::fs::read(path)?;
    for line in io::stdin().lines() {
        let items = match line?.as_str() {
            "rank" => rank(&list)?,
            "serde" => read(&list)?,
            other => return Err(format!("{other} is neither rank nor serde").into()),
        };
        let mut stdout = io::stdout().lock();
        writeln!(stdout, "{items}")?;
        stdout.flush()?;
    }
    Ok(())
}

/// What the ranker does with the bytes that arrive.
fn rank(list: &[u8]) -> Result<u64, Box<dyn Error>> {
    let (mut reader, mut ranking) = (ListReader::new(), Ranking::new(DEFAULT_TOP_N));
    let mut rejected = 0;
    for chunk in list.chunks(CHUNK_BYTES) {
        reader.feed(chunk, |_, item| {
            let ranked = item.and_then(SourceItem::check).and_then(|item| ranking.consider(item));
            rejected += u64::from(ranked.is_err());
        })?;
    }
    let items = reader.items();
    reader.finish()?;
    if ranking.into_movies().is_empty() {
        return Err("the list has no movie".into());
    }
    Ok(items - rejected)
}

#[derive(Deserialize)]
struct List {
    items: Read,
}

/// How many items were read.
struct Read(u64);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Each)
    }
}

struct Each;

impl<'de> Visitor<'de> for Each {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Read, A::Error> {
        let mut read = 0;
        while let Some(item) = items.next_element::<SourceItem<'de>>()? {
            // The compiler may not leave out what nobody looks at.
            std::hint::black_box(&item);
            read += 1;
        }
        Ok(Read(read))
    }
}

fn read(list: &[u8]) -> Result<u64, Box<dyn Error>> {
    let List { items: Read(items) } = serde_json::from_slice(list)?;
    Ok(items)
}
