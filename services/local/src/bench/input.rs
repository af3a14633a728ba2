//! What the functions are given: lists of any length, and events.

use std::fmt::Write;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::list::ListReader;
use domain::message::{MovieMessage, TRACEPARENT_ATTRIBUTE};
use domain::movie::SourceItem;
use domain::ranking::Ranking;
use domain::{Movie, Run};
use serde_json::{Value, json};

use crate::options::SAMPLE_SOURCE;
use crate::schedule::ScheduledEvent;

/// Where chance begins, so that each run of a benchmark has the same lists.
const SEED: u64 = 20_261_122;

/// The most that an item of ours takes; a million make the 400 MB that the original was measured with.
const ITEM_BYTES: usize = 400;

/// Spreads ids over all of eight digits, each once: it shares no factor with their number.
const ID_STEP: usize = 61_803_399;
const IDS: usize = 100_000_000;

/// A list of so many items in the shape of the source's. Ratings are dense, so that they tie; ranks are the order of the
/// items, which is neither that of the ratings nor that of the ids.
pub(super) fn list_of(items: usize) -> Bytes {
    if items == 250 {
        return Bytes::from_static(SAMPLE_SOURCE);
    }
    let mut random = fastrand::Rng::with_seed(SEED);
    let mut list = String::with_capacity(items * ITEM_BYTES + 64);
    list.push_str("{\"items\":[");
    for index in 0..items {
        if index > 0 {
            list.push(',');
        }
        push_item(&mut list, index + 1, &mut random);
    }
    list.push_str("],\"errorMessage\":\"\"}");
    list.into()
}

fn push_item(list: &mut String, rank: usize, random: &mut fastrand::Rng) {
    let rating = random.u32(10..100);
    // Now and then a text has to be unescaped, which costs a copy.
    let quote = if rank.is_multiple_of(16) { "\\\"" } else { "" };
    let id = rank * ID_STEP % IDS;
    let (votes, year, name) = (random.u32(1_000..3_000_000), random.u32(1920..2027), random.u32(..));
    // Writing to a string does not fail.
    let _ = write!(
        list,
        "{{\"id\":\"tt{id:08}\",\"rank\":\"{rank}\",\"title\":\"The Return of Number {name}\",\
         \"fullTitle\":\"The Return of Number {name} ({year})\",\"year\":\"{year}\",\
         \"image\":\"https://m.media-amazon.com/images/M/MV5BMDFkYTc0MGEtZmNhMC00ZDIzLWFmNTEtODM1ZmRlYWMwMWFm{rank:08}._V1_Ratio0.6716_AL_.jpg\",\
         \"crew\":\"Frank Darabont (dir.), Tim {quote}{name}{quote} Robbins, Morgan Freeman\",\"imDbRating\":\"{}.{}\",\
         \"imDbRatingCount\":\"{votes}\"}}",
        rating / 10,
        rating % 10,
    );
}

/// The best movies of a list.
pub(super) fn best_of(list: &[u8], top_n: usize) -> anyhow::Result<Vec<Movie>> {
    let (mut reader, mut ranking) = (ListReader::new(), Ranking::new(top_n));
    reader.feed(list, |_, item| {
        // What cannot be ranked is left out, as the ranker does.
        let _ = item.and_then(SourceItem::check).and_then(|item| ranking.consider(item));
    })?;
    Ok(ranking.into_movies())
}

/// Events of one run after the other, so that no invocation finds what an earlier one stored.
#[derive(Debug)]
pub(super) struct Events {
    next: DateTime<Utc>,
}

impl Events {
    pub(super) fn new() -> Self {
        Self { next: Utc::now() }
    }

    fn time(&mut self) -> DateTime<Utc> {
        self.next += TimeDelta::seconds(1);
        self.next
    }

    /// An event of the schedule.
    pub(super) fn scheduled(&mut self) -> anyhow::Result<ScheduledEvent> {
        Ok(ScheduledEvent::at(self.time(), "arn:aws:events:eu-central-1:123456789012:rule/bench")?)
    }

    /// A batch of the queue: the movies of one run (<https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html>).
    pub(super) fn batch(&mut self, movies: &[Movie]) -> anyhow::Result<Vec<u8>> {
        let run = Run::at(self.time())?;
        let messages = MovieMessage::for_run(&run, movies.to_vec());
        let records = messages.iter().map(record).collect::<Result<Vec<_>, _>>()?;
        Ok(serde_json::to_vec(&json!({"Records": records}))?)
    }
}

fn record(message: &MovieMessage) -> serde_json::Result<Value> {
    let position = message.position;
    // One trace, as from one run of the ranker.
    let traceparent = format!("00-6921b8010af7651916cd43dd8448eb21-{position:016x}-01");
    Ok(json!({
        "messageId": format!("00000000-0000-4000-8000-{position:012}"),
        "receiptHandle": format!("receipt-{position}"),
        "body": serde_json::to_string(message)?,
        "attributes": {
            "ApproximateReceiveCount": "1", "SentTimestamp": "1795348801000", "SenderId": "AIDAIT2UOQQY3AUEKVGXU",
            "ApproximateFirstReceiveTimestamp": "1795348801010",
        },
        "messageAttributes": {TRACEPARENT_ATTRIBUTE: {
            "stringValue": traceparent, "stringListValues": [], "binaryListValues": [], "dataType": "String",
        }},
        "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:bench",
        "awsRegion": "eu-central-1",
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_list_is_sound_and_the_same_each_time() {
        let list = list_of(1_000);
        assert_eq!(list, list_of(1_000));
        let mut reader = ListReader::new();
        reader.feed(&list, |index, item| assert!(item.and_then(SourceItem::check).is_ok(), "{index}")).unwrap();
        assert_eq!(reader.items(), 1_000);
        reader.finish().unwrap();
        let bytes_per_item = list.len() / 1_000;
        assert!((300..=ITEM_BYTES).contains(&bytes_per_item), "{bytes_per_item}");
    }

    #[test]
    fn each_batch_is_of_a_run_of_its_own() {
        let movies = best_of(SAMPLE_SOURCE, 10).unwrap();
        let mut events = Events::new();
        let run = |event: &[u8]| {
            let event: Value = serde_json::from_slice(event).unwrap();
            let records = event["Records"].as_array().unwrap();
            assert_eq!(records.len(), 10);
            MovieMessage::parse(records[9]["body"].as_str().unwrap()).unwrap().run
        };
        assert_ne!(run(&events.batch(&movies).unwrap()), run(&events.batch(&movies).unwrap()));
    }
}
