//! From 250 items to a million.

mod publishing;
mod reading;

use bytes::Bytes;

use super::goals;
use super::input::list_of;
use super::report::Row;
use super::statistics::log_log_slope;
use super::subjects::{Ranker, Telemetry};
use super::{Bench, Built, Series, megabytes, milliseconds, number};

pub(super) const NAME: &str = "scale";

/// The lengths of lists, shortest first.
const SIZES: [usize; 4] = [250, 10_000, 100_000, 1_000_000];

/// Those that a ranker without optimizations is done with in seconds.
const SIZES_TESTED: [usize; 4] = [250, 2_000, 4_000, 8_000];

pub(super) fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let sizes = match bench.built {
        Built::Shipped => SIZES,
        Built::Tested => SIZES_TESTED,
    };
    let lists = sizes.map(|items| (items, list_of(items)));
    let mut rows = ranker(bench, &lists)?;
    rows.push(reading::run(bench, &lists[2])?);
    rows.extend(publishing::run(bench)?);
    Ok(rows)
}

/// Each list by a ranker of its own, since a process never tells of a peak of memory that is lower than an earlier one;
/// warm, so that what is measured grows with the list and with nothing else.
fn ranker(bench: &Bench, lists: &[(usize, Bytes)]) -> anyhow::Result<Vec<Row>> {
    let mut series = Series::default();
    for round in 0..bench.rounds {
        bench.progress.say(&format!("  ranking up to a million items, round {}", round + 1));
        let (mut cpus, mut peaks) = (Vec::new(), Vec::new());
        for (items, list) in lists {
            let mut ranker = Ranker::start(bench, Telemetry::On)?;
            ranker.set_source(list.clone());
            // Buffers and heap grow with the first list of this length.
            ranker.run()?;
            let used = ranker.run()?;
            let (name, cpu_ms) = (name(*items), milliseconds(used.cpu));
            let (wall_ms, peak_mb) =
                (milliseconds(used.wall), megabytes(ranker.function.figures()?.peak_resident_bytes));
            series.add(&name, wall_ms);
            series.add(format!("{name}: time an item"), wall_ms * 1_000.0 / number(*items));
            series.add(format!("{name}: CPU"), cpu_ms);
            series.add(format!("{name}: CPU an item"), cpu_ms * 1_000.0 / number(*items));
            series.add(format!("{name}: peak memory"), peak_mb);
            cpus.push((number(*items), cpu_ms));
            peaks.push((*items, peak_mb));
        }
        for (items, peak_mb) in &peaks[1..] {
            let (more_mb, more) = (peak_mb - peaks[0].1, number(items - peaks[0].0));
            series.add(format!("{}{MEMORY_AN_ITEM}", name(*items)), more_mb * 1_000_000.0 / more);
        }
        series.add(SLOPE, log_log_slope(&beyond_the_first(&cpus)));
        series.add(WHOLE_SLOPE, log_log_slope(&cpus[1..]));
    }
    let sizes: Vec<_> = lists.iter().map(|(items, _)| *items).collect();
    rows(&series, &sizes)
}

/// What each list takes beyond the shortest, and how many items more it has: what an invocation takes in any case, calls
/// and telemetry, is no part of how it grows.
fn beyond_the_first(cpus: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let Some(((items, cpu_ms), others)) = cpus.split_first() else { return Vec::new() };
    others.iter().map(|(more, longer_ms)| (more - items, longer_ms - cpu_ms)).collect()
}

/// What a list occupies beyond the shortest, which is nearly all the function's own.
const MEMORY_AN_ITEM: &str = ": peak memory an item beyond that of 250";

const SLOPE: &str = "rank 10,000 to 1,000,000: CPU beyond that of 250 items grows by the power";

/// The same with what an invocation takes in any case, which makes up a third of the shortest of them.
const WHOLE_SLOPE: &str = "rank 10,000 to 1,000,000: CPU with calls and telemetry grows by the power";

fn name(items: usize) -> String {
    format!("rank {}", grouped(items))
}

/// A number with commas between its thousands.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let parts: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    parts.join(",")
}

fn rows(series: &Series, sizes: &[usize]) -> anyhow::Result<Vec<Row>> {
    let row = |what: String, unit| anyhow::Ok(Row::new(NAME, what.clone(), unit, series.summary(&what)?));
    let mut rows = Vec::new();
    for &items in sizes {
        let part = |part: &str, unit| row(format!("{}{part}", name(items)), unit);
        let (mut wall, mut cpu, mut memory) = (part("", "ms")?, part(": CPU", "ms")?, part(": peak memory", "MB")?);
        if items == 100_000 {
            wall = wall.original(goals::ORIGINAL_RANK_HUNDRED_THOUSAND_MS);
            cpu = cpu.original(goals::ORIGINAL_RANK_HUNDRED_THOUSAND_CPU_MS);
            memory = memory.original(goals::ORIGINAL_RANK_HUNDRED_THOUSAND_MB);
        }
        if items == 1_000_000 {
            wall = wall.original(goals::ORIGINAL_RANK_MILLION_MS);
            cpu = cpu.original(goals::ORIGINAL_RANK_MILLION_CPU_MS).judged_by(&goals::RANK_MILLION_CPU_MS);
            memory = memory.original(goals::ORIGINAL_RANK_MILLION_MB).judged_by(&goals::RANK_MILLION_MB);
        }
        rows.extend([wall, cpu, memory, part(": time an item", "µs")?, part(": CPU an item", "µs")?]);
        if items != sizes[0] {
            rows.push(part(MEMORY_AN_ITEM, "B")?);
        }
    }
    rows.push(row(SLOPE.to_owned(), "")?.judged_by(&goals::RANK_SLOPE));
    rows.push(row(WHOLE_SLOPE.to_owned(), "")?);
    Ok(rows)
}
