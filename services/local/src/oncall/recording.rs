//! What was seen of one run. Times are real, counted from when the schedule fired.

use std::time::Duration;

use alarms::Metric;

/// Everything that became a metric.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recording {
    /// What was measured or counted.
    pub(crate) observations: Vec<Observation>,
    /// What every queue held.
    pub(crate) queues: Vec<QueueTrace>,
}

/// A value of a metric.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Observation {
    pub(crate) metric: Metric,
    pub(crate) at: Duration,
    pub(crate) value: f64,
    /// How often it was seen.
    pub(crate) count: f64,
}

/// What a queue held, as time went by.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct QueueTrace {
    pub(crate) name: String,
    /// Whether somebody asks it for messages all the time, which keeps SQS reporting on it.
    pub(crate) polled: bool,
    pub(crate) readings: Vec<QueueReading>,
}

/// One look at a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct QueueReading {
    pub(crate) at: Duration,
    /// Messages that can be received.
    pub(crate) visible: usize,
    /// Messages that somebody has received and not deleted.
    pub(crate) hidden: usize,
    /// Messages that arrived since the look before.
    pub(crate) sent: usize,
    /// Messages that were done with since the look before.
    pub(crate) deleted: usize,
}

impl Recording {
    /// Adds one that was counted once.
    pub(crate) fn count(&mut self, metric: Metric, at: Duration, value: f64) {
        self.observations.push(Observation { metric, at, value, count: 1.0 });
    }
}

/// A metric of one dimension.
pub(crate) fn metric(namespace: &str, name: &str, dimension: &str, value: &str) -> Metric {
    let dimensions = [(dimension.to_owned(), value.to_owned())].into();
    Metric { namespace: namespace.to_owned(), name: name.to_owned(), dimensions }
}
