//! The gate over small executables made here: the right one passes, each wrong one is named with what to run.

use artefacts::elf::{ElfFault, GLIBC, Version, faults};
use artefacts::testing::{Executable, RISCV, X86_64, place};
use artefacts::{Architecture, gate, package};
use domain::contract::Service;

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
    let newer: [(&[&str], Version); 3] = [
        (&["GLIBC_2.4", "GLIBC_2.35", "GLIBC_2.9"], Version(2, 35)),
        (&["GLIBC_2.100"], Version(2, 100)),
        (&["GLIBC_ABI_DT_RELR"], Version(u32::MAX, 0)),
    ];
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

#[test]
fn a_binary_that_lambda_may_not_run_is_named() {
    let repository = tempfile::tempdir().unwrap();
    for service in Service::ALL {
        let mut zip = package::zip(&Executable::SOUND.bytes()).unwrap();
        // Permissions stand in the upper half of four bytes of the central directory.
        let permissions = 0o100_755_u16.to_le_bytes();
        let at = zip.windows(2).rposition(|bytes| bytes == permissions).unwrap();
        zip[at..at + 2].copy_from_slice(&0o100_644_u16.to_le_bytes());
        place(repository.path(), service, &zip);
    }
    let error = gate::check(repository.path(), Architecture::Arm64).unwrap_err().to_string();
    assert!(error.contains("its bootstrap is not marked as readable and executable for everyone"), "{error}");
}
