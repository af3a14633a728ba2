//! Where the binaries come from.

use std::path::{Path, PathBuf};

use anyhow::Context;
use artefacts::Architecture;
use artefacts::package::ENTRY;
use domain::contract::Service;

use crate::progress::Progress;
use crate::{artefacts as host_artefacts, package};

/// As what the binaries are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Built {
    /// As they are shipped.
    Shipped,
    /// As they are tested, which is quick to build and slow to run.
    Tested,
}

/// The binaries that are measured.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) ranker: PathBuf,
    pub(super) enricher: PathBuf,
    /// A function that does nothing.
    pub(super) floor: PathBuf,
    /// Reads a list over and over.
    pub(super) read_list: PathBuf,
    /// Notes the time and becomes one of the others.
    pub(super) timed_start: PathBuf,
}

/// The package that the last three are in.
const LIMITS: &str = "floor";

pub(super) async fn build(built: Built, progress: Progress) -> anyhow::Result<Programs> {
    match built {
        Built::Shipped => shipped(progress).await,
        Built::Tested => tested(progress).await,
    }
}

async fn shipped(progress: Progress) -> anyhow::Result<Programs> {
    let [ranker, enricher] = Service::ALL.map(Service::name);
    let wanted = package::Wanted { packages: &[ranker, enricher, LIMITS], folder: "bench", with_symbols: false };
    let folder = package::build_only(&wanted, native(), progress).await?;
    let program = |name: &str| in_folder(&folder, name);
    Ok(Programs {
        ranker: program(ranker),
        enricher: program(enricher),
        floor: program("floor"),
        read_list: program("read-list"),
        timed_start: program("timed-start"),
    })
}

/// The functions with the names of what is in them; tells the folder in which they lie.
pub(super) async fn with_symbols(progress: Progress) -> anyhow::Result<PathBuf> {
    let wanted =
        package::Wanted { packages: &Service::ALL.map(Service::name), folder: "bench-symbols", with_symbols: true };
    package::build_only(&wanted, native(), progress).await
}

pub(super) fn in_folder(folder: &Path, name: &str) -> PathBuf {
    folder.join(name).join(ENTRY)
}

/// What this machine can run.
pub(super) fn native() -> Architecture {
    if cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::X86_64 }
}

async fn tested(progress: Progress) -> anyhow::Result<Programs> {
    let executables = host_artefacts::build(progress).await?;
    let program = |name: &str| executables.get(name).cloned().with_context(|| format!("cargo built no {name}"));
    let [ranker, enricher] = Service::ALL.map(Service::name);
    Ok(Programs {
        ranker: program(ranker)?,
        enricher: program(enricher)?,
        floor: program("floor")?,
        read_list: program("read-list")?,
        timed_start: program("timed-start")?,
    })
}
