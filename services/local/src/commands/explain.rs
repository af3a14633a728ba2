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

#[derive(Debug, Args)]
#[command(after_help = explain_permissions_help())]
pub(super) struct Arguments {
    /// A run such as 2026-11-22T12-00-00Z, `latest`, or a movie's IMDb id such as tt0111161.
    #[arg(value_name = "RUN|MOVIE", default_value = "latest")]
    subject: String,
    /// For a movie: in this run rather than in the newest that has it.
    #[arg(long, value_name = "RUN", value_parser = parse_run)]
    run: Option<Run>,
    /// Prints one JSON object with every step.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    endpoint: EndpointArguments,
}

fn parse_run(text: &str) -> Result<Run, String> {
    Run::parse(text).map_err(|error| error.to_string())
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let work = Box::pin(tell(arguments));
    until_signal(work).await?.unwrap_or_else(|signal| Ok(exit_code_of(signal)))
}

async fn tell(Arguments { subject, run, json, endpoint }: Arguments) -> anyhow::Result<ExitCode> {
    let Some(wanted) = wanted(&subject, run)? else { return Err(neither(&subject, &endpoint).await.into()) };
    let endpoint = Endpoint::find(&endpoint).map_err(Fault::from)?;
    let options = endpoint.options().to_owned();
    let story = explain(endpoint, &wanted).await?;
    let shown = Shown { story: &story, options: &options };
    let text = if json { shown.to_json().to_string() } else { shown.to_string() };
    writeln!(std::io::stdout().lock(), "{}", text.trim_end()).context("printing")?;
    Ok(ExitCode::SUCCESS)
}

/// What is wanted; nothing when the subject has the form of neither a run nor a movie.
fn wanted(subject: &str, run: Option<Run>) -> Result<Option<Wanted>, Fault> {
    if let Ok(id) = ImdbId::parse(subject) {
        return Ok(Some(Wanted::Movie(id, run)));
    }
    let found = if subject == "latest" { Some(Wanted::Latest) } else { Run::parse(subject).ok().map(Wanted::Run) };
    match (found, run) {
        (Some(_), Some(_)) => Err(Fault::Usage("--run goes with a movie; the run was named already".to_owned())),
        (found, _) => Ok(found),
    }
}

/// What a subject may be, and the runs that there are. Where these cannot be read, the forms are what matters: why not is
/// told to whoever asks for one.
async fn neither(subject: &str, endpoint: &EndpointArguments) -> Fault {
    let forms = format!(
        "{subject:?} is neither a run, such as 2026-11-22T12-00-00Z or `latest`, nor a movie, such as tt0111161"
    );
    let runs = async { newest_runs(Endpoint::find(endpoint)?).await };
    Fault::Usage(match runs.await {
        Ok(runs) => format!("{forms}; {runs}"),
        Err(_) => forms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_the_latest_and_a_movie_are_told_apart() {
        let run = Run::parse("2026-11-22T12-00-00Z").unwrap();
        assert_eq!(wanted("latest", None).unwrap(), Some(Wanted::Latest));
        assert_eq!(wanted(run.as_str(), None).unwrap(), Some(Wanted::Run(run.clone())));
        let id = ImdbId::parse("tt0111161").unwrap();
        assert_eq!(wanted("tt0111161", Some(run.clone())).unwrap(), Some(Wanted::Movie(id, Some(run.clone()))));
        assert_eq!(wanted("Shawshank", None).unwrap(), None);
        assert!(wanted("latest", Some(run)).unwrap_err().to_string().contains("--run goes with a movie"));
    }
}
