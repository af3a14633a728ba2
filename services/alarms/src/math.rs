//! Metric math, as far as our alarms use it. Anything else is an error that names it.
//!
//! | What | How |
//! |---|---|
//! | values | numbers, ids of metrics, ids of other expressions, parentheses |
//! | arithmetic | `+`, `-`, `*`, `/`, unary `-` |
//! | comparison | `==`, `!=`, `<`, `<=`, `>`, `>=`: 1 or 0 |
//! | logic | `AND`, `OR`, `&&`, and the other sign for `OR`; any number but 0 is true |
//! | functions | `IF`, `FILL` with a number, `SUM`, `MIN`, `MAX` of an array `[m1, m2]` or of one time series |
//!
//! Source: <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>, sections "Metric
//! math syntax and functions" and "Using IF expressions"; their worked examples are tests of [`eval`].
//!
//! Where the page is silent, chosen:
//!
//! - **Precedence**, from weak to strong: `OR`, `AND`, comparison, `+ -`, `* /`, unary `-`; all from left to right.
//! - **A time at which no operand has data** gives no data. "Missing values are treated as 0" is taken to need the
//!   other time series to have a value, as the page says for comparisons; beside a single number, a missing value
//!   stays missing.
//! - **`FILL` of a metric without any data** fills all of it.
//! - **`SUM` of one metric without data** is 0; `MIN` and `MAX` have no value then, nor does what is computed of them.
//!
//! The page lists no `NOT` and no `!`: both are refused, because `PutMetricAlarm` would.

mod compile;
pub mod eval;
mod lexer;
mod parser;

pub use compile::{Math, MathQuery, Source};

/// The longest expression (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDataQuery.html>).
pub const MAX_EXPRESSION_LENGTH: usize = 2_048;

/// Why an expression cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MathError {
    /// The text is no expression.
    #[error("`{expression}` cannot be read at character {position}: {problem}")]
    Syntax {
        /// The whole expression.
        expression: String,
        /// Where reading stopped, counted from 1.
        position: usize,
        /// What was found and what was expected.
        problem: String,
    },
    /// It reads well but has no meaning, or one that is not supported.
    #[error("`{expression}` cannot be evaluated: {problem}")]
    Meaning {
        /// The whole expression.
        expression: String,
        /// Which part and why.
        problem: String,
    },
}
