//! `cargo local` as its users meet it: arguments, output, exit codes, and nothing left running.
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

mod ending;
mod faults;
mod runs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

const LOCAL: &str = env!("CARGO_BIN_EXE_local");

fn local(arguments: &[&str]) -> Command {
    let mut command = Command::new(LOCAL);
    command.args(arguments).env_remove("OMDB_API_KEY").stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    local::assert_no_canary("what a program printed", bytes);
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn file(name: &str, content: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, content).unwrap();
    (folder, path)
}

/// A target directory in which nothing was built or installed, with this program in it.
fn fresh_target() -> (TempDir, PathBuf) {
    let target = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let program = target.path().join("debug/local");
    fs::create_dir_all(target.path().join("debug/deps")).unwrap();
    fs::hard_link(LOCAL, &program).unwrap();
    (target, program)
}

fn write_program(path: &Path, lines: &str) {
    artefacts::testing::write_program(path, &format!("#!/bin/sh\n{lines}\n"));
}
