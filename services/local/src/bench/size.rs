//! How large the functions are, and what takes the room.

mod crates;

use std::fs;

use anyhow::Context;
use artefacts::package::zip;
use domain::contract::Service;

use super::goals;
use super::programs::{in_folder, native, with_symbols};
use super::report::Row;
use super::statistics::Summary;
use super::{Bench, megabytes};

pub(super) const NAME: &str = "size";

/// How many crates are told.
const LARGEST: usize = 12;

pub(super) fn run(bench: &Bench) -> anyhow::Result<Vec<Row>> {
    let programs = bench.programs()?;
    let with_symbols = bench.runtime.block_on(with_symbols(bench.progress))?;
    let mut rows = Vec::new();
    for (service, path) in [(Service::Ranker, &programs.ranker), (Service::Enricher, &programs.enricher)] {
        let name = service.name();
        let row = |what: String, bytes: u64| Row::new(NAME, what, "MB", Summary::exact(megabytes(bytes)));
        let binary = read(path)?;
        let packed = zip(&binary).with_context(|| format!("zipping {}", path.display()))?;
        rows.push(
            row(format!("{name}: zip, {}", native()), packed.len() as u64)
                .original(goals::ORIGINAL_ZIP_MB)
                .judged_by(&goals::ZIP_MB),
        );
        rows.push(row(format!("{name}: binary"), binary.len() as u64));
        let parts = crates::parts_of(&read(&in_folder(&with_symbols, name))?)?;
        rows.extend(parts.sections.into_iter().map(|(part, bytes)| row(format!("{name}: section {part}"), bytes)));
        let crates = parts.crates.into_iter().take(LARGEST);
        rows.extend(crates.map(|(part, bytes)| row(format!("{name}: code of {part}"), bytes)));
    }
    Ok(rows)
}

fn read(path: &std::path::Path) -> anyhow::Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("reading {}", path.display()))
}
