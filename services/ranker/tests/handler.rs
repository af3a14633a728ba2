//! The ranker through its handler: real events in, messages out, with a source and a topic in memory.

#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line that unwrapped")]

use std::sync::Mutex;

use domain::contract::Service;
use domain::contract::metrics::{MOVIES_RANKED, SOURCE_ITEMS, SOURCE_ITEMS_REJECTED};
use domain::message::MovieMessage;
use ranker::handler::{Ranker, RankerError, Summary};
use ranker::source::{Location, ReadError, Source};
use ranker::topic::{Outgoing, Refused, Topic};
use serde_json::{Value, json};
use telemetry::Metrics;
use telemetry::testing::{Captured, Recorded, capture};

const SCHEDULED: &str = include_str!("events/scheduled.json");
const EMPTY: &str = include_str!("events/empty.json");
const HAND_MADE: &str = include_str!("events/hand-made.json");

/// A source that hands over its bytes in small chunks, and may break off behind them.
struct Bytes {
    location: Location,
    content: Vec<u8>,
    breaks_off: bool,
}

impl Source for Bytes {
    fn location(&self) -> &Location {
        &self.location
    }

    async fn read<E>(&self, mut take: impl FnMut(&[u8]) -> Result<(), E> + Send) -> Result<(), ReadError<E>> {
        for chunk in self.content.chunks(11) {
            take(chunk).map_err(ReadError::Refused)?;
        }
        if self.breaks_off {
            return Err(ReadError::Unreadable("the transfer broke off".into()));
        }
        Ok(())
    }
}

/// A topic that keeps what it is given, or refuses everything.
#[derive(Default)]
struct Published {
    messages: Mutex<Vec<Outgoing>>,
    refuses: bool,
}

impl Topic for &Published {
    fn name(&self) -> &'static str {
        "movies"
    }

    async fn publish(&self, batch: &[Outgoing]) -> Vec<Refused> {
        if self.refuses {
            let refuse = |entry: &Outgoing| Refused {
                position: entry.position,
                reason: "AuthorizationError: no".into(),
                worth_retrying: false,
            };
            return batch.iter().map(refuse).collect();
        }
        self.messages.lock().unwrap().extend(batch.iter().cloned());
        Vec::new()
    }
}

/// What came of one invocation.
struct Outcome {
    result: Result<Summary, RankerError>,
    messages: Vec<Outgoing>,
    metrics: Recorded,
    captured: Captured,
}

impl Outcome {
    fn error(&self) -> String {
        self.result.as_ref().unwrap_err().to_string()
    }

    fn titles(&self) -> Vec<String> {
        let titles = self.messages.iter().map(|sent| MovieMessage::parse(&sent.body).unwrap().movie.title);
        titles.collect()
    }
}

struct Case {
    event: &'static str,
    source: Vec<u8>,
    breaks_off: bool,
    topic: Published,
    top_n: usize,
}

impl Case {
    fn with_source(source: impl Into<Vec<u8>>) -> Self {
        Self { event: SCHEDULED, source: source.into(), breaks_off: false, topic: Published::default(), top_n: 3 }
    }

    fn with_items(items: &[Value]) -> Self {
        Self::with_source(json!({"items": items, "errorMessage": ""}).to_string())
    }

    async fn run(self) -> Outcome {
        let captured = capture(Service::Ranker);
        let (metrics, recorded) = Metrics::in_memory(Service::Ranker);
        let location =
            Location { bucket: "top-movies".into(), key: "Top250Movies.json".into(), region: "eu-central-1".into() };
        let source = Bytes { location, content: self.source, breaks_off: self.breaks_off };
        let ranker = Ranker::new(source, &self.topic, self.top_n, metrics);
        let event = serde_json::from_str(self.event).unwrap();
        let result = ranker.handle(event, "2026-11-23T08:30:00Z".parse().unwrap()).await;
        let messages = self.topic.messages.into_inner().unwrap();
        Outcome { result, messages, metrics: recorded, captured }
    }
}

fn item(id: u32, rating: &str) -> Value {
    json!({"id": format!("tt{id:07}"), "rank": id.to_string(), "title": format!("Movie {id}"), "imDbRating": rating})
}

#[tokio::test]
async fn the_best_movies_are_published_in_order_with_their_place_in_the_run() {
    let outcome = Case::with_items(&[item(1, "8.0"), item(2, "9.0"), item(3, "9.5"), item(4, "9.0")]).run().await;
    assert_eq!(outcome.titles(), ["Movie 3", "Movie 2", "Movie 4"]);
    let first = MovieMessage::parse(&outcome.messages[0].body).unwrap();
    assert_eq!((first.run.as_str(), first.position, first.of), ("2026-11-22T12-00-00Z", 1, 3));
    let summary = outcome.result.unwrap();
    assert_eq!((summary.items, summary.rejected, summary.ranked), (4, 0, 3));
    assert_eq!(outcome.metrics.sum(SOURCE_ITEMS), 4);
    assert_eq!(outcome.metrics.sum(SOURCE_ITEMS_REJECTED), 0);
    assert_eq!(outcome.metrics.sum(MOVIES_RANKED), 3);
}

#[tokio::test]
async fn each_message_carries_the_context_of_its_own_span() {
    let outcome = Case::with_items(&[item(1, "8.0"), item(2, "9.0")]).run().await;
    let spans = outcome.captured.spans();
    for message in &outcome.messages {
        let traceparent = message.traceparent.as_deref().unwrap();
        let sender = spans.iter().find(|span| traceparent.contains(&span.span_context.span_id().to_string())).unwrap();
        assert_eq!(sender.name, "create movie");
    }
    assert_ne!(outcome.messages[0].traceparent, outcome.messages[1].traceparent);
}

#[tokio::test]
async fn an_event_without_a_time_is_a_run_as_of_now() {
    for event in [EMPTY, "null", r#"{"time":null}"#, r#""by hand""#] {
        let outcome = Case { event, ..Case::with_items(&[item(1, "8.0")]) }.run().await;
        assert_eq!(outcome.result.unwrap().run.as_str(), "2026-11-23T08-30-00Z", "{event}");
    }
}

#[tokio::test]
async fn a_hand_made_event_names_its_run_by_its_time_alone() {
    let outcome = Case { event: HAND_MADE, ..Case::with_items(&[item(1, "8.0")]) }.run().await;
    assert_eq!(outcome.result.unwrap().run.as_str(), "2026-11-21T12-00-00Z");
}

#[tokio::test]
async fn an_event_with_an_unreadable_time_fails_and_says_what_a_time_looks_like() {
    let outcome = Case { event: r#"{"time":"noon"}"#, ..Case::with_items(&[item(1, "8.0")]) }.run().await;
    assert!(outcome.error().contains("2026-11-22T12:00:00Z"), "{}", outcome.error());
    assert!(outcome.messages.is_empty());
}

#[tokio::test]
async fn an_item_that_cannot_be_ranked_is_counted_and_logged_and_the_rest_goes_on() {
    let sour = json!({"id": "tt0000009", "title": "No rating"});
    let outcome = Case::with_items(&[item(1, "8.0"), sour, item(1, "9.9"), json!(7), item(2, "9.0")]).run().await;
    assert_eq!(outcome.titles(), ["Movie 2", "Movie 1"]);
    assert_eq!(outcome.metrics.sum(SOURCE_ITEMS), 5);
    assert_eq!(outcome.metrics.sum(SOURCE_ITEMS_REJECTED), 3);
    let lines = outcome.captured.lines();
    let rejected: Vec<_> = lines.iter().filter(|line| line["item_index"].is_u64()).collect();
    let reasons: Vec<_> = rejected.iter().map(|line| (line["item_index"].as_u64(), line["reason"].as_str())).collect();
    assert_eq!(
        reasons,
        [
            (Some(1), Some("imDbRating is missing or empty")),
            (Some(2), Some("an earlier item has the same id")),
            (Some(3), Some("not a JSON object with each field at most once, in UTF-8 and numbers of 64 bits")),
        ]
    );
}

#[tokio::test]
async fn a_list_that_is_sour_as_a_whole_does_not_flood_the_log() {
    let items: Vec<_> = (0..500).map(|_| json!({"id": "x"})).chain([item(1, "8.0")]).collect();
    let outcome = Case::with_items(&items).run().await;
    assert_eq!(outcome.metrics.sum(SOURCE_ITEMS_REJECTED), 500);
    let summary = outcome.captured.line("more items of the source cannot be ranked");
    assert_eq!(summary["rejected"], 400);
}

#[tokio::test]
async fn a_list_shorter_than_wanted_is_published_whole() {
    let outcome = Case::with_items(&[item(1, "8.0"), item(2, "9.0")]).run().await;
    let of: Vec<_> = outcome.messages.iter().map(|sent| MovieMessage::parse(&sent.body).unwrap().of).collect();
    assert_eq!(of, [2, 2]);
}

#[tokio::test]
async fn a_source_that_is_not_the_list_fails_the_run_and_nothing_is_published() {
    let sound = json!({"items": [item(1, "8.0"), item(2, "9.0")], "errorMessage": ""}).to_string();
    let cases: [(Vec<u8>, &str); 7] = [
        (sound.as_bytes()[..sound.len() / 2].to_vec(), "it ends after"),
        (b"<html>".to_vec(), "byte 0"),
        (b"not json".to_vec(), "byte 0"),
        (json!({"items": [item(1, "8.0")], "errorMessage": "Server busy"}).to_string().into(), "Server busy"),
        (json!({"items": []}).to_string().into(), "no rankable item: 0 items"),
        (json!({"items": [{"id": "x"}]}).to_string().into(), "no rankable item: 1 items, 1 rejected"),
        (Vec::new(), "it is empty"),
    ];
    for (source, expected) in cases {
        let outcome = Case::with_source(source).run().await;
        let error = outcome.error();
        assert!(error.contains(expected), "{error}");
        assert!(error.contains("s3://top-movies/Top250Movies.json"), "{error}");
        assert!(outcome.messages.is_empty(), "{error}");
    }
}

#[tokio::test]
async fn a_transfer_that_breaks_off_fails_the_run_though_the_list_looked_whole() {
    let case = Case::with_items(&[item(1, "8.0")]);
    let outcome = Case { breaks_off: true, ..case }.run().await;
    assert!(outcome.error().contains("the transfer broke off"), "{}", outcome.error());
    assert!(outcome.messages.is_empty());
}

#[tokio::test]
async fn movies_that_the_topic_refuses_fail_the_run_by_name() {
    let topic = Published { refuses: true, ..Published::default() };
    let outcome = Case { topic, ..Case::with_items(&[item(1, "8.0")]) }.run().await;
    assert!(outcome.error().contains("position 1 (AuthorizationError: no)"), "{}", outcome.error());
    let spans = outcome.captured.spans();
    let status = |name: &str| format!("{:?}", spans.iter().find(|span| span.name == name).unwrap().status);
    assert!(status("create movie").contains("AuthorizationError: no"), "{}", status("create movie"));
    assert!(status("rank").contains("the topic refused 1 of 1 movies"), "{}", status("rank"));
    assert_eq!(status("read source"), "Unset");
}
