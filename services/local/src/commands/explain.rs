//! `cargo local explain`: one story of a run or a movie.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use domain::{ImdbId, Run};

use super::{exit_code_of, until_signal};
use crate::endpoint::{Endpoint, EndpointArguments, explain_permissions_help};
use crate::explain::{Shown, Wanted, explain, newest_runs};
use crate::fault::Fault;

const A_RUN: &str = "2026-11-22T12-00-00Z";

#[derive(Debug, Args)]
#[command(after_help = explain_permissions_help())]
pub(super) struct Arguments {
    /// A run such as 2026-11-22T12-00-00Z, also with colons, `latest`, or a movie's IMDb id such as tt0111161.
    #[arg(value_name = "RUN|MOVIE", default_value = "latest")]
    subject: String,
    /// For a movie: in this run rather than in the newest that has it.
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Prints one JSON object with every step.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    endpoint: EndpointArguments,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let work = Box::pin(tell(arguments));
    until_signal(work).await?.unwrap_or_else(|signal| Ok(exit_code_of(signal)))
}

async fn tell(Arguments { subject, run, json, endpoint }: Arguments) -> anyhow::Result<ExitCode> {
    let wanted = match wanted(&subject, run.as_deref()) {
        Ok(wanted) => wanted,
        Err(why) => return Err(with_runs(why, &endpoint).await.into()),
    };
    let endpoint = Endpoint::find(&endpoint).map_err(Fault::from)?;
    let options = endpoint.options().to_owned();
    let story = explain(endpoint, &wanted).await?;
    let shown = Shown { story: &story, options: &options };
    let text = if json { shown.to_json().to_string() } else { shown.to_string() };
    writeln!(std::io::stdout().lock(), "{}", text.trim_end()).context("printing")?;
    Ok(ExitCode::SUCCESS)
}

/// What is wanted, or why that cannot be told.
fn wanted(subject: &str, run: Option<&str>) -> Result<Wanted, String> {
    if let Ok(id) = ImdbId::parse(subject) {
        let run = run.map(|run| run_of(run).ok_or_else(|| format!("--run {run:?} is no run, such as {A_RUN}")));
        return Ok(Wanted::Movie(id, run.transpose()?));
    }
    let found = if subject == "latest" { Some(Wanted::Latest) } else { run_of(subject).map(Wanted::Run) };
    match (found, run) {
        (Some(_), Some(_)) => Err("--run goes with a movie; the run was named already".to_owned()),
        (Some(found), None) => Ok(found),
        (None, _) => {
            Err(format!("{subject:?} is neither a run, such as {A_RUN} or `latest`, nor a movie, such as tt0111161"))
        }
    }
}

/// A run by its name, or by the time that it is named by, which events have with colons.
fn run_of(text: &str) -> Option<Run> {
    Run::parse(&text.replace(':', "-")).ok()
}

/// Why, and the runs that there are, or why these cannot be told.
async fn with_runs(why: String, endpoint: &EndpointArguments) -> Fault {
    let runs = async { newest_runs(Endpoint::find(endpoint)?).await };
    Fault::Usage(match runs.await {
        Ok(runs) => format!("{why}; {runs}"),
        Err(unread) => format!("{why}; which runs there are cannot be told: {unread}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_the_latest_and_a_movie_are_told_apart() {
        let run = Run::parse(A_RUN).unwrap();
        assert_eq!(wanted("latest", None), Ok(Wanted::Latest));
        assert_eq!(wanted(A_RUN, None), Ok(Wanted::Run(run.clone())));
        let id = ImdbId::parse("tt0111161").unwrap();
        assert_eq!(wanted("tt0111161", Some(A_RUN)), Ok(Wanted::Movie(id, Some(run))));
        assert!(wanted("Shawshank", None).unwrap_err().contains("neither a run"));
        assert!(wanted("tt0111161", Some("noon")).unwrap_err().contains("\"noon\" is no run"));
        assert!(wanted("latest", Some(A_RUN)).unwrap_err().contains("--run goes with a movie"));
    }

    #[test]
    fn a_run_may_be_named_by_its_time_with_colons() {
        let time = "2026-11-22T12:00:00Z";
        assert_eq!(wanted(time, None), wanted(A_RUN, None));
        assert_eq!(wanted("tt0111161", Some(time)), wanted("tt0111161", Some(A_RUN)));
    }
}
