//! What a span says besides the fields that it is made with: attributes by OpenTelemetry's names, links, events, and why
//! it failed. Nothing here does anything to a span that is disabled.

use std::fmt::Display;

use opentelemetry::trace::Status;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

pub use opentelemetry::{KeyValue, Value};
pub use opentelemetry_semantic_conventions::attribute;

/// The most characters of a cause that a span keeps: enough for the sentence; the log has it whole. An error that names
/// each of 1,000 movies must not fill the 64 KB that X-Ray takes of one span
/// (<https://docs.aws.amazon.com/general/latest/gr/xray.html>).
const MAX_CAUSE_CHARS: usize = 500;

/// Sets an attribute.
pub fn set(span: &Span, name: &'static str, value: impl Into<Value>) {
    span.set_attribute(name, value);
}

/// Sets attributes that were put together elsewhere.
pub fn set_all(span: &Span, attributes: impl IntoIterator<Item = KeyValue>) {
    for KeyValue { key, value, .. } in attributes {
        span.set_attribute(key, value);
    }
}

/// Marks the span as failed: status `error` with the cause, and `error.type`, a word from a small set that failures can
/// be counted by (<https://opentelemetry.io/docs/specs/semconv/general/recording-errors/>).
pub fn fail(span: &Span, error_type: impl Into<Value>, cause: impl Display) {
    set(span, attribute::ERROR_TYPE, error_type);
    span.set_status(Status::error(shorten(cause.to_string())));
}

/// Notes that something happened in the course of the span.
pub fn event(span: &Span, name: &'static str, attributes: Vec<KeyValue>) {
    span.add_event(name, attributes);
}

fn shorten(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(MAX_CAUSE_CHARS) {
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use domain::contract::Service;
    use tracing::info_span;

    use super::*;
    use crate::testing::{SpanData, capture};

    fn finished(work: impl FnOnce(&Span)) -> SpanData {
        let captured = capture(Service::Ranker);
        let span = info_span!("work");
        span.in_scope(|| work(&span));
        drop(span);
        captured.spans().remove(0)
    }

    #[test]
    fn a_failed_span_has_its_cause_as_status_whatever_was_logged_in_it() {
        for logs_first in [true, false] {
            let span = finished(|span| {
                if logs_first {
                    tracing::error!("it failed");
                }
                fail(span, "timeout", "no answer");
                if !logs_first {
                    tracing::error!("it failed");
                }
            });
            assert_eq!(span.status, Status::error("no answer"));
            assert!(span.attributes.contains(&KeyValue::new("error.type", "timeout")), "{:?}", span.attributes);
        }
    }

    #[test]
    fn a_cause_of_any_length_is_kept_short() {
        let span = finished(|span| fail(span, "refused", "ä".repeat(10_000)));
        let Status::Error { description } = span.status else { panic!("{:?}", span.status) };
        assert_eq!(description.chars().count(), MAX_CAUSE_CHARS + 1);
    }

    #[test]
    fn an_event_stands_in_its_span() {
        let span = finished(|span| event(span, "retry", vec![KeyValue::new("attempt", 2)]));
        assert_eq!(span.events.events[0].name, "retry");
    }
}
