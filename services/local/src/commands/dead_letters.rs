//! `cargo local dead-letters`: what failed for good, looked at and sent on its way again.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use chrono::{DateTime, Utc};
use clap::{Args, Subcommand};

use super::{exit_code_of, until_signal};
use crate::dead_letters::{
    Case, DeadLetters, Found, Inspection, Listing, Outcome, Plan, Redriven, Selection, describe,
};
use crate::endpoint::{Endpoint, EndpointArguments, permissions_help};
use crate::fault::Fault;

#[derive(Debug, Args)]
#[command(after_help = permissions_help())]
pub(super) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Shows what lies in the failure queues, by cause; takes nothing away.
    List(List),
    /// Shows messages whole: body, attributes, trace id, log lines; takes nothing away.
    Inspect(Inspect),
    /// Sends messages on their way again, after asking: movies to the movies queue, events to the ranker.
    #[command(after_help = permissions_help())]
    Redrive(Redrive),
}

#[derive(Debug, Args)]
struct List {
    /// Prints one JSON object.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    endpoint: EndpointArguments,
}

#[derive(Debug, Args)]
struct Inspect {
    #[command(flatten)]
    selection: SelectionArguments,
    /// Prints a JSON array.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    endpoint: EndpointArguments,
}

#[derive(Debug, Args)]
struct Redrive {
    #[command(flatten)]
    selection: SelectionArguments,
    /// Everything that lies in the failure queues.
    #[arg(long, conflicts_with_all = ["id", "run", "movie", "cause"])]
    all: bool,
    /// Only says what would be done.
    #[arg(long)]
    dry_run: bool,
    /// Does not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    endpoint: EndpointArguments,
}

/// Which messages; those that all of these hold for.
#[derive(Debug, Args)]
struct SelectionArguments {
    /// The message of this id, or of one that begins so; may be given several times.
    #[arg(long, value_name = "ID")]
    id: Vec<String>,
    /// The messages of this run, such as 2026-11-22T12-00-00Z; may be given several times.
    #[arg(long, value_name = "RUN")]
    run: Vec<String>,
    /// The messages of this movie, an IMDb id such as tt0111161; may be given several times.
    #[arg(long, value_name = "ID")]
    movie: Vec<String>,
    /// The messages whose cause has this text in it.
    #[arg(long, value_name = "TEXT")]
    cause: Option<String>,
}

impl From<SelectionArguments> for Selection {
    fn from(SelectionArguments { id, run, movie, cause }: SelectionArguments) -> Self {
        Self { ids: id, runs: run, movies: movie, cause }
    }
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let work = Box::pin(async {
        match arguments.command {
            Command::List(arguments) => list(arguments).await,
            Command::Inspect(arguments) => inspect(arguments).await,
            Command::Redrive(arguments) => redrive(arguments).await,
        }
    });
    until_signal(work).await?.unwrap_or_else(|signal| Ok(exit_code_of(signal)))
}

async fn open(arguments: &EndpointArguments) -> Result<(DeadLetters, Found), Fault> {
    let dead_letters = DeadLetters::open(Endpoint::find(arguments)?).await?;
    let found = dead_letters.read().await?;
    Ok((dead_letters, found))
}

async fn list(List { endpoint, json }: List) -> anyhow::Result<ExitCode> {
    let (dead_letters, found) = open(&endpoint).await?;
    let listing = Listing::new(&dead_letters, &found, now());
    say(&if json { listing.to_json().to_string() } else { listing.to_string() })?;
    Ok(ExitCode::SUCCESS)
}

async fn inspect(Inspect { selection, json, endpoint }: Inspect) -> anyhow::Result<ExitCode> {
    let (dead_letters, found) = open(&endpoint).await?;
    let cases = select(&selection.into(), &found)?;
    let out_of_sight = found.out_of_sight;
    let inspection = Inspection { cases, endpoint: dead_letters.endpoint(), out_of_sight, now: now() };
    say(&if json { inspection.to_json().to_string() } else { inspection.to_string() })?;
    Ok(ExitCode::SUCCESS)
}

async fn redrive(Redrive { selection, all, dry_run, yes, endpoint }: Redrive) -> anyhow::Result<ExitCode> {
    let selection = Selection::from(selection);
    if selection.is_everything() && !all {
        let told = "which messages? Name some with --id, --run, --movie or --cause, or take --all";
        return Err(Fault::Usage(told.to_owned()).into());
    }
    let (dead_letters, found) = open(&endpoint).await?;
    let selected = select(&selection, &found)?;
    if selected.is_empty() {
        say(&Listing::new(&dead_letters, &found, now()).to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    let others = found.cases.len() - selected.len();
    say(&Plan { selected: &selected, others, endpoint: dead_letters.endpoint() }.to_string())?;
    if dry_run {
        say("Nothing was changed (--dry-run).")?;
        return Ok(ExitCode::SUCCESS);
    }
    if !yes && !is_wanted().await? {
        say("Nothing was changed.")?;
        return Ok(ExitCode::FAILURE);
    }
    let redriven = dead_letters.redrive(&selected).await.map_err(Fault::from)?;
    report(&selected, &redriven)
}

/// The messages that are meant. One that does not exist is asked about rather than passed over.
fn select<'a>(selection: &Selection, found: &'a Found) -> Result<Vec<&'a Case>, Fault> {
    let unmatched = selection.unmatched(&found.cases);
    let selected = selection.of(&found.cases);
    if unmatched.is_empty() && (selection.is_everything() || !selected.is_empty()) {
        return Ok(selected);
    }
    let nothing = if unmatched.is_empty() { "all conditions together".to_owned() } else { unmatched.join(", ") };
    Err(Fault::Usage(format!("no message matches {nothing}; {}", existing(found))))
}

/// The messages that there are, in a sentence and a list.
fn existing(found: &Found) -> String {
    if found.cases.is_empty() {
        return "none lies in the failure queues".to_owned();
    }
    let line = |case: &Case| format!("\n  {}  {}: {}", case.letter.id, describe(case), case.cause);
    format!("these lie in the failure queues:{}", found.cases.iter().map(line).collect::<String>())
}

/// Asks on the terminal. Without one nobody can answer, and nothing is done that nobody agreed to.
async fn is_wanted() -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        let told = "nothing was changed: there is no terminal to ask on; add --yes if this is what you want";
        return Err(Fault::Usage(told.to_owned()).into());
    }
    let ask = || {
        eprint!("Go ahead? [y/N] ");
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).map(|_| answer)
    };
    let answer = tokio::task::spawn_blocking(ask).await?.context("reading the answer")?;
    Ok(is_yes(&answer))
}

/// Nothing but a clear yes will do.
fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

fn report(selected: &[&Case], redriven: &[Redriven]) -> anyhow::Result<ExitCode> {
    for Redriven { id, outcome } in redriven {
        let what = selected.iter().find(|case| case.letter.id == *id).map(|case| describe(case)).unwrap_or_default();
        say(&format!("  {id}  {what}: {}", told(outcome)))?;
    }
    let sent = redriven.iter().filter(|redriven| redriven.outcome == Outcome::Sent).count();
    say(&format!("{sent} of {} sent.", redriven.len()))?;
    Ok(if sent == redriven.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn told(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Sent => "sent".to_owned(),
        Outcome::SentButKept(reason) => format!("sent, but it lies here still, which does no harm: {reason}"),
        Outcome::Kept(reason) => format!("not sent, it lies where it lay: {reason}"),
        Outcome::Gone => "not sent: somebody else deleted it meanwhile or is looking at it".to_owned(),
    }
}

fn now() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}

fn say(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout().lock(), "{text}").context("printing")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_clear_yes_is_taken_for_one() {
        assert!(["y\n", "Y", " yes \r\n"].into_iter().all(is_yes));
        assert!(!["", "\n", "n", "no", "yeah", "y n", "all"].into_iter().any(is_yes));
    }
}
