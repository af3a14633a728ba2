//! What a stack costs: the program's own facts × measured use × list prices.
//!
//! | Module | What it knows |
//! |---|---|
//! | `prices` | list prices, each with its page and when it was seen |
//! | `facts` | what the Pulumi program says: memory, batches, retentions, how many alarms |
//! | `usage` | what one run uses: requests follow from the flow, bytes and times are measured |
//! | `lines` | the one times the other |
//! | `table` | how it is shown |

mod facts;
mod lines;
mod prices;
mod table;
mod usage;

use serde::Serialize;

use crate::deploy::{Configuration, program};

pub use facts::Facts;
pub use lines::{Amount, Line};
pub use prices::Price;
pub use usage::{Measured, RunUse};

/// Hours in a month, as AWS counts them on its pricing pages.
const HOURS_PER_MONTH: f64 = 730.0;
const DAYS_PER_MONTH: f64 = HOURS_PER_MONTH / 24.0;

/// The schedule's default, once a day.
const RUNS_PER_MONTH: f64 = DAYS_PER_MONTH;

/// What a stack costs at list prices, in US dollars.
#[derive(Debug, Clone, Serialize)]
pub struct Estimate {
    /// What the program says.
    pub facts: Facts,
    /// One for each price.
    pub lines: Vec<Line>,
    /// A month with one run a day, in US dollars.
    pub month_usd: f64,
    /// A million movies, in US dollars, without what the stack costs in any case.
    pub million_movies_usd: f64,
}

impl Estimate {
    /// The estimate for a configuration of the Pulumi program.
    ///
    /// # Errors
    /// [`Fault`](crate::Fault) for a configuration that the program refuses; other errors when the program lacks what
    /// the estimate looks for.
    pub fn of(configuration: &Configuration) -> anyhow::Result<Self> {
        let facts = Facts::of(&program(configuration)?)?;
        let lines = lines::of(&facts);
        let sum = |amount: fn(&Line) -> Amount| lines.iter().map(|line| amount(line).usd).sum();
        let (month_usd, million_movies_usd) = (sum(|line| line.month), sum(|line| line.million_movies));
        Ok(Self { facts, lines, month_usd, million_movies_usd })
    }
}

#[cfg(test)]
mod tests;
