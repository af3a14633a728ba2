//! A panic as a log line.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;

use tracing::Span;

use crate::spans;

/// Logs a panic as one line at `ERROR` instead of the free text that Rust prints: a line that is no JSON object is
/// found by no saved query.
pub(crate) fn install_panic_hook() {
    std::panic::set_hook(Box::new(|panic| {
        let reason = panic.payload_as_str().unwrap_or("a panic without a text");
        tracing::error!(reason, stack = stack(panic), "panicked");
        spans::fail(&Span::current(), "panic", reason);
    }));
}

/// Where it happened, and the backtrace if `RUST_BACKTRACE` asks for one.
fn stack(panic: &PanicHookInfo<'_>) -> String {
    let location = panic.location().map_or_else(|| "unknown place".to_owned(), ToString::to_string);
    let backtrace = Backtrace::capture();
    match backtrace.status() {
        BacktraceStatus::Captured => format!("{location}\n{backtrace}"),
        _ => location,
    }
}
