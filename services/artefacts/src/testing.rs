//! For the tests of other packages: small executables that can be looked into, right ones and wrong ones, and scripts that
//! can be run. Not for the program or the runner.

#![expect(clippy::unwrap_used, reason = "only tests call this, and a test that unwraps fails with the line")]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use domain::contract::Service;

use crate::package;

/// Intel's and AMD's number among ELF's machines.
pub const X86_64: u16 = 62;
/// Arm's.
pub const AARCH64: u16 = 183;
/// RISC-V's, which Lambda does not offer.
pub const RISCV: u16 = 243;

/// Writes a program that can be run, such as a script, in the place of another.
///
/// A process of its own writes it. Were the file open here, it would also be in each process that another test starts
/// meanwhile, and could not be run until that has begun its own program (`ETXTBSY` in `execve(2)`).
///
/// # Panics
/// When it cannot be written.
pub fn write_program(path: &Path, text: &str) {
    let mut shell = Command::new("sh");
    let mut shell =
        shell.args(["-c", "cat > \"$0\" && chmod 755 \"$0\""]).arg(path).stdin(Stdio::piped()).spawn().unwrap();
    shell.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success(), "{} cannot be written", path.display());
}

/// An ELF file with just enough in it to be looked into: `.dynamic` and `.gnu.version_r` with their strings.
#[derive(Debug)]
pub struct Executable {
    /// The processor.
    pub machine: u16,
    /// The shared libraries it is linked with.
    pub libraries: &'static [&'static str],
    /// The versions of symbols that it asks for.
    pub versions: &'static [&'static str],
}

impl Executable {
    /// As Rust links for Amazon Linux 2023.
    pub const SOUND: Self = Self {
        machine: AARCH64,
        libraries: &["libgcc_s.so.1", "libc.so.6", "ld-linux-aarch64.so.1"],
        versions: &["GCC_3.0", "GLIBC_2.17", "GLIBC_2.34", "GLIBC_PRIVATE"],
    };

    /// The file.
    ///
    /// # Panics
    /// When a field is larger than ELF can say.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut strings = vec![0];
        let mut place = |text: &str| {
            let at = u32::try_from(strings.len()).unwrap();
            strings.extend_from_slice(text.as_bytes());
            strings.push(0);
            at
        };
        let dynamic: Vec<u8> = self
            .libraries
            .iter()
            .map(|library| (1_u64, u64::from(place(library)))) // DT_NEEDED
            .chain([(0, 0)])
            .flat_map(|(tag, value)| [tag.to_le_bytes(), value.to_le_bytes()].concat())
            .collect();
        let needs = version_needs(&self.versions.iter().map(|version| place(version)).collect::<Vec<_>>());
        let contents = [(3, strings, 0), (6, dynamic, 1), (0x6fff_fffe, needs, 1)];
        elf(self.machine, &contents)
    }
}

/// `Elf64_Verneed` with one `Elf64_Vernaux` for each name.
fn version_needs(names: &[u32]) -> Vec<u8> {
    let count = u16::try_from(names.len()).unwrap();
    let mut bytes = [&1_u16.to_le_bytes()[..], &count.to_le_bytes(), &[0; 4], &16_u32.to_le_bytes(), &[0; 4]].concat();
    for (index, name) in names.iter().enumerate() {
        let next: u32 = if index + 1 < names.len() { 16 } else { 0 };
        bytes.extend([&[0; 8][..], &name.to_le_bytes(), &next.to_le_bytes()].concat());
    }
    bytes
}

/// A header, the contents, and a section table over them; a section is its type, its bytes and the one it links to.
fn elf(machine: u16, contents: &[(u32, Vec<u8>, u32)]) -> Vec<u8> {
    let mut body = Vec::new();
    let mut table = vec![0; 64];
    for (kind, bytes, link) in contents {
        let offset = 64 + body.len() as u64;
        // sh_info of version needs counts their entries.
        let info = u32::from(*kind == 0x6fff_fffe);
        table.extend([&[0; 4][..], &kind.to_le_bytes(), &[0; 16], &offset.to_le_bytes()].concat());
        table.extend((bytes.len() as u64).to_le_bytes());
        table.extend([&link.to_le_bytes()[..], &info.to_le_bytes(), &[0; 16]].concat());
        body.extend_from_slice(bytes);
    }
    let sections = u16::try_from(contents.len() + 1).unwrap();
    let table_offset = 64 + body.len() as u64;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    file.extend([3_u16.to_le_bytes(), machine.to_le_bytes()].concat()); // ET_DYN
    file.extend([&1_u32.to_le_bytes()[..], &[0; 16], &table_offset.to_le_bytes(), &[0; 4]].concat());
    file.extend([64_u16, 56, 0, 64, sections, 1].into_iter().flat_map(u16::to_le_bytes));
    file.extend(body);
    file.extend(table);
    file
}

/// Puts a zip where a function's artefact lies in the repository.
///
/// # Panics
/// When it cannot be written.
pub fn place(repository: &Path, service: Service, zip: &[u8]) {
    let path = package::path(repository, service);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, zip).unwrap();
}
