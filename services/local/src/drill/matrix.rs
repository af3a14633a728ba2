//! Faults × alarms.

use std::fmt::{self, Display, Formatter};

use pulumi::alarms::{ALARMS, MAINTENANCE, Severity};
use serde::Serialize;

use super::Finding;
use super::finding::severity_of;

/// The findings of several drills.
#[derive(Debug, Serialize)]
pub struct Matrix {
    /// In the order they were asked for.
    pub drills: Vec<Finding>,
}

impl Matrix {
    /// Whether each finding is as expected.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        self.drills.iter().all(Finding::is_as_expected)
    }
}

/// Every alarm on a metric: those that page, those that are tickets, and the one that tells nobody.
fn columns() -> Vec<&'static str> {
    let of = |severity| ALARMS.iter().filter(move |alarm| alarm.severity == severity).map(|alarm| alarm.notice.thing);
    of(Severity::Page).chain(of(Severity::Ticket)).chain([MAINTENANCE.thing]).collect()
}

fn cell(finding: &Finding, alarm: &str) -> char {
    if finding.not_carried_out.is_some() {
        return '?';
    }
    match (finding.expected.contains(alarm), finding.has(alarm)) {
        (true, true) => 'X',
        (false, false) => '·',
        (false, true) => 'U',
        (true, false) => 'M',
    }
}

impl Display for Matrix {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let columns = columns();
        let width = self.drills.iter().map(|finding| finding.name.len()).max().unwrap_or_default();
        write!(f, "{:width$}", "")?;
        for number in 1..=columns.len() {
            write!(f, " {number:>2}")?;
        }
        writeln!(f)?;
        for finding in &self.drills {
            write!(f, "{:width$}", finding.name)?;
            for alarm in &columns {
                write!(f, "  {}", cell(finding, alarm))?;
            }
            writeln!(f)?;
        }
        writeln!(f, "\nX fires as expected   · quiet as expected   U UNEXPECTED: fires   M MISSING: is quiet")?;
        writeln!(f, "? the drill could not be carried out\n")?;
        for (number, alarm) in (1..).zip(&columns) {
            writeln!(f, "{number:>2} {alarm} ({})", severity_of(alarm).unwrap_or("tells nobody"))?;
        }
        self.write_verdict(f)
    }
}

impl Matrix {
    fn write_verdict(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let odd: Vec<_> = self.drills.iter().filter(|finding| !finding.is_as_expected()).collect();
        if odd.is_empty() {
            return write!(f, "\n{} drills, all as expected.", self.drills.len());
        }
        write!(f, "\n{} of {} drills are not as expected:", odd.len(), self.drills.len())?;
        for finding in odd {
            for complaint in finding.complaints() {
                write!(f, "\n  {}: {complaint}", finding.name)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::drill::Drill;

    #[test]
    fn a_drill_that_could_not_be_carried_out_is_marked_and_the_others_are_still_shown() {
        let drill = Drill::find("omdb-down").unwrap();
        let error = anyhow::anyhow!("not within 120 s").context("dead letters");
        let failed = Finding::not_carried_out(drill, &error, Duration::ZERO);
        let quiet = Finding { name: "quiet", expected: [].into(), not_carried_out: None, ..failed.clone() };
        let matrix = Matrix { drills: vec![quiet, failed] };
        assert!(!matrix.is_as_expected());
        let text = matrix.to_string();
        let row = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
        assert_eq!(row("quiet").matches('·').count(), columns().len(), "{text}");
        assert_eq!(row("omdb-down").matches('?').count(), columns().len(), "{text}");
        let verdict =
            "1 of 2 drills are not as expected:\n  omdb-down: could not be carried out: dead letters: not within 120 s";
        assert!(text.ends_with(verdict), "{text}");
        assert_eq!(
            serde_json::to_value(&matrix).unwrap()["drills"][1]["not_carried_out"],
            "dead letters: not within 120 s"
        );
    }
}
