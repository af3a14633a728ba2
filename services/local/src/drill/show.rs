//! What came of a drill, for people.

use std::fmt::{self, Display, Formatter};

use super::finding::{Alarmed, Finding, Told};

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}\n", self.name, self.what)?;
        if self.told.is_empty() {
            writeln!(f, "The person on call is told nothing.")?;
        } else {
            writeln!(f, "The person on call is told (minutes after the fault, virtual time):")?;
        }
        for Told { after_minutes, subject, causes, .. } in &self.told {
            let because = if causes.is_empty() { String::new() } else { format!(", because of {}", causes.join(", ")) };
            writeln!(f, "  {after_minutes:>5} min  {subject}{because}")?;
        }
        if !self.alarms.is_empty() {
            writeln!(f, "\nThe alarms that went off:")?;
        }
        for alarmed in &self.alarms {
            let severity = alarmed.severity.unwrap_or("tells nobody");
            writeln!(f, "  {:>5} min  {} ({severity}{})", alarmed.after_minutes, alarmed.alarm, over(alarmed))?;
            writeln!(f, "             {}", alarmed.description)?;
            writeln!(f, "             {}", alarmed.reason)?;
        }
        self.write_verdict(f)
    }
}

fn over(alarmed: &Alarmed) -> String {
    alarmed.over_after_minutes.map_or_else(|| ", still on".to_owned(), |minutes| format!(", over after {minutes} min"))
}

impl Finding {
    fn write_verdict(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let expected: Vec<_> = self.expected.iter().copied().collect();
        let expected = if expected.is_empty() { "none".to_owned() } else { expected.join(", ") };
        write!(f, "\nExpected: {expected}")?;
        if !self.because.is_empty() {
            write!(f, "\n  {}", self.because)?;
        }
        if self.is_as_expected() {
            return write!(f, "\nSeen: exactly that.");
        }
        for (word, things) in [("UNEXPECTED", &self.unexpected), ("MISSING", &self.missing)] {
            if !things.is_empty() {
                write!(f, "\n{word}: {}", things.join("; "))?;
            }
        }
        Ok(())
    }
}
