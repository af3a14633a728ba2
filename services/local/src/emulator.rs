//! The local AWS: MiniStack (<https://pypi.org/project/ministack/>), one process with folders and a port of its own.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fault::{Fault, tail};
use crate::leaks::Ending;
use crate::permissions::Permissions;
use crate::process::Group;
use crate::python::{Python, Tool};
use crate::recorder::Recorder;

/// The region that everything lies in.
pub const REGION: &str = "eu-central-1";

/// The account that everything belongs to; the one that AWS's documentation uses.
pub const ACCOUNT_ID: &str = "123456789012";

/// Id and secret of the access key of the account's owner, who may do everything.
pub(crate) const OWNER_CREDENTIAL: &str = "local";

/// The program that Python runs, and before it what it uses.
const LAUNCHER: &str = concat!(
    include_str!("leaks/memory.py"),
    include_str!("emulator/whole_logs.py"),
    include_str!("emulator/launcher.py")
);

/// What the emulator is installed from.
pub(crate) const TOOL: Tool =
    Tool { name: "emulator", what: "the local AWS", requirements: include_str!("../requirements-emulator.txt") };

/// How long a start may take: 0.3 s when all is warm, several seconds while Python compiles its modules on a busy
/// machine.
const START_TIMEOUT: Duration = Duration::from_mins(1);

/// A running emulator. It and the functions it started end when this is dropped, or when this process dies.
#[derive(Debug)]
pub struct Emulator {
    // Dropped in this order: the folder must outlive the processes that write to it.
    group: Group,
    stdout: Stdout,
    folder: TempDir,
    port: u16,
}

/// Where it tells its port.
type Stdout = Arc<Mutex<BufReader<ChildStdout>>>;

/// How it is started.
#[derive(Debug)]
pub(crate) struct How<'a> {
    pub(crate) permissions: &'a Permissions,
    /// What the functions ask in the place of the local AWS.
    pub(crate) recorder: Option<&'a Recorder>,
    /// A failed asynchronous invocation is tried again after this delay, and then after twice as long.
    pub(crate) async_retry_delay: Duration,
    /// Whether it keeps its state on disk, so that it can be restarted.
    pub(crate) is_durable: bool,
}

impl Emulator {
    /// Starts it and waits until it answers.
    pub(crate) async fn start(python: &Python, how: &How<'_>) -> Result<Self, Fault> {
        let folder = tempfile::Builder::new().prefix("movie-pipeline-").tempdir();
        let folder = folder.map_err(Fault::machine("no temporary folder can be made"))?;
        let (group, stdout) = spawn(python, folder.path(), how)?;
        match until_ready(&stdout).await {
            Ok(port) => Ok(Self { group, stdout, folder, port }),
            Err(reason) => Err(failed(&group, folder.path(), reason)),
        }
    }

    /// Ends it cleanly, with its functions left to themselves, and starts it again with the state that it kept. Only a
    /// durable one keeps any. What Lambda had accepted and not done yet is lost, which on AWS it is not.
    pub(crate) async fn restart(&self) -> Result<(), Fault> {
        self.group.tell(b"!").map_err(Fault::machine("the local AWS cannot be told to start again"))?;
        until_ready(&self.stdout).await.map_err(|reason| failed(&self.group, self.folder.path(), reason))?;
        Ok(())
    }

    /// Ends it. What it leaves lies in its folder until this is dropped.
    pub(crate) fn end(&mut self) -> Ending {
        let ending = if self.group.has_ended() { Ending::ByItself } else { Ending::AsAsked };
        self.group.end();
        ending
    }

    /// Where all that it writes lies.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where its own log is being written.
    pub(crate) fn log_path(&self) -> std::path::PathBuf {
        log_path(self.folder.path())
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Where all its services answer.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The id of its process group, which the functions share.
    #[must_use]
    pub fn process_group(&self) -> u32 {
        self.group.id()
    }

    /// The end of its own log, if it has ended by itself.
    #[must_use]
    pub fn log_if_ended(&self) -> Option<String> {
        self.group.has_ended().then(|| log_tail(self.folder.path()))
    }
}

fn failed(group: &Group, folder: &Path, reason: String) -> Fault {
    let reason = if group.has_ended() { "it ended".to_owned() } else { reason };
    Fault::EmulatorFailed { reason, log: log_tail(folder) }
}

/// Its port, once it answers there.
async fn until_ready(stdout: &Stdout) -> Result<u16, String> {
    let ready = async {
        let port = read_port(Arc::clone(stdout)).await?;
        wait_until_healthy(port).await.map(|()| port)
    };
    let outcome = tokio::time::timeout(START_TIMEOUT, ready).await;
    outcome.unwrap_or_else(|_| Err(format!("no answer within {} s", START_TIMEOUT.as_secs())))
}

fn spawn(python: &Python, folder: &Path, how: &How<'_>) -> Result<(Group, Stdout), Fault> {
    let start = || {
        fs::create_dir(folder.join("tmp"))?;
        let log = File::create(log_path(folder))?;
        let mut command = python.command();
        command.args(["-c", LAUNCHER]).arg(folder).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        set_environment(&mut command, folder);
        command.env("LAMBDA_ASYNC_RETRY_BASE_SECONDS", how.async_retry_delay.as_secs_f64().to_string());
        if how.is_durable {
            command.env("PERSIST_STATE", "1").env("S3_PERSIST", "1");
        }
        if how.permissions.are_enforced() {
            command
                .env("AUTH", "true")
                .env("AWS_ACCESS_KEY_ID", OWNER_CREDENTIAL)
                .env("AWS_SECRET_ACCESS_KEY", OWNER_CREDENTIAL);
        }
        if let Some(recorder) = how.recorder {
            command.env("AWS_ENDPOINT_URL", recorder.endpoint());
        }
        Group::spawn(&mut command)
    };
    let mut group = start().map_err(Fault::machine("the local AWS cannot be started"))?;
    let stdout = group
        .take_stdout()
        .ok_or_else(|| Fault::EmulatorFailed { reason: "its output is gone".to_owned(), log: String::new() })?;
    Ok((group, Arc::new(Mutex::new(BufReader::new(stdout)))))
}

/// Everything it gets to know. The functions inherit it, so nothing of the caller's environment may be in it: neither
/// credentials nor `AWS_*` settings nor `OMDB_API_KEY`.
fn set_environment(command: &mut Command, folder: &Path) {
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", folder)
        .env("TMPDIR", folder.join("tmp"))
        .env("S3_DATA_DIR", folder.join("s3"))
        .env("STATE_DIR", folder.join("state"))
        .env("BIND_HOST", "127.0.0.1")
        .env("MINISTACK_HOST", "127.0.0.1")
        .env("MINISTACK_REGION", REGION)
        .env("MINISTACK_ACCOUNT_ID", ACCOUNT_ID)
        .env("LAMBDA_EXECUTOR", "local")
        .env("IOT_MTLS_ENABLED", "0");
}

async fn read_port(stdout: Stdout) -> Result<u16, String> {
    let read = move || {
        let mut line = String::new();
        // Lines are read one at a time, so a panic between two of them leaves it whole.
        stdout.lock().unwrap_or_else(PoisonError::into_inner).read_line(&mut line).map(|_| line)
    };
    let line = tokio::task::spawn_blocking(read).await.map_err(|error| error.to_string())?;
    let line = line.map_err(|error| error.to_string())?;
    line.trim().parse().map_err(|_| "it named no port".to_owned())
}

/// The port is bound before the emulator is loaded, so one request suffices: it waits until it is served.
async fn wait_until_healthy(port: u16) -> Result<(), String> {
    let ask = async {
        let mut connection = TcpStream::connect(("127.0.0.1", port)).await?;
        connection.write_all(b"GET /_ministack/health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n").await?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.map(|_| answer)
    };
    let answer = ask.await.map_err(|error: std::io::Error| format!("its health cannot be asked: {error}"))?;
    let status = answer.lines().next().unwrap_or_default();
    if status.contains(" 200") { Ok(()) } else { Err(format!("its health is answered with {status:?}")) }
}

fn log_path(folder: &Path) -> std::path::PathBuf {
    folder.join("emulator.log")
}

fn log_tail(folder: &Path) -> String {
    fs::read_to_string(log_path(folder)).map_or_else(|error| format!("(no log: {error})"), |log| tail(&log))
}

#[cfg(test)]
mod tests {
    use artefacts::testing::write_program;

    use super::*;
    #[cfg(target_os = "linux")]
    use crate::progress::Progress;

    /// A program in the place of Python that does what the lines say.
    fn python(folder: &TempDir, lines: &str) -> Python {
        let path = folder.path().join("python");
        write_program(&path, &format!("#!/bin/sh\n{lines}\n"));
        Python::at(path)
    }

    async fn start(python: &Python) -> Result<Emulator, Fault> {
        let permissions = Permissions::default();
        let how =
            How { permissions: &permissions, recorder: None, async_retry_delay: Duration::ZERO, is_durable: false };
        Emulator::start(python, &how).await
    }

    #[tokio::test]
    async fn a_failing_start_shows_the_end_of_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let python = python(&folder, "echo 'No module named hypercorn' >&2; exit 1");
        let fault = start(&python).await.unwrap_err().to_string();
        assert!(fault.contains("did not start") && fault.ends_with("No module named hypercorn"), "{fault}");
    }

    /// The pipe of another process can be written to on Linux only.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn lines_that_are_read_late_are_in_the_log_of_their_invocation() {
        const LATE: &str = concat!(include_str!("emulator/whole_logs.py"), include_str!("emulator/whole_logs_test.py"));
        let python = Python::prepare(&TOOL, Progress::Silent).await.unwrap();
        let output = python.command().args(["-c", LATE]).output().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "one\ntwo\n",
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }

    #[tokio::test]
    async fn nothing_of_the_callers_environment_reaches_the_emulator() {
        let folder = tempfile::tempdir().unwrap();
        let python = python(&folder, "env >&2; exit 1");
        let fault = start(&python).await.unwrap_err().to_string();
        assert!(fault.contains("LAMBDA_EXECUTOR=local"), "{fault}");
        assert!(!fault.contains("CARGO"), "{fault}");
    }
}
