//! The environment, read once at start, with all its faults reported at once.
//!
//! No fault repeats a value: someone who puts a secret into the wrong variable must not find it in the log.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use domain::contract::environment::Variable;

/// Where variables come from. A map stands in for the process's environment in tests.
pub trait Variables {
    /// The value of this variable, or why there is none.
    fn get(&self, name: &str) -> Value;
}

/// What a variable holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Not set.
    Missing,
    /// Set, but not UTF-8.
    Unreadable,
    /// Set; may be empty.
    Text(String),
}

/// The environment of this process.
#[derive(Debug, Clone, Copy)]
pub struct ProcessEnvironment;

impl Variables for ProcessEnvironment {
    fn get(&self, name: &str) -> Value {
        match std::env::var(name) {
            Ok(text) => Value::Text(text),
            Err(std::env::VarError::NotPresent) => Value::Missing,
            Err(std::env::VarError::NotUnicode(_)) => Value::Unreadable,
        }
    }
}

impl<S: std::hash::BuildHasher> Variables for HashMap<&str, &str, S> {
    fn get(&self, name: &str) -> Value {
        HashMap::get(self, name).map_or(Value::Missing, |text| Value::Text((*text).to_owned()))
    }
}

/// Reads variables and collects their faults. Each `read` gives `None` where it adds a fault; [`Reader::finish`] then
/// fails with all of them, so a half-read setting is never used.
pub struct Reader<'a> {
    variables: &'a dyn Variables,
    faults: Vec<Fault>,
}

impl<'a> Reader<'a> {
    /// A reader over these variables.
    #[must_use]
    pub fn new(variables: &'a dyn Variables) -> Self {
        Self { variables, faults: Vec::new() }
    }

    /// A value that `check` accepts, or the variable's default. An empty value counts as not set.
    pub fn read<T>(&mut self, variable: &'static Variable, check: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = match self.variables.get(variable.name) {
            Value::Text(text) if !text.is_empty() => text,
            Value::Unreadable => return self.fault(variable, Problem::Unreadable),
            Value::Missing | Value::Text(_) => match variable.default {
                Some(default) => default.to_owned(),
                None => return self.fault(variable, Problem::Missing),
            },
        };
        match check(&text) {
            Some(value) => Some(value),
            None => self.fault(variable, Problem::Unreadable),
        }
    }

    /// Any text.
    pub fn text(&mut self, variable: &'static Variable) -> Option<String> {
        self.read(variable, |text| Some(text.to_owned()))
    }

    /// A whole number within these bounds.
    pub fn number<T: FromStr + PartialOrd>(
        &mut self,
        variable: &'static Variable,
        bounds: std::ops::RangeInclusive<T>,
    ) -> Option<T> {
        self.read(variable, |text| text.parse().ok().filter(|number| bounds.contains(number)))
    }

    /// A time in milliseconds, 1 to 60,000: no request of ours is worth waiting longer for.
    pub fn milliseconds(&mut self, variable: &'static Variable) -> Option<std::time::Duration> {
        self.number(variable, 1..=60_000).map(std::time::Duration::from_millis)
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// All faults found.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Faults> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(Faults(self.faults)),
        }
    }

    fn fault<T>(&mut self, variable: &'static Variable, problem: Problem) -> Option<T> {
        self.faults.push(Fault { variable, problem });
        None
    }
}

/// One faulty variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which one.
    pub variable: &'static Variable,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Problem {
    /// Not set, and there is no default.
    Missing,
    /// Set to something that it cannot be.
    Unreadable,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Variable { name, looks_like, .. } = self.variable;
        match self.problem {
            Problem::Missing => write!(f, "{name} is missing; it holds {looks_like}"),
            Problem::Unreadable => write!(f, "{name} cannot be read as {looks_like}"),
        }
    }
}

/// All faulty variables of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("environment variables to mend: ")?;
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("; ")?;
            }
            write!(f, "{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Faults {}

#[cfg(test)]
mod tests {
    use domain::contract::environment::{OMDB_TIMEOUT_MS, SOURCE_BUCKET, TOP_N};

    use super::*;

    #[test]
    fn all_faulty_variables_are_named_at_once_without_their_values() {
        let environment = HashMap::from([("TOP_N", "hunter2"), ("OMDB_TIMEOUT_MS", "0")]);
        let mut reader = Reader::new(&environment);
        let bucket = reader.text(SOURCE_BUCKET);
        let top_n = reader.number(TOP_N, 1..=1000_usize);
        let timeout = reader.milliseconds(OMDB_TIMEOUT_MS);
        let error = reader.finish(bucket.zip(top_n).zip(timeout)).unwrap_err().to_string();
        assert_eq!(
            error,
            "environment variables to mend: SOURCE_BUCKET is missing; it holds a bucket name such as top-movies; \
             TOP_N cannot be read as a whole number from 1 to 1000; \
             OMDB_TIMEOUT_MS cannot be read as milliseconds from 1 to 60000"
        );
    }

    #[test]
    fn an_absent_or_empty_variable_takes_its_default() {
        for environment in [HashMap::new(), HashMap::from([("TOP_N", "")])] {
            let mut reader = Reader::new(&environment);
            let top_n = reader.number(TOP_N, 1..=1000_usize);
            assert_eq!(reader.finish(top_n), Ok(10));
        }
    }
}
