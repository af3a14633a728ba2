//! Where cargo puts things, told from where this program lies.

use std::path::{Path, PathBuf};

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

/// The workspace that this program was built from.
pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
