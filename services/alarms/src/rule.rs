//! The rules of composite alarms.
//!
//! Source: parameter `AlarmRule` of
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html>. It does not tell the
//! precedence. Chosen: `NOT` before `AND` before `OR`. `AT_LEAST` is not supported.

use crate::state::State;

/// The longest rule (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutCompositeAlarm.html>).
pub const MAX_RULE_LENGTH: usize = 10_240;

/// Deeper nesting is refused: no rule of ours needs it, and the stack stays bounded.
const MAX_DEPTH: usize = 50;

/// A rule over the states of alarms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// `TRUE` or `FALSE`.
    Constant(bool),
    /// Whether the alarm of this name is in this state.
    Is(State, String),
    /// Not.
    Not(Box<Rule>),
    /// All of them.
    And(Vec<Rule>),
    /// Any of them.
    Or(Vec<Rule>),
}

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the rule cannot be read at character {position}: {problem}")]
pub struct RuleError {
    /// Where reading stopped, counted from 1.
    pub position: usize,
    /// What was found and what was expected.
    pub problem: String,
}

impl Rule {
    /// Reads a rule.
    pub fn parse(text: &str) -> Result<Self, RuleError> {
        let mut parser = Parser { text, rest: text, depth: 0 };
        if text.chars().count() > MAX_RULE_LENGTH {
            return Err(parser.fault(format!("a rule has at most {MAX_RULE_LENGTH} characters")));
        }
        let rule = parser.any()?;
        if parser.peek().is_empty() { Ok(rule) } else { Err(parser.unexpected("AND, OR or the end")) }
    }

    /// Whether the rule holds, given the states of alarms by name.
    pub fn holds(&self, state: &impl Fn(&str) -> Option<State>) -> bool {
        match self {
            Self::Constant(value) => *value,
            Self::Is(wanted, alarm) => state(alarm) == Some(*wanted),
            Self::Not(rule) => !rule.holds(state),
            Self::And(rules) => rules.iter().all(|rule| rule.holds(state)),
            Self::Or(rules) => rules.iter().any(|rule| rule.holds(state)),
        }
    }

    /// The alarms it names, in order, once for each time.
    #[must_use]
    pub fn alarms(&self) -> Vec<&str> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Is(_, alarm) => vec![alarm],
            Self::Not(rule) => rule.alarms(),
            Self::And(rules) | Self::Or(rules) => rules.iter().flat_map(Self::alarms).collect(),
        }
    }
}

/// The name of an alarm that is given by name or by ARN
/// (`arn:aws:cloudwatch:<region>:<account>:alarm:<name>`,
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html>).
#[must_use]
pub fn alarm_name(reference: &str) -> &str {
    match reference.split_once(":alarm:") {
        Some((arn, name)) if arn.starts_with("arn:") => name,
        _ => reference,
    }
}

struct Parser<'a> {
    text: &'a str,
    rest: &'a str,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Rule, RuleError> {
        let mut rules = vec![self.all()?];
        while self.take("OR") {
            rules.push(self.all()?);
        }
        Ok(single(rules, Rule::Or))
    }

    fn all(&mut self) -> Result<Rule, RuleError> {
        let mut rules = vec![self.not()?];
        while self.take("AND") {
            rules.push(self.not()?);
        }
        Ok(single(rules, Rule::And))
    }

    fn not(&mut self) -> Result<Rule, RuleError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault(format!("it is nested more than {MAX_DEPTH} deep")));
        }
        let rule = if self.take("NOT") { Rule::Not(Box::new(self.not()?)) } else { self.primary()? };
        self.depth -= 1;
        Ok(rule)
    }

    fn primary(&mut self) -> Result<Rule, RuleError> {
        for (word, value) in [("TRUE", true), ("FALSE", false)] {
            if self.take(word) {
                return Ok(Rule::Constant(value));
            }
        }
        for state in [State::Alarm, State::Ok, State::InsufficientData] {
            if self.take(&state.to_string()) {
                return self.reference().map(|alarm| Rule::Is(state, alarm));
            }
        }
        self.expect("(", "ALARM, OK, INSUFFICIENT_DATA, TRUE, FALSE, NOT or `(`")?;
        let rule = self.any()?;
        self.expect(")", "AND, OR or `)`").map(|()| rule)
    }

    /// `("name")`, `(name)`, or the same with an ARN.
    fn reference(&mut self) -> Result<String, RuleError> {
        self.expect("(", "`(`")?;
        let end = if self.take("\"") { '"' } else { ')' };
        let Some((name, _)) = self.rest.split_once(end) else {
            return Err(self.fault(format!("the name of an alarm is not closed by `{end}`")));
        };
        let trimmed = name.trim();
        if trimmed.is_empty() {
            return Err(self.fault("the name of an alarm is missing".to_owned()));
        }
        self.rest = &self.rest[name.len()..];
        if end == '"' {
            self.expect("\"", "`\"`")?;
        }
        self.expect(")", "`)`")?;
        Ok(alarm_name(trimmed).to_owned())
    }

    /// The word or sign that comes next; empty at the end.
    fn peek(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let first = self.rest.chars().next().map_or(0, char::len_utf8);
        let word = self.rest.find(|c| !is_word(c)).unwrap_or(self.rest.len());
        &self.rest[..word.max(first)]
    }

    fn take(&mut self, token: &str) -> bool {
        let is_next = self.peek() == token;
        if is_next {
            self.rest = &self.rest[token.len()..];
        }
        is_next
    }

    fn expect(&mut self, token: &str, expected: &str) -> Result<(), RuleError> {
        if self.take(token) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn unexpected(&mut self, expected: &str) -> RuleError {
        let problem = match self.peek() {
            "" => format!("it ends where {expected} should be"),
            "AT_LEAST" => "AT_LEAST is not supported".to_owned(),
            found => format!("found `{found}` where {expected} should be"),
        };
        self.fault(problem)
    }

    fn fault(&self, problem: String) -> RuleError {
        let position = self.text[..self.text.len() - self.rest.len()].chars().count() + 1;
        RuleError { position, problem }
    }
}

fn single(mut rules: Vec<Rule>, join: impl Fn(Vec<Rule>) -> Rule) -> Rule {
    if rules.len() == 1 { rules.remove(0) } else { join(rules) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(rule: &str) -> bool {
        Rule::parse(rule).unwrap().holds(&|name| match name {
            "cpu too high" | "Disk" => Some(State::Alarm),
            "Net" => Some(State::Ok),
            "New" => Some(State::InsufficientData),
            _ => None,
        })
    }

    #[test]
    fn a_rule_holds_as_its_words_say() {
        let cases = [
            ("ALARM(\"cpu too high\")", true),
            ("ALARM(cpu too high) AND ALARM( Disk )", true),
            ("ALARM(Disk) AND NOT ALARM(Net)", true),
            ("(ALARM(Net) OR ALARM(Disk)) AND OK(Net)", true),
            ("OK(New)", false),
            ("INSUFFICIENT_DATA(New)", true),
            ("TRUE", true),
            ("NOT TRUE OR FALSE", false),
            ("TRUE OR FALSE AND FALSE", true),
            ("FALSE AND FALSE OR TRUE", true),
            ("(TRUE OR FALSE) AND FALSE", false),
            ("NOT (FALSE OR TRUE)", false),
            ("ALARM(\"arn:aws:cloudwatch:us-east-1:123456789012:alarm:Disk\")", true),
        ];
        for (rule, expected) in cases {
            assert_eq!(holds(rule), expected, "{rule}");
        }
    }

    #[test]
    fn a_rule_names_its_alarms() {
        let rule = Rule::parse("ALARM(a) AND (NOT OK(\"b\") OR TRUE)").unwrap();
        assert_eq!(rule.alarms(), ["a", "b"]);
    }

    #[test]
    fn what_is_no_rule_is_told_with_its_place() {
        let cases = [
            ("", 1, "it ends"),
            ("ALARM(a) ALARM(b)", 10, "`ALARM`"),
            ("ALARM(a", 7, "not closed"),
            ("ALARM(\"a)", 8, "not closed"),
            ("ALARM()", 7, "missing"),
            ("ALARM a", 7, "`a`"),
            ("(TRUE", 6, "`)`"),
            ("AT_LEAST(2, ALARM, (a, b))", 1, "AT_LEAST is not supported"),
            ("alarm(a)", 1, "`alarm`"),
            ("TRUE XOR FALSE", 6, "`XOR`"),
            ("TRUE é", 6, "`é`"),
        ];
        for (rule, position, problem) in cases {
            let error = Rule::parse(rule).unwrap_err();
            assert_eq!(error.position, position, "{rule}: {error}");
            assert!(error.problem.contains(problem), "{rule}: {error}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_rather_than_followed() {
        let rule = format!("{}TRUE{}", "(".repeat(5_000), ")".repeat(5_000));
        assert!(Rule::parse(&rule).unwrap_err().problem.contains("nested"));
    }
}
