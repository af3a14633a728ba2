//! Which Rust the functions ship with. Another compiler makes other bytes of the same commit, and `pulumi up` would
//! replace both functions each time that the colleague with the other one deploys.

use std::process::{Command, Stdio};

use artefacts::Architecture;

use crate::fault::Fault;
use crate::progress::Progress;
use crate::{process, target};

/// The compiler that everyone packs with: `rust-version` of Cargo.toml, which is the oldest that the code compiles with.
/// A `rust-toolchain.toml` would bind each build, not only what ships.
const PINNED: &str = env!("CARGO_PKG_RUST_VERSION");

/// The variable by which rustup is told what toolchain to run; Rust without rustup takes no notice of it
/// (<https://rust-lang.github.io/rustup/overrides.html>).
const RUSTUP_TOOLCHAIN: &str = "RUSTUP_TOOLCHAIN";

/// The Rust to build with.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Compiler {
    /// What `cargo` is anyway.
    Present,
    /// What rustup has beside it.
    Pinned,
}

impl Compiler {
    /// The pinned Rust, if this machine has it. If not, the present one, and a word about what follows from that: nobody
    /// is kept from deploying by a difference in bytes.
    pub(super) async fn choose(architecture: Architecture, progress: Progress) -> Result<Self, Fault> {
        let present = version(rustc()).await?;
        if is_pinned(&present) {
            return Ok(Self::Present);
        }
        let mut pinned = rustc();
        // Looked for, not fetched: that takes a minute and is the user's to decide.
        pinned.env(RUSTUP_TOOLCHAIN, PINNED).env("RUSTUP_AUTO_INSTALL", "0");
        if version(pinned).await.is_ok_and(|found| is_pinned(&found)) {
            progress.say(&format!("· Rust {PINNED} builds the functions, as Cargo.toml says, not Rust {present}"));
            return Ok(Self::Pinned);
        }
        progress.say(&format!("warning: {}", difference(&present, architecture)));
        Ok(Self::Present)
    }

    pub(super) fn select(&self, command: &mut Command) {
        if *self == Self::Pinned {
            // The outer cargo names itself, and would be run instead of the pinned one.
            command.env(RUSTUP_TOOLCHAIN, PINNED).env_remove("CARGO");
        }
    }
}

fn difference(present: &str, architecture: Architecture) -> String {
    let target = architecture.target();
    format!(
        "Rust {present} builds the functions, but Cargo.toml's rust-version is {PINNED}. They will run, but their bytes \
         differ from those of colleagues and CI, so `pulumi up` will replace both functions. To get the same bytes: \
         rustup toolchain install {PINNED} --profile minimal --target {target}, then try again"
    )
}

fn rustc() -> Command {
    let mut command = Command::new("rustc");
    command.arg("--version").current_dir(target::workspace());
    command
}

/// The version, as in `rustc 1.95.0 (59807616e 2026-04-14)`.
async fn version(rustc: Command) -> Result<String, Fault> {
    let output = process::output(rustc, Stdio::piped())
        .await
        .map_err(Fault::machine("rustc cannot be started; install Rust from https://rustup.rs"))?;
    let printed = String::from_utf8_lossy(&output.stdout);
    let version = printed.split_whitespace().nth(1).filter(|_| output.status.success());
    version.map(str::to_owned).ok_or_else(|| {
        // A backtrace may follow.
        let told = String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned();
        Fault::machine("`rustc --version` does not tell its version")(std::io::Error::other(told))
    })
}

/// `1.95` in Cargo.toml takes each 1.95.x; `1.95.0` that one alone.
fn is_pinned(version: &str) -> bool {
    version.strip_prefix(PINNED).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_version_of_the_manifest_is_the_pinned_one() {
        assert!(is_pinned(PINNED));
        for other in [format!("{PINNED}9"), format!("{PINNED}-nightly"), "1.2.3".to_owned(), String::new()] {
            assert!(!is_pinned(&other), "{other}");
        }
    }

    #[test]
    fn another_compiler_is_told_with_what_follows_and_what_to_run() {
        let told = difference("1.2.3", Architecture::Arm64);
        assert!(told.contains("Rust 1.2.3") && told.contains("replace both functions"), "{told}");
        let install = format!("rustup toolchain install {PINNED} --profile minimal --target aarch64-unknown-linux-gnu");
        assert!(told.contains(&install), "{told}");
    }

    #[tokio::test]
    async fn the_version_is_read_from_what_rustc_prints_and_its_failure_is_told() {
        let mut sound = Command::new("echo");
        sound.arg("rustc 1.95.0 (59807616e 2026-04-14)");
        assert_eq!(version(sound).await.unwrap(), "1.95.0");
        let mut faulty = Command::new("sh");
        faulty.args(["-c", "echo 'no default toolchain' >&2; exit 1"]);
        assert!(version(faulty).await.unwrap_err().to_string().contains("no default toolchain"));
        let missing = version(Command::new("/nowhere/rustc")).await.unwrap_err().to_string();
        assert!(missing.contains("install Rust"), "{missing}");
    }
}
