//! Where cargo puts things, told from where this program lies, and cargo within cargo.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fault::Fault;

/// Cargo's target directory: `target` for `target/debug/local` and for `target/debug/deps/<test>`.
///
/// The folder of a profile is known by its `deps`, which tells a program in cargo's hands from one that was copied
/// elsewhere, where nothing must be installed beside it.
pub(crate) fn directory() -> Result<PathBuf, Fault> {
    let executable = std::env::current_exe().map_err(Fault::machine("this program cannot tell where it lies"))?;
    let profile = executable.ancestors().skip(1).take(2).find(|folder| folder.join("deps").is_dir());
    profile.and_then(Path::parent).map(Path::to_owned).ok_or(Fault::NoTargetDirectory { executable })
}

/// The workspace that cargo runs this program from. Where it was built is not enough: two checkouts that share a target
/// directory may share this program, too.
pub(crate) fn workspace() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    package.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR"))).join("../..")
}

/// Prepares a command that runs cargo for being run by a program that cargo runs.
pub(crate) fn forget_outer_cargo(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_of_the_outer_cargo)) {
        command.env_remove(name);
    }
}

/// Whether `cargo run` or `cargo test` set this variable for this program. Build scripts watch some of them (`ring`'s
/// does), so passing them on would have half of the workspace built again, by this build and by the next one outside.
fn is_of_the_outer_cargo(name: &str) -> bool {
    const PREFIXES: [&str; 5] = ["CARGO_BIN_", "CARGO_CFG_", "CARGO_CRATE_", "CARGO_MANIFEST_", "CARGO_PKG_"];
    const NAMES: [&str; 3] = ["CARGO_PRIMARY_PACKAGE", "CARGO_TARGET_TMPDIR", "OUT_DIR"];
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
