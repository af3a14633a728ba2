//! What a function is shipped as: a zip whose bytes repeat, and the gate that it has to pass.
//!
//! A binary that was built for the wrong processor or against a newer glibc deploys without complaint and fails at its
//! first start. So the Pulumi program looks into each artefact before it prints anything, and so does the command that
//! builds them.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`elf`] | what the binary must be: processor, glibc, shared libraries |
//! | [`package`] | the zip around it, and where it lies |
//! | [`gate`] | is there a sound artefact for each function? |
//! | [`testing`] | what tests of other packages ask for |

pub mod elf;
pub mod gate;
pub mod package;
pub mod testing;

use std::fmt;
use std::str::FromStr;

/// The command that makes the artefacts, as every message names it.
pub const BUILD_COMMAND: &str = "cargo local package";

/// The processors that Lambda offers (<https://docs.aws.amazon.com/lambda/latest/dg/foundation-arch.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Architecture {
    /// Graviton.
    Arm64,
    /// Intel and AMD.
    X86_64,
}

impl Architecture {
    /// The name as Lambda and the Pulumi configuration write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }

    /// Rust's target triple for Amazon Linux 2023 on it.
    #[must_use]
    pub const fn target(self) -> &'static str {
        match self {
            Self::Arm64 => "aarch64-unknown-linux-gnu",
            Self::X86_64 => "x86_64-unknown-linux-gnu",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Architecture {
    type Err = UnknownArchitecture;

    fn from_str(name: &str) -> Result<Self, UnknownArchitecture> {
        [Self::Arm64, Self::X86_64]
            .into_iter()
            .find(|architecture| architecture.name() == name)
            .ok_or_else(|| UnknownArchitecture(name.to_owned()))
    }
}

/// A name that is no architecture of Lambda's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no architecture of Lambda's; it is arm64 or x86_64")]
pub struct UnknownArchitecture(String);
