//! The gate over small executables made here: the right one passes, each wrong one is named with what to run.

#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line that unwrapped")]

use std::fs;
use std::path::Path;

use artefacts::elf::{ElfFault, GLIBC, Version, faults};
use artefacts::{Architecture, gate, package};
use domain::contract::Service;

const X86_64: u16 = 62;
const AARCH64: u16 = 183;
const RISCV: u16 = 243;

/// An ELF file with just enough in it to be looked into: `.dynamic` and `.gnu.version_r` with their strings.
struct Executable {
    machine: u16,
    libraries: &'static [&'static str],
    versions: &'static [&'static str],
}

impl Executable {
    /// As Rust links for Amazon Linux 2023.
    const SOUND: Self = Self {
        machine: AARCH64,
        libraries: &["libgcc_s.so.1", "libc.so.6", "ld-linux-aarch64.so.1"],
        versions: &["GCC_3.0", "GLIBC_2.17", "GLIBC_2.34", "GLIBC_PRIVATE"],
    };

    fn bytes(&self) -> Vec<u8> {
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

#[test]
fn an_executable_as_rust_links_it_for_amazon_linux_2023_passes() {
    assert_eq!(faults(&Executable::SOUND.bytes(), Architecture::Arm64), []);
}

#[test]
fn another_processor_is_found() {
    let wanted = Architecture::Arm64;
    for (machine, found) in [(X86_64, "x86_64"), (RISCV, "machine 243")] {
        let binary = Executable { machine, ..Executable::SOUND }.bytes();
        assert_eq!(faults(&binary, wanted), [ElfFault::OtherArchitecture { found: found.into(), wanted }]);
    }
}

#[test]
fn a_newer_glibc_is_found_by_number_and_not_by_text() {
    let newer: [(&[&str], Version); 2] =
        [(&["GLIBC_2.4", "GLIBC_2.35", "GLIBC_2.9"], Version(2, 35)), (&["GLIBC_2.100"], Version(2, 100))];
    for (versions, found) in newer {
        let binary = Executable { versions, ..Executable::SOUND }.bytes();
        assert_eq!(faults(&binary, Architecture::Arm64), [ElfFault::NewerGlibc { found }]);
    }
    let older = Executable { versions: &["GLIBC_2.9", "GLIBC_2.2.5"], ..Executable::SOUND }.bytes();
    assert_eq!(faults(&older, Architecture::Arm64), [], "{GLIBC} is newer than 2.9");
}

#[test]
fn a_library_that_lambda_does_not_have_is_found() {
    let binary = Executable { libraries: &["libc.so.6", "libssl.so.3"], ..Executable::SOUND }.bytes();
    assert_eq!(faults(&binary, Architecture::Arm64), [ElfFault::MissingLibrary("libssl.so.3".into())]);
}

#[test]
fn what_is_no_executable_is_found_wherever_it_is_cut_off() {
    let sound = Executable::SOUND.bytes();
    for length in 0..sound.len() {
        assert_ne!(faults(&sound[..length], Architecture::Arm64), [], "{length} of {} bytes", sound.len());
    }
    assert_ne!(faults(b"#!/bin/sh\necho hello\n", Architecture::Arm64), []);
}

fn place(repository: &Path, service: Service, zip: &[u8]) {
    let path = package::path(repository, service);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, zip).unwrap();
}

#[test]
fn the_gate_opens_when_every_function_has_a_sound_artefact() {
    let repository = tempfile::tempdir().unwrap();
    for service in Service::ALL {
        place(repository.path(), service, &package::zip(&Executable::SOUND.bytes()).unwrap());
    }
    assert!(gate::check(repository.path(), Architecture::Arm64).is_ok());
}

#[test]
fn the_gate_names_every_faulty_artefact_and_the_command_to_run() {
    let repository = tempfile::tempdir().unwrap();
    let error = gate::check(repository.path(), Architecture::Arm64).unwrap_err().to_string();
    assert!(error.contains("The ranker's artefact") && error.contains("it does not exist"), "{error}");
    assert!(error.contains("The enricher's artefact"), "{error}");
    assert!(error.ends_with("Run `cargo local package --architecture arm64` to build the functions."), "{error}");

    place(repository.path(), Service::Ranker, b"not a zip");
    place(repository.path(), Service::Enricher, &package::zip(&Executable::SOUND.bytes()).unwrap());
    let error = gate::check(repository.path(), Architecture::X86_64).unwrap_err().to_string();
    assert!(error.contains("it is no deployment package"), "{error}");
    assert!(error.contains("it is built for arm64, but the configuration says x86_64"), "{error}");
}
