//! One JSON value, followed to its end over chunks and kept if it is not too large.

use memchr::memchr2;

use super::is_space;

/// Follows one value. What is inside is not judged here; `serde_json` does that once the value is whole.
#[derive(Debug, Default)]
pub(super) struct ValueReader {
    shape: Shape,
    depth: usize,
    in_string: bool,
    escaped: bool,
    limit: usize,
    /// Bytes of earlier chunks; none when the value lies in one chunk, as most do.
    kept: Vec<u8>,
    is_too_large: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Shape {
    #[default]
    Unknown,
    /// A number, `true`, `false` or `null`: ends before the next delimiter.
    Scalar,
    /// Ends with its closing quote.
    Text,
    /// An object or array: ends when as many brackets have closed as opened.
    Nested,
}

/// A value at its end.
pub(super) enum Captured<'a> {
    /// All of its bytes.
    Whole(&'a [u8]),
    /// It had more bytes than wanted.
    TooLarge,
}

impl ValueReader {
    /// Starts the next value, of which at most `limit` bytes are kept.
    pub(super) fn begin(&mut self, limit: usize) {
        self.kept.clear();
        let kept = std::mem::take(&mut self.kept);
        *self = Self { limit, kept, ..Self::default() };
    }

    /// Whether no byte of the value has been kept from earlier chunks.
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty() && !self.is_too_large
    }

    /// How many of these bytes belong to the value, if it ends among them.
    pub(super) fn scan(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while at < bytes.len() {
            if self.in_string {
                at += self.skip_string(&bytes[at..])?;
                if self.shape == Shape::Text && !self.in_string {
                    return Some(at);
                }
                continue;
            }
            let byte = bytes[at];
            if self.shape == Shape::Unknown {
                self.shape = match byte {
                    b'"' => Shape::Text,
                    b'{' | b'[' => Shape::Nested,
                    _ => Shape::Scalar,
                };
            }
            match (self.shape, byte) {
                (Shape::Scalar, b',' | b'}' | b']' | b':' | b'"' | b'{' | b'[') => return Some(at),
                (Shape::Scalar, _) if is_space(byte) => return Some(at),
                (_, b'"') => self.in_string = true,
                (_, b'{' | b'[') => self.depth += 1,
                (_, b'}' | b']') => self.depth -= 1,
                _ => {}
            }
            at += 1;
            if self.shape == Shape::Nested && self.depth == 0 {
                return Some(at);
            }
        }
        None
    }

    /// How many bytes there are up to and with the closing quote; nothing when it is not among them.
    fn skip_string(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = usize::from(std::mem::take(&mut self.escaped));
        loop {
            at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
            if bytes[at] == b'"' {
                self.in_string = false;
                return Some(at + 1);
            }
            if at + 1 == bytes.len() {
                self.escaped = true;
                return None;
            }
            at += 2;
        }
    }

    /// Keeps the bytes of a chunk in which the value does not end.
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        if self.kept.len() + bytes.len() > self.limit {
            self.is_too_large = true;
            self.kept.clear();
        } else if !self.is_too_large {
            self.kept.extend_from_slice(bytes);
        }
    }

    /// The whole value, whose last bytes these are.
    pub(super) fn end<'a>(&'a mut self, last: &'a [u8]) -> Captured<'a> {
        let is_in_one_chunk = self.kept.is_empty() && !self.is_too_large;
        if is_in_one_chunk && last.len() <= self.limit {
            return Captured::Whole(last);
        }
        self.keep(last);
        if self.is_too_large { Captured::TooLarge } else { Captured::Whole(&self.kept) }
    }
}
