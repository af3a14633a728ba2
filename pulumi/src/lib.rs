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
//! | `alarms` | the alarm topic and the alarms |
//! | `dashboard` | the dashboard, from `dashboards/movie-pipeline.json` |
//!
//! Invariant: nothing here reads a file, a clock or AWS; the same configuration gives the same bytes. Only `main.rs`
//! reads the environment. The OMDb API key is never read: Pulumi's engine fills it in.

mod alarms;
pub mod config;
mod dashboard;
mod encryption;
mod functions;
mod messaging;
mod policy;
pub mod program;
pub mod resource;
mod schedule;
mod secrets;
mod storage;
pub mod template;

pub use config::{Config, ConfigFaults};
pub use program::{Program, program};
