//! Metric queries → what to ask the source for, and the expression over the answers.

use super::MathError;
use super::eval::{Aggregate, Node, Series};
use super::parser::{Expression, parse};
use crate::metrics::Query;

/// One of an alarm's metric queries.
#[derive(Debug, Clone, PartialEq)]
pub struct MathQuery {
    /// Name within the alarm; starts with a lowercase letter.
    pub id: String,
    /// What it stands for.
    pub source: Source,
}

/// What a metric query stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A statistic of a metric.
    Metric(Query),
    /// A metric math expression.
    Expression(String),
}

/// A checked expression and the metrics it needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Math {
    inputs: Vec<Query>,
    root: Node,
    expression: String,
}

impl Math {
    /// Resolves what the query `returned` needs of the others.
    pub fn compile(queries: &[MathQuery], returned: &str) -> Result<Self, MathError> {
        let mut compiler = Compiler { queries, inputs: Vec::new(), open: Vec::new(), expression: returned.to_owned() };
        let (root, kind) = compiler.id(returned)?;
        if kind == Kind::Scalar {
            return Err(compiler.fault("its result is one number, and an alarm needs a time series".to_owned()));
        }
        Ok(Self { inputs: compiler.inputs, root, expression: compiler.expression })
    }

    /// The metrics to ask for.
    #[must_use]
    pub fn inputs(&self) -> &[Query] {
        &self.inputs
    }

    /// The expression that the alarm watches.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// The values of the expression, given one series per input, in their order and of one length.
    #[must_use]
    pub fn values(&self, inputs: &[Series]) -> Series {
        self.root.value(inputs).into_series(inputs.first().map_or(0, Vec::len))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Scalar,
    Series,
}

type Typed = (Node, Kind);

struct Compiler<'a> {
    queries: &'a [MathQuery],
    inputs: Vec<Query>,
    /// Ids that are being resolved, to find one that needs itself.
    open: Vec<String>,
    /// The expression at work, for messages; at the end, the one returned.
    expression: String,
}

impl Compiler<'_> {
    fn id(&mut self, id: &str) -> Result<Typed, MathError> {
        let Some(query) = self.queries.iter().find(|query| query.id == id) else {
            return Err(self.fault(format!("there is no query with the id `{id}`")));
        };
        match &query.source {
            Source::Metric(query) => Ok((Node::Input(self.input(query)), Kind::Series)),
            Source::Expression(text) => self.expression(id, text),
        }
    }

    fn input(&mut self, query: &Query) -> usize {
        let known = self.inputs.iter().position(|input| input == query);
        known.unwrap_or_else(|| {
            self.inputs.push(query.clone());
            self.inputs.len() - 1
        })
    }

    fn expression(&mut self, id: &str, text: &str) -> Result<Typed, MathError> {
        if self.open.iter().any(|open| open == id) {
            return Err(self.fault(format!("`{id}` needs itself")));
        }
        let parsed = parse(text)?;
        self.open.push(id.to_owned());
        let outer = std::mem::replace(&mut self.expression, text.to_owned());
        let typed = self.node(&parsed)?;
        self.open.pop();
        if !self.open.is_empty() {
            self.expression = outer;
        }
        Ok(typed)
    }

    fn node(&mut self, expression: &Expression) -> Result<Typed, MathError> {
        match expression {
            Expression::Number(number) => Ok((Node::Number(*number), Kind::Scalar)),
            Expression::Id(id) => self.id(id),
            Expression::Negate(operand) => {
                let (operand, kind) = self.node(operand)?;
                Ok((Node::Negate(Box::new(operand)), kind))
            }
            Expression::Binary(operator, left, right) => {
                let ((left, left_kind), (right, right_kind)) = (self.node(left)?, self.node(right)?);
                let kind = if left_kind == right_kind { left_kind } else { Kind::Series };
                Ok((Node::Binary(*operator, Box::new(left), Box::new(right)), kind))
            }
            Expression::Call(function, arguments) => self.call(function, arguments),
            Expression::Array(_) => {
                Err(self.fault("an array is supported only as the argument of SUM, MIN or MAX".to_owned()))
            }
        }
    }

    fn call(&mut self, function: &str, arguments: &[Expression]) -> Result<Typed, MathError> {
        match (function, arguments) {
            ("IF", [condition, then]) => self.condition(condition, then, None),
            ("IF", [condition, then, otherwise]) => self.condition(condition, then, Some(otherwise)),
            ("FILL", [series, filler]) => self.fill(series, filler),
            ("SUM", [argument]) => self.aggregate(Aggregate::Sum, function, argument),
            ("MIN", [argument]) => self.aggregate(Aggregate::Min, function, argument),
            ("MAX", [argument]) => self.aggregate(Aggregate::Max, function, argument),
            ("IF" | "FILL" | "SUM" | "MIN" | "MAX", _) => {
                Err(self.fault(format!("{function} does not take {} arguments", arguments.len())))
            }
            _ => Err(self.fault(format!("the function {function} is not supported"))),
        }
    }

    fn condition(
        &mut self,
        condition: &Expression,
        then: &Expression,
        otherwise: Option<&Expression>,
    ) -> Result<Typed, MathError> {
        let ((condition, condition_kind), (then, then_kind)) = (self.node(condition)?, self.node(then)?);
        let otherwise = otherwise.map(|node| self.node(node)).transpose()?;
        if condition_kind == Kind::Scalar && then_kind == Kind::Scalar {
            return Err(self.fault("IF needs a time series as its condition or its second argument".to_owned()));
        }
        let otherwise = otherwise.map(|(node, _)| Box::new(node));
        Ok((Node::If(Box::new(condition), Box::new(then), otherwise), Kind::Series))
    }

    fn fill(&mut self, series: &Expression, filler: &Expression) -> Result<Typed, MathError> {
        if let Expression::Array(_) = series {
            return Err(self.fault("FILL of an array is not supported".to_owned()));
        }
        match (self.node(series)?, self.node(filler)?) {
            ((series, Kind::Series), (filler, Kind::Scalar)) => {
                Ok((Node::Fill(Box::new(series), Box::new(filler)), Kind::Series))
            }
            _ => Err(self.fault("FILL is supported for a time series and a number".to_owned())),
        }
    }

    fn aggregate(&mut self, aggregate: Aggregate, name: &str, argument: &Expression) -> Result<Typed, MathError> {
        let Expression::Array(items) = argument else {
            return match self.node(argument)? {
                (series, Kind::Series) => Ok((Node::Along(aggregate, Box::new(series)), Kind::Scalar)),
                (_, Kind::Scalar) => Err(self.fault(format!("{name} needs a time series"))),
            };
        };
        let items = items.iter().map(|item| self.node(item)).collect::<Result<Vec<Typed>, MathError>>()?;
        if items.is_empty() || items.iter().any(|(_, kind)| *kind == Kind::Scalar) {
            return Err(self.fault(format!("{name} of an array needs time series in it")));
        }
        Ok((Node::Across(aggregate, items.into_iter().map(|(node, _)| node).collect()), Kind::Series))
    }

    fn fault(&self, problem: String) -> MathError {
        MathError::Meaning { expression: self.expression.clone(), problem }
    }
}
