//! The rules and the contract of movie-pipeline.
//!
//! Invariant: nothing here does I/O, reads a clock or knows AWS. Every function is a value in, a value out, so the
//! rules can be tested without a pipeline and the contract can be shared by services, infrastructure and tests.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`list`] | the source's JSON → its items, as the bytes arrive |
//! | [`movie`] | an item of the source, checked once on the way in |
//! | [`ranking`] | items → the top N, and its name |
//! | [`run`] | one execution of the pipeline and its name |
//! | [`message`] | what travels over the topic |
//! | [`omdb`] | an answer of OMDb → what it means |
//! | [`quota`] | how many requests OMDb may get a day, and where they are counted |
//! | [`rest`] | how long a movie is left alone that cannot be had before the next day or another key |
//! | [`enriched`] | movie + OMDb → the record to store; object keys of a run |
//! | [`invariants`] | what holds whatever fails, and one function that checks it |
//! | [`contract`] | environment variables, metrics, dimensions, log fields: name, unit, meaning |

pub mod contract;
pub mod enriched;
pub mod invariants;
pub mod list;
pub mod message;
pub mod movie;
pub mod omdb;
pub mod quota;
pub mod ranking;
pub mod rest;
pub mod run;

pub use message::MovieMessage;
pub use movie::{ImdbId, Movie};
pub use ranking::RankingId;
pub use run::Run;
