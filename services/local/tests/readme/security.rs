//! `.github/SECURITY.md` names a test for what it claims. Each is looked up in the file that it is linked to.

use crate::shown::{dangling, links, rows};
use crate::{document, repository};

const SECURITY: &str = ".github/SECURITY.md";

#[test]
fn every_test_that_shows_something_exists_where_it_is_said_to() {
    let text = document(SECURITY);
    let (of_ci, of_rust): (Vec<_>, Vec<_>) =
        links(rows(&text), ".github").into_iter().partition(|link| link.path.starts_with(".ci/"));
    assert!(of_rust.len() >= 30, "{of_rust:?}");
    assert_eq!(dangling(&of_rust), [""; 0], "{SECURITY}");
    for link in of_ci {
        assert!(repository(&link.path).exists(), "{SECURITY}: there is no {}", link.path);
    }
}

#[test]
fn a_row_that_shows_nothing_says_so() {
    let text = document(SECURITY);
    for row in rows(&text).skip(2) {
        let shown = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        assert!(shown.starts_with('[') || row.contains("**nothing**"), "{row}");
    }
}
