//! Movies through the whole local pipeline, beside a function that does nothing in the place of the enricher: the local
//! AWS is in Python and on the same processors, so what it can hand out is the ceiling here, and only the ratio tells of
//! the enricher.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::ensure;
use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use domain::Run;
use domain::contract::Service;
use futures_util::future::try_join_all;
use pulumi::config::settings;

use super::report::Row;
use super::statistics::{Summary, log_log_slope};
use super::{Bench, Built, Series, goals, megabytes, milliseconds, number};
use crate::artefacts::{Artefacts, package};
use crate::bench::input::list_of;
use crate::bench::process_figures::{Figures, figures, of_function};
use crate::bench::programs::Programs;
use crate::deploy::Configuration;
use crate::options::Options;
use crate::pipeline::{Answer, Pipeline};
use crate::progress::Progress;
use crate::schedule::ScheduledEvent;

pub(super) const NAME: &str = "pipeline";

/// How many movies a run has, and how many runs are started at once.
const LOADS: [(usize, usize); 4] = [(10, 1), (100, 1), (1_000, 1), (1_000, 10)];

/// Those that are done with in seconds.
const LOADS_TESTED: [(usize, usize); 2] = [(10, 1), (10, 2)];

/// A load of so many movies takes minutes, and its figures are means over as many. It is measured a quarter as often, or
/// the command would take half the time for it alone.
const LARGE_LOAD: usize = 10_000;

fn rounds_of(all: usize, movies: usize) -> usize {
    if movies >= LARGE_LOAD { all.div_ceil(4) } else { all }
}

/// How long one load may take.
const TIMEOUT: Duration = Duration::from_mins(10);

/// How often the queue is asked whether it is empty. Each question takes some of the local AWS's time.
const PAUSE: Duration = Duration::from_millis(25);

pub(super) fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let programs = bench.programs()?;
    let (mut rows, mut cpus) = (Vec::new(), Vec::new());
    let loads: &[_] = match bench.built {
        Built::Shipped => &LOADS,
        Built::Tested => &LOADS_TESTED,
    };
    for &(movies, runs) in loads {
        let (of_load, cpu_ms_a_movie) = bench.runtime.block_on(load(bench, programs, movies, runs))?;
        rows.extend(of_load);
        let all = number(movies * runs);
        cpus.push((all, all * cpu_ms_a_movie));
    }
    rows.push(Row::new(NAME, SLOPE, "", Summary::exact(log_log_slope(&cpus))));
    Ok(rows)
}

const SLOPE: &str = "10 to 10,000 movies: the enricher's CPU grows by the power";

/// A load, through a pipeline of ours and one with a function that does nothing.
///
/// Gives its rows, and the enricher's processor time a movie.
async fn load(bench: &Bench, programs: &Programs, movies: usize, runs: usize) -> anyhow::Result<(Vec<Row>, f64)> {
    let Programs { ranker, enricher, floor, .. } = programs;
    let source = list_of(movies.max(250));
    let mut ours = Line::start(movies, runs, &source, packages(ranker, enricher)?).await?;
    let mut nothing = Line::start(movies, runs, &source, packages(ranker, floor)?).await?;
    let name = match runs {
        1 => format!("{movies} movies through the pipeline"),
        _ => format!("{runs} runs of {movies} movies at once"),
    };
    let mut series = Series::default();
    // Functions are started by the first load.
    ours.measure().await?;
    nothing.measure().await?;
    for round in 0..rounds_of(bench.rounds, movies * runs) {
        bench.progress.say(&format!("  {name}, round {}", round + 1));
        let used = ours.measure().await?;
        ours.check().await?;
        series.add(RATE, used.rate);
        series.add(TIME, 1_000.0 / used.rate);
        if let Some(cpu_ms) = used.cpu_ms {
            series.add(CPU, cpu_ms);
        }
        series.add(MEMORY, used.peak_mb);
        series.add(CEILING, nothing.measure().await?.rate);
    }
    let row = |what, unit| anyhow::Ok(Row::new(NAME, format!("{name}: {what}"), unit, series.summary(what)?));
    let rate = row(RATE, "/s")?.beside("nothing done", series.summary(CEILING)?);
    // The goal is for loads that take long enough to be measured.
    let rate = if movies * runs >= 1_000 { rate.judged_by(&goals::THROUGHPUT) } else { rate };
    let rows = vec![rate, row(TIME, "ms")?, row(CPU, "ms")?, row(MEMORY, "MB")?];
    Ok((rows, series.summary(CPU)?.median))
}

const RATE: &str = "messages";
const TIME: &str = "time a movie";
const CPU: &str = "the enricher's CPU a movie";
const MEMORY: &str = "the enricher's peak memory";
const CEILING: &str = "messages, nothing done";

fn packages(ranker: &std::path::Path, enricher: &std::path::Path) -> anyhow::Result<Artefacts> {
    Ok(Artefacts::from([(Service::Ranker, package(ranker)?), (Service::Enricher, package(enricher)?)]))
}

/// The processor time that they used in between, if none of them has ended.
fn cpu_between(before: &BTreeMap<u32, Figures>, after: &BTreeMap<u32, Figures>) -> Option<Duration> {
    if !before.keys().all(|process| after.contains_key(process)) {
        return None;
    }
    let used = |(process, figures): (&u32, &Figures)| {
        figures.cpu.saturating_sub(before.get(process).map_or(Duration::ZERO, |before| before.cpu))
    };
    Some(after.iter().map(used).sum())
}

/// A pipeline under load.
struct Line {
    pipeline: Pipeline,
    movies: usize,
    runs: usize,
    next: DateTime<Utc>,
    /// The runs of the last load.
    loaded: Vec<Run>,
}

struct Used {
    /// Messages a second.
    rate: f64,
    /// None if a process has ended meanwhile and taken along what it used.
    cpu_ms: Option<f64>,
    peak_mb: f64,
}

impl Line {
    async fn start(movies: usize, runs: usize, source: &Bytes, functions: Artefacts) -> anyhow::Result<Self> {
        let options = Options {
            source: Some(source.to_vec()),
            top_n: movies,
            // As deployed unless told otherwise; the receiver here would keep the spans of a hundred thousand movies.
            // And as many rankers as there are runs, so that these begin at once.
            configuration: Configuration::from([
                (settings::OTLP_ENDPOINT.name.to_owned(), String::new()),
                (settings::RESERVE_CONCURRENCY.name.to_owned(), "false".to_owned()),
            ]),
            functions: Some(functions),
            progress: Progress::Silent,
            ..Options::default()
        };
        let pipeline = Box::pin(Pipeline::start(options)).await?;
        Ok(Self { pipeline, movies, runs, next: Utc::now(), loaded: Vec::new() })
    }

    /// One load: from the first event to the queue empty again.
    async fn measure(&mut self) -> anyhow::Result<Used> {
        let before = self.enrichers()?;
        let begun = Instant::now();
        let mut events = Vec::new();
        for _ in 0..self.runs {
            self.next += TimeDelta::seconds(1);
            events.push(self.pipeline.event_at(self.next)?);
        }
        try_join_all(events.iter().map(|event| self.rank(event))).await?;
        self.wait_until_empty(begun).await?;
        let took = begun.elapsed();
        let after = self.enrichers()?;
        let movies = number(self.movies * self.runs);
        self.loaded = events.into_iter().map(|event| event.run).collect();
        Ok(Used {
            rate: movies / took.as_secs_f64(),
            cpu_ms: cpu_between(&before, &after).map(|cpu| milliseconds(cpu) / movies),
            peak_mb: megabytes(after.values().map(|figures| figures.peak_resident_bytes).max().unwrap_or_default()),
        })
    }

    /// Publishes a run.
    async fn rank(&self, event: &ScheduledEvent) -> anyhow::Result<()> {
        let answer = self.pipeline.invoke(Service::Ranker, event.json()).await?;
        ensure!(matches!(answer, Answer::Success(_)), "the ranker answered with {answer:?}");
        Ok(())
    }

    async fn wait_until_empty(&self, begun: Instant) -> anyhow::Result<()> {
        let queue = &self.pipeline.deployment().queue_url;
        while self.pipeline.messages_in(queue).await? > 0 {
            ensure!(begun.elapsed() < TIMEOUT, "the queue is not empty after {} s", TIMEOUT.as_secs());
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// What each process of the enricher used so far.
    fn enrichers(&self) -> anyhow::Result<BTreeMap<u32, Figures>> {
        let name = &self.pipeline.deployment().enricher_function;
        let processes = of_function(self.pipeline.emulator().process_group(), name)?;
        // One that ends meanwhile is missed by whoever compares.
        Ok(processes.into_iter().filter_map(|process| Some((process, figures(process).ok()?))).collect())
    }

    /// Whether all runs of the last load are complete: figures of work that was not done would be fine figures.
    async fn check(&self) -> anyhow::Result<()> {
        for run in &self.loaded {
            let list = self.pipeline.read_object(&domain::enriched::run_list_key(run)).await?;
            ensure!(list.is_some(), "the run {} has no list", run.as_str());
        }
        let letters = self.pipeline.messages_in(&self.pipeline.deployment().dead_letter_queue_url).await?;
        ensure!(letters == 0, "{letters} messages failed for good");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used(processes: &[(u32, u64)]) -> BTreeMap<u32, Figures> {
        let figures = |cpu_ms| Figures { cpu: Duration::from_millis(cpu_ms), ..Figures::default() };
        processes.iter().map(|(process, cpu_ms)| (*process, figures(*cpu_ms))).collect()
    }

    #[test]
    fn processes_that_come_count_from_their_start_and_one_that_ended_leaves_no_figure() {
        let before = used(&[(1, 100), (2, 50)]);
        let between = |after: &[(u32, u64)]| cpu_between(&before, &used(after)).map(|cpu| cpu.as_millis());
        assert_eq!(between(&[(1, 130), (2, 50), (3, 7)]), Some(37));
        assert_eq!(between(&[(1, 130), (3, 7)]), None);
    }
}
