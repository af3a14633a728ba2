//! The command line.

mod bench;
mod cost;
mod dead_letters;
mod drill;
mod explain;
mod package;
mod run;
mod simulate;
mod storm;
mod up;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rustix::process::Signal;

use crate::fault::Fault;

/// Runs the whole movie pipeline on this machine: a local AWS, the Pulumi program, the functions.
#[derive(Debug, Parser)]
#[command(name = "cargo local", bin_name = "cargo local", version, args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: run::Arguments,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Fires the schedule once and shows what lies in the bucket; the default.
    Run(run::Arguments),
    /// Keeps the pipeline running until Ctrl-C, for a look around.
    Up(up::Arguments),
    /// Tells what happened in a run or to a movie, in order, from logs, spans and objects.
    Explain(explain::Arguments),
    /// Lists, inspects and redrives what failed for good, here or on AWS.
    DeadLetters(dead_letters::Arguments),
    /// Puts faults into pipelines of its own and shows what the person on call would get.
    Drill(drill::Arguments),
    /// Puts both functions through storms of faults on virtual time and checks that nothing is lost or wrong.
    Simulate(simulate::Arguments),
    /// Lets several runs at once go through kills, outages and restarts, and checks that nothing is lost or wrong.
    Storm(storm::Arguments),
    /// Shows what the stack costs a month, and a million movies.
    Cost(cost::Arguments),
    /// Measures how fast, small and cheap the functions are, beside their limits and the original.
    Bench(bench::Arguments),
    /// Builds the functions for Lambda and packs them for `pulumi up`.
    Package(package::Arguments),
}

/// Reads the command line, does what it says, and tells the exit code: 0 when the run completed, 1 when it did not,
/// 2 when it could not be started, 128 + n when signal n ended it.
#[must_use]
pub fn main() -> ExitCode {
    let Cli { command, run } = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&anyhow::Error::new(error)),
    };
    let code = runtime.block_on(async {
        match command.unwrap_or(Command::Run(run)) {
            Command::Bench(arguments) => bench::run(arguments).await,
            Command::Cost(arguments) => cost::run(arguments),
            Command::Run(arguments) => run::run(arguments).await,
            Command::Up(arguments) => up::run(arguments).await,
            Command::DeadLetters(arguments) => dead_letters::run(arguments).await,
            Command::Drill(arguments) => drill::run(arguments).await,
            Command::Explain(arguments) => explain::run(arguments).await,
            Command::Package(arguments) => package::run(arguments).await,
            Command::Simulate(arguments) => simulate::run(arguments).await,
            Command::Storm(arguments) => storm::run(arguments).await,
        }
    });
    let code = code.unwrap_or_else(|error| fail(&error));
    // Work that was cut short, such as reading from a program that has just been ended, is not waited for.
    runtime.shutdown_background();
    code
}

/// Does work until it is done, or until SIGINT or SIGTERM, which is then told. Dropping the work ends everything that
/// it started.
async fn until_signal<T>(work: impl Future<Output = T>) -> std::io::Result<Result<T, Signal>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let signal = tokio::select! {
        result = work => return Ok(Ok(result)),
        _ = interrupt.recv() => Signal::INT,
        _ = terminate.recv() => Signal::TERM,
    };
    eprintln!("Stopping …");
    Ok(Err(signal))
}

/// What shells show for a program that a signal ended.
fn exit_code_of(signal: Signal) -> ExitCode {
    ExitCode::from(u8::try_from(128 + signal.as_raw()).unwrap_or(1))
}

fn fail(error: &anyhow::Error) -> ExitCode {
    if let Some(fault) = error.downcast_ref::<Fault>() {
        // One sentence, which has its cause in it already.
        eprintln!("error: {fault}");
        return ExitCode::from(Fault::EXIT_CODE);
    }
    eprintln!("error: {error:#}");
    ExitCode::FAILURE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_that_a_faulty_artefact_names_is_one_of_ours() {
        let told = format!("{} --architecture x86_64", artefacts::BUILD_COMMAND);
        // The program's own name has a space in it.
        let arguments = told.strip_prefix("cargo local").unwrap().split_whitespace();
        let cli = Cli::try_parse_from(std::iter::once("cargo local").chain(arguments)).unwrap();
        assert!(matches!(cli.command, Some(Command::Package(_))));
    }
}
