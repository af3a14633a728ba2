//! The value of an expression over a range of periods.

use super::parser::Operator;

/// A value per period, the oldest first; `None` where there is no data.
pub type Series = Vec<Option<f64>>;

/// An expression whose words are resolved and whose types fit.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Node {
    Number(f64),
    /// The series of a metric, by its index.
    Input(usize),
    Negate(Box<Node>),
    Binary(Operator, Box<Node>, Box<Node>),
    If(Box<Node>, Box<Node>, Option<Box<Node>>),
    Fill(Box<Node>, Box<Node>),
    /// Of an array: a series, period by period.
    Across(Aggregate, Vec<Node>),
    /// Of one series: a number.
    Along(Aggregate, Box<Node>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Aggregate {
    Sum,
    Min,
    Max,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Scalar(Option<f64>),
    Series(Series),
}

impl Node {
    /// `inputs` holds one series per metric, all of the same length.
    pub(super) fn value(&self, inputs: &[Series]) -> Value {
        match self {
            Self::Number(number) => Value::Scalar(Some(*number)),
            Self::Input(index) => Value::Series(inputs[*index].clone()),
            Self::Negate(operand) => operand.value(inputs).map(|number| -number),
            Self::Binary(operator, left, right) => {
                left.value(inputs).combine(right.value(inputs), |left, right| operator.apply(left, right))
            }
            Self::If(condition, then, otherwise) => {
                let otherwise = otherwise.as_ref().map_or(Value::Scalar(None), |node| node.value(inputs));
                choose(&condition.value(inputs), &then.value(inputs), &otherwise, length(inputs))
            }
            Self::Fill(series, filler) => fill(series.value(inputs), filler.value(inputs)),
            Self::Across(aggregate, series) => {
                let series: Vec<Value> = series.iter().map(|node| node.value(inputs)).collect();
                Value::Series(
                    (0..length(inputs)).map(|i| aggregate.across(series.iter().filter_map(|s| s.at(i)))).collect(),
                )
            }
            Self::Along(aggregate, series) => {
                let series = series.value(inputs);
                Value::Scalar(aggregate.along((0..length(inputs)).filter_map(|i| series.at(i))))
            }
        }
    }
}

fn length(inputs: &[Series]) -> usize {
    inputs.first().map_or(0, Vec::len)
}

impl Value {
    /// The value at a period; a number is the same everywhere.
    fn at(&self, index: usize) -> Option<f64> {
        match self {
            Self::Scalar(number) => *number,
            Self::Series(series) => series.get(index).copied().flatten(),
        }
    }

    fn map(self, apply: impl Fn(f64) -> f64) -> Self {
        match self {
            Self::Scalar(number) => Self::Scalar(number.map(apply)),
            Self::Series(series) => Self::Series(series.into_iter().map(|value| value.map(&apply)).collect()),
        }
    }

    fn combine(self, other: Self, apply: impl Fn(f64, f64) -> Option<f64>) -> Self {
        let both = |left: Option<f64>, right: Option<f64>| apply(left?, right?);
        let either = |left: Option<f64>, right: Option<f64>| {
            left.or(right)?;
            apply(left.unwrap_or(0.0), right.unwrap_or(0.0))
        };
        match (self, other) {
            (Self::Scalar(left), Self::Scalar(right)) => Self::Scalar(both(left, right)),
            (Self::Series(left), Self::Scalar(right)) => {
                Self::Series(left.into_iter().map(|value| both(value, right)).collect())
            }
            (Self::Scalar(left), Self::Series(right)) => {
                Self::Series(right.into_iter().map(|value| both(left, value)).collect())
            }
            (Self::Series(left), Self::Series(right)) => {
                Self::Series(left.into_iter().zip(right).map(|(left, right)| either(left, right)).collect())
            }
        }
    }

    pub(super) fn into_series(self, length: usize) -> Series {
        match self {
            Self::Scalar(number) => vec![number; length],
            Self::Series(series) => series,
        }
    }
}

impl Operator {
    /// A comparison is 1 or 0, and any number but 0 is true. A division by zero leaves no data point.
    fn apply(self, left: f64, right: f64) -> Option<f64> {
        let holds = |condition: bool| Some(f64::from(u8::from(condition)));
        match self {
            Self::Add => Some(left + right),
            Self::Subtract => Some(left - right),
            Self::Multiply => Some(left * right),
            Self::Divide => (right != 0.0).then(|| left / right),
            #[expect(clippy::float_cmp, reason = "that is what == of metric math does")]
            Self::Equal => holds(left == right),
            #[expect(clippy::float_cmp, reason = "that is what != of metric math does")]
            Self::NotEqual => holds(left != right),
            Self::Less => holds(left < right),
            Self::LessOrEqual => holds(left <= right),
            Self::Greater => holds(left > right),
            Self::GreaterOrEqual => holds(left >= right),
            Self::And => holds(left != 0.0 && right != 0.0),
            Self::Or => holds(left != 0.0 || right != 0.0),
        }
    }
}

impl Aggregate {
    fn across(self, values: impl Iterator<Item = f64>) -> Option<f64> {
        match self {
            Self::Sum => values.reduce(|sum, value| sum + value),
            Self::Min => values.reduce(f64::min),
            Self::Max => values.reduce(f64::max),
        }
    }

    fn along(self, values: impl Iterator<Item = f64>) -> Option<f64> {
        let value = self.across(values);
        if self == Self::Sum { value.or(Some(0.0)) } else { value }
    }
}

/// A condition that is a series decides period by period. Where it is true and the metric to take has no data, the
/// value is 0; where it is false, the data point is dropped.
fn choose(condition: &Value, then: &Value, otherwise: &Value, length: usize) -> Value {
    let is_series = matches!(condition, Value::Series(_));
    let at = |index| {
        let is_true = condition.at(index)? != 0.0;
        let value = if is_true { then.at(index) } else { otherwise.at(index) };
        if is_true && is_series { value.or(Some(0.0)) } else { value }
    };
    Value::Series((0..length).map(at).collect())
}

fn fill(series: Value, filler: Value) -> Value {
    match (series, filler) {
        (Value::Series(series), Value::Scalar(filler)) => {
            Value::Series(series.into_iter().map(|value| value.or(filler)).collect())
        }
        // `compile` lets no other types pass.
        (series, _) => series,
    }
}
