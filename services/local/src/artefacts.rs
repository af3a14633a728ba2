//! The functions as they run on this machine: built by cargo for the host and zipped in memory.
//!
//! What is shipped to AWS is built for Amazon Linux, lies in `target/lambda` and is never touched from here.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use ::artefacts::package::ENTRY;
use anyhow::Context;
use bytes::Bytes;
use domain::contract::Service;
use serde::Deserialize;
use tokio::sync::OnceCell;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::fault::Fault;
use crate::progress::Progress;
use crate::{process, target};

/// The deployment packages, one per service.
pub(crate) type Artefacts = BTreeMap<Service, Bytes>;

/// The packages of all functions; built once per process, however many pipelines it starts.
pub(crate) async fn get(progress: Progress) -> anyhow::Result<&'static Artefacts> {
    static ARTEFACTS: OnceCell<Artefacts> = OnceCell::const_new();
    ARTEFACTS.get_or_try_init(|| make(progress)).await
}

async fn make(progress: Progress) -> anyhow::Result<Artefacts> {
    let executables = progress.step("Building the functions", build(progress)).await?;
    tokio::task::spawn_blocking(move || package_all(&executables)).await?
}

fn package_all(executables: &BTreeMap<String, PathBuf>) -> anyhow::Result<Artefacts> {
    let mut artefacts = Artefacts::new();
    for service in Service::ALL {
        let name = service.name();
        let executable = executables.get(name).with_context(|| format!("cargo built no binary named {name}"))?;
        artefacts.insert(service, package(executable).with_context(|| format!("packing the {name}"))?);
    }
    Ok(artefacts)
}

/// A zip that holds one executable named `bootstrap`, as the runtime `provided.al2023` wants it
/// (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html>). It is stored rather than compressed: it goes
/// no further than this machine, and compressing would take longer than everything else.
pub(crate) fn package(executable: &Path) -> anyhow::Result<Bytes> {
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o755);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(ENTRY, options)?;
    archive.write_all(&std::fs::read(executable)?)?;
    Ok(Bytes::from(archive.finish()?.into_inner()))
}

/// Builds every binary of the workspace, so that features unify as in the build of this program and nothing that is
/// built already is built again, and tells where they lie, by name.
pub(crate) async fn build(progress: Progress) -> Result<BTreeMap<String, PathBuf>, Fault> {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .args(["build", "--workspace", "--bins", "--message-format", "json-render-diagnostics"])
        .current_dir(target::workspace())
        .env("CARGO_TARGET_DIR", target::directory()?);
    target::forget_outer_cargo(&mut command);
    let stderr = if progress == Progress::Shown { Stdio::inherit() } else { Stdio::piped() };
    let Output { status, stdout, stderr } =
        process::output(command, stderr).await.map_err(|source| Fault::CargoMissing { source })?;
    if !status.success() {
        eprint!("{}", String::from_utf8_lossy(&stderr));
        return Err(Fault::BuildFailed);
    }
    Ok(String::from_utf8_lossy(&stdout).lines().filter_map(executable_of).collect())
}

/// The binary that one of cargo's messages tells of
/// (<https://doc.rust-lang.org/cargo/reference/external-tools.html#artifact-messages>).
fn executable_of(message: &str) -> Option<(String, PathBuf)> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
        target: Option<Target>,
    }
    #[derive(Deserialize)]
    struct Target {
        name: String,
    }
    let Message { executable, target } = serde_json::from_str(message).ok()?;
    Some((target?.name, executable?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_binary_is_read_from_cargos_message_and_a_library_is_not() {
        let binary = r#"{"reason":"compiler-artifact","target":{"name":"ranker"},"executable":"/t/debug/ranker"}"#;
        let library = r#"{"reason":"compiler-artifact","target":{"name":"ranker"},"executable":null}"#;
        assert_eq!(executable_of(binary), Some(("ranker".to_owned(), "/t/debug/ranker".into())));
        assert_eq!(executable_of(library), None);
        assert_eq!(executable_of(r#"{"reason":"build-finished","success":true}"#), None);
    }

    #[test]
    fn a_package_holds_one_executable_bootstrap() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(&file, b"program").unwrap();
        let package = package(file.path()).unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(package)).unwrap();
        assert_eq!(archive.len(), 1);
        assert_eq!(archive.by_name("bootstrap").unwrap().unix_mode().unwrap() & 0o777, 0o755);
    }
}
