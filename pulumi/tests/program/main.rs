//! Tests of the program from outside: what it emits, what it agrees with, how the binary behaves.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod binary;
mod common;
mod compiler;
mod contract;
mod dashboard;
mod expected;
mod metrics;
mod policy;
mod project;
mod runbook;
mod stacks;
mod stateful;
