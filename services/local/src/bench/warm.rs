//! Invocations of functions that have served some already.

use std::time::{Duration, Instant};

use anyhow::ensure;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::function::{Function, Used};
use super::goals;
use super::http::Client;
use super::report::Row;
use super::statistics::Summary;
use super::subjects::{Enricher, Ranker, Telemetry};
use super::{Bench, Series, megabytes, milliseconds, number};
use crate::omdb::KEY;

pub(super) const NAME: &str = "warm";

/// Invocations before anything is measured: connections are open then, and memory has its size.
pub(super) const WARM_UP: usize = 3;

/// Invocations a round whose processor time is shared out: one alone is near the clock's own noise.
pub(super) const INVOCATIONS: usize = 10;

/// What OMDb takes where it takes time.
const OMDB_DELAY: Duration = Duration::from_millis(50);

/// What S3 takes where it takes time: AWS speaks of roughly 100 to 200 ms for a small object
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html>).
const S3_DELAY: Duration = Duration::from_millis(100);

pub(super) fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let mut ranker = Ranker::start(bench, Telemetry::On)?;
    let mut enricher = Enricher::start(bench, Telemetry::On, Duration::ZERO)?;
    let mut slow = Enricher::start(bench, Telemetry::On, OMDB_DELAY)?;
    let mut far = Enricher::start(bench, Telemetry::On, OMDB_DELAY)?;
    far.set_s3_delay(S3_DELAY);
    let mut omdb = Question::to(&slow)?;
    for _ in 0..WARM_UP {
        ranker.run()?;
        enricher.run()?;
        slow.run()?;
        far.run()?;
    }
    let mut series = Series::default();
    for _ in 0..bench.rounds {
        note_round(&mut series, RANK, || ranker.run())?;
        note_round(&mut series, ENRICH, || enricher.run())?;
        note_round(&mut series, ENRICH_50, || slow.run())?;
        note_invocations(&mut series, ENRICH_FAR, 1, || far.run())?;
        series.add(ONE_CALL, milliseconds(omdb.ask()?));
        let functions = [
            (RANK, &ranker.function),
            (ENRICH, &enricher.function),
            (ENRICH_50, &slow.function),
            (ENRICH_FAR, &far.function),
        ];
        for (name, function) in functions {
            note_memory(&mut series, name, function)?;
        }
    }
    rows(&series)
}

const RANK: &str = "rank 250";
const ENRICH: &str = "enrich 10, OMDb at 0 ms";
const ENRICH_50: &str = "enrich 10, OMDb at 50 ms";
const ENRICH_FAR: &str = "enrich 10, OMDb at 50 ms and S3 at 100 ms";
const ONE_CALL: &str = "one call to OMDb at 50 ms";

/// The median times and the mean processor time of a round's invocations. Gives the latter, in milliseconds.
pub(super) fn note_round(
    series: &mut Series,
    name: &str,
    run: impl FnMut() -> anyhow::Result<Used>,
) -> anyhow::Result<f64> {
    note_invocations(series, name, INVOCATIONS, run)
}

fn note_invocations(
    series: &mut Series,
    name: &str,
    invocations: usize,
    mut run: impl FnMut() -> anyhow::Result<Used>,
) -> anyhow::Result<f64> {
    let used = (0..invocations).map(|_| run()).collect::<Result<Vec<_>, _>>()?;
    let median = |time: fn(&Used) -> Duration| {
        let times: Vec<_> = used.iter().map(|used| milliseconds(time(used))).collect();
        Summary::of(&times).map_or(f64::NAN, |times| times.median)
    };
    let cpu_ms = used.iter().map(|used| milliseconds(used.cpu)).sum::<f64>() / number(invocations);
    series.add(name, median(|used| used.wall));
    series.add(format!("{name}: occupied"), median(|used| used.occupied));
    series.add(format!("{name}: CPU"), cpu_ms);
    Ok(cpu_ms)
}

/// What a function occupies, and the most that it did so far.
pub(super) fn note_memory(series: &mut Series, name: &str, function: &Function) -> anyhow::Result<()> {
    let figures = function.figures()?;
    series.add(format!("{name}: memory"), megabytes(figures.resident_bytes));
    series.add(format!("{name}: peak memory"), megabytes(figures.peak_resident_bytes));
    Ok(())
}

/// A question to an enricher's OMDb, by somebody else.
struct Question {
    client: Client,
    target: String,
}

impl Question {
    fn to(enricher: &Enricher) -> anyhow::Result<Self> {
        let base = enricher.omdb.base_url();
        let address = base.trim_start_matches("http://").trim_end_matches('/').parse()?;
        let target = format!("/?apikey={}&i=tt0111161", utf8_percent_encode(KEY, NON_ALPHANUMERIC));
        Ok(Self { client: Client::connect(address)?, target })
    }

    fn ask(&mut self) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        let answer = self.client.get(&self.target)?;
        ensure!(!answer.is_empty(), "OMDb's stand-in answered with nothing");
        Ok(begun.elapsed())
    }
}

fn rows(series: &Series) -> anyhow::Result<Vec<Row>> {
    let row = |what: &str, unit| anyhow::Ok(Row::new(NAME, what, unit, series.summary(what)?));
    let part = |name: &str, part: &str, unit| row(&format!("{name}: {part}"), unit);
    Ok(vec![
        row(RANK, "ms")?.original(goals::ORIGINAL_RANK_250_MS),
        part(RANK, "occupied", "ms")?,
        part(RANK, "CPU", "ms")?.original(goals::ORIGINAL_RANK_250_CPU_MS).judged_by(&goals::RANK_250_CPU_MS),
        part(RANK, "memory", "MB")?.original(goals::ORIGINAL_RANKER_MB).judged_by(&goals::MEMORY_MB),
        part(RANK, "peak memory", "MB")?,
        row(ENRICH, "ms")?.original(goals::ORIGINAL_ENRICH_MS),
        part(ENRICH, "occupied", "ms")?,
        part(ENRICH, "CPU", "ms")?.original(goals::ORIGINAL_ENRICH_CPU_MS).judged_by(&goals::ENRICH_CPU_MS),
        part(ENRICH, "memory", "MB")?.original(goals::ORIGINAL_ENRICHER_MB).judged_by(&goals::MEMORY_MB),
        part(ENRICH, "peak memory", "MB")?,
        row(ENRICH_50, "ms")?
            .original(goals::ORIGINAL_ENRICH_50_MS)
            .beside("one call", series.summary(ONE_CALL)?)
            .judged_by(&goals::ENRICH_WALL),
        part(ENRICH_50, "occupied", "ms")?,
        part(ENRICH_50, "CPU", "ms")?.original(goals::ORIGINAL_ENRICH_50_CPU_MS),
        part(ENRICH_50, "peak memory", "MB")?,
        row(ENRICH_FAR, "ms")?.beside("one call", series.summary(ONE_CALL)?),
        part(ENRICH_FAR, "occupied", "ms")?,
        part(ENRICH_FAR, "CPU", "ms")?,
        part(ENRICH_FAR, "peak memory", "MB")?,
    ])
}
