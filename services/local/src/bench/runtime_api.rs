//! The Runtime API of Lambda for one function: events go in, answers come out, with the times at which they did
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::http::{Answer, Request, Server};

/// How long a function may take for anything at all; a million items on a busy machine take some seconds.
const TIMEOUT: Duration = Duration::from_mins(2);

/// What an invocation may take by the deadline that the function is told, as long as Lambda ever allows.
const DEADLINE: Duration = Duration::from_mins(15);

const VERSION: &str = "/2018-06-01/runtime/";

/// An answered invocation.
#[derive(Debug)]
pub(super) struct Invocation {
    /// When the event was handed over.
    pub(super) handed: Instant,
    /// From the event handed over to the answer received.
    pub(super) took: Duration,
    /// The answer, or the error object.
    pub(super) body: Vec<u8>,
    pub(super) is_error: bool,
}

/// A running Runtime API.
#[derive(Debug)]
pub(super) struct RuntimeApi {
    server: Server,
    state: Arc<(Mutex<State>, Condvar)>,
}

#[derive(Debug, Default)]
struct State {
    /// Since when the function waits for an event.
    waiting_since: Option<Instant>,
    event: Option<Vec<u8>>,
    answer: Option<(Instant, Vec<u8>, bool)>,
    events: u64,
}

impl RuntimeApi {
    pub(super) fn start() -> io::Result<Self> {
        let state = Arc::default();
        let served = Arc::clone(&state);
        Ok(Self { server: Server::start(move |request| answer(&served, request))?, state })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// When the function asked for its next event. Nothing if it does not ask in time, or `has_ended`.
    pub(super) fn wait_until_it_asks(&self, has_ended: impl Fn() -> bool) -> Option<Instant> {
        self.wait(has_ended, |state| state.waiting_since)
    }

    /// Hands over an event and waits for the answer.
    pub(super) fn invoke(&self, event: Vec<u8>, has_ended: impl Fn() -> bool) -> Option<Invocation> {
        let mut state = lock(&self.state.0);
        state.answer = None;
        let handed = Instant::now();
        state.event = Some(event);
        self.state.1.notify_all();
        drop(state);
        let (at, body, is_error) = self.wait(has_ended, |state| state.answer.take())?;
        Some(Invocation { handed, took: at - handed, body, is_error })
    }

    fn wait<T>(&self, has_ended: impl Fn() -> bool, mut look: impl FnMut(&mut State) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + TIMEOUT;
        let mut state = lock(&self.state.0);
        loop {
            if let Some(found) = look(&mut state) {
                return Some(found);
            }
            if Instant::now() >= deadline || has_ended() {
                return None;
            }
            // Woken by each change; the limit is for a function that has ended.
            let waited = self.state.1.wait_timeout(state, Duration::from_millis(100));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    // Every change of the state is one assignment, so it is whole after any panic.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(state: &(Mutex<State>, Condvar), request: &Request) -> Answer {
    match request.target.strip_prefix(VERSION) {
        Some("invocation/next") => next(state, request.at),
        Some(rest) if rest.ends_with("/response") => take(state, request, false),
        Some(rest) if rest.ends_with("/error") => take(state, request, true),
        _ => Answer::new(404, "no such call"),
    }
}

fn next((state, changed): &(Mutex<State>, Condvar), at: Instant) -> Answer {
    let mut state = lock(state);
    state.waiting_since = Some(at);
    changed.notify_all();
    let event = loop {
        match state.event.take() {
            Some(event) => break event,
            None => state = changed.wait(state).unwrap_or_else(PoisonError::into_inner),
        }
    };
    state.waiting_since = None;
    state.events += 1;
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + DEADLINE;
    Answer::new(200, event)
        .with("content-type", "application/json")
        .with("lambda-runtime-aws-request-id", format!("00000000-0000-4000-8000-{:012x}", state.events))
        .with("lambda-runtime-deadline-ms", deadline.as_millis().to_string())
        .with("lambda-runtime-invoked-function-arn", super::function::ARN)
}

fn take((state, changed): &(Mutex<State>, Condvar), request: &Request, is_error: bool) -> Answer {
    lock(state).answer = Some((request.at, request.body.clone(), is_error));
    changed.notify_all();
    Answer::new(202, "{\"status\":\"OK\"}").with("content-type", "application/json")
}
