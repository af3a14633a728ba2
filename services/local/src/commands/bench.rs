//! `cargo local bench`: how fast, small and cheap the functions are.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{exit_code_of, until_signal};
use crate::bench::{Bench, Built, CASES, ROUNDS};
use crate::progress::Progress;

#[derive(Debug, Args)]
#[command(after_help = help())]
pub(super) struct Arguments {
    /// What to measure; all if none is named.
    #[arg(value_name = "NAME", value_parser = names(), hide_possible_values = true)]
    names: Vec<String>,
    /// How often everything is measured.
    #[arg(long, value_name = "NUMBER", default_value_t = ROUNDS as u64, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    rounds: u64,
    /// Prints one JSON object instead of the table.
    #[arg(long)]
    json: bool,
    /// Measures the functions as they are built for tests, which says nothing about those that ship.
    #[arg(long, hide = true)]
    tested: bool,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let Arguments { names, rounds, json, tested } = arguments;
    let built = if tested { Built::Tested } else { Built::Shipped };
    let bench = Bench::new(usize::try_from(rounds)?, built, Progress::Shown);
    let work = tokio::task::spawn_blocking(move || bench.run(&names));
    let report = match until_signal(work).await? {
        Ok(done) => done.context("the measuring broke off")??,
        Err(signal) => return Ok(exit_code_of(signal)),
    };
    let text = if json { format!("{}\n", serde_json::to_string_pretty(&report)?) } else { report.to_string() };
    std::io::stdout().write_all(text.as_bytes()).context("printing what was measured")?;
    // A missed goal is a result, too.
    Ok(ExitCode::SUCCESS)
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(CASES.map(|case| case.name))
}

fn help() -> String {
    let cases = CASES.map(|case| format!("\n  {:9}  {}", case.name, case.what)).concat();
    format!(
        "{cases}\n\nThe functions are built as `cargo local package` builds them, for this machine's processor; nothing is \
         asked of AWS. Missed goals are shown and are no failure. `pipeline` takes by far the longest, half an \
         hour and more. A figure from fewer than {ROUNDS} rounds is a guess.",
    )
}
