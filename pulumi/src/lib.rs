//! The Pulumi program of movie-pipeline, as a pure function of a stack's configuration.
//!
//! ```text
//! PULUMI_STACK, PULUMI_CONFIG ─▶ Config ─▶ program() ─▶ Program ─▶ JSON for Pulumi's YAML runtime
//!                                                          ╰─▶ template::cloudformation() ─▶ CloudFormation
//! ```
//!
//! | Module | Resources |
//! |---|---|
//! | `encryption` | the customer key and its alias |
//! | `secrets` | the parameter that holds the OMDb API key |
//! | `storage` | the private bucket |
//! | `messaging` | topic, queue, subscription, every dead-letter queue |
//! | `functions` | ranker and enricher: role, log group, function; what feeds the enricher |
//! | `schedule` | the daily rule and its target |
//! | `alarms` | the alarm topic, the alarms, and the two that tell somebody |
//! | `traces` | what X-Ray needs to take and keep traces, for the whole account; off unless asked for |
//! | `dashboard` | the dashboard, from `dashboards/movie-pipeline.json` |
//!
//! What cannot be made again (bucket, key, queues, parameter, log groups) is kept from removal, see
//! [`resource::Kind::STATEFUL`]; what is renamed says so in `resource/rename.rs`.
//!
//! Invariant: nothing here reads a file, a clock or AWS; the same configuration gives the same bytes. Only `main.rs`
//! reads the environment. The OMDb API key is never read: Pulumi's engine fills it in.

pub mod alarms;
pub mod config;
mod dashboard;
mod encryption;
mod functions;
mod messaging;
mod policy;
pub mod program;
mod queries;
pub mod resource;
mod schedule;
mod secrets;
mod storage;
pub mod template;
mod traces;

pub use config::{Config, ConfigFaults};
pub use program::{Program, program};
