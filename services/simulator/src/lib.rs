//! A deterministic simulator of the pipeline: both handlers, unchanged, between simulated services on virtual time.
//!
//! A world has a seed. From it come the pipeline's figures, its schedule events, the source, the time that each call
//! takes, the order in which the queue gives its messages, and what goes wrong. Calls are refused, their answers delayed
//! or lost after the effect, their effects delayed beyond the caller's life; messages are doubled, reordered, made visible
//! while the function still works, and survive their deletion; functions are throttled, killed between any two calls, and
//! stopped by their timeout; several runs overlap, events come twice or late, and what failed for good is redriven in the
//! middle of it. Then faults end, everything comes to rest, what failed for good is redriven, and everything comes to
//! rest once more. [`domain::invariants`] is asked at each write and deletion, at the end of the storm, and at both rests.
//!
//! A world that breaks a rule is lived through again with its faults as a list, and [`shrink`](shrink()) takes
//! everything out of it that the rule's breaking does not need.
//!
//! Invariants: one thread lives through a world; all chance comes from its seed; no clock is read but tokio's, which is
//! paused (`Instant`s of the handlers only measure durations for their logs). So a world goes the same way every time.
//!
//! What is simulated at the handlers' seams and what is not: above the seams everything is the code that ships, with
//! [`enricher::bucket::put_conditionally`], the protocol of a conditional write. Below, `S3Bucket`, `SnsTopic`,
//! `SsmKeyStore` and `OmdbHttp` translate between a seam and the wire; the tests on the local AWS show those.
//!
//! | Module | What it holds |
//! |---|---|
//! | `scenario` | what a world is made of |
//! | `fault` | what can go wrong, and where |
//! | `dice` | chance that belongs to a place |
//! | `world` | what all parts share: time, objects, the agenda, the ledger |
//! | `services` | S3, SNS, SSM, `OMDb` and the source at the handlers' seams |
//! | `queue` | SQS |
//! | `functions` | the two handlers in their environments |
//! | `driver` | the agenda worked off: schedule, event source mapping, redrives |
//! | `mutation` | seeded mistakes |
//! | `run` | one world from its beginning to its end |
//! | `shrink`, `story` | a failing world made small, and told |
//! | `campaign` | many worlds |

mod campaign;
mod dice;
mod driver;
mod fault;
mod functions;
mod mutation;
mod queue;
mod run;
mod scenario;
mod services;
mod shrink;
mod story;
mod world;

pub use campaign::{Campaign, Figures, Outcome};
pub use fault::{Fault, OmdbFault, Operation, Site};
pub use mutation::Mutation;
pub use run::{Lived, Simulator, Weather};
pub use scenario::{Deployment, Scenario, ScheduledRun};
pub use shrink::{Shrunk, shrink};
