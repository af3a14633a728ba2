//! What an alarm watches, and when that is alarming.

use domain::contract::Service;
use domain::contract::metrics::{self, ENVIRONMENT_DIMENSION, NAMESPACE, SERVICE_DIMENSION};
use serde_json::{Map, Value, json};

use super::Watched;
use crate::config::Config;
use crate::messaging::Messaging;
use crate::resource::{Handle, Queue};

/// Messages that can be received now. SQS does not count what it moves by itself as sent, so nothing else tells of
/// dead letters; their age does not, since a message that was received three times counts for it no more, be it by whoever
/// looks at it.
pub(super) const VISIBLE: &str = "ApproximateNumberOfMessagesVisible";
/// In seconds.
const AGE: &str = "ApproximateAgeOfOldestMessage";
/// Messages that were received and done with.
const DELETED: &str = "NumberOfMessagesDeleted";

/// What an alarm watches.
#[derive(Debug)]
pub(super) enum Signal {
    /// One metric.
    Metric(Metric),
    /// The age of a queue's oldest message, in seconds, at times when some could be received and none is taken off; zero
    /// at all others. What the enricher hides until the next day grows old as well, and nothing is wrong with the queue.
    Stall(QueueOf),
}

/// One metric of one thing.
#[derive(Debug)]
pub(super) struct Metric {
    name: &'static str,
    statistic: Statistic,
    of: Of,
}

/// How the values of a period become one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Statistic {
    Sum,
    Minimum,
    Maximum,
}

/// Which queue.
type QueueOf = fn(&Messaging) -> &Handle<Queue>;

/// Whose metric it is.
#[derive(Debug)]
enum Of {
    /// What a service reports itself.
    Service(Service),
    Function(Service),
    Queue(QueueOf),
    MoviesTopic,
    Schedule,
}

/// One of our metrics, as this service reports it.
pub(super) const fn ours(metric: &metrics::Metric, service: Service, statistic: Statistic) -> Signal {
    Signal::Metric(Metric { name: metric.name, statistic, of: Of::Service(service) })
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>
pub(super) const fn function(service: Service, name: &'static str, statistic: Statistic) -> Signal {
    Signal::Metric(Metric { name, statistic, of: Of::Function(service) })
}

/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html>
pub(super) const fn queue(of: QueueOf, name: &'static str, statistic: Statistic) -> Signal {
    Signal::Metric(Metric::of_queue(of, name, statistic))
}

/// <https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html>
pub(super) const fn topic(name: &'static str) -> Signal {
    Signal::Metric(Metric { name, statistic: Statistic::Sum, of: Of::MoviesTopic })
}

/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html>
pub(super) const fn rule(name: &'static str) -> Signal {
    Signal::Metric(Metric { name, statistic: Statistic::Sum, of: Of::Schedule })
}

impl Signal {
    /// The alarm's properties that tell it.
    pub(super) fn properties(&self, watched: &Watched, period_seconds: u32) -> Map<String, Value> {
        let properties = match self {
            Self::Metric(metric) => {
                let mut properties = metric.identity(watched);
                properties["statistic"] = json!(metric.statistic.name());
                properties["period"] = json!(period_seconds);
                properties
            }
            Self::Stall(queue) => json!({"metricQueries": [
                // `FILL`: a minute without a report of deletions is one without deletions. A minute of which SQS has not
                // reported yet, as it does late, is to have no value, so `visible` is asked first, without `FILL` or `AND`,
                // which would make it a good one.
                {
                    "id": "stall",
                    "expression": "IF(visible > 0, IF(FILL(deleted, 0) == 0, age, 0), 0)",
                    "label": "stall",
                    "returnData": true,
                },
                Metric::of_queue(*queue, AGE, Statistic::Maximum).query("age", watched, period_seconds),
                Metric::of_queue(*queue, DELETED, Statistic::Sum).query("deleted", watched, period_seconds),
                Metric::of_queue(*queue, VISIBLE, Statistic::Maximum).query("visible", watched, period_seconds),
            ]}),
        };
        let Value::Object(properties) = properties else { unreachable!("it is written as an object above") };
        properties
    }
}

impl Metric {
    const fn of_queue(of: QueueOf, name: &'static str, statistic: Statistic) -> Self {
        Self { name, statistic, of: Of::Queue(of) }
    }

    fn query(&self, id: &str, watched: &Watched, period_seconds: u32) -> Value {
        let mut metric = self.identity(watched);
        metric["stat"] = json!(self.statistic.name());
        metric["period"] = json!(period_seconds);
        json!({"id": id, "metric": metric})
    }

    fn identity(&self, watched: &Watched) -> Value {
        let (namespace, dimensions) = self.of.namespace_and_dimensions(watched);
        json!({"namespace": namespace, "metricName": self.name, "dimensions": dimensions})
    }
}

impl Statistic {
    const fn name(self) -> &'static str {
        match self {
            Self::Sum => "Sum",
            Self::Minimum => "Minimum",
            Self::Maximum => "Maximum",
        }
    }
}

impl Of {
    fn namespace_and_dimensions(&self, watched: &Watched) -> (&'static str, Value) {
        match self {
            Self::Service(service) => {
                let own = json!({ENVIRONMENT_DIMENSION: watched.config.stack, SERVICE_DIMENSION: service.name()});
                (NAMESPACE, own)
            }
            Self::Function(service) => ("AWS/Lambda", json!({"FunctionName": watched.function(*service).name()})),
            Self::Queue(queue) => ("AWS/SQS", json!({"QueueName": queue(watched.messaging).name()})),
            Self::MoviesTopic => ("AWS/SNS", json!({"TopicName": watched.messaging.topic.name()})),
            Self::Schedule => ("AWS/Events", json!({"RuleName": watched.schedule.name()})),
        }
    }
}

/// When a value is alarming.
#[derive(Debug)]
pub(super) enum Breach {
    Below(fn(&Config) -> u32),
    AtLeast(fn(&Config) -> u32),
}

impl Breach {
    pub(super) fn operator(&self) -> &'static str {
        match self {
            Self::Below(_) => "LessThanThreshold",
            Self::AtLeast(_) => "GreaterThanOrEqualToThreshold",
        }
    }

    pub(super) fn threshold(&self, config: &Config) -> u32 {
        match self {
            Self::Below(threshold) | Self::AtLeast(threshold) => threshold(config),
        }
    }
}

/// How long values must be alarming, and what a period without a value means.
#[derive(Debug)]
pub(super) struct Window {
    pub(super) period_seconds: u32,
    pub(super) periods: fn(&Config) -> u32,
    /// How many of them must be alarming.
    pub(super) alarming: Alarming,
    /// As CloudWatch writes it.
    pub(super) missing: &'static str,
}

/// How many periods of a window must be alarming.
#[derive(Debug, Clone, Copy)]
pub(super) enum Alarming {
    One,
    /// Every other one.
    Half,
    All,
}

impl Alarming {
    pub(super) fn of(self, periods: u32) -> u32 {
        match self {
            Self::One => 1,
            Self::Half => periods.div_ceil(2),
            Self::All => periods,
        }
    }
}

/// For events: one minute of five is enough, and silence is good news. A job that runs once a day never fills several
/// periods.
///
/// Not one period of one: where nothing is reported after the event, CloudWatch looks further back than it is told
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html>), so a period of five
/// minutes, whose windows slide, finds the event again after a good report in between and goes off anew; and an alarm
/// that a good minute ends at once is over before the composite one has waited for its suppressor, which then tells
/// nobody.
pub(super) const fn once() -> Window {
    Window { period_seconds: 60, periods: |_| 5, alarming: Alarming::One, missing: "notBreaching" }
}

/// The same for what Lambda reports of an invocation: when it has ended, under the time at which it began
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html>). So the window reaches back by the longest
/// that it may take, and four minutes more for the report to arrive and be looked at.
pub(super) const fn once_ended(periods: fn(&Config) -> u32) -> Window {
    Window { period_seconds: 60, periods, alarming: Alarming::One, missing: "notBreaching" }
}

/// How many minutes that is for a function with this timeout.
pub(super) fn periods_of_invocation(timeout_seconds: u32) -> u32 {
    timeout_seconds.div_ceil(60) + 4
}

/// For events that come again as long as their cause stands, at most so many periods apart: one of them is enough, so
/// that the alarm stands in between.
pub(super) const fn again_within(period_seconds: u32, periods: fn(&Config) -> u32) -> Window {
    Window { period_seconds, periods, alarming: Alarming::One, missing: "notBreaching" }
}

/// For states: alarming throughout this many periods.
pub(super) const fn lasting(period_seconds: u32, periods: fn(&Config) -> u32) -> Window {
    Window { period_seconds, periods, alarming: Alarming::All, missing: "notBreaching" }
}

/// For states that are told late: alarming in half of twice as many minutes. The newest of them have no value yet, since AWS
/// reports on its services some minutes later, and how many is not the same each time
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>).
pub(super) const fn lasting_minutes_of_late_data(periods: fn(&Config) -> u32) -> Window {
    Window { period_seconds: 60, periods, alarming: Alarming::Half, missing: "notBreaching" }
}

/// For what must happen within so many hours: silence is the very fault.
///
/// It goes off up to 3 hours later: where data is missing CloudWatch looks about two periods further back than it is told
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html>), and it evaluates
/// periods of an hour by the hour.
pub(super) const fn heartbeat(hours: fn(&Config) -> u32) -> Window {
    Window { period_seconds: 60 * 60, periods: hours, alarming: Alarming::All, missing: "breaching" }
}
