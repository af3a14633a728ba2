//! Trace context across services.

use domain::contract::Service;
use proptest::prelude::*;
use telemetry::propagation::{common_parent, is_of_trace, link, link_to_xray, set_parent, traceparent};
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
fn senders_of_one_trace_have_a_common_parent_the_first_of_them() {
    let sender = |trace: char, span: char| {
        let (trace, span) = (trace.to_string().repeat(32), span.to_string().repeat(16));
        Some(format!("00-{trace}-{span}-01"))
    };
    let of_one_trace = [sender('a', '1'), sender('a', '2'), sender('a', '3')];
    assert_eq!(common_parent(&of_one_trace), of_one_trace[0].as_deref());
    for mixed in [
        vec![],
        vec![None],
        vec![sender('a', '1'), sender('b', '2')],
        vec![sender('a', '1'), None],
        vec![None, sender('a', '1')],
        vec![sender('a', '1'), Some("garbage".to_owned())],
    ] {
        assert_eq!(common_parent(&mixed), None, "{mixed:?}");
    }
}

#[test]
fn a_span_is_of_the_trace_that_it_was_put_into_and_of_no_other() {
    let _captured = testing::capture(Service::Enricher);
    let (inside, outside) = (info_span!(target: "enricher", "inside"), info_span!(target: "enricher", "outside"));
    assert!(set_parent(&inside, REMOTE));
    assert!(is_of_trace(&inside, REMOTE));
    assert!(!is_of_trace(&outside, REMOTE));
    assert!(!is_of_trace(&outside, "garbage"));
}

#[test]
fn a_trace_of_x_ray_is_linked_to_when_x_ray_keeps_it() {
    let captured = testing::capture(Service::Enricher);
    let span = info_span!(target: "enricher", "invocation");
    let root = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8";
    for header in ["garbage", &format!("{root};Sampled=0"), &format!("{root};Sampled=1")] {
        link_to_xray(&span, header);
    }
    drop(span);
    let span = &captured.spans()[0];
    let [link] = &span.links.links[..] else { panic!("{:?}", span.links) };
    assert_eq!(link.span_context.trace_id().to_string(), "5759e988bd862e3fe1be46a994272793");
    assert_eq!(span.parent_span_id, opentelemetry::trace::SpanId::INVALID);
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
