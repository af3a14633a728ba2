//! Whose trace an invocation is part of, read out of the raw event.

use domain::message::TRACEPARENT_ATTRIBUTE;
use function::Trigger;
use serde_json::Value;

/// The queue: each record carries the context of the span that sent it. SQS keeps message attributes when it delivers a
/// record again, moves it to the dead-letter queue and back.
pub const TRIGGER: Trigger = Trigger { kind: "pubsub", senders };

/// One for each record, none for a record without. An event that is not of SQS has no senders; the handler says so.
fn senders(event: &[u8]) -> Vec<Option<String>> {
    let event: Value = serde_json::from_slice(event).unwrap_or_default();
    let records = event.get("Records").and_then(Value::as_array);
    records.into_iter().flatten().map(sender).collect()
}

fn sender(record: &Value) -> Option<String> {
    let traceparent = record.get("messageAttributes")?.get(TRACEPARENT_ATTRIBUTE)?.get("stringValue")?;
    traceparent.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_a_sender_for_each_record_that_carries_a_context() {
        let batch = include_bytes!("../tests/events/sqs-batch.json");
        let first = "00-6921b8010af7651916cd43dd8448eb21-b7ad6b7169203331-01";
        assert_eq!(senders(batch), [Some(first.to_owned()), None]);
    }

    #[test]
    fn anything_else_has_none() {
        for event in ["", "null", "[]", "{}", r#"{"Records":7}"#, r#"{"Records":[]}"#, "not JSON"] {
            assert_eq!(senders(event.as_bytes()), Vec::<Option<String>>::new(), "{event}");
        }
        assert_eq!(senders(br#"{"Records":[7,{"messageAttributes":null}]}"#), [None, None]);
    }
}
