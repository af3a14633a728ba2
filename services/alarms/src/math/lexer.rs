//! Text → tokens of metric math.

use super::MathError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(f64),
    /// An id, a function or a keyword.
    Word(String),
    /// Punctuation or an operator, as written; `&&` and `||` come as `AND` and `OR`.
    Sign(&'static str),
}

/// A token and where it starts, counted in characters from 1.
pub(super) type Placed = (Token, usize);

/// Longer ones first, so that `<=` is not read as `<`.
const SIGNS: [(&str, &str); 18] = [
    ("&&", "AND"),
    ("||", "OR"),
    ("==", "=="),
    ("!=", "!="),
    ("<=", "<="),
    (">=", ">="),
    ("<", "<"),
    (">", ">"),
    ("+", "+"),
    ("-", "-"),
    ("*", "*"),
    ("/", "/"),
    ("(", "("),
    (")", ")"),
    ("[", "["),
    ("]", "]"),
    (",", ","),
    ("^", "^"),
];

pub(super) fn tokens(expression: &str) -> Result<Vec<Placed>, MathError> {
    let mut rest = expression;
    let mut tokens = Vec::new();
    while let Some(first) = rest.chars().next() {
        let position = expression[..expression.len() - rest.len()].chars().count() + 1;
        if first.is_whitespace() {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let (token, length) = token(rest).ok_or_else(|| MathError::Syntax {
            expression: expression.to_owned(),
            position,
            problem: format!("`{first}` is not supported in metric math"),
        })?;
        tokens.push((token, position));
        rest = &rest[length..];
    }
    Ok(tokens)
}

/// The token at the start of the text and its length in bytes.
fn token(text: &str) -> Option<(Token, usize)> {
    if let Some((sign, means)) = SIGNS.iter().find(|(sign, _)| text.starts_with(sign)) {
        return Some((Token::Sign(means), sign.len()));
    }
    let first = text.chars().next()?;
    if first.is_ascii_digit() || first == '.' {
        let number = prefix(text, |c| c.is_ascii_digit() || c == '.');
        return Some((Token::Number(number.parse().ok()?), number.len()));
    }
    let word = prefix(text, |c| c.is_ascii_alphanumeric() || c == '_');
    (!word.is_empty()).then(|| (word_token(word), word.len()))
}

fn word_token(word: &str) -> Token {
    match word {
        "AND" => Token::Sign("AND"),
        "OR" => Token::Sign("OR"),
        _ => Token::Word(word.to_owned()),
    }
}

fn prefix(text: &str, belongs: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|c| !belongs(c)).unwrap_or(text.len())]
}
