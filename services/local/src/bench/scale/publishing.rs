//! A run of a thousand movies: how long the ranker takes to get them out.

use super::{Bench, NAME, Ranker, Row, Series, Telemetry, goals, list_of, megabytes, milliseconds};
use crate::bench::warm::WARM_UP;

/// The most that a run has.
const MOVIES: usize = 1_000;

const WALL: &str = "rank 1,000 and publish all of them";
const CPU: &str = "rank 1,000 and publish all of them: CPU";

const PEAK: &str = "rank 1,000 and publish all of them: peak memory";

pub(super) fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let mut ranker = Ranker::of_runs_of(bench, Telemetry::On, MOVIES)?;
    ranker.set_source(list_of(MOVIES));
    for _ in 0..WARM_UP {
        ranker.run()?;
    }
    let mut series = Series::default();
    for _ in 0..bench.rounds {
        let used = ranker.run()?;
        series.add(WALL, milliseconds(used.wall));
        series.add(CPU, milliseconds(used.cpu));
        series.add(PEAK, megabytes(ranker.function.figures()?.peak_resident_bytes));
    }
    let row = |what, unit| anyhow::Ok(Row::new(NAME, what, unit, series.summary(what)?));
    Ok(vec![row(WALL, "ms")?.judged_by(&goals::PUBLISH_MS), row(CPU, "ms")?, row(PEAK, "MB")?])
}
