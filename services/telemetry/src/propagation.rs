//! W3C trace context (<https://www.w3.org/TR/trace-context/#traceparent-header>) in and out of tracing's spans.

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanContext, TraceContextExt};
use opentelemetry::{Context, KeyValue};
use opentelemetry_aws::trace::xray_propagator::span_context_from_str;
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

/// The context to go on from when several senders are behind one piece of work: the first one's, if all of them sent
/// within one trace. None when there is no sender, when one sent no context, or when their traces differ.
#[must_use]
pub fn common_parent(senders: &[Option<String>]) -> Option<&str> {
    let trace_id = |sender: &Option<String>| sender.as_deref().and_then(remote).map(|context| context.trace_id());
    let first = senders.first()?;
    let common = trace_id(first)?;
    senders.iter().all(|sender| trace_id(sender) == Some(common)).then_some(first.as_deref()?)
}

/// Whether the span is part of the sender's trace. It starts the span: afterwards its parent is fixed.
#[must_use]
pub fn is_of_trace(span: &Span, traceparent: &str) -> bool {
    remote(traceparent).is_some_and(|sender| span.context().span().span_context().trace_id() == sender.trace_id())
}

/// Links the span to the one that X-Ray made of the invocation, given Lambda's trace header such as
/// `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`. The link's `source` is the one of
/// <https://opentelemetry.io/docs/specs/semconv/faas/aws-lambda/>.
///
/// Nothing is linked when X-Ray does not keep that trace: there is nothing to follow the link to.
pub fn link_to_xray(span: &Span, header: &str) {
    let xray = span_context_from_str(header).filter(|xray| xray.is_valid() && xray.is_sampled());
    if let Some(xray) = xray {
        span.add_link_with_attributes(xray, vec![KeyValue::new("source", "x-ray-env")]);
    }
}

fn remote(traceparent: &str) -> Option<SpanContext> {
    let carrier = HashMap::from([(TRACEPARENT.to_owned(), traceparent.to_owned())]);
    // From an empty context: for a text it cannot read, the propagator answers with the one it was given.
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), &carrier);
    let sender = context.span().span_context().clone();
    sender.is_valid().then_some(sender)
}
