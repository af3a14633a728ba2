//! `cargo local run`: one run, from the schedule to the list in the bucket.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use chrono::Utc;
use clap::Args;
use domain::ranking::{DEFAULT_TOP_N, MAX_TOP_N};
use serde::de::IgnoredAny;

use super::{exit_code_of, until_signal, up};
use crate::api_key::ApiKey;
use crate::fault::Fault;
use crate::options::{Options, SAMPLE_SOURCE};
use crate::pipeline::Pipeline;
use crate::progress::Progress;
use crate::report::Report;

/// After how long a failed message is delivered again. As deployed it is many minutes, which nobody at a terminal
/// wants to wait; what is deployed otherwise stays as it is.
const REDELIVERY_DELAY: Duration = Duration::from_secs(5);

/// What is run on.
#[derive(Debug, Args)]
pub(super) struct List {
    /// The source list to run on, a JSON file; by default the 250 films that ship with this repository.
    #[arg(long, value_name = "FILE")]
    source: Option<PathBuf>,
    /// How many movies the run has, 1 to 1000.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_TOP_N, value_parser = parse_top_n)]
    pub(super) top: usize,
}

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    list: List,
    /// Prints one JSON object instead of the table.
    #[arg(long)]
    json: bool,
    /// Stays up after the run and prints where everything answers, until Ctrl-C.
    #[arg(long)]
    keep: bool,
}

pub(super) fn parse_top_n(text: &str) -> Result<usize, String> {
    let top_n = text.parse().ok().filter(|top_n| (1..=MAX_TOP_N).contains(top_n));
    top_n.ok_or_else(|| format!("a whole number from 1 to {MAX_TOP_N} is wanted"))
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let options = options(&arguments.list, false)?;
    let (pipeline, report) = match until_signal(Box::pin(start_and_run(options))).await? {
        Ok(done) => done?,
        Err(signal) => return Ok(exit_code_of(signal)),
    };
    print(&report, arguments.json)?;
    if arguments.keep {
        up::tell_where(&pipeline, &format!(" --endpoint-url {}", pipeline.emulator().endpoint()))?;
        // The exit code stays that of the run.
        up::stay(&pipeline).await?;
    }
    Ok(ExitCode::from(u8::from(!report.is_complete())))
}

async fn start_and_run(options: Options) -> anyhow::Result<(Pipeline, Report)> {
    let top_n = options.top_n;
    let pipeline = Pipeline::start(options).await?;
    let report = fire_and_report(&pipeline, top_n).await?;
    Ok((pipeline, report))
}

/// Fires the schedule once and waits for the end of the run.
pub(super) async fn fire_and_report(pipeline: &Pipeline, top_n: usize) -> anyhow::Result<Report> {
    run_once(pipeline, top_n).await.map_err(|error| match pipeline.emulator().log_if_ended() {
        Some(log) => error.context(format!("the local AWS has ended; its log ends with:\n{log}\n")),
        None => error,
    })
}

/// What a pipeline on this machine is started with. The stand-in for OMDb is asked if it has to be, whatever the
/// environment says.
pub(super) fn options(list: &List, stand_in: bool) -> Result<Options, Fault> {
    let source = list.source.as_deref().map_or(Ok(SAMPLE_SOURCE.to_vec()), read_source)?;
    let real_omdb = ApiKey::from_environment().filter(|_| !stand_in);
    if real_omdb.is_some() {
        Progress::Shown.say("OMDB_API_KEY is set: the real OMDb is asked.");
    }
    Ok(Options {
        source: Some(source),
        top_n: list.top,
        // A real OMDb may need longer than the delay; its movies must not be delivered again meanwhile.
        redelivery_delay: real_omdb.is_none().then_some(REDELIVERY_DELAY),
        real_omdb,
        progress: Progress::Shown,
        ..Options::default()
    })
}

/// Reads the source before anything is started. JSON of a wrong shape passes: that is the pipeline's to judge.
fn read_source(path: &Path) -> Result<Vec<u8>, Fault> {
    let path = path.to_owned();
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(source) => return Err(Fault::SourceUnreadable { path, source }),
    };
    match serde_json::from_slice::<IgnoredAny>(&bytes) {
        Ok(_) => Ok(bytes),
        Err(source) => Err(Fault::SourceNotJson { path, source }),
    }
}

async fn run_once(pipeline: &Pipeline, top_n: usize) -> anyhow::Result<Report> {
    let event = pipeline.event_at(Utc::now())?;
    let start = Instant::now();
    pipeline.progress().say(&format!("· Firing the schedule for run {} …", event.run));
    pipeline.fire(&event).await?;
    let outcome = pipeline.wait_for_run(&event.run, timeout(top_n)).await?;
    Report::read(pipeline, &event.run, outcome, start.elapsed()).await
}

/// Ten movies take a second or two; this leaves room for every redelivery and for a slow OMDb.
fn timeout(top_n: usize) -> Duration {
    Duration::from_mins(3) + Duration::from_secs(top_n as u64)
}

fn print(report: &Report, json: bool) -> anyhow::Result<()> {
    let text = if json { serde_json::to_string(report)? } else { report.to_string() };
    let mut stdout = std::io::stdout().lock();
    std::io::Write::write_all(&mut stdout, format!("{text}\n").as_bytes()).context("printing the report")
}
