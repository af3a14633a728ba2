//! A function as Lambda runs it: its own process, its Runtime API, and what the system tells of it.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use tempfile::NamedTempFile;

use super::process_figures::{Figures, figures};
use super::programs::Programs;
use super::runtime_api::{Invocation, RuntimeApi};
use crate::emulator::REGION;
use crate::fault::tail;
use crate::process::Group;

/// The function's name, for itself.
pub(super) const ARN: &str = "arn:aws:lambda:eu-central-1:123456789012:function:bench";

/// A function that has asked for its first event.
#[derive(Debug)]
pub(super) struct Function {
    // Dropped in this order: the function first, then the API that it waits for.
    process: Group,
    api: RuntimeApi,
    log: NamedTempFile,
    /// From its start to its first question for an event.
    pub(super) started_in: Duration,
    /// The processor time of its process before its start.
    not_its_own: Duration,
}

/// What one invocation used.
#[derive(Debug)]
pub(super) struct Used {
    /// From the event handed over to the answer received.
    pub(super) wall: Duration,
    /// From the event handed over to the next question for one, telemetry included: what Lambda bills.
    pub(super) occupied: Duration,
    /// Processor time as long as it was occupied.
    pub(super) cpu: Duration,
    pub(super) answer: Vec<u8>,
}

impl Function {
    /// Starts a binary with nothing in its environment but this and what Lambda sets; `aws` is the AWS it asks.
    pub(super) fn start(
        programs: &Programs,
        binary: &Path,
        aws: SocketAddr,
        environment: &[(&str, String)],
    ) -> anyhow::Result<Self> {
        let api = RuntimeApi::start().context("starting a Runtime API")?;
        let log = NamedTempFile::new().context("making a file for a function's log")?;
        let begun = NamedTempFile::new().context("making a file for the time of a start")?;
        let mut command = Command::new(&programs.timed_start);
        command.arg(begun.path()).arg(binary);
        command.env_clear().envs(lambdas_own(api.address(), aws)).envs(environment.iter().map(|(k, v)| (k, v)));
        command.stdin(Stdio::null()).stdout(log.reopen()?).stderr(log.reopen()?);
        let process = Group::spawn(&mut command).with_context(|| format!("starting {}", binary.display()))?;
        let mut function = Self { process, api, log, started_in: Duration::ZERO, not_its_own: Duration::ZERO };
        let asked = function.wait_until_it_asks()?;
        let start = Start::noted_in(begun.path())?;
        function.started_in = asked.saturating_duration_since(start.at);
        function.not_its_own = start.cpu;
        Ok(function)
    }

    /// Hands over an event; an answer that is an error is one.
    pub(super) fn invoke(&self, event: Vec<u8>) -> anyhow::Result<Used> {
        let before = self.figures()?.cpu;
        let invocation = self.api.invoke(event, || self.process.has_ended());
        let Some(Invocation { handed, took, body, is_error }) = invocation else { bail!(self.told("gave no answer")) };
        if is_error {
            bail!(self.told(&format!("answered with {}", String::from_utf8_lossy(&body))));
        }
        let occupied = self.wait_until_it_asks()?.saturating_duration_since(handed);
        Ok(Used { wall: took, occupied, cpu: self.figures()?.cpu.saturating_sub(before), answer: body })
    }

    pub(super) fn figures(&self) -> anyhow::Result<Figures> {
        let figures = figures(self.process.id())?;
        Ok(Figures { cpu: figures.cpu.saturating_sub(self.not_its_own), ..figures })
    }

    fn wait_until_it_asks(&self) -> anyhow::Result<Instant> {
        let asked = self.api.wait_until_it_asks(|| self.process.has_ended());
        let asked = asked.with_context(|| self.told("did not ask for an event"))?;
        // Its thread has sent the question and is about to sleep; what it used so far is told once it does.
        std::thread::sleep(Duration::from_millis(1));
        Ok(asked)
    }

    fn told(&self, what: &str) -> String {
        let log = fs::read_to_string(self.log.path()).unwrap_or_default();
        format!("the function {what}; its log ends with:\n{}", tail(&log))
    }
}

/// When a function began, and what its process had used by then.
struct Start {
    at: Instant,
    cpu: Duration,
}

impl Start {
    /// As `timed-start` leaves it.
    fn noted_in(path: &Path) -> anyhow::Result<Self> {
        let text = fs::read_to_string(path).context("reading when a function began")?;
        let (at, cpu) = text.split_once(' ').with_context(|| format!("a function began at {text:?}"))?;
        let [at, cpu] = [at, cpu].map(|nanoseconds| nanoseconds.parse().map(Duration::from_nanos));
        // The clock of processes among each other; ours is finer, but tells nobody else anything.
        let ago = SystemTime::now().duration_since(UNIX_EPOCH)?.saturating_sub(at?);
        Ok(Self { at: Instant::now().checked_sub(ago).context("a function began before this machine")?, cpu: cpu? })
    }
}

/// What Lambda sets for every function
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime>).
fn lambdas_own(api: SocketAddr, aws: SocketAddr) -> Vec<(&'static str, String)> {
    let own = [
        ("AWS_LAMBDA_RUNTIME_API", api.to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", "bench".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bench".to_owned()),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "bench".to_owned()),
        ("AWS_REGION", REGION.to_owned()),
        ("AWS_ACCESS_KEY_ID", "local".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
        ("AWS_ENDPOINT_URL", format!("http://{aws}")),
    ];
    own.into()
}
