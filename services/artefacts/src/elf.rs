//! What the binary must be to start on Lambda: an executable for the right processor that asks for nothing Amazon Linux
//! 2023 does not have.

use std::fmt;

use object::LittleEndian;
use object::elf::{self, FileHeader64};
use object::read::elf::{Dyn, FileHeader, SectionTable};

use crate::Architecture;

/// The glibc of Amazon Linux 2023 (<https://docs.aws.amazon.com/linux/al2023/ug/core-glibc.html>).
pub const GLIBC: Version = Version(2, 34);

/// The shared libraries that the runtime `provided.al2023` brings: glibc's own and gcc's. Since glibc 2.34 the older
/// ones are empty but still there.
pub const LIBRARIES: &[&str] = &[
    "ld-linux-aarch64.so.1",
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libpthread.so.0",
    "librt.so.1",
];

/// A version of glibc, such as 2.34.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    /// The version of glibc that a symbol's version such as `GLIBC_2.34` asks for; nothing for other libraries' symbols
    /// and `GLIBC_PRIVATE`. Any other word, such as `GLIBC_ABI_DT_RELR` (of glibc 2.36), came after Amazon Linux 2023.
    fn of_symbol(version: &str) -> Option<Self> {
        let version = version.strip_prefix("GLIBC_").filter(|version| *version != "PRIVATE")?;
        let mut numbers = version.split('.').map(|number| number.parse().ok());
        match (numbers.next().flatten(), numbers.next().flatten()) {
            (Some(major), Some(minor)) => Some(Self(major, minor)),
            _ => Some(Self(u32::MAX, 0)),
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == u32::MAX { f.write_str("2.36 or newer") } else { write!(f, "{}.{}", self.0, self.1) }
    }
}

/// Why a binary would not start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ElfFault {
    /// Not an ELF file for 64 bits, little end first, or one that is cut off.
    #[error("it is no Linux executable ({0})")]
    NotAnExecutable(String),
    /// Built for another processor.
    #[error("it is built for {found}, but the configuration says {wanted}")]
    OtherArchitecture {
        /// What it is built for.
        found: String,
        /// What the configuration says.
        wanted: Architecture,
    },
    /// Built against a newer glibc.
    #[error("it needs glibc {found}, but Amazon Linux 2023 has {GLIBC}")]
    NewerGlibc {
        /// The newest version that a symbol asks for.
        found: Version,
    },
    /// Linked with a library that Lambda does not have.
    #[error("it needs the shared library {0}, which Lambda's runtime does not have")]
    MissingLibrary(String),
}

/// Looks into a binary and gives everything that would keep it from starting.
#[must_use]
pub fn faults(binary: &[u8], wanted: Architecture) -> Vec<ElfFault> {
    read(binary, wanted).unwrap_or_else(|error| vec![ElfFault::NotAnExecutable(error.to_string())])
}

type Header = FileHeader64<LittleEndian>;

fn read(binary: &[u8], wanted: Architecture) -> object::read::Result<Vec<ElfFault>> {
    let header = Header::parse(binary)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, binary)?;
    let mut faults = Vec::new();
    // What the binary needs is read from its sections; strippers that remove those too would hide it.
    if sections.is_empty() || !matches!(header.e_type(endian), elf::ET_EXEC | elf::ET_DYN) {
        faults.push(ElfFault::NotAnExecutable("it is an object file, or its sections have been removed".to_owned()));
    }
    faults.extend(architecture_fault(header.e_machine(endian), wanted));
    faults.extend(glibc_fault(&sections, endian, binary)?);
    faults.extend(library_faults(&sections, endian, binary)?);
    Ok(faults)
}

fn architecture_fault(machine: elf::Machine, wanted: Architecture) -> Option<ElfFault> {
    let found = match machine {
        elf::EM_AARCH64 => Architecture::Arm64.name().to_owned(),
        elf::EM_X86_64 => Architecture::X86_64.name().to_owned(),
        other => format!("machine {}", other.0),
    };
    (found != wanted.name()).then_some(ElfFault::OtherArchitecture { found, wanted })
}

/// The newest version of glibc that any symbol asks for, if it is too new.
fn glibc_fault(
    sections: &SectionTable<'_, Header>,
    endian: LittleEndian,
    binary: &[u8],
) -> object::read::Result<Option<ElfFault>> {
    let Some((mut needs, strings)) = sections.gnu_verneed(endian, binary)? else { return Ok(None) };
    let strings = sections.strings(endian, binary, strings)?;
    let mut newest = None;
    while let Some((_, mut versions)) = needs.next()? {
        while let Some(version) = versions.next()? {
            let name = String::from_utf8_lossy(version.name(endian, strings)?);
            newest = newest.max(Version::of_symbol(&name));
        }
    }
    Ok(newest.filter(|newest| *newest > GLIBC).map(|found| ElfFault::NewerGlibc { found }))
}

/// The libraries it is linked with that Lambda does not have.
fn library_faults(
    sections: &SectionTable<'_, Header>,
    endian: LittleEndian,
    binary: &[u8],
) -> object::read::Result<Vec<ElfFault>> {
    let Some((entries, strings)) = sections.dynamic(endian, binary)? else { return Ok(Vec::new()) };
    let strings = sections.strings(endian, binary, strings)?;
    let mut faults = Vec::new();
    for entry in entries.iter().filter(|entry| entry.tag(endian) == elf::DT_NEEDED) {
        let name = String::from_utf8_lossy(entry.string(endian, strings)?).into_owned();
        if !LIBRARIES.contains(&name.as_str()) {
            faults.push(ElfFault::MissingLibrary(name));
        }
    }
    Ok(faults)
}
