//! Programs that must not outlive this one.

use std::io;
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

/// How long a program may take to end after SIGTERM before it is killed. The emulator takes less than 0.5 s, on a busy
/// machine some times that, and must not be killed while it writes down what it holds.
const GRACE: Duration = Duration::from_secs(15);

/// A program in a process group of its own, which ends when this is dropped, everything it started included.
///
/// A group of its own also keeps the terminal's Ctrl-C from it: we end it in our own order.
#[derive(Debug)]
pub(crate) struct Group {
    leader: Child,
    ended: bool,
}

impl Group {
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Self> {
        use std::os::unix::process::CommandExt;
        Ok(Self { leader: command.process_group(0).spawn()?, ended: false })
    }

    /// The id of the leader and of the group.
    pub(crate) fn id(&self) -> u32 {
        self.leader.id()
    }

    pub(crate) fn take_stdin(&mut self) -> Option<ChildStdin> {
        self.leader.stdin.take()
    }

    pub(crate) fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.leader.stdout.take()
    }

    /// Writes to the leader's standard input, which has to be a pipe.
    pub(crate) fn tell(&self, bytes: &[u8]) -> io::Result<()> {
        use io::Write;
        let stdin = self.leader.stdin.as_ref().ok_or(io::ErrorKind::BrokenPipe)?;
        (&mut &*stdin).write_all(bytes)
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.leader)
    }

    /// Whether the leader has ended. It is not reaped, so its id, which is the group's, cannot be given to another.
    pub(crate) fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        !matches!(waitid(WaitId::Pid(self.pid()), options), Ok(None))
    }

    /// Ends everything that is in it.
    pub(crate) fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        // A failure to signal means that there is nobody left to signal.
        let _ = kill_process(self.pid(), Signal::TERM);
        let deadline = Instant::now() + GRACE;
        while !self.has_ended() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.leader.wait();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

/// Runs a program to its end and takes what it prints, on stderr too unless that is to be inherited. When the future
/// is dropped, the program is ended.
pub(crate) async fn output(mut command: Command, stderr: Stdio) -> io::Result<Output> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
    let mut group = Group::spawn(&mut command)?;
    let (stdout, stderr) = (group.leader.stdout.take(), group.leader.stderr.take());
    let (stdout, stderr) = tokio::try_join!(read_to_end(stdout), read_to_end(stderr))?;
    let status = group.leader.wait()?;
    group.ended = true;
    Ok(Output { status, stdout, stderr })
}

async fn read_to_end(pipe: Option<impl io::Read + Send + 'static>) -> io::Result<Vec<u8>> {
    tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        pipe.map_or(Ok(0), |mut pipe| pipe.read_to_end(&mut bytes)).map(|_| bytes)
    })
    .await
    .map_err(io::Error::other)?
}
