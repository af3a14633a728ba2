//! What must hold for any input, each property once: libFuzzer drives it with inputs that it finds by itself, and
//! `cargo test` with the committed ones and a fixed number of random changes to them.
//!
//! | Target | Input | What holds |
//! |---|---|---|
//! | [`source_list`] | the bytes of a source list | chunks do not matter; what `serde_json` reads as a whole is read the same |
//! | [`movie_message`] | the body of a queue record | what is taken reads back the same, and its key stays within its run |
//! | [`omdb_answer`] | the body of an answer | the key is in nothing that comes out, and nothing that comes out is large |
//! | [`stack_config`] | `PULUMI_CONFIG` | the secret is in no fault and no program; what is taken makes a program |
//! | [`queue_records`] | the event of a batch | each record is stored or reported as failed, nothing else is stored |
//! | [`settings`] | environment variables, one `NAME=value` a line | what is taken is within its bounds, no value is shown |
//!
//! Each target is a function that panics when its property does not hold. The last two go through the functions' own
//! code, with the AWS SDK behind it; without the feature `functions` they are left out, and a build takes a minute.

mod json;
pub mod movie_message;
pub mod omdb_answer;
#[cfg(feature = "functions")]
pub mod queue_records;
#[cfg(feature = "functions")]
pub mod settings;
pub mod source_list;
pub mod stack_config;

/// A target: its name, which its folder below `corpus/` and its program have too, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: &[Target] = &[
    ("movie_message", movie_message::check),
    ("omdb_answer", omdb_answer::check),
    #[cfg(feature = "functions")]
    ("queue_records", queue_records::check),
    #[cfg(feature = "functions")]
    ("settings", settings::check),
    ("source_list", source_list::check),
    ("stack_config", stack_config::check),
];
