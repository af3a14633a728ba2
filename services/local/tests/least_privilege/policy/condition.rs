//! Conditions of statements
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>).

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{bail, ensure};

use super::pattern;

/// One key that must have one of some values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Condition {
    operator: Operator,
    /// Whether it holds too when the key has no value.
    or_absent: bool,
    key: String,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    StringEquals,
    StringLike,
    /// `ArnEquals` means the same.
    ArnLike,
    Bool,
}

impl Condition {
    pub(crate) fn read(operator: &str, key: &str, values: Vec<String>) -> anyhow::Result<Self> {
        let (name, or_absent) = operator.strip_suffix("IfExists").map_or((operator, false), |name| (name, true));
        let operator = match name {
            "StringEquals" => Operator::StringEquals,
            "StringLike" => Operator::StringLike,
            "ArnLike" | "ArnEquals" => Operator::ArnLike,
            "Bool" => Operator::Bool,
            _ => bail!("the condition operator {operator} is not known here"),
        };
        let variable = values.iter().find(|value| value.contains("${"));
        ensure!(variable.is_none(), "policy variables are not known here: {variable:?}");
        Ok(Self { operator, or_absent, key: key.to_owned(), values })
    }

    /// Names of keys do not mind case, values do.
    pub(crate) fn holds(&self, context: &BTreeMap<&'static str, String>) -> bool {
        let value = context.iter().find_map(|(key, value)| key.eq_ignore_ascii_case(&self.key).then_some(value));
        value.map_or(self.or_absent, |value| self.values.iter().any(|wanted| self.operator.matches(wanted, value)))
    }

    /// One condition for each value, and one for no value, if it holds then too. It holds where one of them does.
    pub(crate) fn parts(&self) -> Vec<Self> {
        let values = self.values.iter().map(|value| vec![value.clone()]);
        let present = values.map(|values| Self { or_absent: false, values, ..self.clone() });
        let absent = self.or_absent.then(|| Self { values: Vec::new(), ..self.clone() });
        present.chain(absent).collect()
    }
}

impl Operator {
    fn matches(self, wanted: &str, value: &str) -> bool {
        match self {
            Self::StringEquals => wanted == value,
            Self::StringLike => pattern::matches(wanted, value),
            Self::ArnLike => pattern::arn_matches(wanted, value),
            Self::Bool => wanted.eq_ignore_ascii_case(value),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let absent = if self.or_absent { ["nothing"].as_slice() } else { &[] };
        let values: Vec<_> = self.values.iter().map(String::as_str).chain(absent.iter().copied()).collect();
        write!(f, "{} is {}", self.key, values.join(" or "))
    }
}
