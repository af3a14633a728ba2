//! The services as the handlers see them: their own traits, over the state of a world.

mod call;
mod omdb;
pub(crate) mod s3;
mod sns;
mod source;
mod sqs;
mod ssm;

pub(crate) use call::{Caller, Environment};
pub(crate) use omdb::SimulatedOmdb;
pub(crate) use s3::SimulatedBucket;
pub(crate) use sns::SimulatedTopic;
pub(crate) use source::SimulatedSource;
pub(crate) use sqs::SimulatedQueue;
pub(crate) use ssm::SimulatedKeys;
