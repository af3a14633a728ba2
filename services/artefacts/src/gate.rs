//! Is there a sound artefact for each function?

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use domain::contract::Service;

use crate::elf::{self, ElfFault};
use crate::package::{self, Unzipped};
use crate::{Architecture, BUILD_COMMAND};

/// What is wrong with one artefact.
#[derive(Debug)]
pub struct ArtefactFault {
    /// The function.
    pub service: Service,
    /// Where its zip should lie.
    pub path: PathBuf,
    /// Why it cannot be deployed.
    pub problem: Problem,
}

/// Why an artefact cannot be deployed.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// It has not been built.
    #[error("it does not exist")]
    Missing,
    /// It is there but cannot be read.
    #[error("it cannot be read ({0})")]
    Unreadable(io::Error),
    /// It is no zip with a `bootstrap` in it.
    #[error("it is no deployment package ({0})")]
    NotAPackage(zip::result::ZipError),
    /// Lambda may not run the `bootstrap` in it.
    #[error("its bootstrap is not marked as readable and executable for everyone, so Lambda may not run it")]
    NotExecutable,
    /// Its binary would not start.
    #[error("{}", join(.0))]
    WouldNotStart(Vec<ElfFault>),
}

fn join(faults: &[ElfFault]) -> String {
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// Every artefact that cannot be deployed, in one sentence each, and what to run.
#[derive(Debug)]
pub struct GateError {
    /// One per faulty artefact.
    pub faults: Vec<ArtefactFault>,
    /// What they should be built for.
    pub architecture: Architecture,
}

impl fmt::Display for GateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for ArtefactFault { service, path, problem } in &self.faults {
            writeln!(f, "The {}'s artefact {} cannot be deployed: {problem}.", service.name(), path.display())?;
        }
        write!(f, "Run `{BUILD_COMMAND} --architecture {}` to build the functions.", self.architecture)
    }
}

impl std::error::Error for GateError {}

/// Looks into the artefacts of all functions.
///
/// # Errors
/// [`GateError`] with every artefact that would not start on Lambda.
pub fn check(repository: &Path, architecture: Architecture) -> Result<(), GateError> {
    let fault = |service| {
        let path = package::path(repository, service);
        let problem = problem(&path, architecture)?;
        Some(ArtefactFault { service, path, problem })
    };
    let faults: Vec<_> = Service::ALL.into_iter().filter_map(fault).collect();
    if faults.is_empty() { Ok(()) } else { Err(GateError { faults, architecture }) }
}

fn problem(path: &Path, architecture: Architecture) -> Option<Problem> {
    let zip = match std::fs::read(path) {
        Ok(zip) => zip,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Some(Problem::Missing),
        Err(error) => return Some(Problem::Unreadable(error)),
    };
    let binary = match package::unzip(&zip) {
        Ok(Unzipped { is_executable: false, .. }) => return Some(Problem::NotExecutable),
        Ok(Unzipped { binary, .. }) => binary,
        Err(error) => return Some(Problem::NotAPackage(error)),
    };
    let faults = elf::faults(&binary, architecture);
    (!faults.is_empty()).then_some(Problem::WouldNotStart(faults))
}
