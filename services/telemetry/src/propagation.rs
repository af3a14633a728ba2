//! W3C trace context (<https://www.w3.org/TR/trace-context/#traceparent-header>) in and out of tracing's spans.

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// The name of the W3C header and of the message attribute, as the propagator writes and reads it.
const TRACEPARENT: &str = "traceparent";

/// The trace context to send along with what happens in this span, such as
/// `00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01`. None when spans are disabled.
#[must_use]
pub fn traceparent(span: &Span) -> Option<String> {
    let mut carrier = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut carrier);
    carrier.remove(TRACEPARENT)
}

/// Makes the span a child of the sender's. Call it before the span is entered: a started span keeps its parent.
///
/// False, with the span left as it is, when the text is no trace context, the span is disabled or was started already.
#[must_use]
pub fn set_parent(span: &Span, traceparent: &str) -> bool {
    match remote(traceparent) {
        Some(sender) => span.set_parent(Context::new().with_remote_span_context(sender)).is_ok(),
        None => false,
    }
}

/// Links the span to the sender's: related, but not its child.
///
/// False, with nothing linked, when the text is no trace context or the span is disabled.
#[must_use]
pub fn link(span: &Span, traceparent: &str) -> bool {
    match remote(traceparent) {
        Some(sender) if !span.is_disabled() => {
            span.add_link(sender);
            true
        }
        _ => false,
    }
}

fn remote(traceparent: &str) -> Option<SpanContext> {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    // From an empty context: for a text it cannot read, the propagator answers with the one it was given.
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    let sender = context.span().span_context().clone();
    sender.is_valid().then_some(sender)
}
