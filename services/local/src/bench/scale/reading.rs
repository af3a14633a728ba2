//! The ranker's reading of a list in memory, beside `serde_json` merely reading the same bytes into the same fields.

use std::io::{BufRead, BufReader, Write};
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use bytes::Bytes;
use tempfile::NamedTempFile;

use super::{Bench, NAME, Row, Series, goals, grouped, milliseconds};
use crate::bench::process_figures::figures;
use crate::process::Group;

const RANK: &str = "rank";
const SERDE: &str = "serde";

pub(super) fn run(bench: &Bench, (items, list): &(usize, Bytes)) -> anyhow::Result<Row> {
    let mut file = NamedTempFile::new().context("making a file for a list")?;
    file.write_all(list).context("writing a list")?;
    let mut reader = Reader::start(bench, &file, *items)?;
    // Once each, so that memory has its size.
    for way in [RANK, SERDE] {
        reader.read(way)?;
    }
    let mut series = Series::default();
    for _ in 0..bench.rounds {
        for way in [RANK, SERDE] {
            series.add(way, milliseconds(reader.read(way)?));
        }
    }
    let what = format!("read and rank {} items in memory: CPU", grouped(*items));
    let row = Row::new(NAME, what, "ms", series.summary(RANK)?);
    Ok(row.beside("serde_json reading", series.summary(SERDE)?).judged_by(&goals::RANK_LIMIT))
}

/// The program that reads a list as often as it is told to.
struct Reader {
    // Closed first, which ends the program.
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    process: Group,
    items: usize,
}

impl Reader {
    fn start(bench: &Bench, list: &NamedTempFile, items: usize) -> anyhow::Result<Self> {
        let mut command = Command::new(&bench.programs()?.read_list);
        command.arg(list.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Group::spawn(&mut command).context("starting the reader of lists")?;
        let pipes = process.take_stdin().zip(process.take_stdout());
        let (stdin, stdout) = pipes.context("the reader of lists has no pipes")?;
        Ok(Self { stdin, stdout: BufReader::new(stdout), process, items })
    }

    /// The processor time of one reading.
    fn read(&mut self, way: &str) -> anyhow::Result<Duration> {
        let before = figures(self.process.id())?.cpu;
        writeln!(self.stdin, "{way}").context("telling the reader of lists to read")?;
        let (mut read, items) = (String::new(), self.items);
        self.stdout.read_line(&mut read)?;
        ensure!(read.trim() == items.to_string(), "the reader read {:?} items instead of {items}", read.trim());
        // It has answered and is about to sleep; only then the system has counted all of its time.
        std::thread::sleep(Duration::from_millis(2));
        Ok(figures(self.process.id())?.cpu.saturating_sub(before))
    }
}
