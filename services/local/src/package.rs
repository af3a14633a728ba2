//! The functions as they are shipped: built for Lambda's own system, zipped so that the bytes repeat, and looked into
//! before anything is deployed.
//!
//! `cargo lambda` links with zig against the glibc of Amazon Linux 2023, whatever system this machine has. It comes
//! from the Python package index into a virtual environment of its own, as the local AWS does.

mod compiler;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::Context;
use artefacts::{Architecture, elf, package};
use domain::contract::Service;

use self::compiler::Compiler;
use crate::fault::Fault;
use crate::progress::Progress;
use crate::python::{Python, Tool};
use crate::{budget, process, target};

const CARGO_LAMBDA: Tool = Tool {
    name: "cargo-lambda",
    what: "cargo-lambda, which builds for Lambda",
    requirements: include_str!("../requirements-package.txt"),
};

/// A package that can be deployed.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) service: Service,
    pub(crate) path: PathBuf,
    pub(crate) zip_bytes: usize,
    pub(crate) binary_bytes: usize,
}

/// Builds and packs all functions for this processor.
pub(crate) async fn make(architecture: Architecture, progress: Progress) -> anyhow::Result<Vec<Package>> {
    let python = Python::prepare(&CARGO_LAMBDA, progress).await?;
    let compiler = Compiler::choose(architecture, progress).await?;
    let names = Service::ALL.map(Service::name);
    let wanted = Wanted { packages: &names, folder: architecture.name(), with_symbols: false };
    let name = format!("Building the functions for Lambda on {architecture}");
    let folder = progress.step(&name, build(&wanted, &python, &compiler, architecture, progress)).await?;
    let packages = Service::ALL.into_iter().map(|service| pack(service, &folder, architecture));
    let packages = packages.collect::<Result<Vec<_>, _>>()?;
    // The packages lie where they should: who has to deploy can.
    budget::judge(&packages, architecture)?;
    Ok(packages)
}

/// What is built.
pub(crate) struct Wanted<'a> {
    pub(crate) packages: &'a [&'a str],
    /// Where the binaries go, below what is built for Lambda.
    pub(crate) folder: &'a str,
    /// Whether the names of what is in them are kept, for those who ask what takes the room.
    pub(crate) with_symbols: bool,
}

/// Builds binaries as those are that are shipped, and packs none; tells the folder in which each lies under its name.
pub(crate) async fn build_only(
    wanted: &Wanted<'_>,
    architecture: Architecture,
    progress: Progress,
) -> anyhow::Result<PathBuf> {
    let python = Python::prepare(&CARGO_LAMBDA, progress).await?;
    let compiler = Compiler::choose(architecture, progress).await?;
    let symbols = if wanted.with_symbols { ", with symbols" } else { "" };
    let name = format!("Building {} as shipped{symbols}", wanted.packages.join(", "));
    Ok(progress.step(&name, build(wanted, &python, &compiler, architecture, progress)).await?)
}

/// Builds the binaries; tells the folder in which each lies under its name.
async fn build(
    wanted: &Wanted<'_>,
    python: &Python,
    compiler: &Compiler,
    architecture: Architecture,
    progress: Progress,
) -> Result<PathBuf, Fault> {
    let target_directory = target_directory()?;
    let folder = target_directory.join("local/lambda").join(wanted.folder);
    let keep_symbols =
        |package: &&str| ["--config".to_owned(), format!("profile.release.package.{package}.strip=false")];
    let symbols = wanted.packages.iter().filter(|_| wanted.with_symbols).flat_map(keep_symbols);
    let mut command = Command::new(python.program("cargo-lambda"));
    command
        .args(["lambda", "build", "--release", "--locked", "--target", architecture.target()])
        // Its own optimizations would override the release profile of Cargo.toml, whose `panic` is chosen on purpose.
        .arg("--disable-optimizations")
        .arg("--lambda-dir")
        .arg(&folder)
        .args(wanted.packages.iter().flat_map(|package| ["--package", package]))
        .args(symbols)
        .current_dir(target::workspace())
        .env("PATH", path_with(python)?)
        .env("CARGO_TARGET_DIR", &target_directory)
        .env("CARGO_ENCODED_RUSTFLAGS", remap_paths());
    target::forget_outer_cargo(&mut command);
    compiler.select(&mut command);
    let stderr = if progress == Progress::Shown { Stdio::inherit() } else { Stdio::piped() };
    let Output { status, stdout, stderr } =
        process::output(command, stderr).await.map_err(Fault::machine("cargo-lambda cannot be started"))?;
    if status.success() {
        return Ok(folder);
    }
    eprint!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    Err(Fault::PackageFailed { target: architecture.target() })
}

/// Where the functions are built: where this program was, unless cargo's own variable says otherwise. Then one program
/// can build in several places, as `.ci/reproducible` has it do.
fn target_directory() -> Result<PathBuf, Fault> {
    let Some(told) = std::env::var_os("CARGO_TARGET_DIR") else { return target::directory() };
    std::path::absolute(told).map_err(Fault::machine("CARGO_TARGET_DIR names no folder"))
}

/// `cargo-lambda` looks for zig on the path.
fn path_with(python: &Python) -> Result<OsString, Fault> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(python.folder().to_owned()).chain(std::env::split_paths(&path));
    std::env::join_paths(folders).map_err(|error| Fault::Machine {
        doing: "the PATH cannot be extended".to_owned(),
        source: std::io::Error::other(error),
    })
}

/// Takes the one folder of this machine that would show in the binary out of it, that of the dependencies' sources, so
/// that the same commit gives the same bytes wherever it is built. Our own sources are compiled by relative paths.
fn remap_paths() -> OsString {
    let cargo_home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let cargo_home = cargo_home.or_else(|| Some(std::env::home_dir()?.join(".cargo")));
    let mut flags = OsString::new();
    if let Some(cargo_home) = cargo_home {
        flags.push("--remap-path-prefix=");
        flags.push(cargo_home);
        flags.push("=/cargo");
    }
    flags
}

/// Looks into one binary and zips it to where the Pulumi program expects it.
fn pack(service: Service, folder: &Path, architecture: Architecture) -> anyhow::Result<Package> {
    let binary_path = folder.join(service.name()).join(package::ENTRY);
    let binary = std::fs::read(&binary_path).with_context(|| format!("reading {}", binary_path.display()))?;
    let faults: Vec<_> = elf::faults(&binary, architecture).iter().map(ToString::to_string).collect();
    anyhow::ensure!(faults.is_empty(), "the {} would not start on Lambda: {}", service.name(), faults.join("; "));
    let zip = package::zip(&binary).with_context(|| format!("zipping the {}", service.name()))?;
    let path = package::path(&target::workspace(), service);
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    std::fs::write(&path, &zip).with_context(|| format!("writing {}", path.display()))?;
    Ok(Package { service, path, zip_bytes: zip.len(), binary_bytes: binary.len() })
}
