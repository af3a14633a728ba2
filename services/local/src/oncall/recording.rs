//! What was seen of one run. Times are real, counted from when the schedule fired.

use std::time::Duration;

use alarms::Metric;

use super::TIME_SCALE;

/// Everything that became a metric.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recording {
    /// What was measured or counted.
    pub(crate) observations: Vec<Observation>,
    /// What every queue held.
    pub(crate) queues: Vec<QueueTrace>,
    /// Hours that nobody waited for, in the order of time.
    pub(crate) leaps: Vec<Leap>,
}

/// Virtual time that passed at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Leap {
    /// When it passed.
    pub(crate) from: Duration,
    /// Until when it then stood still.
    pub(crate) until: Duration,
    /// How much of it passed.
    pub(crate) by: Duration,
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

    /// The virtual time that a real one stands for, in seconds after the schedule fired.
    pub(crate) fn virtual_s(&self, at: Duration) -> i64 {
        let (mut moving, mut leapt) = (at, Duration::ZERO);
        for leap in self.leaps.iter().filter(|leap| leap.from <= at) {
            moving = moving.saturating_sub(leap.until.min(at).saturating_sub(leap.from));
            leapt += leap.by;
        }
        i64::try_from((moving.mul_f64(TIME_SCALE) + leapt).as_secs()).unwrap_or(i64::MAX)
    }

    /// How much virtual time passed at once so far.
    pub(crate) fn leapt(&self) -> Duration {
        self.leaps.iter().map(|leap| leap.by).sum()
    }
}

/// A metric of one dimension.
pub(crate) fn metric(namespace: &str, name: &str, dimension: &str, value: &str) -> Metric {
    let dimensions = [(dimension.to_owned(), value.to_owned())].into();
    Metric { namespace: namespace.to_owned(), name: name.to_owned(), dimensions }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_a_minute_but_for_hours_that_pass_at_once_and_what_is_waited_for_then() {
        let s = Duration::from_secs;
        let leap = |from, until, by| Leap { from: s(from), until: s(until), by: s(by) };
        let recording = Recording { leaps: vec![leap(10, 12, 3_600), leap(20, 20, 7_200)], ..Recording::default() };
        let virtual_s = [0, 9, 10, 11, 12, 13, 19, 20].map(|at| recording.virtual_s(s(at)));
        assert_eq!(virtual_s, [0, 540, 4_200, 4_200, 4_200, 4_260, 4_620, 11_880]);
        assert_eq!(recording.leapt(), s(10_800));
    }
}
