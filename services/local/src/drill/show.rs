//! What came of a drill, for people.

use std::fmt::{self, Display, Formatter};

use super::finding::{Alarmed, Finding, Told};

const INDENT: &str = "             ";

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {}\n", self.name, self.what)?;
        if self.not_carried_out.is_none() {
            self.write_told(f)?;
            self.write_alarms(f)?;
            writeln!(f)?;
        }
        self.write_verdict(f)
    }
}

fn over(alarmed: &Alarmed) -> String {
    alarmed.over_after_minutes.map_or_else(|| ", still on".to_owned(), |minutes| format!(", over after {minutes} min"))
}

impl Finding {
    /// Whether all is as expected, and what is not, in a line.
    #[must_use]
    pub fn verdict(&self) -> String {
        match (self.is_as_expected(), &self.not_carried_out) {
            (true, _) => "as expected".to_owned(),
            (false, Some(_)) => self.complaints().join(""),
            (false, None) => format!("NOT as expected: {}", self.complaints().join(", ")),
        }
    }

    /// Everything that is not as expected.
    pub(super) fn complaints(&self) -> Vec<String> {
        let reason = self.not_carried_out.iter().map(|reason| format!("could not be carried out: {reason}"));
        let differences = [("UNEXPECTED", &self.unexpected), ("MISSING", &self.missing)];
        let differences = differences.into_iter().filter(|(_, things)| !things.is_empty());
        reason.chain(differences.map(|(word, things)| format!("{word} {}", things.join("; ")))).collect()
    }

    /// The notifications as they were received: they hold the composite alarm's own text, not those of its causes.
    fn write_told(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.told.is_empty() {
            return writeln!(f, "The person on call is told nothing.");
        }
        writeln!(f, "The person on call is told (minutes after the fault, virtual time):")?;
        for Told { after_minutes, subject, text, causes, .. } in &self.told {
            writeln!(f, "  {after_minutes:>5} min  {subject}")?;
            text.lines().try_for_each(|line| writeln!(f, "{INDENT}{line}"))?;
            if !causes.is_empty() {
                writeln!(f, "{INDENT}because of {}", causes.join(", "))?;
            }
        }
        Ok(())
    }

    fn write_alarms(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if !self.alarms.is_empty() {
            writeln!(f, "\nThe console and the runbook add, of the alarms that went off:")?;
        }
        for alarmed in &self.alarms {
            let severity = alarmed.severity.unwrap_or("tells nobody");
            let silent = if self.silent.contains(&alarmed.alarm) { ", in no mail" } else { "" };
            writeln!(f, "  {:>5} min  {} ({severity}{silent}{})", alarmed.after_minutes, alarmed.alarm, over(alarmed))?;
            writeln!(f, "{INDENT}{}\n{INDENT}{}", alarmed.description, alarmed.reason)?;
        }
        Ok(())
    }

    fn write_verdict(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let expected: Vec<_> = self.expected.iter().copied().collect();
        let expected = if expected.is_empty() { "none".to_owned() } else { expected.join(", ") };
        write!(f, "Expected: {expected}")?;
        if !self.because.is_empty() {
            write!(f, "\n  {}", self.because)?;
        }
        if self.is_as_expected() {
            return write!(f, "\nSeen: exactly that.");
        }
        self.complaints().iter().try_for_each(|complaint| write!(f, "\n{complaint}"))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::drill::Drill;

    fn failed() -> Finding {
        Finding::not_carried_out(Drill::find("poison-message").unwrap(), &anyhow::anyhow!("no room"), Duration::ZERO)
    }

    #[test]
    fn a_drill_that_could_not_be_carried_out_says_why_in_the_place_of_its_verdict() {
        assert_eq!(failed().verdict(), "could not be carried out: no room");
        let text = failed().to_string();
        assert!(text.ends_with("\ncould not be carried out: no room") && !text.contains("is told"), "{text}");
    }

    #[test]
    fn a_notification_is_shown_as_received_and_the_alarms_texts_apart_from_it() {
        let told = Told {
            after_minutes: 12,
            subject: "ALARM: page".to_owned(),
            text: "Act now.\nOr soon.".to_owned(),
            state: "ALARM".to_owned(),
            alarm: "page".to_owned(),
            causes: vec!["dead-letters".to_owned()],
        };
        let alarmed = Alarmed {
            alarm: "dead-letters".to_owned(),
            after_minutes: 11,
            over_after_minutes: None,
            severity: Some("page"),
            description: "A movie failed.".to_owned(),
            reason: "1 of 1".to_owned(),
        };
        let late = Alarmed { alarm: "run-late".to_owned(), ..alarmed.clone() };
        let silent = vec!["run-late".to_owned()];
        let finding =
            Finding { told: vec![told], alarms: vec![alarmed, late], silent, not_carried_out: None, ..failed() };
        let text = finding.to_string();
        let places = [
            "ALARM: page\n",
            "\n             Act now.\n             Or soon.\n",
            "because of dead-letters\n",
            "console and the runbook add",
            "dead-letters (page, still on)",
            "A movie failed.",
            "run-late (page, in no mail, still on)",
        ];
        let places = places.map(|part| text.find(part).unwrap_or_else(|| panic!("no {part}: {text}")));
        assert!(places.is_sorted(), "{text}");
    }

    #[test]
    fn the_verdict_names_what_is_unexpected_and_what_is_missing() {
        let (unexpected, missing) = (vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]);
        let finding = Finding { unexpected, missing, not_carried_out: None, ..failed() };
        assert_eq!(finding.verdict(), "NOT as expected: UNEXPECTED a; b, MISSING c");
        assert_eq!(Finding { not_carried_out: None, ..failed() }.verdict(), "as expected");
    }
}
