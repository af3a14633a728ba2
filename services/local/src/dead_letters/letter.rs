//! A message that failed, and what it says about itself.

use std::collections::BTreeMap;

use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName};
use chrono::{DateTime, Utc};
use domain::Run;
use domain::message::TRACEPARENT_ATTRIBUTE;
use serde_json::Value;

use crate::endpoint::Names;

/// A queue that holds failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FailureQueue {
    /// Movies that the enricher could not enrich.
    DeadLetters,
    /// Messages that the topic could not put into the movies queue.
    Undelivered,
    /// Schedule events that did not become a run.
    RankerFailures,
}

impl FailureQueue {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::DeadLetters, Self::Undelivered, Self::RankerFailures];

    /// Its name in AWS.
    #[must_use]
    pub fn name(self, names: &Names) -> &str {
        match self {
            Self::DeadLetters => &names.dead_letters,
            Self::Undelivered => &names.undelivered,
            Self::RankerFailures => &names.ranker_failures,
        }
    }

    /// Where its messages belong.
    #[must_use]
    pub fn destination(self, names: &Names) -> &str {
        match self {
            Self::DeadLetters | Self::Undelivered => &names.movies_queue,
            Self::RankerFailures => &names.ranker,
        }
    }
}

/// A message of a failure queue.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The queue it lies in.
    pub queue: FailureQueue,
    /// SQS's id. It changes when a message is sent again.
    pub id: String,
    /// When it was first sent; a standard queue's dead letters keep this time.
    pub sent: DateTime<Utc>,
    /// The body that goes on.
    pub body: String,
    /// The message attributes that go on with it.
    pub attributes: BTreeMap<String, MessageAttributeValue>,
    /// What deletes it or puts it back, for as long as it is held.
    pub(super) receipt: String,
    json: Value,
}

impl Letter {
    pub(super) fn read(queue: FailureQueue, message: Message) -> Self {
        let body = message.body.unwrap_or_default();
        let attributes = message.message_attributes.unwrap_or_default().into_iter().collect();
        let system = message.attributes.unwrap_or_default();
        let sent_ms = system.get(&MessageSystemAttributeName::SentTimestamp).and_then(|text| text.parse().ok());
        let (body, attributes) = match queue {
            FailureQueue::Undelivered => as_delivered(body, attributes),
            FailureQueue::DeadLetters | FailureQueue::RankerFailures => (body, attributes),
        };
        Self {
            queue,
            id: message.message_id.unwrap_or_default(),
            sent: sent_ms.and_then(DateTime::from_timestamp_millis).unwrap_or_default(),
            json: serde_json::from_str(&body).unwrap_or_default(),
            body,
            attributes,
            receipt: message.receipt_handle.unwrap_or_default(),
        }
    }

    /// The run it belongs to, as far as it can be read.
    #[must_use]
    pub fn run(&self) -> Option<String> {
        if self.queue == FailureQueue::RankerFailures {
            let time = self.event().get("time")?.as_str()?.parse().ok()?;
            return Run::at(time).ok().map(|run| run.to_string());
        }
        Some(self.json.get("run")?.as_str()?.to_owned())
    }

    /// The IMDb id of its movie, as far as it can be read.
    #[must_use]
    pub fn movie(&self) -> Option<&str> {
        self.json.pointer("/movie/id")?.as_str()
    }

    /// The title of its movie, as far as it can be read.
    #[must_use]
    pub fn title(&self) -> Option<&str> {
        self.json.pointer("/movie/title")?.as_str()
    }

    /// The trace it belongs to, from the context that it carries
    /// (<https://www.w3.org/TR/trace-context/#traceparent-header>: version, trace, parent, flags).
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        let traceparent = self.attributes.get(TRACEPARENT_ATTRIBUTE)?.string_value()?;
        traceparent.split('-').nth(1).filter(|id| id.len() == 32)
    }

    /// The body as JSON, or as text when it is none.
    #[must_use]
    pub fn body_as_json(&self) -> Value {
        if self.json.is_null() { Value::from(self.body.as_str()) } else { self.json.clone() }
    }

    /// The schedule event of a ranker failure. Lambda wraps the event it could not get done
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html>), EventBridge leaves one that
    /// it could not deliver as it was (<https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-dlq.html>).
    #[must_use]
    pub fn event(&self) -> &Value {
        self.json.get("requestPayload").unwrap_or(&self.json)
    }

    /// Lambda's id of the invocation that failed, of a ranker failure.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        self.json.pointer("/requestContext/requestId")?.as_str()
    }

    /// Why it lies here, if it says so itself: what Lambda or EventBridge wrote beside the event, or the message
    /// attributes of whoever could not deliver it.
    #[must_use]
    pub fn own_cause(&self) -> Option<String> {
        let text = |pointer| Some(self.json.pointer(pointer)?.as_str()?.to_owned());
        let of_lambda = || text("/responsePayload/errorMessage").or_else(|| text("/requestContext/condition"));
        let cause = if self.queue == FailureQueue::RankerFailures { of_lambda() } else { None };
        cause.or_else(|| self.delivery_error())
    }

    /// EventBridge writes `ERROR_CODE`, other services `ErrorCode`.
    fn delivery_error(&self) -> Option<String> {
        let find = |wanted: &str| {
            let is_wanted = |name: &str| name.replace('_', "").eq_ignore_ascii_case(wanted);
            self.attributes.iter().find(|(name, _)| is_wanted(name)).and_then(|(_, value)| value.string_value())
        };
        match (find("ErrorCode"), find("ErrorMessage")) {
            (Some(code), Some(message)) => Some(format!("{code}: {message}")),
            (one, other) => one.or(other).map(str::to_owned),
        }
    }
}

/// What the topic would have put into the movies queue. With raw delivery, as our subscription has it, that is the
/// message as it lies here; should it lie here in SNS's envelope, it is taken out
/// (<https://docs.aws.amazon.com/sns/latest/dg/sns-large-payload-raw-message-delivery.html>).
fn as_delivered(
    body: String,
    attributes: BTreeMap<String, MessageAttributeValue>,
) -> (String, BTreeMap<String, MessageAttributeValue>) {
    let json: Value = serde_json::from_str(&body).unwrap_or_default();
    let message = json.get("Message").and_then(Value::as_str);
    let Some(message) = message.filter(|_| json["Type"] == "Notification") else { return (body, attributes) };
    let enclosed = json["MessageAttributes"].as_object().into_iter().flatten().filter_map(|(name, value)| {
        let (kind, text) = (value.get("Type")?.as_str()?, value.get("Value")?.as_str()?);
        let value = MessageAttributeValue::builder().data_type(kind).string_value(text).build().ok()?;
        Some((name.clone(), value))
    });
    (message.to_owned(), attributes.into_iter().chain(enclosed).collect())
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in crate::dead_letters) fn text(value: &str) -> MessageAttributeValue {
        MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
    }

    pub(in crate::dead_letters) fn letter(queue: FailureQueue, id: &str, body: &Value) -> Letter {
        let message = Message::builder()
            .message_id(id)
            .receipt_handle(format!("receipt of {id}"))
            .body(body.to_string())
            .attributes(MessageSystemAttributeName::SentTimestamp, "1795348800000")
            .message_attributes(TRACEPARENT_ATTRIBUTE, text("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"));
        Letter::read(queue, message.build())
    }

    pub(in crate::dead_letters) fn movie(id: &str, run: &str, imdb_id: &str) -> Letter {
        let body = json!({"run": run, "position": 1, "of": 1, "movie": {"id": imdb_id, "title": "A film"}});
        letter(FailureQueue::DeadLetters, id, &body)
    }

    #[test]
    fn a_movie_tells_its_run_its_film_and_its_trace() {
        let letter = movie("m", "2026-11-22T12-00-00Z", "tt0000001");
        assert_eq!(letter.run().as_deref(), Some("2026-11-22T12-00-00Z"));
        assert_eq!((letter.movie(), letter.title()), (Some("tt0000001"), Some("A film")));
        assert_eq!(letter.trace_id(), Some("0af7651916cd43dd8448eb211c80319c"));
        assert_eq!(letter.sent.to_rfc3339(), "2026-11-22T12:00:00+00:00");
    }

    #[test]
    fn poison_is_read_as_far_as_it_goes() {
        let poison = Letter::read(FailureQueue::DeadLetters, Message::builder().body("not JSON").build());
        assert_eq!((poison.run(), poison.movie(), poison.trace_id()), (None, None, None));
        assert_eq!(poison.body_as_json(), "not JSON");
    }

    #[test]
    fn a_ranker_failure_tells_its_event_its_run_and_its_cause() {
        let event = json!({"time": "2026-11-22T12:00:00Z"});
        let of_lambda = letter(
            FailureQueue::RankerFailures,
            "f",
            &json!({"requestContext": {"requestId": "r", "condition": "RetriesExhausted"}, "requestPayload": event,
                    "responsePayload": {"errorMessage": "the source cannot be read"}}),
        );
        assert_eq!((of_lambda.event(), of_lambda.request_id()), (&event, Some("r")));
        assert_eq!(of_lambda.run().as_deref(), Some("2026-11-22T12-00-00Z"));
        assert_eq!(of_lambda.own_cause().as_deref(), Some("the source cannot be read"));

        let mut of_the_rule = letter(FailureQueue::RankerFailures, "f", &event);
        of_the_rule.attributes.insert("ERROR_CODE".to_owned(), text("NO_PERMISSIONS"));
        of_the_rule.attributes.insert("ERROR_MESSAGE".to_owned(), text("not allowed to invoke"));
        assert_eq!((of_the_rule.event(), of_the_rule.run()), (&event, of_lambda.run()));
        assert_eq!(of_the_rule.own_cause().as_deref(), Some("NO_PERMISSIONS: not allowed to invoke"));
    }

    #[test]
    fn an_undelivered_message_goes_on_without_the_topics_envelope() {
        let inner = json!({"run": "2026-11-22T12-00-00Z", "movie": {"id": "tt0000001"}}).to_string();
        let envelope = json!({"Type": "Notification", "Message": inner,
                              "MessageAttributes": {"traceparent": {"Type": "String", "Value": "00-aa-bb-01"}}});
        let letter = letter(FailureQueue::Undelivered, "u", &envelope);
        assert_eq!(letter.body, inner);
        assert_eq!(letter.attributes[TRACEPARENT_ATTRIBUTE].string_value(), Some("00-aa-bb-01"));
        assert_eq!(letter.movie(), Some("tt0000001"));
    }
}
