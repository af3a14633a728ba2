//! Source → topic: reads the list of movies, ranks them and publishes the best, one message each.
//!
//! Invariants: only [`source`] and [`topic`] touch the AWS SDK. The list is never held as a whole. Nothing is
//! published before the list has been read to its end and found sound.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`settings`] | which variables are read |
//! | [`handler`] | event → run → ranking → messages |
//! | [`source`] | the source object in S3 |
//! | [`publishing`] | batches in flight, failed entries sent again |
//! | [`topic`] | the SNS topic |

pub mod handler;
pub mod publishing;
pub mod settings;
pub mod source;
pub mod topic;
