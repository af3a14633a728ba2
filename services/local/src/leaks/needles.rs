//! How a key may be written.

use memchr::memmem::Finder;

use super::Leak;

/// Letters and digits in a row that are sure to mean the key and nothing else.
const TELLING_CHARS: usize = 16;

/// A text shorter than this, OMDb's own keys have eight, is found everywhere without meaning the key.
const LEAST_CHARS: usize = 8;

/// Everything that gives a key away.
///
/// A long run of letters and digits stays as it is whatever quotes, escapes or URL-encodes the key around it, however
/// often, and shows a key that was cut. So a key that has such runs is searched for by them, any other as a whole.
#[derive(Debug)]
pub(crate) struct Needles(Vec<(&'static str, Finder<'static>)>);

impl Needles {
    /// Nothing for a key that is too short to be told from other text.
    pub(crate) fn of(key: &str) -> Option<Self> {
        if key.len() < LEAST_CHARS {
            return None;
        }
        let runs = key.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|run| run.len() >= TELLING_CHARS);
        let mut texts: Vec<_> = runs.collect();
        if texts.is_empty() {
            texts.push(key);
        }
        let mut needles: Vec<(&'static str, Vec<u8>)> = Vec::new();
        for (form, bytes) in texts.into_iter().flat_map(forms) {
            if !needles.iter().any(|(_, known)| *known == bytes) {
                needles.push((form, bytes));
            }
        }
        Some(Self(needles.into_iter().map(|(form, bytes)| (form, Finder::new(&bytes).into_owned())).collect()))
    }

    /// Where the key begins, and how it is written there, in no order.
    pub(crate) fn find<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = (usize, &'static str)> + 'a {
        self.0.iter().flat_map(move |(form, finder)| finder.find_iter(bytes).map(move |at| (at, *form)))
    }

    /// One leak for each way in which the key is written here.
    pub(crate) fn search(&self, place: &str, bytes: &[u8]) -> Vec<Leak> {
        let mut forms: Vec<_> = self.find(bytes).map(|(_, form)| form).collect();
        forms.sort_unstable();
        forms.dedup();
        forms.into_iter().map(|form| Leak::Found { place: place.to_owned(), form }).collect()
    }
}

fn forms(text: &str) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = text.as_bytes();
    let escaped = serde_json::Value::from(text).to_string();
    let mut forms = vec![("in clear", bytes.to_vec()), ("JSON-escaped", escaped.trim_matches('"').into())];
    let kept: [fn(u8) -> bool; 3] = [kept_in_forms, kept_by_rfc_3986, |_| false];
    for keeps in kept {
        for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
            forms.push(("URL-encoded", url_encoded(bytes, keeps, digits)));
        }
    }
    for before in 0..3 {
        for last_two in [b"+/", b"-_"] {
            forms.push(("base64", base64(bytes, before, *last_two)));
        }
    }
    forms
}

/// What `application/x-www-form-urlencoded` leaves as it is; a space becomes a plus
/// (<https://url.spec.whatwg.org/#application-x-www-form-urlencoded-percent-encode-set>).
fn kept_in_forms(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"*-._ ".contains(&byte)
}

/// <https://www.rfc-editor.org/rfc/rfc3986#section-2.3>
fn kept_by_rfc_3986(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn url_encoded(bytes: &[u8], keeps: fn(u8) -> bool, digits: &[u8; 16]) -> Vec<u8> {
    let encode = |byte: u8| match byte {
        b' ' if keeps(b' ') => vec![b'+'],
        byte if keeps(byte) => vec![byte],
        byte => vec![b'%', digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]],
    };
    bytes.iter().copied().flat_map(encode).collect()
}

/// What is the same in every base64 text (<https://www.rfc-editor.org/rfc/rfc4648>) whose original has these bytes after
/// `before` others or three more, whatever stands around them: the digits made of their bits alone. Padding is no part
/// of it.
fn base64(bytes: &[u8], before: usize, last_two: [u8; 2]) -> Vec<u8> {
    let begin_bit = before * 8;
    let whole_digits = begin_bit.div_ceil(6)..(begin_bit + bytes.len() * 8) / 6;
    let digit = |index: usize| {
        let bit = index * 6 - begin_bit;
        let pair = [bytes[bit / 8], bytes.get(bit / 8 + 1).copied().unwrap_or_default()];
        let [_, digit] = (u16::from_be_bytes(pair) >> (10 - bit % 8)).to_be_bytes();
        match digit & 63 {
            value @ 0..26 => b'A' + value,
            value @ 26..52 => b'a' + value - 26,
            value @ 52..62 => b'0' + value - 52,
            value => last_two[usize::from(value - 62)],
        }
    };
    whole_digits.map(digit).collect()
}

#[cfg(test)]
mod tests;
