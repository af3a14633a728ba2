//! Tokens → the tree of an expression. What the words mean is settled in `compile`.

use super::lexer::{Placed, Token, tokens};
use super::{MAX_EXPRESSION_LENGTH, MathError};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expression {
    Number(f64),
    Id(String),
    Negate(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    Call(String, Vec<Expression>),
    Array(Vec<Expression>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
}

/// Operators by how strongly they bind, the weakest first.
const LEVELS: [&[(&str, Operator)]; 5] = [
    &[("OR", Operator::Or)],
    &[("AND", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::NotEqual),
        ("<", Operator::Less),
        ("<=", Operator::LessOrEqual),
        (">", Operator::Greater),
        (">=", Operator::GreaterOrEqual),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide)],
];

/// Deeper nesting is refused: no alarm needs it, and the stack stays bounded.
const MAX_DEPTH: usize = 50;

pub(super) fn parse(text: &str) -> Result<Expression, MathError> {
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0 };
    if text.chars().count() > MAX_EXPRESSION_LENGTH {
        return Err(parser.fault(format!("an expression has at most {MAX_EXPRESSION_LENGTH} characters")));
    }
    let expression = parser.level(0)?;
    if parser.next < parser.tokens.len() {
        return Err(parser.unexpected("an operator or the end"));
    }
    Ok(expression)
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Placed>,
    next: usize,
    depth: usize,
}

impl Parser<'_> {
    fn level(&mut self, level: usize) -> Result<Expression, MathError> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let mut left = self.level(level + 1)?;
        while let Some(&(sign, operator)) = operators.iter().find(|(sign, _)| self.is_next(sign)) {
            self.expect(sign)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(self.level(level + 1)?));
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expression, MathError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault(format!("it is nested more than {MAX_DEPTH} deep")));
        }
        let expression = if self.is_next("-") {
            self.expect("-")?;
            Expression::Negate(Box::new(self.unary()?))
        } else {
            self.primary()?
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn primary(&mut self) -> Result<Expression, MathError> {
        match self.tokens.get(self.next).map(|(token, _)| token.clone()) {
            Some(Token::Number(number)) => {
                self.next += 1;
                Ok(Expression::Number(number))
            }
            Some(Token::Word(word)) => {
                self.next += 1;
                self.word(word)
            }
            Some(Token::Sign("(")) => {
                self.expect("(")?;
                let inner = self.level(0)?;
                self.expect(")").map(|()| inner)
            }
            Some(Token::Sign("[")) => self.list("[", "]").map(Expression::Array),
            _ => Err(self.unexpected("a number, an id, a function, `(` or `[`")),
        }
    }

    fn word(&mut self, word: String) -> Result<Expression, MathError> {
        // Ids start with a lowercase letter, functions are written in capitals.
        if word.starts_with(|c: char| c.is_ascii_lowercase()) {
            Ok(Expression::Id(word))
        } else if self.is_next("(") {
            self.list("(", ")").map(|arguments| Expression::Call(word, arguments))
        } else {
            Err(self.fault(format!("`{word}` is neither an id (they start with a lowercase letter) nor a function")))
        }
    }

    fn list(&mut self, open: &'static str, close: &'static str) -> Result<Vec<Expression>, MathError> {
        self.expect(open)?;
        let mut items = Vec::new();
        while !self.is_next(close) {
            if !items.is_empty() {
                self.expect(",")?;
            }
            items.push(self.level(0)?);
        }
        self.expect(close).map(|()| items)
    }

    fn is_next(&self, sign: &str) -> bool {
        matches!(self.tokens.get(self.next), Some((Token::Sign(next), _)) if *next == sign)
    }

    fn expect(&mut self, sign: &str) -> Result<(), MathError> {
        if !self.is_next(sign) {
            return Err(self.unexpected(&format!("`{sign}`")));
        }
        self.next += 1;
        Ok(())
    }

    fn unexpected(&self, expected: &str) -> MathError {
        let found = match self.tokens.get(self.next) {
            Some((Token::Number(number), _)) => format!("found {number}"),
            Some((Token::Word(word), _)) => format!("found `{word}`"),
            Some((Token::Sign("^"), _)) => "`^` is not supported".to_owned(),
            Some((Token::Sign(sign), _)) => format!("found `{sign}`"),
            None => "it ends".to_owned(),
        };
        self.fault(format!("{found} where {expected} should be"))
    }

    fn fault(&self, problem: String) -> MathError {
        let end = self.text.chars().count() + 1;
        let position = self.tokens.get(self.next).map_or(end, |(_, position)| *position);
        MathError::Syntax { expression: self.text.to_owned(), position, problem }
    }
}
