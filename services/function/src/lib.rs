//! What every function has around its handler: settings, connections, the invocation loop.
//!
//! A `main.rs` reads like this:
//!
//! ```text
//! let function = match function::start(Service::Ranker, Settings::read).await {
//!     Ok(function) => function,
//!     Err(refused) => return refused.into(),
//! };
//! let handler = Ranker::new(/* from function.settings and function.connections */);
//! function.serve(Trigger::SCHEDULE, |event, deadline| handler.handle(event, deadline)).await
//! ```
//!
//! | Module | What it holds |
//! |---|---|
//! | [`settings`] | the environment, read once, all faults at once |
//! | [`connections`] | one set of roots, one connector for all AWS clients |
//! | [`invocation`] | the loop: span, handler, flush |
//! | [`aws_calls`] | a span for each AWS call |
//! | [`deadline`] | how much time an invocation has left |
//! | [`backoff`] | pauses between tries |

// A panic would end the environment, and with it whatever else the batch was doing.
#[cfg(not(panic = "unwind"))]
compile_error!("a function unwinds when it panics, so that one record fails alone: build with `panic = \"unwind\"`");

pub mod aws_calls;
pub mod backoff;
pub mod connections;
pub mod deadline;
pub mod invocation;
pub mod settings;
mod start;
mod trace_client;

pub use aws_calls::AwsCalls;
pub use connections::Connections;
pub use deadline::Deadline;
pub use invocation::Trigger;
pub use settings::{Faults, Reader};
pub use start::{Function, StartError, start};

/// A time as log fields such as `duration_ms` give it. Longer ones than a `u64` holds do not occur in half a billion
/// years.
#[must_use]
pub fn milliseconds(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
