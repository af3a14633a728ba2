//! From the process started to the first answer.

use std::time::Duration;

use super::aws::Aws;
use super::function::{Function, Used};
use super::goals;
use super::report::Row;
use super::subjects::{Enricher, Ranker, Telemetry, start_floor};
use super::warm::note_memory;
use super::{Bench, Series, megabytes, milliseconds};

pub(super) const NAME: &str = "cold";

const FLOOR: &str = "floor";
const RANKER: &str = "ranker";
const ENRICHER: &str = "enricher";

pub(super) fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let aws = Aws::start()?;
    let mut series = Series::default();
    for _ in 0..bench.rounds {
        let floor = start_floor(bench, &aws)?;
        note_start(&mut series, FLOOR, &floor)?;
        note_first(&mut series, FLOOR, &floor.invoke(b"{}".to_vec())?);
        note_memory(&mut series, FLOOR, &floor)?;

        let mut ranker = Ranker::start(bench, Telemetry::On)?;
        note_start(&mut series, RANKER, &ranker.function)?;
        note_first(&mut series, RANKER, &ranker.run()?);
        note_memory(&mut series, RANKER, &ranker.function)?;

        let mut enricher = Enricher::start(bench, Telemetry::On, Duration::ZERO)?;
        note_start(&mut series, ENRICHER, &enricher.function)?;
        note_first(&mut series, ENRICHER, &enricher.run()?);
        note_memory(&mut series, ENRICHER, &enricher.function)?;
    }
    rows(&series)
}

fn note_start(series: &mut Series, name: &str, function: &Function) -> anyhow::Result<()> {
    let figures = function.figures()?;
    series.add(format!("{name}: start"), milliseconds(function.started_in));
    series.add(format!("{name}: start, CPU"), milliseconds(figures.cpu));
    series.add(format!("{name}: memory after the start"), megabytes(figures.resident_bytes));
    Ok(())
}

fn note_first(series: &mut Series, name: &str, used: &Used) {
    series.add(format!("{name}: first invocation"), milliseconds(used.wall));
    series.add(format!("{name}: first invocation, occupied"), milliseconds(used.occupied));
    series.add(format!("{name}: first invocation, CPU"), milliseconds(used.cpu));
}

fn rows(series: &Series) -> anyhow::Result<Vec<Row>> {
    let functions = [
        (RANKER, goals::ORIGINAL_RANKER_START_MS, goals::ORIGINAL_RANKER_FIRST_MS),
        (ENRICHER, goals::ORIGINAL_ENRICHER_START_MS, goals::ORIGINAL_ENRICHER_FIRST_MS),
    ];
    let mut rows = Vec::new();
    for (name, original_start, original_first) in functions {
        let row = |what: &str, unit| {
            let measured = series.summary(&format!("{name}: {what}"))?;
            let floor = series.summary(&format!("{FLOOR}: {what}"))?;
            anyhow::Ok(Row::new(NAME, format!("{name}: {what}"), unit, measured).beside("the floor", floor))
        };
        rows.push(row("start", "ms")?.original(original_start).judged_by(&goals::START));
        rows.push(row("start, CPU", "ms")?);
        rows.push(row("memory after the start", "MB")?);
        rows.push(row("first invocation", "ms")?.original(original_first));
        rows.push(row("first invocation, occupied", "ms")?);
        rows.push(row("first invocation, CPU", "ms")?);
        rows.push(row("peak memory", "MB")?);
    }
    Ok(rows)
}
