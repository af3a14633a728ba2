//! The whole pipeline on one machine: the runner behind `cargo local` and the test harness.
//!
//! [`Pipeline::start`] starts a local AWS, deploys the very program that `pulumi up` deploys, with the functions built
//! for this machine, and provides beside it what the local AWS lacks: OMDb and a receiver of traces. Everything ends
//! when the pipeline is dropped, and also when this process is killed.
//!
//! | Module | What it does |
//! |---|---|
//! | `python` | the virtual environment that the emulator lives in |
//! | `emulator` | starts and stops the local AWS |
//! | `process` | programs that must not outlive this one |
//! | `artefacts` | builds the functions for this machine and zips them |
//! | `package` | builds the functions for Lambda and packs them for `pulumi up` |
//! | `deploy` | the Pulumi program → the local AWS |
//! | `omdb`, `traces` | the OMDb stand-in, the OTLP receiver |
//! | `permissions`, `recorder` | how the functions' permissions are looked at: their AWS calls kept, or refused |
//! | `schedule` | the event that the daily rule sends |
//! | `bench`, `budget` | how fast and small the functions are, and how large they may become |
//! | `cost` | what the stack costs, from its own facts and list prices |
//! | `options`, `pipeline` | all of it together |
//! | `leaks` | whether the OMDb key got out of it |
//! | `together`, `depth` | several questions at once; how much lies in a queue |
//! | `observe` | what can be seen of it: objects, queues, metrics, logs |
//! | `outcome`, `report` | how a run ended, and what it came to |
//! | `endpoint` | which AWS a command talks to: this machine's, or a real one |
//! | `dead_letters` | what failed for good: listed, inspected, redriven |
//! | `oncall`, `drill` | what the person on call would be told, and the faults that show it |
//! | `storm` | everything around the functions fails, and the invariants are checked |
//! | `explain` | one story of a run or a movie, from logs, spans and objects |
//! | `commands` | the command line |

mod api_key;
mod artefacts;
mod aws;
mod bench;
mod budget;
mod commands;
mod cost;
mod dead_letters;
mod deploy;
mod depth;
mod drill;
mod emulator;
mod endpoint;
mod explain;
mod fault;
mod hidden;
mod leaks;
mod observe;
mod omdb;
mod oncall;
mod options;
mod outcome;
mod package;
mod permissions;
mod pipeline;
mod process;
mod progress;
mod python;
mod recorder;
mod report;
mod schedule;
mod server;
mod storm;
mod target;
mod together;
mod traces;
mod variables;

pub use api_key::ApiKey;
pub use aws::Clients;
pub use commands::main;
pub use cost::{Amount, Estimate, Facts, Line, Measured, Price, RunUse};
pub use dead_letters::{
    Case, DeadLetters, FailureQueue, Found, Group, Letter, Outcome as RedriveOutcome, Redriven, Selection, group,
};
pub use deploy::{Configuration, Deployment, SOURCE_BUCKET, SOURCE_KEY, STACK};
pub use drill::{Alarmed, DRILLS, Drill, Finding, GoodRun, Matrix, Told, quiet_days, run as run_drills, run_miswired};
pub use emulator::{ACCOUNT_ID, Emulator, REGION};
pub use endpoint::{Action, Endpoint, EndpointFault, Names, Tried};
pub use explain::{DeadLetter, Level, Missing, Step, Story, Waiting, Wanted, Whereabouts, explain};
pub use fault::Fault;
pub use leaks::{Leak, assert_no_canary};
pub use observe::MetricSums;
pub use omdb::{KEY as OMDB_STAND_IN_KEY, OmdbFault, OmdbStandIn};
pub use options::{Options, SAMPLE_SOURCE};
pub use outcome::Outcome;
pub use permissions::Permissions;
pub use pipeline::{Answer, PATIENCE, Pipeline};
pub use progress::Progress;
pub use recorder::{AwsFault, AwsRequest, Call, Operation, Recorder};
pub use report::{Report, StoredMovie};
pub use schedule::ScheduledEvent;
pub use storm::{Figures as StormFigures, Storm, StormOutcome, Trial, source_of};
pub use traces::{Span, SpanEvent, TraceReceiver};
