//! How commands find the pipeline that `cargo local up` keeps running: a small file in cargo's target folder.
//!
//! Who keeps a pipeline running holds a lock on its file, which the system lets go however the process ends. So a file
//! that nobody holds is stale, whatever has become of the process id since.

use std::fmt::{self, Display, Formatter};
use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};

use super::EndpointFault;
use crate::fault::Fault;
use crate::target;

const PREFIX: &str = "up-";
const SUFFIX: &str = ".json";

/// A pipeline that is kept running.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Running {
    /// Where its AWS answers.
    pub(crate) endpoint: String,
    /// The region that everything lies in.
    pub(crate) region: String,
    /// The stack's name.
    pub(crate) stack: String,
    /// The process that keeps it running.
    pub(crate) process: u32,
    /// Since when, RFC 3339.
    pub(crate) since: String,
}

/// The file that tells of a running pipeline; it goes when this is dropped.
#[derive(Debug)]
pub(crate) struct Announcement {
    path: PathBuf,
    _lock: File,
}

/// Where the files lie.
pub(super) fn directory() -> Result<PathBuf, Fault> {
    Ok(target::directory()?.join("local"))
}

impl Announcement {
    /// Tells of a pipeline that this process keeps running since now.
    pub(crate) fn make(endpoint: &str, region: &str, stack: &str) -> Result<Self, Fault> {
        let running = Running {
            endpoint: endpoint.to_owned(),
            region: region.to_owned(),
            stack: stack.to_owned(),
            process: std::process::id(),
            since: DateTime::<Utc>::from(std::time::SystemTime::now()).to_rfc3339_opts(SecondsFormat::Secs, true),
        };
        let write = running.write(&directory()?);
        write.map_err(Fault::machine("the file that tells other commands of this pipeline cannot be written"))
    }
}

impl Running {
    /// Locked before it gets its name, so that nobody takes it for stale meanwhile.
    fn write(&self, directory: &Path) -> io::Result<Announcement> {
        fs::create_dir_all(directory)?;
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        file.as_file().lock()?;
        file.write_all(&serde_json::to_vec(self)?)?;
        let path = directory.join(format!("{PREFIX}{}{SUFFIX}", self.process));
        let lock = file.persist(&path)?;
        Ok(Announcement { path, _lock: lock })
    }
}

impl Display for Running {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { endpoint, stack, since, .. } = self;
        write!(f, "{endpoint}  stack {stack}, since {since}")
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        // One that stays is stale as soon as this process ends, and said to be.
        let _ = fs::remove_file(&self.path);
    }
}

/// The one pipeline that is kept running.
///
/// # Errors
/// None is, or several are, or one was and ended without a word, whose file is then removed.
pub(super) fn only_one(directory: &Path) -> Result<Running, EndpointFault> {
    let (mut running, stale) = look(directory).map_err(Fault::machine(format!("{}", directory.display())))?;
    match running.len() {
        1 => Ok(running.remove(0)),
        0 => Err(stale.map_or(EndpointFault::NothingRuns, |Running { process, since, .. }| EndpointFault::Stale {
            process,
            since,
        })),
        _ => Err(EndpointFault::SeveralRun {
            pipelines: running.iter().map(Running::to_string).collect::<Vec<_>>().join("\n  "),
        }),
    }
}

/// All that are running, and the last of those that are no more.
fn look(directory: &Path) -> io::Result<(Vec<Running>, Option<Running>)> {
    let (mut running, mut stale) = (Vec::new(), None);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok((running, stale)),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with(PREFIX) && name.ends_with(SUFFIX) {
            match read(&path)? {
                Some((found, true)) => running.push(found),
                Some((found, false)) => stale = Some(found),
                None => {}
            }
        }
    }
    running.sort_by(|a, b| a.since.cmp(&b.since));
    Ok((running, stale))
}

/// What a file tells, and whether that is still so; nothing when it has just gone. A stale file is removed.
fn read(path: &Path) -> io::Result<Option<(Running, bool)>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let found = serde_json::from_reader(&file)?;
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Ok(Some((found, true))),
        Err(TryLockError::Error(error)) => Err(error),
        Ok(()) => {
            fs::remove_file(path)?;
            Ok(Some((found, false)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn announce(directory: &Path, process: u32) -> Announcement {
        let running = Running {
            endpoint: format!("http://127.0.0.1:{process}"),
            region: "eu-central-1".to_owned(),
            stack: "local".to_owned(),
            process,
            since: "2026-11-22T12:00:00Z".to_owned(),
        };
        running.write(directory).unwrap()
    }

    #[test]
    fn a_running_pipeline_is_found_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let announcement = announce(folder.path(), 4001);
        assert_eq!(only_one(folder.path()).unwrap().endpoint, "http://127.0.0.1:4001");
        drop(announcement);
        assert!(matches!(only_one(folder.path()), Err(EndpointFault::NothingRuns)));
        assert!(matches!(only_one(&folder.path().join("none")), Err(EndpointFault::NothingRuns)));
    }

    #[test]
    fn one_that_ended_without_a_word_is_told_once_and_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let announcement = announce(folder.path(), 4002);
        let path = announcement.path.clone();
        let told = fs::read(&path).unwrap();
        drop(announcement);
        fs::write(&path, told).unwrap();
        let fault = only_one(folder.path()).unwrap_err().to_string();
        assert!(fault.contains("process 4002") && fault.contains("2026-11-22T12:00:00Z"), "{fault}");
        assert!(matches!(only_one(folder.path()), Err(EndpointFault::NothingRuns)));
    }

    #[test]
    fn of_several_the_caller_has_to_name_one() {
        let folder = tempfile::tempdir().unwrap();
        let _both = [announce(folder.path(), 4003), announce(folder.path(), 4004)];
        let fault = only_one(folder.path()).unwrap_err().to_string();
        assert!(fault.contains("--endpoint-url"), "{fault}");
        for process in [4003, 4004] {
            let line = format!("\n  http://127.0.0.1:{process}  stack local, since 2026-11-22T12:00:00Z");
            assert!(fault.contains(&line), "{fault}");
        }
    }
}
