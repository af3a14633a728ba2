//! Recordings → the metrics of several days.

use alarms::{Metric, MetricStore, Sample};

use super::recording::{QueueReading, QueueTrace, Recording, metric};

const MINUTE_S: i64 = 60;

/// SQS goes on reporting on a queue that nobody uses for up to six hours
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-monitoring-using-cloudwatch.html>).
const ACTIVE_S: i64 = 6 * 60 * MINUTE_S;

/// One day of the schedule: when it fired and what was recorded then.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day<'a> {
    /// In seconds since the epoch.
    pub(crate) fired_s: i64,
    pub(crate) recording: &'a Recording,
}

/// The days from `start_s` to `end_s`, both in seconds since the epoch and full minutes.
#[derive(Debug, Clone)]
pub(crate) struct Timeline<'a> {
    pub(crate) start_s: i64,
    pub(crate) end_s: i64,
    /// In the order of time.
    pub(crate) days: Vec<Day<'a>>,
}

impl Timeline<'_> {
    /// The metrics of these days, as CloudWatch would have them.
    pub(crate) fn metrics(&self) -> MetricStore {
        let mut store = MetricStore::default();
        for Day { fired_s, recording } in &self.days {
            for seen in &recording.observations {
                let at_s = fired_s + recording.virtual_s(seen.at);
                store.record(&seen.metric, None, Sample { at_s, value: seen.value, count: seen.count });
            }
        }
        let mut queues: Vec<&QueueTrace> = self.days.iter().flat_map(|day| &day.recording.queues).collect();
        queues.sort_by_key(|trace| &trace.name);
        queues.dedup_by_key(|trace| &trace.name);
        for QueueTrace { name, polled, .. } in queues {
            self.lay_queue(name, *polled, &mut store);
        }
        store
    }

    /// What a queue holds stays in it between the recordings, and grows older.
    fn lay_queue(&self, name: &str, polled: bool, store: &mut MetricStore) {
        let mut readings = self.readings(name).into_iter().peekable();
        let mut queue = Queue { polled, ..Queue::default() };
        let mut minute_s = self.start_s;
        while minute_s < self.end_s {
            let mut arrived = 0;
            let mut deleted = 0;
            while let Some((at_s, reading)) = readings.next_if(|(at_s, _)| *at_s < minute_s + MINUTE_S) {
                queue.read(at_s, reading);
                arrived += reading.sent;
                deleted += reading.deleted;
            }
            if queue.is_active(minute_s) {
                queue.report(name, minute_s, (arrived, deleted), store);
            }
            minute_s += MINUTE_S;
        }
    }

    /// The readings of a queue on all days, what was left of the days before counted in.
    fn readings(&self, name: &str) -> Vec<(i64, QueueReading)> {
        let mut all = Vec::new();
        let mut left = QueueReading::default();
        for Day { fired_s, recording } in &self.days {
            let Some(trace) = recording.queues.iter().find(|trace| trace.name == name) else { continue };
            // A queue that did nothing all day tells nothing of what lies in it from before.
            if trace
                .readings
                .iter()
                .all(|reading| *reading == QueueReading { at: reading.at, ..QueueReading::default() })
            {
                continue;
            }
            let on_top = |reading: &QueueReading| QueueReading {
                visible: reading.visible + left.visible,
                hidden: reading.hidden + left.hidden,
                ..*reading
            };
            let laid: Vec<_> = trace.readings.iter().map(on_top).collect();
            all.extend(laid.iter().map(|reading| (fired_s + recording.virtual_s(reading.at), *reading)));
            // Who polls the queue works off what was left in it, once the fault is over.
            left = if trace.polled { QueueReading::default() } else { laid.last().copied().unwrap_or(left) };
        }
        all
    }
}

#[derive(Debug, Default)]
struct Queue {
    polled: bool,
    visible: usize,
    hidden: usize,
    /// When it was last empty, if it is not now.
    filled_s: Option<i64>,
    used_s: Option<i64>,
}

impl Queue {
    fn read(&mut self, at_s: i64, reading: QueueReading) {
        (self.visible, self.hidden) = (reading.visible, reading.hidden);
        self.filled_s = if self.holds_any() { self.filled_s.or(Some(at_s)) } else { None };
        if self.holds_any() || reading.sent + reading.deleted > 0 {
            self.used_s = Some(at_s);
        }
    }

    fn holds_any(&self) -> bool {
        self.visible + self.hidden > 0
    }

    fn is_active(&self, minute_s: i64) -> bool {
        self.polled || self.holds_any() || self.used_s.is_some_and(|used_s| minute_s - used_s < ACTIVE_S)
    }

    fn report(&self, name: &str, minute_s: i64, (sent, deleted): (usize, usize), store: &mut MetricStore) {
        let age_s = self.filled_s.map_or(0, |filled_s| (minute_s + MINUTE_S - 1 - filled_s).max(0));
        #[expect(clippy::cast_precision_loss, reason = "some days in seconds, exact")]
        let age_s = age_s as f64;
        let reported = [
            ("ApproximateNumberOfMessagesVisible", count(self.visible)),
            ("ApproximateNumberOfMessagesNotVisible", count(self.hidden)),
            ("ApproximateAgeOfOldestMessage", age_s),
            ("NumberOfMessagesSent", count(sent)),
            ("NumberOfMessagesDeleted", count(deleted)),
        ];
        for (of, value) in reported {
            store.record(&queue_metric(name, of), None, Sample { at_s: minute_s, value, count: 1.0 });
        }
    }
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>
fn queue_metric(queue: &str, name: &str) -> Metric {
    metric("AWS/SQS", name, "QueueName", queue)
}

#[expect(clippy::cast_precision_loss, reason = "a count of messages, exact up to 2^53")]
fn count(messages: usize) -> f64 {
    messages as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use alarms::{Metrics, Periods, Query, Statistic};

    use super::*;
    use crate::oncall::recording::Leap;

    const NOON_S: i64 = 1_795_348_800;

    fn trace(polled: bool, readings: &[(u64, usize, usize)]) -> Recording {
        let reading = |&(at_s, visible, sent)| QueueReading {
            at: Duration::from_secs(at_s),
            visible,
            sent,
            ..QueueReading::default()
        };
        let readings = readings.iter().map(reading).collect();
        let queues = vec![QueueTrace { name: "q".to_owned(), polled, readings }];
        Recording { queues, ..Recording::default() }
    }

    /// The values of a metric, one for each minute from noon on.
    fn minutes(days: Vec<Day<'_>>, name: &str, count: usize) -> Vec<Option<f64>> {
        let end_s = NOON_S + i64::try_from(count).unwrap() * MINUTE_S;
        let metric = queue_metric("q", name);
        let query = Query { metric, unit: None, statistic: Statistic::Maximum };
        let store = Timeline { start_s: NOON_S, end_s, days }.metrics();
        store.values(&query, Periods { end_s, period_s: MINUTE_S, count })
    }

    #[test]
    fn what_a_queue_holds_stays_and_grows_older() {
        let recording = trace(false, &[(0, 0, 0), (2, 3, 3), (3, 3, 0)]);
        let day = Day { fired_s: NOON_S, recording: &recording };
        let visible = minutes(vec![day], "ApproximateNumberOfMessagesVisible", 5);
        assert_eq!(visible, [None, None, Some(3.0), Some(3.0), Some(3.0)]);
        let age = minutes(vec![day], "ApproximateAgeOfOldestMessage", 5);
        assert_eq!(age, [None, None, Some(59.0), Some(119.0), Some(179.0)]);
    }

    #[test]
    fn a_quiet_day_takes_nothing_out_of_a_queue_and_a_busy_one_comes_on_top() {
        let (first, quiet, busy) = (trace(false, &[(0, 2, 2)]), trace(false, &[(0, 0, 0)]), trace(false, &[(0, 1, 1)]));
        let days = [(0, &first), (2, &quiet), (4, &busy)];
        let days = days.map(|(minute, recording)| Day { fired_s: NOON_S + minute * MINUTE_S, recording });
        let visible = minutes(days.to_vec(), "ApproximateNumberOfMessagesVisible", 5);
        assert_eq!(visible, [2.0, 2.0, 2.0, 2.0, 3.0].map(Some));
    }

    #[test]
    fn what_is_hidden_lies_in_its_queue_and_grows_older_while_hours_pass_at_once() {
        let reading = |at_s, hidden| QueueReading { at: Duration::from_secs(at_s), hidden, ..QueueReading::default() };
        let trace = QueueTrace { name: "q".to_owned(), polled: true, readings: vec![reading(0, 1), reading(2, 0)] };
        let leap = Leap { from: Duration::from_secs(1), until: Duration::from_secs(2), by: Duration::from_hours(3) };
        let recording = Recording { queues: vec![trace], leaps: vec![leap], ..Recording::default() };
        let day = Day { fired_s: NOON_S, recording: &recording };
        let hidden = minutes(vec![day], "ApproximateNumberOfMessagesNotVisible", 182);
        assert_eq!((hidden[0], hidden[180], hidden[181]), (Some(1.0), Some(1.0), Some(0.0)));
        let age = minutes(vec![day], "ApproximateAgeOfOldestMessage", 182);
        assert_eq!((age[180], age[181]), (Some(10_859.0), Some(0.0)));
    }

    #[test]
    fn sqs_falls_silent_six_hours_after_the_last_use_of_a_queue_that_nobody_polls() {
        for (polled, expected) in [(true, Some(0.0)), (false, None)] {
            let recording = trace(polled, &[(0, 1, 1), (1, 0, 0)]);
            let day = Day { fired_s: NOON_S, recording: &recording };
            let visible = minutes(vec![day], "ApproximateNumberOfMessagesVisible", 400);
            assert_eq!((visible[350], visible[399]), (Some(0.0), expected));
        }
    }
}
