//! One story of a run or of a movie, from what is left of it: log lines, spans, objects and dead letters, in the order
//! it happened.
//!
//! Reading is the business of `sources` and `traces`, which give `Material`; [`Story::tell`] makes a story of it and
//! asks nobody. What several sources tell is told once: a log line before the span that says the same, an object with
//! the line that reports it stored.

mod assembly;
mod failures;
mod material;
mod movies;
mod show;
mod sources;
mod span;
mod step;
mod story;
mod traces;
mod waiting;

use std::collections::BTreeSet;
use std::fmt::Display;

use domain::{ImdbId, Run};

pub use material::DeadLetter;
pub(crate) use show::Shown;
pub(crate) use span::record as span_record;
pub use step::{Level, Step};
pub use story::{Missing, Story, Whereabouts};
pub(crate) use traces::SPANS_PATH;
pub use waiting::Waiting;

use crate::endpoint::Endpoint;
use crate::fault::Fault;
use sources::Sources;

/// How many runs are named, and looked into for a movie.
const NEWEST: usize = 10;

/// What a story is wanted of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The newest run.
    Latest,
    /// This run.
    Run(Run),
    /// This movie: in this run, or in the newest that knows it.
    Movie(ImdbId, Option<Run>),
}

/// Reads and tells the story of a run or a movie of an endpoint's stack.
///
/// # Errors
/// [`Fault::Usage`] with the runs or movies that there are when the wanted one is not among them; [`Fault::Endpoint`].
pub async fn explain(endpoint: Endpoint, wanted: &Wanted) -> Result<Story, Fault> {
    let mut sources = Sources::open(endpoint).await?;
    if let Wanted::Run(run) | Wanted::Movie(_, Some(run)) = wanted {
        sources.look_back_to(run).await?;
    }
    let runs = sources.runs();
    let run = match wanted {
        Wanted::Latest => runs.last().cloned().ok_or_else(|| unknown("latest run", &runs))?,
        Wanted::Run(run) | Wanted::Movie(_, Some(run)) => {
            runs.get(run).cloned().ok_or_else(|| unknown(&format!("run {run}"), &runs))?
        }
        Wanted::Movie(id, None) => newest_with(&sources, &runs, id).await?,
    };
    let material = sources.of_run(&run).await?;
    let story = Story::tell(&run, &material);
    match wanted {
        Wanted::Movie(id, _) if !story.knows(id.as_str()) => {
            Err(unknown_movie(id, &run, &story, matches!(wanted, Wanted::Movie(_, Some(_)))))
        }
        Wanted::Movie(id, _) => Ok(story.of_movie(id.as_str())),
        Wanted::Latest | Wanted::Run(_) => Ok(story),
    }
}

/// The newest run that knows a movie; without one the newest, which can then name those that it has.
async fn newest_with(sources: &Sources, runs: &BTreeSet<Run>, id: &ImdbId) -> Result<Run, Fault> {
    for run in runs.iter().rev().take(NEWEST) {
        if sources.knows_movie(run, id).await? {
            return Ok(run.clone());
        }
    }
    runs.last().cloned().ok_or_else(|| unknown(&format!("movie {id}"), runs))
}

/// The newest runs of an endpoint's stack, in a sentence and a list.
///
/// # Errors
/// [`Fault::Endpoint`].
pub(crate) async fn newest_runs(endpoint: Endpoint) -> Result<String, Fault> {
    Ok(newest(&Sources::open(endpoint).await?.runs()))
}

fn newest(runs: &BTreeSet<Run>) -> String {
    if runs.is_empty() {
        return "this stack has had no run yet".to_owned();
    }
    format!("the newest runs are:{}", listed(runs.iter().rev()))
}

fn unknown(what: &str, runs: &BTreeSet<Run>) -> Fault {
    Fault::Usage(format!("there is no {what}; {}", newest(runs)))
}

fn unknown_movie(id: &ImdbId, run: &Run, story: &Story, is_named: bool) -> Fault {
    let movies = listed(story.movies().map(|(position, id)| format!("{position} {id}")));
    let has = if movies.is_empty() { " none that is known".to_owned() } else { movies };
    Fault::Usage(if is_named {
        format!("there is no movie {id} in run {run}; it has:{has}")
    } else {
        format!("there is no movie {id} in any of the newest runs; the last of them, {run}, has:{has}")
    })
}

/// The first of them, each on a line of its own.
fn listed(names: impl Iterator<Item = impl Display>) -> String {
    names.take(NEWEST).fold(String::new(), |list, name| format!("{list}\n  {name}"))
}
