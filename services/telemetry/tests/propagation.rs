//! Trace context across services.

use domain::contract::Service;
use proptest::prelude::*;
use telemetry::propagation::{link, set_parent, traceparent};
use telemetry::testing;
use tracing::info_span;

/// The example of the W3C recommendation.
const REMOTE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

#[test]
fn what_one_span_sends_another_takes_as_its_parent() {
    let captured = testing::capture(Service::Enricher);
    let producer = info_span!(target: "ranker", "publish");
    let sent = traceparent(&producer).unwrap();
    drop(producer);
    let consumer = info_span!(target: "enricher", "process");
    assert!(set_parent(&consumer, &sent));
    drop(consumer);

    let spans = captured.spans();
    let [producer, consumer] = &spans[..] else { panic!("{spans:?}") };
    assert_eq!(consumer.span_context.trace_id(), producer.span_context.trace_id());
    assert_eq!(consumer.parent_span_id, producer.span_context.span_id());
    assert!(consumer.parent_span_is_remote);
    let (trace, span) = (producer.span_context.trace_id(), producer.span_context.span_id());
    assert_eq!(sent, format!("00-{trace}-{span}-01"));
}

#[test]
fn a_remote_parent_gives_the_logs_its_trace_id() {
    let captured = testing::capture(Service::Enricher);
    let span = info_span!(target: "enricher", "process");
    assert!(set_parent(&span, REMOTE));
    span.in_scope(|| tracing::info!(target: "enricher", "processing"));
    assert_eq!(captured.line("processing")["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[test]
fn a_span_that_was_entered_keeps_its_parent() {
    let _captured = testing::capture(Service::Enricher);
    let span = info_span!(target: "enricher", "process");
    span.in_scope(|| ());
    assert!(!set_parent(&span, REMOTE));
}

#[test]
fn a_link_relates_without_making_a_child() {
    let captured = testing::capture(Service::Enricher);
    let batch = info_span!(target: "enricher", "batch");
    assert!(link(&batch, REMOTE));
    drop(batch);
    let span = &captured.spans()[0];
    assert_eq!(span.links.links.len(), 1);
    assert_eq!(span.links.links[0].span_context.span_id().to_string(), "00f067aa0ba902b7");
    assert_ne!(span.span_context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
}

#[test]
fn text_that_is_no_trace_context_changes_nothing() {
    let captured = testing::capture(Service::Enricher);
    let faulty = [
        "",
        "garbage",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
    ];
    // Inside another span: what cannot be read must not be mistaken for the span around it.
    let _around = info_span!(target: "enricher", parent: None, "around").entered();
    for text in faulty {
        let span = info_span!(target: "enricher", parent: None, "process");
        assert!(!set_parent(&span, text), "{text:?}");
        assert!(!link(&span, text), "{text:?}");
    }
    for span in captured.spans() {
        assert!(span.links.links.is_empty());
        assert_eq!(span.parent_span_id, opentelemetry::trace::SpanId::INVALID);
    }
}

#[test]
fn without_telemetry_there_is_nothing_to_send_and_nothing_to_set() {
    let span = info_span!("nobody listens");
    assert_eq!(traceparent(&span), None);
    assert!(!set_parent(&span, REMOTE));
    assert!(!link(&span, REMOTE));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,80}") {
        let _captured = testing::capture(Service::Enricher);
        let span = info_span!(target: "enricher", "process");
        let parent = set_parent(&span, &text);
        prop_assert_eq!(parent, link(&span, &text));
    }
}
