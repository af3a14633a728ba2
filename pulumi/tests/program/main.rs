//! Tests of the program from outside: what it emits, what it agrees with, how the binary behaves.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod binary;
mod ci;
mod common;
mod compiler;
mod contract;
mod dashboard;
mod expected;
mod metrics;
mod names;
mod policy;
mod project;
mod runbook;
mod stacks;
