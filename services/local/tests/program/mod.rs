//! `cargo local` as a user runs it, with nobody at a terminal.

use std::process::{Output, Stdio};

use local::Pipeline;
use tokio::process::Command;

/// The program.
pub(crate) const LOCAL: &str = env!("CARGO_BIN_EXE_local");

/// `cargo local <subcommand> …`.
pub(crate) fn command(subcommand: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(LOCAL);
    command.arg(subcommand).args(arguments).stdin(Stdio::null());
    command
}

/// `cargo local <subcommand> …` on a pipeline.
pub(crate) async fn on(pipeline: &Pipeline, subcommand: &str, arguments: &[&str]) -> Output {
    let mut command = command(subcommand, arguments);
    command.args(["--endpoint-url", &pipeline.emulator().endpoint()]).output().await.unwrap()
}

/// What it printed, after asserting that it ended with this code.
pub(crate) fn ended_with(code: i32, output: &Output) -> String {
    let told = text(&output.stdout) + &text(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    told
}

fn text(bytes: &[u8]) -> String {
    local::assert_no_canary("what cargo local printed", bytes);
    String::from_utf8(bytes.to_vec()).unwrap()
}
