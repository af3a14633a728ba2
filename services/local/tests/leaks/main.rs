//! Whether the OMDb key gets out. Every pipeline of every test is searched when it ends; here it is shown that the search
//! finds what it looks for, and what no pipeline comes by is tried.
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

mod http;
mod key_types;
mod pipelines;
mod planted;
mod program;
