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
        writeln!(f, "\nX fires as expected   · quiet as expected   U UNEXPECTED: fires   M MISSING: is quiet\n")?;
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
        for Finding { name, unexpected, missing, .. } in odd {
            for (word, things) in [("UNEXPECTED", unexpected), ("MISSING", missing)] {
                if !things.is_empty() {
                    write!(f, "\n  {name}: {word} {}", things.join("; "))?;
                }
            }
        }
        Ok(())
    }
}
