//! The memory of the local AWS, as its launcher writes it down: `place<TAB>value` a line, `complete` at the end.

use super::{Leak, Needles, VALUES};
use crate::deploy::{CODE_BUCKET, SOURCE_BUCKET};
use crate::emulator::{ACCOUNT_ID, REGION};

/// What the lines come from, for people.
const MEMORY: &str = "the local AWS's memory";

/// The last line: without it, something is missing.
const COMPLETE: &[u8] = b"\ncomplete\n";

/// What stands in the place of a value that is too long to be written down.
const LEFT_OUT: &[u8] = b"\tleft out\n";

/// Searches the memory that holds the key as this SSM parameter.
pub(super) fn search(memory: &[u8], needles: &Needles, key_parameter: &str) -> Vec<Leak> {
    let unsearched = |reason: &str| Leak::Unsearched { place: MEMORY.to_owned(), reason: reason.to_owned() };
    if !memory.ends_with(COMPLETE) {
        return vec![unsearched("it was not written down to its end")];
    }
    let mut found: Vec<_> = needles.find(memory).map(|(at, form)| (place(memory, at, needles), form)).collect();
    found.sort();
    found.dedup();
    let (exempt, leaks): (Vec<_>, Vec<_>) = found.into_iter().partition(|(place, _)| is_the_key(place, key_parameter));
    let mut leaks: Vec<_> =
        leaks.into_iter().map(|(place, form)| Leak::Found { place: format!("{MEMORY}, {place}"), form }).collect();
    // Every search proves that it can find: where the key must stand, it has to see it.
    if exempt.is_empty() {
        leaks.push(unsearched("the key is not found even where it must stand, in its SSM parameter"));
    }
    leaks.extend(
        left_out(memory, needles)
            .into_iter()
            .filter(|place| !is_from_outside(place))
            .map(|place| Leak::Unsearched { place: format!("{MEMORY}, {place}"), reason: "it is too long".to_owned() }),
    );
    leaks
}

/// What the line at this position is about, without the key, which may be a part of that: the name of a dimension is.
fn place(memory: &[u8], at: usize, needles: &Needles) -> String {
    let start = memory[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let place = memory[start..].split(|byte| *byte == b'\t').next().unwrap_or_default();
    let end = needles.find(place).map(|(key, _)| key).min().unwrap_or(place.len());
    String::from_utf8_lossy(&place[..end]).into_owned()
}

fn left_out(memory: &[u8], needles: &Needles) -> Vec<String> {
    let finder = memchr::memmem::Finder::new(LEFT_OUT);
    finder.find_iter(memory).map(|at| place(memory, at, needles)).collect()
}

/// The value of the parameter, which is what the enricher reads, and its older values, which SSM keeps.
fn is_the_key(place: &str, key_parameter: &str) -> bool {
    let in_store = |store: &str| {
        place.strip_prefix(&format!(
            "ministack.services.ssm.{store}._data[('{ACCOUNT_ID}', '{REGION}', '{key_parameter}')]"
        ))
    };
    let values = VALUES.map(|value| format!("['{value}']"));
    let is_value = |rest: &str| values.iter().any(|value| value == rest);
    let is_version = |rest: &str| {
        let (number, rest) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')).unwrap_or_default();
        number.bytes().all(|byte| byte.is_ascii_digit()) && is_value(rest)
    };
    in_store("_parameters").is_some_and(is_value) || in_store("_parameter_history").is_some_and(is_version)
}

/// What the functions cannot have written: their own packages, uploaded before there is a key, and the source.
fn is_from_outside(place: &str) -> bool {
    let in_bucket = |bucket: &str| {
        place.starts_with(&format!("ministack.services.s3._buckets._data[('{ACCOUNT_ID}', '{bucket}')]['objects']"))
    };
    let of_function = format!("ministack.services.lambda_svc._functions._data[('{ACCOUNT_ID}', '{REGION}', ");
    let deployed = place.starts_with(&of_function) && place.ends_with("['code_zip']");
    let running = place.starts_with("ministack.core.lambda_runtime._workers[") && place.ends_with(".code_zip");
    deployed || running || in_bucket(CODE_BUCKET) || in_bucket(SOURCE_BUCKET)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdefghij";
    const PARAMETER: &str = "/project/omdb-api-key";
    const STORE: &str = "ministack.services.ssm";
    const SCOPE: &str = "_data[('123456789012', 'eu-central-1', '/project/omdb-api-key')]";

    /// What is told of a memory that holds the key where it must stand, and these lines.
    fn told(lines: &[String]) -> Vec<String> {
        let stands = format!("{STORE}._parameters.{SCOPE}['Value']\t'{KEY}'\n");
        let older = format!("{STORE}._parameter_history.{SCOPE}[0]['Value']\t'{KEY}'\n");
        let memory = format!("{stands}{older}{}complete\n", lines.concat());
        let leaks = search(memory.as_bytes(), &Needles::of(KEY).unwrap(), PARAMETER);
        leaks.iter().map(|leak| leak.to_string().replace("the local AWS's memory, ", "")).collect()
    }

    #[test]
    fn the_key_may_stand_in_its_parameter_and_nowhere_else() {
        assert_eq!(told(&[]), Vec::<String>::new());
        let other = format!("{STORE}._parameters._data[('123456789012', 'eu-central-1', '/other')]['Value']");
        let beside = format!("{STORE}._parameters.{SCOPE}['Description']");
        let deeper = format!("{STORE}._parameter_history.{SCOPE}[0]['Value'][0]");
        for place in [other, beside, deeper] {
            assert_eq!(told(&[format!("{place}\t'{KEY}'\n")]), [format!("{place}: the key, in clear")]);
        }
    }

    #[test]
    fn a_key_in_a_name_is_told_without_the_key() {
        let line = format!("cloudwatch._metrics['{KEY}'][0]\t1.0\n");
        assert_eq!(told(&[line]), ["cloudwatch._metrics[': the key, in clear"]);
    }

    #[test]
    fn a_memory_that_is_cut_off_or_in_which_the_key_is_not_seen_has_not_been_searched() {
        let search = |memory: &str| search(memory.as_bytes(), &Needles::of(KEY).unwrap(), PARAMETER);
        assert!(matches!(&search("a\t1\n")[..], [Leak::Unsearched { reason, .. }] if reason.contains("to its end")));
        assert!(
            matches!(&search("a\t1\ncomplete\n")[..], [Leak::Unsearched { reason, .. }] if reason.contains("must stand"))
        );
    }

    #[test]
    fn a_value_that_is_left_out_is_a_fault_unless_it_comes_from_outside() {
        let objects = |bucket: &str| {
            format!(
                "ministack.services.s3._buckets._data[('123456789012', '{bucket}')]['objects']['x']['body']\tleft out\n"
            )
        };
        assert_eq!(told(&[objects("local-code"), objects("local-source")]), Vec::<String>::new());
        let [told] = &told(&[objects("movies")])[..] else { panic!("one place is not searched") };
        assert!(told.contains("'movies'") && told.ends_with("it is too long"), "{told}");
    }
}
