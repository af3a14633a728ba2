//! Tests of the program from outside: what it emits, what it agrees with, how the binary behaves.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod binary;
mod common;
mod compiler;
mod contract;
mod expected;
mod policy;
mod project;
mod stacks;
mod stateful;
