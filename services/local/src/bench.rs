//! How fast, small and cheap the functions are, beside their limits and the original.
//!
//! What ships is measured: the binaries of `cargo local package`, as their own processes, between stand-ins on loopback.
//! Everything that is compared is measured in the same rounds, one after the other, so that a busy machine hurts all of it
//! alike; processor time stands beside wall time, since it hardly feels the neighbours.
//!
//! | Module | What it knows |
//! |---|---|
//! | `cold`, `warm`, `scale`, `pipeline`, `telemetry`, `size`, `costs` | the cases |
//! | `subjects` | both functions with all that they ask for, and what a sound answer is |
//! | `function`, `runtime_api`, `process_figures` | a function as Lambda runs it, and what it used |
//! | `aws`, `http` | the AWS that it asks |
//! | `input` | lists of any length, events |
//! | `programs` | where the binaries come from |
//! | `statistics`, `goals`, `report` | what it comes to |

mod aws;
mod cold;
mod costs;
mod function;
mod goals;
mod http;
mod input;
mod pipeline;
mod process_figures;
mod programs;
mod report;
mod runtime_api;
mod scale;
mod size;
mod statistics;
mod subjects;
mod telemetry;
mod warm;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use chrono::{SecondsFormat, Utc};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use self::programs::Programs;
use self::report::Row;
use self::statistics::Summary;
use crate::fault::Fault;
use crate::progress::Progress;

pub(crate) use programs::Built;
pub(crate) use report::Report;

/// How often everything is measured, at least, for a figure that can be told to others.
pub(crate) const ROUNDS: usize = 12;

/// Something that can be measured.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    run: fn(&Bench) -> anyhow::Result<Vec<Row>>,
}

/// All of them.
pub(crate) const CASES: [Case; 7] = [
    Case { name: cold::NAME, what: "from the process started to the first answer", run: cold::run },
    Case { name: warm::NAME, what: "ranking 250 items, enriching ten movies", run: warm::run },
    Case { name: scale::NAME, what: "ranking up to a million items", run: scale::run },
    Case {
        name: pipeline::NAME,
        what: "ten movies to ten runs of a thousand at once, through the whole local pipeline",
        run: pipeline::run,
    },
    Case { name: telemetry::NAME, what: "what traces and metrics take of a warm invocation", run: telemetry::run },
    Case { name: size::NAME, what: "binaries, zips, and what takes the room", run: size::run },
    Case { name: costs::NAME, what: "what a run and a million movies use and cost", run: costs::run },
];

/// What cases are measured with.
pub(crate) struct Bench {
    pub(crate) rounds: usize,
    pub(crate) built: Built,
    pub(crate) progress: Progress,
    runtime: Handle,
    programs: OnceCell<Programs>,
}

impl Bench {
    /// To be called where a runtime is; what it starts may then block.
    pub(crate) fn new(rounds: usize, built: Built, progress: Progress) -> Self {
        Self { rounds, built, progress, runtime: Handle::current(), programs: OnceCell::new() }
    }

    /// Measures these cases, all if none is named, one after the other. It blocks.
    pub(crate) fn run(&self, names: &[String]) -> anyhow::Result<Report> {
        if !process_figures::are_told() {
            return Err(Fault::Usage(
                "processor time and memory are read from /proc, which this system lacks; run it on Linux".to_owned(),
            )
            .into());
        }
        let wanted = |case: &&Case| names.is_empty() || names.iter().any(|name| name == case.name);
        let mut rows = Vec::new();
        for case in CASES.iter().filter(wanted) {
            self.progress.say(&format!("· {}: {} …", case.name, case.what));
            rows.extend((case.run)(self).with_context(|| format!("measuring {}", case.name))?);
        }
        let date = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        Ok(Report { machine: machine(), date, rounds: self.rounds, rows })
    }

    /// The binaries, built when they are first needed.
    fn programs(&self) -> anyhow::Result<&Programs> {
        self.runtime.block_on(self.programs.get_or_try_init(|| programs::build(self.built, self.progress)))
    }
}

/// Measurements by what was measured.
#[derive(Debug, Default)]
struct Series(BTreeMap<String, Vec<f64>>);

impl Series {
    fn add(&mut self, what: impl Into<String>, measured: f64) {
        self.0.entry(what.into()).or_default().push(measured);
    }

    fn summary(&self, what: &str) -> anyhow::Result<Summary> {
        self.0.get(what).and_then(|measured| Summary::of(measured)).with_context(|| format!("nobody measured {what}"))
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1_000_000.0
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn number(things: usize) -> f64 {
    things as f64
}

/// The processor and how many of it.
fn machine() -> String {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = told.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let name = name.map_or("a processor that does not tell its name", |(_, name)| name);
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{processors} × {name}, {}", std::env::consts::ARCH)
}
