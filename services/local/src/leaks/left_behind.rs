//! The files that the local AWS and the functions leave.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use artefacts::package::ENTRY;
use serde_json::Value;

use super::{Leak, Needles, VALUES, memory};
use crate::deploy::CODE_BUCKET;
use crate::emulator::{ACCOUNT_ID, REGION};

/// What the names of the files begin with that the local AWS writes its memory into.
const MEMORY: &str = "memory-";

/// What a durable local AWS keeps of SSM.
const SSM_STATE: &str = "state/ssm.json";

/// How the local AWS came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It was asked to end and has written down what it held.
    AsAsked,
    /// It was gone before, with everything in its memory.
    ByItself,
}

/// Searches the folder of a local AWS that has ended, which holds the key as this SSM parameter.
pub(crate) fn search_folder(folder: &Path, ending: Ending, needles: &Needles, key_parameter: &str) -> Vec<Leak> {
    let mut leaks = Vec::new();
    let files = files(folder).unwrap_or_else(|error| {
        leaks.push(Leak::Unsearched { place: "the local AWS's folder".to_owned(), reason: error.to_string() });
        Vec::new()
    });
    let mut memories = 0;
    for path in files {
        let place = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
        if is_a_program(&place) {
            continue;
        }
        match fs::read(&path) {
            Ok(memory) if place.starts_with(MEMORY) => {
                memories += 1;
                leaks.extend(memory::search(&memory, needles, key_parameter));
            }
            Ok(state) if place == SSM_STATE => match without_key(&state, key_parameter) {
                Ok(state) => leaks.extend(search_lines(&place, &state, needles)),
                Err(error) => leaks.push(Leak::Unsearched { place, reason: error.to_string() }),
            },
            Ok(bytes) => leaks.extend(search_lines(&place, &bytes, needles)),
            Err(error) => leaks.push(Leak::Unsearched { place, reason: error.to_string() }),
        }
    }
    if ending == Ending::AsAsked && memories == 0 {
        let reason = "it was not written down".to_owned();
        leaks.push(Leak::Unsearched { place: "the local AWS's memory".to_owned(), reason });
    }
    leaks
}

/// With the number of the line, counted from 1.
fn search_lines(place: &str, bytes: &[u8], needles: &Needles) -> Vec<Leak> {
    let number = |at: usize| memchr::memchr_iter(b'\n', &bytes[..at]).count() + 1;
    let found = needles.find(bytes);
    found.map(|(at, form)| Leak::Found { place: format!("{place}:{}", number(at)), form }).collect()
}

/// The state of SSM without the values of this parameter, of which it keeps the older ones too.
fn without_key(state: &[u8], parameter: &str) -> serde_json::Result<Vec<u8>> {
    let mut state: Value = serde_json::from_slice(state)?;
    let name = format!("{ACCOUNT_ID}\0{REGION}\0'{parameter}'");
    for store in ["parameters", "parameter_history"] {
        let Some(kept) = state["payload"][store]["data"].get_mut(&name) else { continue };
        let versions = match kept {
            Value::Array(versions) => versions.as_mut_slice(),
            one => std::slice::from_mut(one),
        };
        for version in versions.iter_mut().filter_map(Value::as_object_mut) {
            version.retain(|name, _| !VALUES.contains(&name.as_str()));
        }
    }
    serde_json::to_vec(&state)
}

/// The functions' programs, as they were uploaded and as they are run: they are built before there is a key.
fn is_a_program(place: &str) -> bool {
    let of_bucket = format!("s3/{ACCOUNT_ID}/{CODE_BUCKET}/");
    let is_package = place.starts_with(&of_bucket) || place.starts_with("state/lambda-blobs/");
    is_package && place.as_bytes().ends_with(b".zip")
        || place.starts_with("tmp/") && place.ends_with(&format!("/{ENTRY}"))
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let (mut folders, mut files) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            match entry.file_type()? {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => files.push(entry.path()),
                // A link leads to what is searched where it lies, or to somebody else's.
                _ => {}
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const KEY: &str = "0123456789abcdefghij";

    #[test]
    fn every_file_is_searched_but_for_the_functions_programs() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("tmp/deep")).unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        write("emulator.log", &format!("one\n\"GET /?apikey={KEY}\"\n"));
        write("tmp/deep/state", KEY);
        write("tmp/deep/bootstrap", KEY);
        let needles = Needles::of(KEY).unwrap();
        let mut found = search_folder(folder.path(), Ending::ByItself, &needles, "/key");
        found.sort_by_key(ToString::to_string);
        let places: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(places, ["emulator.log:2: the key, in clear", "tmp/deep/state:1: the key, in clear"]);
    }

    #[test]
    fn what_is_kept_of_ssm_may_hold_the_key_as_its_parameter_alone() {
        let version = |value: &str| json!({"Name": "/key", "Value": value, "OriginalValue": value, "Description": ""});
        let state = |description: &str, other: &str| {
            let mut first = version(KEY);
            first["Description"] = description.into();
            let at = |name: &str| format!("{ACCOUNT_ID}\0{REGION}\0'{name}'");
            json!({"payload": {
                "parameters": {"data": {at("/key"): first, at("/other"): version(other)}},
                "parameter_history": {"data": {at("/key"): [version(KEY), version("newer")]}},
            }})
        };
        let found = |state: Value| {
            let rest = without_key(state.to_string().as_bytes(), "/key").unwrap();
            Needles::of(KEY).unwrap().search("state", &rest).len()
        };
        assert_eq!(found(state("", "")), 0);
        assert_eq!(found(state(KEY, "")), 1);
        assert_eq!(found(state("", KEY)), 1);
    }

    #[test]
    fn a_local_aws_that_ended_as_asked_without_writing_its_memory_down_has_not_been_searched() {
        let folder = tempfile::tempdir().unwrap();
        let search = |ending| search_folder(folder.path(), ending, &Needles::of(KEY).unwrap(), "/key");
        assert_eq!(search(Ending::ByItself), []);
        assert!(matches!(&search(Ending::AsAsked)[..], [Leak::Unsearched { .. }]));
    }
}
