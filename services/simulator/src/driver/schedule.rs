//! From the schedule to the ranker: Lambda's asynchronous invocation. It keeps an accepted event, tries it up to three
//! times, a minute and then two after a failure, waits out throttling without counting it, and leaves what failed in the
//! on-failure destination (<https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html>).

use std::sync::Arc;
use std::time::Duration;

use domain::Run;
use domain::invariants::Happened;

use super::{Done, Driver};
use crate::dice::millis;
use crate::fault::{Fault, Operation};
use crate::functions::{Ended, Job, lifetime, rank};
use crate::mutation::Mutation;
use crate::world::Event;

/// How often Lambda tries an event; as deployed.
const MAX_ATTEMPTS: u32 = 3;

/// An event that Lambda has accepted.
pub(super) struct Accepted {
    pub(super) run: Run,
    fate: Fate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Pending,
    Worked,
    Failed,
}

impl Accepted {
    pub(super) fn is_pending(&self) -> bool {
        self.fate == Fate::Pending
    }

    pub(super) fn has_failed(&self) -> bool {
        self.fate == Fate::Failed
    }

    /// Takes it out of the destination, if it lies there.
    pub(super) fn take_failed(&mut self) -> bool {
        let failed = self.has_failed();
        if failed {
            self.fate = Fate::Pending;
        }
        failed
    }
}

impl Driver {
    /// The schedule fires.
    pub(super) fn fire(&mut self, index: usize) {
        let event = self.world.scenario.events[index].clone();
        self.say(&format!("Lambda accepts the event of {}", event.run));
        self.world.state().note(&Happened::EventAccepted { run: event.run.clone() });
        let (_, fault) = self.world.occasion(Operation::AcceptEvent, event.run.as_str());
        let delay = if let Some(Fault::Delayed(after)) = fault { after } else { Duration::ZERO };
        self.accept(event.run.clone(), delay);
        if let Some(Fault::Doubled(after)) = fault {
            self.accept(event.run, after);
        }
    }

    fn accept(&mut self, run: Run, delay: Duration) {
        self.accepted.push(Accepted { run, fate: Fate::Pending });
        self.world.schedule(delay, Event::Attempt { accepted: self.accepted.len() - 1, attempt: 1 });
    }

    /// Starts the ranker, of which one runs at a time.
    pub(super) fn attempt(&mut self, accepted: usize, attempt: u32) {
        let run = self.accepted[accepted].run.clone();
        let (mut rng, fault) = self.world.occasion(Operation::InvokeRanker, run.as_str());
        if self.ranker_is_running || fault == Some(Fault::Throttled) {
            self.world.schedule(millis(&mut rng, 1_000..=20_000), Event::Attempt { accepted, attempt });
            return;
        }
        self.deliveries += 1;
        self.environments += 1;
        if fault == Some(Fault::KilledBefore) {
            self.ranked(accepted, attempt, Ended::Gone("its environment did not start"));
            return;
        }
        let name = format!("ranker {}", self.environments);
        self.say(&format!("{name} starts for {run}, attempt {attempt}"));
        let (world, gauges, version) = (Arc::clone(&self.world), self.gauges.clone(), self.version(&run));
        self.ranker_is_running = true;
        let job = Job { name, run, version, lifetime: lifetime(fault.as_ref()) };
        self.running.spawn(async move { Done::Ranker { accepted, attempt, ended: rank(world, gauges, job).await } });
    }

    /// The source changes by the day or, if it may change between two attempts, by the minute.
    fn version(&self, run: &Run) -> u64 {
        let changes = self.world.scenario.source_changes;
        if changes { self.world.elapsed().as_secs() / 60 } else { run.time().timestamp().unsigned_abs() / 86_400 }
    }

    /// The ranker is done, or its environment is.
    pub(super) fn ranked(&mut self, accepted: usize, attempt: u32, ended: Ended<usize>) {
        self.ranker_is_running = false;
        let run = self.accepted[accepted].run.clone();
        let (_, fault) = self.world.occasion(Operation::RankerAnswer, run.as_str());
        let reason = match ended {
            Ended::Answered(movies) if fault.is_none() => {
                self.say(&format!("the ranker is done: {movies} movies of {run}"));
                self.accepted[accepted].fate = Fate::Worked;
                return;
            }
            Ended::Answered(_) => "its answer was lost".to_owned(),
            Ended::Failed(reason) => reason,
            Ended::Gone(reason) => reason.to_owned(),
        };
        self.say(&format!("the ranker fails for {run}, attempt {attempt}: {reason}"));
        if self.world.has(Mutation::EventsDropped) {
            self.accepted[accepted].fate = Fate::Worked;
        } else if attempt < MAX_ATTEMPTS {
            let pause = Duration::from_mins(1) * attempt;
            self.world.schedule(pause, Event::Attempt { accepted, attempt: attempt + 1 });
        } else {
            self.say(&format!("the event of {run} goes to the failure destination"));
            self.accepted[accepted].fate = Fate::Failed;
        }
    }
}
