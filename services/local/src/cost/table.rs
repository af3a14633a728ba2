//! How an estimate is shown: a table that is Markdown and reads well as text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

use super::lines::{Amount, Line, span_gb};
use super::prices::{Price, REGION, SPANS_INGESTED};
use super::usage::{Measured, RunUse, number};
use super::{DAYS_PER_MONTH, Estimate, RUNS_PER_MONTH};

impl Display for Estimate {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let rows: Vec<_> =
            std::iter::once(head()).chain(self.lines.iter().map(row)).chain(std::iter::once(self.sum())).collect();
        let widths: Vec<_> = (0..COLUMNS)
            .map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default())
            .collect();
        for (index, row) in rows.iter().enumerate() {
            write_row(formatter, row, &widths)?;
            if index == 0 {
                let rule = |width: &usize| "-".repeat(*width);
                let [what, price, numbers @ ..] = widths.as_slice() else { continue };
                let numbers = numbers.iter().map(|width| format!("{}:", "-".repeat(width - 1)));
                let rules: Vec<_> = [rule(what), rule(price)].into_iter().chain(numbers).collect();
                writeln!(formatter, "| {} |", rules.join(" | "))?;
            }
        }
        writeln!(formatter)?;
        self.notes().iter().try_for_each(|note| writeln!(formatter, "{}", list_entry(note)))
    }
}

const COLUMNS: usize = 6;

/// The longest line of a note, as everywhere in README.md.
const LINE_WIDTH: usize = 120;

/// An entry of a Markdown list, wrapped.
fn list_entry(text: &str) -> String {
    let mut lines = vec!["-".to_owned()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= LINE_WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(format!("  {word}")),
        }
    }
    lines.join("\n")
}

type Row = [String; COLUMNS];

fn head() -> Row {
    ["What is paid for", "List price, US$", "A month", "US$", "A million movies", "US$"].map(str::to_owned)
}

fn row(line: &Line) -> Row {
    let Line { what, price, month, million_movies } = line;
    let [month_quantity, month_usd] = cells(*month);
    let [million_quantity, million_usd] = cells(*million_movies);
    [what.clone(), shown_price(price), month_quantity, month_usd, million_quantity, million_usd]
}

fn write_row(formatter: &mut Formatter<'_>, row: &Row, widths: &[usize]) -> fmt::Result {
    for (column, (cell, &width)) in row.iter().zip(widths).enumerate() {
        if column < 2 {
            write!(formatter, "| {cell:<width$} ")?;
        } else {
            write!(formatter, "| {cell:>width$} ")?;
        }
    }
    writeln!(formatter, "|")
}

impl Estimate {
    fn sum(&self) -> Row {
        let bold = |amount: f64| format!("**{amount:.2}**");
        let [what, month, million] = ["**sum**".to_owned(), bold(self.month_usd), bold(self.million_movies_usd)];
        [what, String::new(), String::new(), month, String::new(), million]
    }

    fn notes(&self) -> Vec<String> {
        let movies = self.facts.movies_per_run;
        vec![
            format!(
                "A month has one run of {movies} movies a day, and Lambda polls the idle queue all the while. A million \
                 movies are {} such runs, each cold and by itself, which is the dearest way.",
                quantity(1_000_000.0 / number(movies))
            ),
            format!(
                "Storage is what accrues until it expires: objects {:.0} months after their run, logs {:.0}.",
                number(self.facts.run_retention_days + self.facts.noncurrent_version_retention_days) / DAYS_PER_MONTH,
                number(self.facts.log_retention_days) / DAYS_PER_MONTH
            ),
            format!(
                "Requests and bytes are those of a run on the local AWS. Assumed, since only AWS can tell: Lambda bills \
                 {:.0} s for a ranking, {:.0} s for a batch.",
                Measured::RANKER_BILLED_MS / 1_000.0,
                Measured::ENRICHER_BILLED_MS / 1_000.0
            ),
            "Left out: every free tier (an account's first ten alarms, ten metrics, three dashboards and more), taxes, \
             data transfer, alarm mails, failures and retries. The key costs 1.00 more after each of its first two \
             yearly rotations. Schedule and parameter are free."
                .to_owned(),
            self.traces(),
            self.sources(),
        ]
    }

    fn traces(&self) -> String {
        let usd = SPANS_INGESTED.of(span_gb(&RunUse::of(&self.facts)));
        let month = shown_usd(usd * RUNS_PER_MONTH);
        let million = shown_usd(usd * 1_000_000.0 / number(self.facts.movies_per_run));
        let are = if self.facts.sends_traces_to_xray {
            "go to X-Ray: of the sums"
        } else {
            "are off; sent to X-Ray they add"
        };
        let kilobytes = Measured::SPAN_BYTES / 1_000.0;
        format!("Traces {are} {month} a month and {million} a million movies, at an assumed {kilobytes:.0} KB a span.")
    }

    fn sources(&self) -> String {
        let mut pages = BTreeMap::<_, BTreeSet<_>>::new();
        for Line { price, .. } in &self.lines {
            pages.entry(price.page).or_default().insert(price.seen);
        }
        let links = pages.keys().map(|page| format!("[{}](https://aws.amazon.com/{page})", service(page)));
        let dates: BTreeSet<_> = pages.values().flatten().flatten().collect();
        let (Some(first), Some(last)) = (dates.first(), dates.last()) else { return String::new() };
        let undated: BTreeSet<_> =
            self.lines.iter().filter(|line| line.price.seen.is_none()).map(|line| line.what.as_str()).collect();
        format!(
            "List prices of {REGION}: {}. Seen in sources dated {first} to {last}; not in dated ones, so check these first: {}.",
            links.collect::<Vec<_>>().join(", "),
            undated.into_iter().collect::<Vec<_>>().join("; ")
        )
    }
}

/// `kms/pricing/` → `kms`.
fn service(page: &str) -> &str {
    page.split('/').next().unwrap_or(page)
}

fn shown_price(Price { usd, unit, .. }: &Price) -> String {
    let exact = usd.to_string();
    let decimals = exact.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    format!("{usd:.*} {unit}", decimals.max(2))
}

/// Nothing is shown as nothing.
fn cells(Amount { quantity: much, usd }: Amount) -> [String; 2] {
    if much == 0.0 {
        return [String::new(), String::new()];
    }
    [quantity(much), shown_usd(usd)]
}

fn shown_usd(usd: f64) -> String {
    if usd < 0.005 { "< 0.01".to_owned() } else { format!("{usd:.2}") }
}

/// With as many digits as matter.
fn quantity(much: f64) -> String {
    match much {
        much if much >= 1_000_000.0 => format!("{:.2} M", much / 1_000_000.0),
        much if much >= 1_000.0 => format!("{:.0} k", much / 1_000.0),
        much if much >= 10.0 || much.fract() == 0.0 => format!("{much:.0}"),
        much if much >= 0.01 => format!("{much:.2}"),
        _ => "< 0.01".to_owned(),
    }
}
