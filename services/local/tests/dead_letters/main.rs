//! `cargo local up` and `cargo local dead-letters` against the local AWS, and against an AWS that refuses.
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

mod events;
mod faults;
mod movies;
#[path = "../program/mod.rs"]
mod program;
mod undelivered;
mod up;

use std::process::Output;
use std::time::Duration;

use local::{Configuration, DeadLetters, Endpoint, Options, PATIENCE, Pipeline, STACK};
use serde_json::Value;
use tokio::process::Command;

use self::program::{LOCAL, ended_with};

/// One try is all that a record gets, and it is given up two seconds after that.
fn failing() -> Options {
    Options {
        configuration: Configuration::from([
            ("maxReceiveCount".to_owned(), "1".to_owned()),
            ("omdbMaxAttempts".to_owned(), "1".to_owned()),
        ]),
        redelivery_delay: Some(Duration::from_secs(2)),
        ..Options::default()
    }
}

/// The ids of the sample's first films, which are its best.
fn sample_ids<const N: usize>() -> [String; N] {
    let sample: Value = serde_json::from_slice(local::SAMPLE_SOURCE).unwrap();
    std::array::from_fn(|index| sample["items"][index]["id"].as_str().unwrap().to_owned())
}

async fn open(pipeline: &Pipeline) -> DeadLetters {
    DeadLetters::open(Endpoint::local(&pipeline.emulator().endpoint(), STACK).unwrap()).await.unwrap()
}

async fn until_dead(pipeline: &Pipeline, messages: usize) {
    let dead = async |pipeline: &Pipeline| Ok((pipeline.dead_letters().await? >= messages).then_some(()));
    pipeline.eventually("dead letters", PATIENCE, dead).await.unwrap();
}

/// The URL of the queue of undelivered messages, which is no output that the harness knows.
fn undelivered_url(pipeline: &Pipeline) -> String {
    pipeline.deployment().dead_letter_queue_url.replace("-dead-letters", "-undelivered")
}

/// `cargo local dead-letters …` on a pipeline, with nobody at a terminal.
async fn dead_letters(pipeline: &Pipeline, arguments: &[&str]) -> Output {
    program::on(pipeline, "dead-letters", arguments).await
}

fn command(arguments: &[&str]) -> Command {
    program::command("dead-letters", arguments)
}
