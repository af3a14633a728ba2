//! `services/FAULTS.md` says what happens when something fails, and names the tests and drills that show it.

use local::Drill;

use crate::document;
use crate::shown::{dangling, links, rows};

pub(crate) const FAULTS: &str = "services/FAULTS.md";

/// What the functions ask for besides AWS's services.
const OUTSIDE_OF_AWS: [&str; 3] = ["OMDb", "OTLP", "Runtime API"];

/// Where everything that the functions ask of AWS is listed: whatever else they ask fails the tests of their permissions.
const REQUESTS: &str = "services/local/src/recorder/request.rs";

/// The names of the requests that are known, but for the one that stands for all others.
fn requests(source: &str) -> Vec<&str> {
    let (_, body) = source.split_once("pub enum AwsRequest {").unwrap();
    let (body, _) = body.split_once("\n}").unwrap();
    let variants = body.lines().filter_map(|line| line.strip_prefix("    ")?.strip_suffix(" {"));
    variants.filter(|name| name.starts_with(char::is_uppercase)).collect()
}

/// The cells of a row, without the bars around them.
fn cells(row: &str) -> Vec<&str> {
    row.trim_matches('|').split(" | ").map(str::trim).collect()
}

#[test]
fn every_test_and_drill_that_shows_a_fault_exists() {
    let text = document(FAULTS);
    let named = links(text.lines(), "services");
    let tests: Vec<_> = named.into_iter().filter(|link| !link.name.contains('/')).collect();
    assert!(tests.len() >= 70, "{tests:?}");
    assert_eq!(dangling(&tests), [""; 0], "{FAULTS}");
    let drills: Vec<_> = text.split("drill `").skip(1).filter_map(|rest| rest.split('`').next()).collect();
    assert!(drills.len() >= 25, "{drills:?}");
    let unknown: Vec<_> = drills.into_iter().filter(|name| Drill::find(name).is_none()).collect();
    assert_eq!(unknown, [""; 0], "{FAULTS}");
}

#[test]
fn every_fault_says_what_happens_and_what_shows_it() {
    let text = document(FAULTS);
    let is_heading = |row: &&str| row.starts_with("|---") || row.ends_with("| Shown by |");
    for row in rows(&text).filter(|row| !is_heading(row)) {
        let [_, fault, happens, shown] = cells(row)[..] else { panic!("{row} has not four cells") };
        assert!(!fault.is_empty() && !happens.is_empty(), "{row}");
        assert!(shown.starts_with('[') || shown.starts_with("drill `"), "{row}");
    }
}

#[test]
fn every_call_that_the_functions_make_has_its_row() {
    let (text, source) = (document(FAULTS), document(REQUESTS));
    let calls = requests(&source);
    assert!(calls.contains(&"PublishBatch") && calls.contains(&"HeadObject"), "{calls:?}");
    for call in calls.into_iter().chain(OUTSIDE_OF_AWS) {
        let is_there = rows(&text).any(|row| cells(row)[0].contains(&format!("`{call}`")));
        assert!(is_there, "{FAULTS} has no row for {call}");
    }
}
