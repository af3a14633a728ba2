//! The loop around a handler: one span per invocation, then the handler, then the flush.
//!
//! `lambda_runtime` posts the response inside its own service. The layer here lies outside of it, so telemetry is sent
//! after the response is on its way and before the next event is asked for: Lambda freezes the environment only
//! then (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>).
//!
//! The span of an invocation goes on in the trace of whoever sent its event, see [`Trigger`]. Lambda has a trace header
//! of its own for each invocation. It is never the parent, since Lambda begins a new trace for each batch of a queue,
//! which would cut a run into pieces, and `AWSTraceHeader`, which could prevent that, does not survive SNS. When X-Ray
//! keeps that trace, the span links to it
//! (<https://opentelemetry.io/docs/specs/semconv/faas/aws-lambda/#aws-x-ray-active-tracing-considerations>).

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Poll};

use lambda_runtime::tower::{Layer, Service};
use lambda_runtime::{Diagnostic, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde::Serialize;
use serde_json::Value;
use telemetry::spans::attribute;
use telemetry::{Telemetry, propagation, spans};
use tracing::{Instrument, Span, info_span};

use crate::deadline::Deadline;
use crate::start::Function;

/// What invokes a function.
#[derive(Debug, Clone, Copy)]
pub struct Trigger {
    /// Its kind, as `faas.trigger` has it
    /// (<https://opentelemetry.io/docs/specs/semconv/registry/attributes/faas/#faas-trigger>).
    pub kind: &'static str,
    /// Reads the W3C trace contexts of all senders out of the event's bytes, none for a sender without one. It is asked
    /// before the event is parsed: by then the span has to have its parent.
    pub senders: fn(&[u8]) -> Vec<Option<String>>,
}

impl Trigger {
    /// A schedule: nobody sends a context, each invocation begins a trace.
    pub const SCHEDULE: Self = Self { kind: "timer", senders: |_| Vec::new() };
}

impl<S> Function<S> {
    /// Serves events until Lambda ends the environment.
    ///
    /// If all senders of an event belong to one trace, its invocation is part of it, as a child of the first sender: a
    /// span has one parent, SQS keeps no order, and the first needs nothing of the message itself to be known. The
    /// handler's own span links to all of them. If they are of several traces, or there are none, the invocation begins
    /// a trace.
    ///
    /// The event comes as plain JSON: a handler tells what it cannot read by its own error, in its own words. Events
    /// are handled one at a time, as Lambda sends them.
    pub async fn serve<H, F, R, E>(self, trigger: Trigger, handler: H) -> ExitCode
    where
        H: Fn(Value, Deadline) -> F,
        F: Future<Output = Result<R, E>> + 'static,
        R: Serialize + 'static,
        E: std::error::Error,
    {
        let serve = service_fn(|event: LambdaEvent<Value>| {
            let deadline = Deadline::at(event.context.deadline());
            let work = handler(event.payload, deadline);
            async move {
                let _panic_is_noted = OnPanic(Span::current());
                work.await.map_err(|error| report(&error))
            }
        });
        let around = Flushing { telemetry: Arc::clone(&self.telemetry), trigger };
        match Runtime::new(serve).layer(around).run().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(reason = %error, "the Runtime API failed");
                self.telemetry.flush().await;
                ExitCode::FAILURE
            }
        }
    }
}

/// Marks an invocation as failed when its handler panics. The panic hook marks the span in which that happened.
struct OnPanic(Span);

impl Drop for OnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            spans::fail(&self.0, "panic", "the handler panicked; the log has its place");
        }
    }
}

/// Logs what failed the invocation and turns it into Lambda's error object.
fn report<E: std::error::Error>(error: &E) -> Diagnostic {
    tracing::error!(reason = %error, "the invocation failed");
    let error_type = std::any::type_name::<E>().rsplit("::").next().unwrap_or("Error");
    spans::fail(&Span::current(), error_type, error);
    Diagnostic { error_type: error_type.to_owned(), error_message: error.to_string() }
}

/// Wraps each invocation into its span and flushes telemetry after it.
struct Flushing {
    telemetry: Arc<Telemetry>,
    trigger: Trigger,
}

impl<S> Layer<S> for Flushing {
    type Service = FlushingService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        FlushingService { inner, telemetry: Arc::clone(&self.telemetry), trigger: self.trigger, cold_start: true }
    }
}

struct FlushingService<S> {
    inner: S,
    telemetry: Arc<Telemetry>,
    trigger: Trigger,
    cold_start: bool,
}

impl<S> Service<LambdaInvocation> for FlushingService<S>
where
    S: Service<LambdaInvocation, Response = ()>,
    S::Future: 'static,
{
    type Response = ();
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), S::Error>>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, invocation: LambdaInvocation) -> Self::Future {
        let cold_start = std::mem::take(&mut self.cold_start);
        let deadline = Deadline::at(invocation.context.deadline());
        let span = span_of(&invocation, self.trigger, cold_start);
        // Entered while the inner service builds its future, so that what it starts there belongs to the span.
        let work = span.in_scope(|| self.inner.call(invocation)).instrument(span);
        let telemetry = Arc::clone(&self.telemetry);
        Box::pin(async move {
            // The span ends with `work`, which this awaits by value: it is among the spans that are flushed.
            let result = work.await;
            telemetry.flush_within(deadline.remaining()).await;
            result
        })
    }
}

/// The invocation as a server span: X-Ray then draws the function as a node of its own.
fn span_of(invocation: &LambdaInvocation, trigger: Trigger, cold_start: bool) -> Span {
    let context = &invocation.context;
    let span = info_span!(
        "invocation",
        otel.name = context.env_config.function_name,
        otel.kind = "server",
        request_id = context.request_id,
        cold_start,
        // Told by a handler whose event is of one run, so that the lines around its work have it, too.
        run = tracing::field::Empty,
    );
    spans::set(&span, attribute::FAAS_INVOCATION_ID, context.request_id.clone());
    spans::set(&span, attribute::FAAS_COLDSTART, cold_start);
    spans::set(&span, attribute::FAAS_TRIGGER, trigger.kind);
    place(&span, &(trigger.senders)(&invocation.body), context.xray_trace_id.as_deref());
    span
}

/// Puts the span into the senders' trace and relates it to X-Ray's.
fn place(span: &Span, senders: &[Option<String>], xray_header: Option<&str>) {
    if let Some(sender) = propagation::common_parent(senders)
        && !propagation::set_parent(span, sender)
    {
        tracing::debug!("the senders' trace cannot be continued; the invocation begins its own");
    }
    if let Some(header) = xray_header {
        propagation::link_to_xray(span, header);
    }
}

#[cfg(test)]
mod tests {
    use telemetry::testing::{SpanData, capture};

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    const XRAY: &str = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";

    fn sender(span_id: &str) -> String {
        format!("00-{TRACE}-{span_id}-01")
    }

    fn placed(senders: &[Option<String>], xray_header: Option<&str>) -> SpanData {
        let captured = capture(domain::contract::Service::Enricher);
        let span = info_span!("invocation");
        place(&span, senders, xray_header);
        drop(span);
        captured.spans().remove(0)
    }

    #[test]
    fn an_invocation_is_the_child_of_its_first_sender_when_all_sent_within_one_trace() {
        let span = placed(&[Some(sender("00f067aa0ba902b7")), Some(sender("b7ad6b7169203331"))], None);
        assert_eq!(span.span_context.trace_id().to_string(), TRACE);
        assert_eq!(span.parent_span_id.to_string(), "00f067aa0ba902b7");
    }

    #[test]
    fn an_invocation_without_a_common_sender_begins_a_trace() {
        for senders in [&[][..], &[Some(sender("00f067aa0ba902b7")), None]] {
            let span = placed(senders, None);
            assert_ne!(span.span_context.trace_id().to_string(), TRACE);
            assert_eq!(span.parent_span_id.to_string(), "0000000000000000");
        }
    }

    #[test]
    fn a_panic_of_the_handler_fails_the_invocation() {
        let captured = capture(domain::contract::Service::Enricher);
        let span = info_span!("invocation");
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _panic_is_noted = OnPanic(span.clone());
            panic!("a fault of ours");
        }));
        drop(span);
        assert!(panicked.is_err());
        assert!(format!("{:?}", captured.spans()[0].status).contains("panicked"));
    }

    #[test]
    fn lambdas_own_trace_is_linked_to_and_never_the_parent() {
        for senders in [&[][..], &[Some(sender("00f067aa0ba902b7"))]] {
            let (without, with) = (placed(senders, None), placed(senders, Some(XRAY)));
            assert_eq!(with.parent_span_id, without.parent_span_id);
            assert_eq!((without.links.links.len(), with.links.links.len()), (0, 1));
        }
    }
}
