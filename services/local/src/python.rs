//! The virtual environments that tools from the Python package index run in.
//!
//! Each lies under cargo's target directory, named by what is installed in it, so a new pin makes a new one and
//! `cargo clean` removes it.

use std::fs::{self, File, TryLockError};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::fault::{Fault, tail};
use crate::progress::Progress;
use crate::{process, target};

/// What is installed into a virtual environment of its own.
#[derive(Debug)]
pub(crate) struct Tool {
    /// Its name, of which the environment's is made.
    pub(crate) name: &'static str,
    /// What it is, within a sentence.
    pub(crate) what: &'static str,
    /// What pip installs: names, versions, hashes.
    pub(crate) requirements: &'static str,
}

/// The Python of a complete virtual environment.
#[derive(Debug, Clone)]
pub(crate) struct Python(PathBuf);

impl Python {
    /// The environment's interpreter; makes the environment when it is not there yet.
    ///
    /// Several processes may ask at once: one makes it, the others wait for its lock.
    pub(crate) async fn prepare(tool: &Tool, progress: Progress) -> Result<Self, Fault> {
        let home = target::directory()?.join("local");
        fs::create_dir_all(&home).map_err(Fault::machine(format!("{} cannot be made", home.display())))?;
        let environment = home.join(format!("{}-{:016x}", tool.name, hash_of(tool.requirements)));
        let _lock = lock(&home.join(format!("{}.lock", tool.name)), tool, progress).await?;
        let python = environment.join("bin/python");
        // The environment got this name when it was complete. Its Python is a link to the system's, which may be gone.
        if !python.exists() {
            progress.step(&format!("Installing {} (once)", tool.what), make(tool, &home, &environment)).await?;
        }
        Ok(Self(python))
    }

    /// Any program in its place.
    #[cfg(test)]
    pub(crate) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// The folder of the environment's programs.
    pub(crate) fn folder(&self) -> &Path {
        self.0.parent().unwrap_or(Path::new(""))
    }

    /// One of the environment's programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    pub(crate) fn command(&self) -> Command {
        Command::new(&self.0)
    }
}

async fn make(tool: &Tool, home: &Path, environment: &Path) -> Result<(), Fault> {
    check_version().await?;
    let unfinished = tempfile::Builder::new().prefix("venv-").tempdir_in(home);
    let unfinished = unfinished.map_err(Fault::machine("no folder for the virtual environment can be made"))?;
    create(unfinished.path()).await?;
    install(tool, unfinished.path()).await?;
    let doing = || Fault::machine(format!("{} cannot be replaced", environment.display()));
    match fs::remove_dir_all(environment) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(doing()(error)),
        _ => fs::rename(unfinished.keep(), environment).map_err(doing()),
    }
}

async fn check_version() -> Result<(), Fault> {
    let mut command = Command::new("python3");
    command
        .args(["-c", "import platform, sys; print(platform.python_version()); sys.exit(sys.version_info < (3, 10))"]);
    let output = process::output(command, Stdio::piped()).await.map_err(|source| Fault::PythonMissing { source })?;
    if output.status.success() {
        return Ok(());
    }
    Err(Fault::PythonTooOld { found: String::from_utf8_lossy(&output.stdout).trim().to_owned() })
}

async fn create(environment: &Path) -> Result<(), Fault> {
    let mut command = Command::new("python3");
    command.args(["-m", "venv"]).arg(environment);
    finish(command).await?.map_err(|output| Fault::VenvFailed { output })
}

async fn install(tool: &Tool, environment: &Path) -> Result<(), Fault> {
    let requirements = environment.join("requirements.txt");
    fs::write(&requirements, tool.requirements)
        .map_err(Fault::machine(format!("{} cannot be written", requirements.display())))?;
    let mut command = Command::new(environment.join("bin/python"));
    command.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--require-hashes"]);
    // A source package would fetch what it is built with, without hashes.
    command.args(["--only-binary", ":all:", "--requirement"]).arg(requirements);
    finish(command).await?.map_err(|output| Fault::PipFailed { what: tool.what, output })
}

/// Runs a command to its end: nothing when it succeeded, the end of what it printed when it did not.
async fn finish(command: Command) -> Result<Result<(), String>, Fault> {
    let doing = format!("{} cannot be started", command.get_program().to_string_lossy());
    let output = process::output(command, Stdio::piped()).await.map_err(Fault::machine(doing))?;
    if output.status.success() {
        return Ok(Ok(()));
    }
    let printed = [output.stdout, output.stderr].concat();
    Ok(Err(tail(&String::from_utf8_lossy(&printed))))
}

/// Waits without blocking a thread, so that Ctrl-C is heard meanwhile.
async fn lock(path: &Path, tool: &Tool, progress: Progress) -> Result<File, Fault> {
    let doing = || Fault::machine(format!("{} cannot be locked", path.display()));
    let file = File::create(path).map_err(doing())?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(doing()(error)),
            Err(TryLockError::WouldBlock) if told => {}
            Err(TryLockError::WouldBlock) => {
                progress.say(&format!("· Waiting for another `cargo local` that installs {} …", tool.what));
                told = true;
            }
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A hash that may differ between versions of Rust; then the environment is made anew.
fn hash_of(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
