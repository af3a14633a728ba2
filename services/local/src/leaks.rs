//! Whether the OMDb key got out: every pipeline is searched for it when it ends, so every test and every drill is.
//!
//! A pipeline without a key of its own has [`CANARY`](crate::omdb::KEY), which is made to be recognised. [`Pipeline`]
//! searches when it is dropped, and panics over what it finds; nobody can forget to ask.
//!
//! | Searched | Where it comes from |
//! |---|---|
//! | all that the local AWS holds: logs, metrics with their dimensions, queues, topics, objects and their older versions, alarms, the template, the functions' settings | its memory, which it writes to a file when it ends (`leaks/memory.py`) |
//! | the local AWS's own log, and every other file that it or a function left | its folder |
//! | spans, as they came | the receiver of traces |
//! | the functions' calls to AWS, when they are recorded: heads and bodies | the recorder |
//! | requests to OMDb, but for the key in their query | the stand-in |
//! | notifications as the person on call got them | the drill's desk |
//!
//! Where the key has to stand is exempt by its exact place, see `memory` and `OmdbStandIn`; the functions' programs are
//! left out, since they are built before there is a key.
//!
//! [`Pipeline`]: crate::Pipeline

mod heard;
mod left_behind;
mod memory;
mod needles;

use std::fmt::{self, Display, Formatter};
use std::sync::LazyLock;

pub(crate) use heard::Heard;
pub(crate) use left_behind::{Ending, search_folder};
pub(crate) use needles::Needles;

use crate::omdb;

/// Under which names the local AWS keeps the value of a parameter: encrypted, or what it takes for that, and as given.
const VALUES: [&str; 2] = ["Value", "OriginalValue"];

/// The key where it must not be, or a place that could not be searched for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leak {
    /// The key is there.
    Found {
        /// Where.
        place: String,
        /// How it is written there, such as `base64`.
        form: &'static str,
    },
    /// Nobody knows whether the key is there.
    Unsearched {
        /// Where.
        place: String,
        /// What hinders.
        reason: String,
    },
}

impl Display for Leak {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Found { place, form } => write!(f, "{place}: the key, {form}"),
            Self::Unsearched { place, reason } => write!(f, "{place}: cannot be searched, {reason}"),
        }
    }
}

/// Searches some bytes for the key of pipelines that have none of their own.
///
/// # Panics
/// When it is there.
pub fn assert_no_canary(place: &str, bytes: &[u8]) {
    static NEEDLES: LazyLock<Option<Needles>> = LazyLock::new(|| Needles::of(omdb::KEY));
    assert_none(&NEEDLES.iter().flat_map(|needles| needles.search(place, bytes)).collect::<Vec<_>>());
}

/// # Panics
/// Over leaks, unless the thread panics already, which would end the process; they are then printed.
pub(crate) fn assert_none(leaks: &[Leak]) {
    if leaks.is_empty() {
        return;
    }
    let list: Vec<_> = leaks.iter().map(ToString::to_string).collect();
    let told = format!("the OMDb key got out:\n  {}", list.join("\n  "));
    if std::thread::panicking() {
        eprintln!("{told}");
    } else {
        panic!("{told}");
    }
}
