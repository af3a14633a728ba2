use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use crate::{fresh_target, local, text, write_program};

/// More than any of these steps takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A `cargo local` that is running, and what it says on stderr.
struct Running {
    process: Child,
    stderr: BufReader<ChildStderr>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        Self::spawn(&mut local(arguments))
    }

    fn spawn(command: &mut Command) -> Self {
        let mut process = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        Self { process, stderr }
    }

    /// Reads on until a line contains this, and gives that line.
    fn wait_for(&mut self, part: &str) -> String {
        let mut all = String::new();
        loop {
            let mut line = String::new();
            assert_ne!(self.stderr.read_line(&mut line).unwrap(), 0, "{part:?} was never said, only:\n{all}");
            if line.contains(part) {
                return line;
            }
            all.push_str(&line);
        }
    }

    /// The process group of the only child: the emulator's, or the installation's.
    fn group(&self) -> u32 {
        let start = Instant::now();
        loop {
            let own = self.process.id();
            let children: Vec<_> = processes().into_iter().filter(|process| process.parent == own).collect();
            match children[..] {
                // Between fork and exec it still belongs to the group of its parent.
                [Process { id, group, .. }] if group == id => return group,
                _ => assert!(start.elapsed() < PATIENCE, "{children:?}"),
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn signal(&self, signal: &str) {
        let kill = Command::new("kill").args(["-s", signal, &self.process.id().to_string()]).status().unwrap();
        assert!(kill.success());
    }
}

#[derive(Debug)]
struct Process {
    id: u32,
    parent: u32,
    group: u32,
}

/// All processes but those that have ended and wait to be reaped.
fn processes() -> Vec<Process> {
    let ps = Command::new("ps").args(["-A", "-o", "pid=,ppid=,pgid=,stat="]).output().unwrap();
    let lines = text(&ps.stdout);
    let fields = lines.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let alive = fields.filter(|fields| !fields[3].starts_with('Z'));
    let number = |text: &str| text.parse().unwrap();
    alive.map(|f| Process { id: number(f[0]), parent: number(f[1]), group: number(f[2]) }).collect()
}

fn members(group: u32) -> usize {
    processes().iter().filter(|process| process.group == group).count()
}

fn assert_gone(group: u32) {
    let start = Instant::now();
    while members(group) > 0 {
        assert!(start.elapsed() < PATIENCE, "{} processes of group {group} are left", members(group));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Starts a run that stays up, ends it by a signal, and gives its exit code after asserting that all is gone.
fn end_while_staying_up(signal: &str) -> Option<i32> {
    let mut running = Running::start(&["--top", "1", "--keep"]);
    let endpoint = running.wait_for("local AWS  http://");
    let address = endpoint.trim().rsplit("http://").next().unwrap().to_owned();
    let group = running.group();
    assert!(members(group) >= 3, "the emulator and both functions");
    assert!(TcpStream::connect(&address).is_ok());
    running.signal(signal);
    let code = running.process.wait().unwrap().code();
    // Its port says nothing: another test's local AWS may have it by now.
    assert_gone(group);
    code
}

#[test]
fn after_ctrl_c_while_staying_up_nothing_is_left_and_the_exit_code_is_that_of_the_run() {
    assert_eq!(end_while_staying_up("INT"), Some(0));
}

#[test]
fn after_sigterm_while_staying_up_nothing_is_left() {
    assert_eq!(end_while_staying_up("TERM"), Some(0));
}

#[test]
fn after_sigkill_nothing_is_left() {
    assert_eq!(end_while_staying_up("KILL"), None);
}

#[test]
fn after_ctrl_c_during_the_installation_nothing_is_left() {
    let (target, program) = fresh_target();
    let started = target.path().join("started");
    let fake = r#"[ "$1" = -c ] && exit 0; : > "$STARTED"; /bin/sleep 1000"#;
    write_program(&target.path().join("python3"), fake);
    let mut running = Running::spawn(Command::new(program).env("PATH", target.path()).env("STARTED", &started));
    let start = Instant::now();
    while !started.exists() {
        assert!(start.elapsed() < PATIENCE, "the installation never started");
        std::thread::sleep(Duration::from_millis(10));
    }
    let group = running.group();
    running.signal("INT");
    assert_eq!(running.process.wait().unwrap().code(), Some(130));
    assert_gone(group);
}

#[test]
fn after_ctrl_c_during_the_run_nothing_is_left() {
    let mut running = Running::start(&["--top", "1000"]);
    running.wait_for("Firing the schedule");
    let group = running.group();
    running.signal("INT");
    assert_eq!(running.process.wait().unwrap().code(), Some(130));
    assert_gone(group);
}
