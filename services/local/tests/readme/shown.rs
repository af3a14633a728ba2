//! Documents that name a test for what they claim: which they name, and which there are.

use std::collections::BTreeSet;

use crate::document;

/// A link: its text without backticks, and where it leads, as a path from the repository's root.
#[derive(Debug)]
pub(crate) struct Link<'a> {
    pub(crate) name: &'a str,
    pub(crate) path: String,
}

/// The lines of a document's tables.
pub(crate) fn rows(document: &str) -> impl Iterator<Item = &str> {
    document.lines().filter(|line| line.starts_with('|'))
}

/// The links of some lines of a document that lies in this folder.
pub(crate) fn links<'a>(text: impl Iterator<Item = &'a str>, folder: &str) -> Vec<Link<'a>> {
    let links = text.flat_map(|line| line.split('[').skip(1));
    let links = links.filter_map(|rest| rest.split_once(')')?.0.split_once("]("));
    links.map(|(text, target)| Link { name: text.trim_matches('`'), path: resolve(folder, target) }).collect()
}

fn resolve(folder: &str, target: &str) -> String {
    target.strip_prefix("../").map_or_else(|| format!("{folder}/{target}"), str::to_owned)
}

/// The links that lead to no test of their name.
pub(crate) fn dangling(links: &[Link<'_>]) -> Vec<String> {
    let is_there = |link: &Link<'_>| tests(&document(&link.path)).contains(link.name);
    let dangling = links.iter().filter(|link| !is_there(link));
    dangling.map(|Link { name, path }| format!("{path} has no test {name}")).collect()
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
fn a_function_that_is_no_test_is_not_taken_for_one() {
    let source = "fn helper() {}\n#[test]\nfn one() {}\nfn other() {}\n    #[tokio::test]\n    async fn two() {}\n";
    assert_eq!(tests(source), BTreeSet::from(["one", "two"]));
}

#[test]
fn a_link_leads_from_the_folder_of_its_document() {
    let links = links("| [`one`](a/b.rs) · [`two`](../c.rs) |".lines(), "d");
    let found: Vec<_> = links.iter().map(|link| (link.name, link.path.as_str())).collect();
    assert_eq!(found, [("one", "d/a/b.rs"), ("two", "c.rs")]);
}

#[test]
fn a_test_that_is_not_there_is_told() {
    let name = "a_test_that_is_not_there_is_told";
    let path = || "services/local/tests/readme/shown.rs".to_owned();
    assert_eq!(dangling(&[Link { name, path: path() }]), [""; 0]);
    let told = dangling(&[Link { name: "nowhere", path: path() }]);
    assert_eq!(told, ["services/local/tests/readme/shown.rs has no test nowhere"]);
}
