//! `cargo local package`: the functions as they are shipped.

use std::process::ExitCode;

use artefacts::Architecture;
use clap::Args;

use super::{exit_code_of, until_signal};
use crate::package::{Package, make};
use crate::progress::Progress;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The processor to build for, arm64 or `x86_64`; the stack's `architecture` has to be the same.
    #[arg(long, value_name = "NAME", default_value_t = Architecture::Arm64)]
    architecture: Architecture,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let packages = match until_signal(make(arguments.architecture, Progress::Shown)).await? {
        Ok(packages) => packages?,
        Err(signal) => return Ok(exit_code_of(signal)),
    };
    for Package { service, path, zip_bytes, binary_bytes } in packages {
        let path = path.canonicalize().unwrap_or(path);
        println!(
            "{:<10} {} ({:.1} MB, {:.1} MB unpacked)",
            service.name(),
            path.display(),
            megabytes(zip_bytes),
            megabytes(binary_bytes)
        );
    }
    Ok(ExitCode::SUCCESS)
}

#[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1_000_000.0
}
