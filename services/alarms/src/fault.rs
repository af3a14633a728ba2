//! What is wrong with a set of alarms.

use std::fmt;

/// One thing that CloudWatch would refuse, or that this evaluator cannot do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Name of the alarm; of one without a name, its place in the set.
    pub alarm: String,
    /// Path of the property, such as `metricQueries[0].metric.stat`.
    pub property: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "alarm {}, {}: {}", self.alarm, self.property, self.message)
    }
}

/// Every fault of a set of alarms, in the order of the alarms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Faults(pub Vec<Fault>);

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the alarms cannot be evaluated ({} faults)", self.0.len())?;
        self.0.iter().try_for_each(|fault| write!(f, "\n- {fault}"))
    }
}
