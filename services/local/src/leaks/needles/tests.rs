use aws_smithy_types::base64;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::*;

/// Has no long run, and every character that some encoding changes; `~`, `?` and `>` make `+` and `/` in base64.
const AWKWARD: &str = "k3y+/=%\"& ~?>~?>Zz\\9";

/// How the key is seen to be written here.
fn seen(key: &str, text: &str) -> Vec<&'static str> {
    let leaks = Needles::of(key).unwrap().search("here", text.as_bytes());
    let forms = leaks.into_iter().map(|leak| match leak {
        Leak::Found { form, .. } => form,
        Leak::Unsearched { .. } => panic!("{leak}"),
    });
    forms.collect()
}

#[test]
fn the_key_is_found_in_clear_and_escaped_at_any_place() {
    for before in ["", "a", "?apikey="] {
        for after in ["", "b", "&i=tt0111161"] {
            assert_eq!(seen(AWKWARD, &format!("{before}{AWKWARD}{after}")), ["in clear"]);
            let escaped = serde_json::json!(format!("{before}{AWKWARD}{after}")).to_string();
            assert_eq!(seen(AWKWARD, &escaped), ["JSON-escaped"]);
        }
    }
}

#[test]
fn the_key_is_found_url_encoded_by_every_rule_in_either_case() {
    let form = "k3y%2B%2F%3D%25%22%26+%7E%3F%3E%7E%3F%3EZz%5C9";
    let rfc_3986 = "k3y%2B%2F%3D%25%22%26%20~%3F%3E~%3F%3EZz%5C9";
    let in_full: Vec<_> = AWKWARD.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let in_full = in_full.concat();
    for text in [form, rfc_3986, &in_full] {
        assert_eq!(seen(AWKWARD, &format!("https://host/?apikey={text}&i=tt0111161")), ["URL-encoded"], "{text}");
        let lower = text.split('%').enumerate().map(|(index, part)| match index {
            0 => part.to_owned(),
            _ => format!("%{}{}", part[..2].to_lowercase(), &part[2..]),
        });
        assert_eq!(seen(AWKWARD, &lower.collect::<String>()), ["URL-encoded"], "{text}");
    }
}

#[test]
fn the_key_is_found_in_base64_of_both_alphabets_at_every_offset_with_and_without_padding() {
    for before in ["", "a", "ab", "abc", "\"key\":\""] {
        for after in ["", "x", "xy", "xyz", "\""] {
            let standard = base64::encode(format!("{before}{AWKWARD}{after}"));
            assert!(standard.contains('+') || standard.contains('/'), "{standard}");
            let url = standard.replace('+', "-").replace('/', "_");
            for text in [&standard, standard.trim_end_matches('='), &url, url.trim_end_matches('=')] {
                assert_eq!(seen(AWKWARD, text), ["base64"], "{before}|{after}");
            }
        }
    }
}

#[test]
fn the_canary_is_found_though_it_is_cut_or_escaped_more_than_once() {
    let canary = crate::omdb::KEY;
    let (first, last) = (&canary[..canary.len() / 2], &canary[canary.len() / 2..]);
    let json = serde_json::json!(serde_json::json!({"reason": canary}).to_string()).to_string();
    let url =
        utf8_percent_encode(&utf8_percent_encode(canary, NON_ALPHANUMERIC).to_string(), NON_ALPHANUMERIC).to_string();
    let html = canary.replace('&', "&amp;").replace('"', "&quot;");
    for text in [first, last, &json, &url, &html, &format!("{canary:?}")] {
        assert_eq!(seen(canary, text), ["in clear"], "{text}");
    }
    for text in [first, last] {
        for before in ["", "a", "ab"] {
            assert_eq!(seen(canary, &base64::encode(format!("{before}{text}"))), ["base64"], "{text}");
        }
    }
}

/// Otherwise hiding it from what is logged is no harder than hiding plain text.
#[test]
fn the_canary_looks_different_in_every_encoding() {
    let canary = crate::omdb::KEY;
    let mut written: Vec<_> = forms(canary).into_iter().map(|(_, bytes)| bytes).collect();
    let all = written.len();
    written.sort();
    written.dedup();
    // The alphabets of base64 differ where a text has `~`, `?` or `>` at the right place.
    assert!(written.len() >= all - 3, "{} of {all}", written.len());
}

#[test]
fn a_key_of_omdbs_own_length_is_searched_for_and_a_shorter_text_is_not() {
    assert_eq!(seen("90217345", "apikey=90217345"), ["in clear"]);
    assert_eq!(seen("90217345", &base64::encode("apikey=90217345")), ["base64"]);
    assert!(Needles::of("9021734").is_none());
}

#[test]
fn other_text_is_not_taken_for_the_key() {
    for text in ["", "k3y", "/movie-pipeline/local/omdb-api-key", &AWKWARD[1..], "****"] {
        assert_eq!(seen(AWKWARD, text), Vec::<&str>::new(), "{text}");
    }
}

proptest! {
    #[test]
    fn no_encoding_hides_any_key_wherever_it_stands(
        key in "[ -~]{8,40}",
        before in prop::collection::vec(any::<u8>(), 0..9),
        after in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let whole = [&before[..], key.as_bytes(), &after].concat();
        let needles = Needles::of(&key).unwrap();
        prop_assert!(needles.find(&whole).next().is_some());
        prop_assert!(needles.find(base64::encode(&whole).as_bytes()).next().is_some());
        let url = utf8_percent_encode(&key, NON_ALPHANUMERIC).to_string();
        prop_assert!(key.contains(['*', '-', '.', '_', '~']) || needles.find(url.as_bytes()).next().is_some());
    }
}
