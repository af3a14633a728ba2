//! The loop around a handler: one span per invocation, then the handler, then the flush.
//!
//! `lambda_runtime` posts the response inside its own service. The layer here lies outside of it, so telemetry is sent
//! after the response is on its way and before the next event is asked for: Lambda freezes the environment only
//! then (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>).

use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::task::{Context, Poll};

use lambda_runtime::tower::{Layer, Service};
use lambda_runtime::{Diagnostic, LambdaEvent, LambdaInvocation, Runtime, service_fn};
use serde::Serialize;
use serde_json::Value;
use telemetry::Telemetry;
use tracing::{Instrument, info_span};

use crate::deadline::Deadline;
use crate::start::Function;

impl<S> Function<S> {
    /// Serves events until Lambda ends the environment.
    ///
    /// The event comes as plain JSON: a handler tells what it cannot read by its own error, in its own words. Events
    /// are handled one at a time, as Lambda sends them.
    pub async fn serve<H, F, R, E>(self, handler: H) -> ExitCode
    where
        H: Fn(Value, Deadline) -> F,
        F: Future<Output = Result<R, E>> + 'static,
        R: Serialize + 'static,
        E: std::error::Error,
    {
        let serve = service_fn(|event: LambdaEvent<Value>| {
            let deadline = Deadline::at(event.context.deadline());
            let work = handler(event.payload, deadline);
            async move { work.await.map_err(|error| report(&error)) }
        });
        match Runtime::new(serve).layer(Flushing(Arc::clone(&self.telemetry))).run().await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                tracing::error!(reason = %error, "the Runtime API failed");
                self.telemetry.flush().await;
                ExitCode::FAILURE
            }
        }
    }
}

/// Logs what failed the invocation and turns it into Lambda's error object.
fn report<E: std::error::Error>(error: &E) -> Diagnostic {
    tracing::error!(reason = %error, "the invocation failed");
    let error_type = std::any::type_name::<E>().rsplit("::").next().unwrap_or("Error");
    Diagnostic { error_type: error_type.to_owned(), error_message: error.to_string() }
}

/// Wraps each invocation into its span and flushes telemetry after it.
struct Flushing(Arc<Telemetry>);

impl<S> Layer<S> for Flushing {
    type Service = FlushingService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        FlushingService { inner, telemetry: Arc::clone(&self.0), cold_start: true }
    }
}

struct FlushingService<S> {
    inner: S,
    telemetry: Arc<Telemetry>,
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
        let span = info_span!(
            "invocation",
            otel.name = invocation.context.env_config.function_name,
            otel.kind = "server",
            otel.status_code = tracing::field::Empty,
            faas.invocation_id = invocation.context.request_id,
            request_id = invocation.context.request_id,
            faas.coldstart = cold_start,
            cold_start,
        );
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
