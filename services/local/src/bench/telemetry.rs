//! What traces and metrics take of a warm invocation: with them, and with `OTEL_SDK_DISABLED=true`.

use std::time::Duration;

use super::goals;
use super::report::Row;
use super::subjects::{Enricher, Ranker, Telemetry};
use super::warm::{WARM_UP, note_memory, note_round};
use super::{Bench, Series};

pub(super) const NAME: &str = "telemetry";

const RANK: &str = "rank 250";
const ENRICH: &str = "enrich 10";

pub(super) fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let ranker = |telemetry| Ranker::start(bench, telemetry);
    let enricher = |telemetry| Enricher::start(bench, telemetry, Duration::ZERO);
    let (mut ranker_on, mut ranker_off) = (ranker(Telemetry::On)?, ranker(Telemetry::Off)?);
    let (mut enricher_on, mut enricher_off) = (enricher(Telemetry::On)?, enricher(Telemetry::Off)?);
    for _ in 0..WARM_UP {
        for ranker in [&mut ranker_on, &mut ranker_off] {
            ranker.run()?;
        }
        for enricher in [&mut enricher_on, &mut enricher_off] {
            enricher.run()?;
        }
    }
    let mut series = Series::default();
    for _ in 0..bench.rounds {
        let on_ms = note_round(&mut series, &with(RANK), || ranker_on.run())?;
        let off_ms = note_round(&mut series, &without(RANK), || ranker_off.run())?;
        series.add(share(RANK), (on_ms - off_ms) / on_ms * 100.0);
        let on_ms = note_round(&mut series, &with(ENRICH), || enricher_on.run())?;
        let off_ms = note_round(&mut series, &without(ENRICH), || enricher_off.run())?;
        series.add(share(ENRICH), (on_ms - off_ms) / on_ms * 100.0);
        let functions = [
            (with(RANK), &ranker_on.function),
            (without(RANK), &ranker_off.function),
            (with(ENRICH), &enricher_on.function),
            (without(ENRICH), &enricher_off.function),
        ];
        for (name, function) in functions {
            note_memory(&mut series, &name, function)?;
        }
    }
    let mut rows = Vec::new();
    for name in [RANK, ENRICH] {
        rows.extend(rows_of(&series, name)?);
    }
    Ok(rows)
}

fn with(name: &str) -> String {
    format!("{name}, with telemetry")
}

fn without(name: &str) -> String {
    format!("{name}, without")
}

fn share(name: &str) -> String {
    format!("{name}: telemetry's share of CPU")
}

fn rows_of(series: &Series, name: &str) -> anyhow::Result<Vec<Row>> {
    let pair = |part: &str, unit| {
        let (on, off) = (format!("{}{part}", with(name)), format!("{}{part}", without(name)));
        let (measured, beside) = (series.summary(&on)?, series.summary(&off)?);
        anyhow::Ok(Row::new(NAME, on, unit, measured).beside("without", beside))
    };
    let share = Row::new(NAME, share(name), "%", series.summary(&share(name))?);
    Ok(vec![
        pair("", "ms")?,
        pair(": occupied", "ms")?,
        pair(": CPU", "ms")?,
        pair(": peak memory", "MB")?,
        share.judged_by(&goals::TELEMETRY_SHARE),
    ])
}
