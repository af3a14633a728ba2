//! Each target under `cargo test`: with every committed input, and with a fixed number of random changes to them.
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fuzz::{TARGETS, Target};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

/// Changed inputs of each target.
const CASES: u32 = 1_000;

/// All committed inputs together.
const MAX_CORPUS_BYTES: u64 = 100 * 1024;

/// What the formats are made of, and what they are broken with.
const PIECES: &str = r#"
    { } [ ] , : " \ = é \u0000 \ud800 1e400 -0 1e15 18446744073709551616 null true [[[[[[[[
    items errorMessage id tt0111161 schema_version position "of":0 Response imdbID Error limit
    c0ffee42 12345678 c4nary movie-pipeline: Records body
"#;

fn corpus_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The committed inputs of a target with their names, in the order of these.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(corpus_folder().join(target)).unwrap().map(|file| file.unwrap().path());
    let mut inputs: Vec<_> = files.map(|file| (file.display().to_string(), std::fs::read(&file).unwrap())).collect();
    inputs.sort();
    inputs
}

#[test]
fn every_committed_input_holds() {
    for (name, check) in TARGETS {
        let inputs = corpus(name);
        assert!(!inputs.is_empty(), "{name} has no inputs");
        for (file, input) in inputs {
            println!("{file}");
            check(&input);
        }
    }
}

#[test]
fn the_committed_inputs_are_small() {
    let folders = std::fs::read_dir(corpus_folder()).unwrap().map(|folder| folder.unwrap().path());
    let files = folders.flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let bytes: u64 = files.map(|file| file.unwrap().metadata().unwrap().len()).sum();
    assert!(bytes <= MAX_CORPUS_BYTES, "{bytes} bytes");
}

#[test]
fn each_target_has_inputs_and_a_program_of_its_name() {
    let names = |folder: &str| {
        let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
        let name = |path: PathBuf| path.file_stem().unwrap().to_str().unwrap().to_owned();
        entries.map(|entry| name(entry.unwrap().path())).collect::<BTreeSet<_>>()
    };
    let targets: BTreeSet<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("corpus"), targets);
    assert_eq!(names("targets"), targets);
    let manifest = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let programs = manifest.split("[[bin]]\nname = \"").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
    assert_eq!(programs.collect::<BTreeSet<_>>(), targets);
}

/// One change of an input: at a place, so many bytes are taken out and these put in.
#[derive(Debug, Clone)]
struct Change {
    at: Index,
    removed: usize,
    inserted: Vec<u8>,
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let piece = prop_oneof![
        select(PIECES.split_whitespace().collect::<Vec<_>>()).prop_map(|piece| piece.as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..4),
    ];
    let change = (any::<Index>(), 0_usize..6, piece);
    let change = change.prop_map(|(at, removed, inserted)| Change { at, removed, inserted });
    prop::collection::vec(change, 0..8)
}

fn changed(mut input: Vec<u8>, changes: &[Change]) -> Vec<u8> {
    for Change { at, removed, inserted } in changes {
        let at = at.index(input.len() + 1);
        let end = (at + removed).min(input.len());
        input.splice(at..end, inserted.iter().copied());
    }
    input
}

fn check_changed_inputs(name: &str) {
    let (_, check): &Target = TARGETS.iter().find(|target| target.0 == name).unwrap();
    let inputs: Vec<_> = corpus(name).into_iter().map(|(_, input)| input).collect();
    let mut runner = TestRunner::new(Config { failure_persistence: None, cases: CASES, ..Config::default() });
    let input = (select(inputs), changes()).prop_map(|(input, changes)| changed(input, &changes));
    let holds = |input: Vec<u8>| {
        check(&input);
        Ok(())
    };
    runner.run(&input, holds).unwrap();
}

#[test]
fn any_source_list_is_read_the_same_in_chunks_as_a_whole() {
    check_changed_inputs("source_list");
}

#[test]
fn any_movie_message_that_is_taken_reads_back_the_same() {
    check_changed_inputs("movie_message");
}

#[test]
fn no_omdb_answer_brings_the_key_out_or_anything_large() {
    check_changed_inputs("omdb_answer");
}

#[test]
fn no_stack_config_shows_the_secret_and_what_is_taken_makes_a_program() {
    check_changed_inputs("stack_config");
}

#[test]
fn any_record_of_a_batch_is_stored_or_reported_as_failed() {
    check_changed_inputs("queue_records");
}

#[test]
fn no_environment_shows_its_values_and_what_is_taken_is_within_bounds() {
    check_changed_inputs("settings");
}
