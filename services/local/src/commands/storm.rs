//! `cargo local storm`: several runs at once over the wire, while everything around the functions fails.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;

use super::{exit_code_of, run, until_signal};
use crate::progress::Progress;
use crate::storm::Storm;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How many runs there are at once.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=100))]
    runs: u16,
    /// How many movies each run has, 1 to 1000.
    #[arg(long, default_value_t = 1_000, value_parser = run::parse_top_n)]
    movies: usize,
    /// Where chance begins; without it, somewhere else every time. The same seed brings the same faults in the same
    /// order, but finds the functions doing something else.
    #[arg(long)]
    seed: Option<u64>,
    /// Prints one JSON object instead of the text.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    // Short enough to be typed again.
    let seed = arguments.seed.unwrap_or_else(|| u64::from(fastrand::u32(..)));
    let storm = Storm { runs: arguments.runs.into(), movies: arguments.movies, seed, progress: Progress::Shown };
    Progress::Shown.say(&format!("· {} runs of {} movies, from seed {seed} …", storm.runs, storm.movies));
    let outcome = match until_signal(Box::pin(storm.rage())).await? {
        Ok(outcome) => outcome.with_context(|| format!("the storm of seed {seed} broke off"))?,
        Err(signal) => return Ok(exit_code_of(signal)),
    };
    let text = if arguments.json { format!("{}\n", outcome.as_json()) } else { outcome.to_string() };
    std::io::stdout().write_all(text.as_bytes()).context("printing what came of it")?;
    Ok(ExitCode::from(u8::from(!outcome.violations.is_empty())))
}
