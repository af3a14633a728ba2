//! What is reported: rows, each with its figures, what stands beside them, and a verdict where there is a goal.

use std::fmt::{self, Display, Formatter};

use serde::Serialize;

use super::goals::Goal;
use super::statistics::Summary;

/// Everything that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// Where and when.
    pub(crate) machine: String,
    pub(crate) date: String,
    /// How often everything was measured.
    pub(crate) rounds: usize,
    pub(crate) rows: Vec<Row>,
}

/// One thing that was measured.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    case: &'static str,
    what: String,
    unit: &'static str,
    #[serde(flatten)]
    measured: Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    beside: Option<Beside>,
    /// What the original took, see [`goals`](super::goals).
    #[serde(skip_serializing_if = "Option::is_none")]
    original: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goal: Option<&'static str>,
    /// What the goal is about: a ratio or the median itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    reached: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
}

/// Whether a goal is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Met,
    Missed,
}

impl Verdict {
    fn name(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::Missed => "MISSED",
        }
    }
}

/// What was measured in the same rounds, in the same unit.
#[derive(Debug, Serialize)]
struct Beside {
    what: &'static str,
    #[serde(flatten)]
    measured: Summary,
    /// The row's median over this one.
    ratio: f64,
}

impl Row {
    pub(super) fn new(case: &'static str, what: impl Into<String>, unit: &'static str, measured: Summary) -> Self {
        let what = what.into();
        Self { case, what, unit, measured, beside: None, original: None, goal: None, reached: None, verdict: None }
    }

    pub(super) fn beside(mut self, what: &'static str, measured: Summary) -> Self {
        self.beside = Some(Beside { what, measured, ratio: self.measured.median / measured.median });
        self
    }

    pub(super) fn original(mut self, original: f64) -> Self {
        self.original = Some(original);
        self
    }

    /// Judges the ratio to what stands beside it, or the median if nothing does.
    pub(super) fn judged_by(mut self, goal: &Goal) -> Self {
        let reached = self.beside.as_ref().map_or(self.measured.median, |beside| beside.ratio);
        self.goal = Some(goal.says);
        self.reached = Some(reached);
        self.verdict = Some(if goal.is_met_by(reached) { Verdict::Met } else { Verdict::Missed });
        self
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let head = ["Case", "What", "Median", "Min", "Max", "Beside it", "Original", "Goal", "Verdict"];
        let rows: Vec<_> = std::iter::once(head.map(str::to_owned)).chain(self.rows.iter().map(Row::cells)).collect();
        let widths: [usize; 9] =
            std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default());
        for (index, row) in rows.iter().enumerate() {
            let cells: Vec<_> = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
            writeln!(f, "| {} |", cells.join(" | "))?;
            if index == 0 {
                let rules: Vec<_> = widths.iter().map(|width| "-".repeat(*width)).collect();
                writeln!(f, "| {} |", rules.join(" | "))?;
            }
        }
        writeln!(f, "\n{}, {}, {} rounds.", self.machine, self.date, self.rounds)
    }
}

impl Row {
    fn cells(&self) -> [String; 9] {
        let Summary { median, min, max, rounds } = self.measured;
        let spread = |value| if rounds == 1 { String::new() } else { figure(value) };
        let beside = self.beside.as_ref().map_or_else(String::new, |beside| {
            format!("{} × {} ({})", figure(beside.ratio), beside.what, figure(beside.measured.median))
        });
        [
            self.case.to_owned(),
            self.what.clone(),
            format!("{} {}", figure(median), self.unit).trim_end().to_owned(),
            spread(min),
            spread(max),
            beside,
            self.original.map(|original| format!("{} {}", figure(original), self.unit)).unwrap_or_default(),
            self.goal.unwrap_or_default().to_owned(),
            self.verdict.map_or("", Verdict::name).to_owned(),
        ]
    }
}

/// Three digits that matter.
fn figure(value: f64) -> String {
    let size = value.abs();
    if size >= 100.0 {
        format!("{value:.0}")
    } else if size >= 10.0 {
        format!("{value:.1}")
    } else if size >= 0.095 || size == 0.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.5}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::goals;

    fn row(median: f64) -> Row {
        let measured = Summary { median, min: 1.0, max: 9.0, rounds: 12 };
        Row::new("cold", "ranker: start", "ms", measured).beside("the floor", Summary::exact(2.0)).original(700.0)
    }

    #[test]
    fn a_goal_is_judged_by_the_ratio_and_told_in_text_and_json() {
        for (median, text, json) in [(4.0, "met", "met"), (6.0, "MISSED", "missed")] {
            let row = row(median).judged_by(&goals::START);
            assert_eq!(serde_json::to_value(&row).unwrap()["verdict"], json);
            let report =
                Report { machine: "a machine".to_owned(), date: "today".to_owned(), rounds: 12, rows: vec![row] };
            let shown = report.to_string();
            assert!(shown.contains(text) && shown.contains("2.5 × the floor"), "{shown}");
        }
    }

    #[test]
    fn the_columns_are_aligned() {
        let report =
            Report { machine: String::new(), date: String::new(), rounds: 1, rows: vec![row(4.0), row(123_456.0)] };
        let shown = report.to_string();
        let widths: std::collections::BTreeSet<_> =
            shown.lines().filter(|line| line.starts_with('|')).map(|line| line.chars().count()).collect();
        assert_eq!(widths.len(), 1, "{shown}");
    }

    #[test]
    fn figures_have_the_digits_that_matter() {
        assert_eq!([1234.5, 12.34, 1.234, 0.0, 0.001_23].map(figure), ["1234", "12.3", "1.23", "0.00", "0.00123"]);
    }
}
