//! `.github/SECURITY.md` names a test for what it claims. Each is looked up in the file that it is linked to.

use std::collections::BTreeSet;

use crate::{document, repository};

const SECURITY: &str = ".github/SECURITY.md";

/// The links of the table: text without backticks, path from the repository's root.
fn links(document: &str) -> Vec<(&str, &str)> {
    let table = document.lines().filter(|line| line.starts_with('|'));
    let links =
        table.flat_map(|row| row.split('[').skip(1)).filter_map(|rest| rest.split_once(')')?.0.split_once("]("));
    links.map(|(text, target)| (text.trim_matches('`'), target.strip_prefix("../").unwrap())).collect()
}

/// The functions that cargo runs as tests.
fn tests(source: &str) -> BTreeSet<&str> {
    let mut is_test = false;
    let mut tests = BTreeSet::new();
    for line in source.lines().map(str::trim) {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let Some((_, signature)) = line.split_once("fn ") else { continue };
        if std::mem::take(&mut is_test) {
            tests.extend(signature.split('(').next());
        }
    }
    tests
}

#[test]
fn every_test_that_shows_something_exists_where_it_is_said_to() {
    let text = document(SECURITY);
    let (of_ci, of_rust): (Vec<_>, Vec<_>) = links(&text).into_iter().partition(|(_, path)| path.starts_with(".ci/"));
    assert!(of_rust.len() >= 30, "{of_rust:?}");
    for (name, path) in of_rust {
        assert!(tests(&document(path)).contains(name), "{SECURITY}: {path} has no test {name}");
    }
    for (_, path) in of_ci {
        assert!(repository(path).exists(), "{SECURITY}: there is no {path}");
    }
}

#[test]
fn a_row_that_shows_nothing_says_so() {
    let text = document(SECURITY);
    for row in text.lines().filter(|line| line.starts_with('|')).skip(2) {
        let shown = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        assert!(shown.starts_with('[') || row.contains("**nothing**"), "{row}");
    }
}

#[test]
fn a_function_that_is_no_test_is_not_taken_for_one() {
    let source = "fn helper() {}\n#[test]\nfn one() {}\nfn other() {}\n    #[tokio::test]\n    async fn two() {}\n";
    assert_eq!(tests(source), BTreeSet::from(["one", "two"]));
}
