//! What keeps the pipeline from being started: each one plain sentence and what to do.

use std::path::PathBuf;

use crate::endpoint::EndpointFault;

/// The caller's or the machine's fault, as opposed to a run that failed. The program ends with [`Fault::EXIT_CODE`].
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// `--source` names a file that cannot be read.
    #[error("the source file {} cannot be read ({source}); give --source the path of a JSON file", path.display())]
    SourceUnreadable {
        /// The path as given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// `--source` names a file that holds no JSON.
    #[error("the source file {} is not JSON ({source}); give --source a list such as services/local/samples/Top250Movies.json", path.display())]
    SourceNotJson {
        /// The path as given.
        path: PathBuf,
        /// Where and why reading stopped.
        source: serde_json::Error,
    },
    /// The program does not lie in a target directory of cargo.
    #[error("{} lies in no target directory of cargo; start it with `cargo local`", executable.display())]
    NoTargetDirectory {
        /// Where it lies.
        executable: PathBuf,
    },
    /// No `python3` on the `PATH`.
    #[error("Python 3 was not found ({source}); install Python 3.10 or newer so that `python3` is on the PATH")]
    PythonMissing {
        /// What the system said.
        source: std::io::Error,
    },
    /// `python3` cannot run the tools.
    #[error("Python 3.10 or newer is needed, but `python3` is {found}; put a newer one first on the PATH")]
    PythonTooOld {
        /// What `python3 --version` prints.
        found: String,
    },
    /// `python3 -m venv` failed.
    #[error(
        "Python cannot make a virtual environment; install its venv module (on Debian and Ubuntu: apt install python3-venv). It said: {output}"
    )]
    VenvFailed {
        /// The end of what it printed.
        output: String,
    },
    /// `pip install` failed.
    #[error(
        "pip could not install {what}; check that the Python package index can be reached, then try again. It said: {output}"
    )]
    PipFailed {
        /// What it should have installed.
        what: &'static str,
        /// The end of what it printed.
        output: String,
    },
    /// No `cargo`.
    #[error("cargo was not found ({source}), so the functions cannot be built; install Rust from https://rustup.rs")]
    CargoMissing {
        /// What the system said.
        source: std::io::Error,
    },
    /// The functions do not compile. What the compiler said has been shown.
    #[error("the functions could not be built; mend what the compiler reports above, then try again")]
    BuildFailed,
    /// The functions cannot be built for Lambda. What was said has been shown.
    #[error(
        "the functions could not be built for Lambda; mend what is reported above, then try again. If Rust's standard library for {target} is missing: rustup target add {target}"
    )]
    PackageFailed {
        /// Rust's target triple.
        target: &'static str,
    },
    /// The emulator did not start.
    #[error("the local AWS did not start ({reason}); its log ends with:\n{log}")]
    EmulatorFailed {
        /// What was waited for.
        reason: String,
        /// The end of its log.
        log: String,
    },
    /// The program's configuration is refused by the Pulumi program.
    #[error("{0}")]
    Configuration(String),
    /// What the command line asks for does not exist, or cannot be done so.
    #[error("{0}")]
    Usage(String),
    /// An AWS that a command asks does not answer as it should.
    #[error(transparent)]
    Endpoint(#[from] EndpointFault),
    /// Files, folders or sockets of this machine.
    #[error("{doing}: {source}")]
    Machine {
        /// What was being done, as the start of a sentence.
        doing: String,
        /// What the system said.
        source: std::io::Error,
    },
}

impl Fault {
    /// What the program ends with on such a fault, the same as for a wrong command line.
    pub const EXIT_CODE: u8 = 2;

    /// For `map_err` around calls to the system.
    pub(crate) fn machine(doing: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Machine { doing, source }
    }
}

/// The last lines of what a program printed: as much as a person reads.
pub(crate) fn tail(output: &str) -> String {
    const LINES: usize = 15;
    let lines: Vec<_> = output.lines().filter(|line| !line.trim().is_empty()).collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
