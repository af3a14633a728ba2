//! One call of a function to a service: on its way there, its effect, on its way back, and what can happen in between.
//!
//! Clients of AWS send a call up to three times when its answer is lost or passing trouble is reported, with pauses of up
//! to one second (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>).

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use fastrand::Rng;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::dice::millis;
use crate::fault::{Fault, Operation};
use crate::world::{Event, State, World};

/// How often a client of AWS sends a call.
pub(crate) const AWS_ATTEMPTS: u32 = 3;

/// What passes, so that a client tries again.
const PASSING: &[&str] = &[
    "SlowDown",
    "InternalError",
    "RequestTimeout",
    "Throttled",
    "KMSThrottling",
    "ThrottlingException",
    "InternalServerError",
    "RequestThrottled",
];

/// An environment that a function runs in: it serves one event at a time.
#[derive(Default)]
pub(crate) struct Environment {
    pub(crate) name: String,
    ends: Notify,
}

impl Environment {
    pub(crate) fn new(name: String) -> Self {
        Self { name, ends: Notify::new() }
    }

    /// Ends it: whoever calls this never goes on.
    async fn end(&self) {
        self.ends.notify_one();
        pending::<()>().await;
    }

    pub(crate) async fn ended(&self) {
        self.ends.notified().await;
    }
}

/// Calls services out of one environment.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) world: Arc<World>,
    pub(crate) environment: Arc<Environment>,
}

impl Caller {
    /// Makes a call. `effect` is told of faults that are not of the call but of its answer.
    ///
    /// # Errors
    /// The code of the last try.
    pub(crate) async fn call<T>(
        &self,
        operation: Operation,
        subject: &str,
        attempts: u32,
        effect: impl Fn(&mut State, Option<&Fault>) -> T + Clone + Send + 'static,
    ) -> Result<T, &'static str> {
        let mut code = "";
        for attempt in 1..=attempts {
            let (mut rng, fault) = self.world.occasion(operation, subject);
            sleep(millis(&mut rng, 1..=20)).await;
            code = match self.attempt(&mut rng, fault, effect.clone()).await {
                Ok(answer) => return Ok(answer),
                Err(code) => code,
            };
            if !PASSING.contains(&code) && code != BROKEN_OFF {
                break;
            }
            if attempt < attempts {
                sleep(millis(&mut rng, 0..=1_000)).await;
            }
        }
        Err(code)
    }

    async fn attempt<T>(
        &self,
        rng: &mut Rng,
        fault: Option<Fault>,
        effect: impl Fn(&mut State, Option<&Fault>) -> T + Send + 'static,
    ) -> Result<T, &'static str> {
        let mut way_back = millis(rng, 1..=20);
        match &fault {
            Some(Fault::Refused(code)) => return Err(code),
            Some(Fault::Silent) => pending().await,
            Some(Fault::KilledBefore) => self.environment.end().await,
            Some(Fault::Late(after)) => {
                let late = Box::new(move |state: &mut State| drop(effect(state, None)));
                self.world.schedule(*after, Event::Late(late));
                return Err(BROKEN_OFF);
            }
            Some(Fault::Panicked) => std::panic::resume_unwind(Box::new("a fault of ours")),
            Some(Fault::Delayed(after)) => sleep(*after).await,
            Some(Fault::Slow(after)) => way_back += *after,
            _ => {}
        }
        let answer = effect(&mut self.world.state(), fault.as_ref());
        match fault {
            Some(Fault::AnswerLost) => {
                sleep(Duration::from_secs(1)).await;
                Err(BROKEN_OFF)
            }
            Some(Fault::KilledAfter) => {
                self.environment.end().await;
                Ok(answer)
            }
            _ => {
                sleep(way_back).await;
                Ok(answer)
            }
        }
    }
}

/// What a client says when no answer comes.
pub(crate) const BROKEN_OFF: &str = "the connection broke off";
