//! Queue → bucket: takes movies from the queue, adds `OMDb`'s data and stores them.
//!
//! Invariants: only [`api_key`], [`bucket`] and [`queue`] touch the AWS SDK, only [`omdb`] touches the internet. A record is
//! reported as done only when its object stands and, if it was the run's last, when the run's list does too. The
//! `OMDb` key is never part of a log, a span, an error or a `Debug` output.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`settings`] | which variables are read |
//! | [`handler`] | a batch → which of its records failed |
//! | [`senders`] | whose trace an invocation is part of |
//! | [`standing`] | which objects of a batch's runs stand already |
//! | [`enrichment`] | one record → one object |
//! | [`completion`] | all objects of a run → its list, and the latest list |
//! | [`omdb`] | the `OMDb` API and the requests that a day has left |
//! | [`api_key`] | its key, from SSM |
//! | [`bucket`] | the private bucket in S3 |
//! | [`queue`] | the queue in SQS, where such a movie is hidden |
//! | [`clock`] | the time of day |

pub mod api_key;
pub mod bucket;
pub mod clock;
pub mod completion;
pub mod enrichment;
pub mod handler;
pub mod omdb;
pub mod queue;
pub mod senders;
pub mod settings;
pub mod standing;
