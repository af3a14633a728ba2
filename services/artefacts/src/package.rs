//! The zip around a binary, and where it lies.

use std::io::{self, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use domain::contract::Service;
use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// The name that the runtime `provided.al2023` starts
/// (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html>).
pub const ENTRY: &str = "bootstrap";

/// The largest binary that is read out of a zip: Lambda's own limit for an unpacked function, 250 MB
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const MAX_BINARY_BYTES: u64 = 250 * 1024 * 1024;

/// Where a function's zip lies in the repository: where `cargo lambda` leaves it, too.
#[must_use]
pub fn path(repository: &Path, service: Service) -> PathBuf {
    repository.join("target/lambda").join(service.name()).join("bootstrap.zip")
}

/// A zip that holds one executable. The same binary gives the same bytes: the entry has a fixed time (the earliest
/// that zip knows) and fixed permissions, so that `pulumi up` replaces only what changed.
///
/// # Errors
/// [`ZipError`] from writing, which in memory means that the binary is too large for a zip.
pub fn zip(binary: &[u8]) -> Result<Vec<u8>, ZipError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .compression_level(Some(9))
        .last_modified_time(DateTime::DEFAULT)
        .unix_permissions(0o755);
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    archive.start_file(ENTRY, options)?;
    archive.write_all(binary)?;
    Ok(archive.finish()?.into_inner())
}

/// What is in a zip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unzipped {
    /// The binary.
    pub binary: Vec<u8>,
    /// Whether everyone may read and run it: Lambda unpacks it with the permissions in the zip
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-deployment.html>). A zip from Windows may tell none.
    pub is_executable: bool,
}

/// What is in a zip.
///
/// # Errors
/// [`ZipError`] when it is no zip, has no `bootstrap`, or one that is larger than Lambda takes.
pub fn unzip(zip: &[u8]) -> Result<Unzipped, ZipError> {
    const FOR_EVERYONE: u32 = 0o005;
    let mut archive = ZipArchive::new(Cursor::new(zip))?;
    let entry = archive.by_name(ENTRY)?;
    let is_executable = entry.unix_mode().is_some_and(|mode| mode & FOR_EVERYONE == FOR_EVERYONE);
    let mut binary = Vec::new();
    entry.take(MAX_BINARY_BYTES + 1).read_to_end(&mut binary)?;
    if binary.len() as u64 > MAX_BINARY_BYTES {
        return Err(io::Error::other("it unpacks to more than 250 MB, the most that Lambda takes").into());
    }
    Ok(Unzipped { binary, is_executable })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_binary_is_executable_for_everyone() {
        let zip = zip(b"binary").unwrap();
        assert!(unzip(&zip).unwrap().is_executable);
        let mut archive = ZipArchive::new(Cursor::new(zip)).unwrap();
        assert_eq!(archive.by_name(ENTRY).unwrap().unix_mode().unwrap() & 0o777, 0o755);
    }

    #[test]
    fn a_binary_that_not_everyone_may_run_is_found() {
        for mode in [0o644, 0o744, 0o750, 0o751] {
            let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
            archive.start_file(ENTRY, SimpleFileOptions::default().unix_permissions(mode)).unwrap();
            let zip = archive.finish().unwrap().into_inner();
            assert!(!unzip(&zip).unwrap().is_executable, "{mode:o}");
        }
    }

    #[test]
    fn a_zip_without_a_bootstrap_is_refused() {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        archive.start_file("other", SimpleFileOptions::default()).unwrap();
        let zip = archive.finish().unwrap().into_inner();
        assert!(unzip(&zip).unwrap_err().to_string().contains("not found"));
    }

    proptest! {
        #[test]
        fn a_binary_comes_out_as_it_went_in_and_gives_the_same_bytes_each_time(
            binary in prop::collection::vec(any::<u8>(), 0..2000),
        ) {
            let first = zip(&binary).unwrap();
            prop_assert_eq!(&unzip(&first).unwrap().binary, &binary);
            prop_assert_eq!(zip(&binary).unwrap(), first);
        }
    }
}
