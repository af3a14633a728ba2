//! CloudWatch's rules for alarms, as a calculation: definitions and samples in, state changes and actions out.
//!
//! Invariant: nothing here does I/O, reads a clock or knows an AWS client. Time is what [`Evaluator::tick`] is given,
//! so thirty days pass in seconds and the same input always gives the same events.
//!
//! | Module | What it holds |
//! |---|---|
//! | [`definition`] | alarms, read from the properties of Pulumi's `MetricAlarm` and `CompositeAlarm` and checked |
//! | [`fault`] | what is wrong with a set of alarms, all of it at once |
//! | [`metrics`] | where statistics come from: a metric, a statistic, a range of periods |
//! | [`statistics`] | samples of a period → one value |
//! | [`store`] | samples in memory, as a source of statistics |
//! | [`math`] | metric math, as far as our alarms use it |
//! | [`missing_data`] | M of N and the four treatments of missing data |
//! | [`rule`] | the rules of composite alarms |
//! | [`suppression`] | when a composite alarm's actions are held back |
//! | [`evaluator`] | the states of a set of alarms as time passes |
//! | [`event`] | what a change tells |
//!
//! # Example
//!
//! ```
//! use alarms::{Evaluator, Metric, MetricStore, Resource, Sample, State};
//! use chrono::DateTime;
//! use serde_json::json;
//!
//! let mut evaluator = Evaluator::new(&[Resource {
//!     resource_type: "aws:cloudwatch:MetricAlarm".to_owned(),
//!     properties: json!({
//!         "name": "dead-letters", "namespace": "AWS/SQS", "metricName": "ApproximateNumberOfMessagesVisible",
//!         "dimensions": {"QueueName": "dead"}, "statistic": "Maximum", "period": 60, "evaluationPeriods": 1,
//!         "comparisonOperator": "GreaterThanOrEqualToThreshold", "threshold": 1,
//!         "treatMissingData": "notBreaching", "alarmActions": ["arn:aws:sns:us-east-1:123456789012:on-call"],
//!     }),
//! }])?;
//! let metric = Metric {
//!     namespace: "AWS/SQS".to_owned(),
//!     name: "ApproximateNumberOfMessagesVisible".to_owned(),
//!     dimensions: [("QueueName".to_owned(), "dead".to_owned())].into(),
//! };
//! let mut store = MetricStore::default();
//! store.record(&metric, None, Sample { at_s: 30, value: 2.0, count: 1.0 });
//! let events = evaluator.tick(DateTime::from_timestamp(60, 0).unwrap_or_default(), &store);
//! assert_eq!(events[0].taken(), ["arn:aws:sns:us-east-1:123456789012:on-call"]);
//! assert_eq!(evaluator.state("dead-letters"), Some(State::Alarm));
//! # Ok::<(), alarms::Faults>(())
//! ```
//!
//! # Faithful to
//!
//! The pages of the Amazon CloudWatch User Guide and API Reference that each module names. Where they are silent, the
//! module says what was chosen. Not modelled:
//!
//! - **Late data.** An alarm sees what its source holds at the tick; whoever wants delays has a source that holds data
//!   back. CloudWatch's reaction to data that arrives after an evaluation is left out; a late sample counts from the next
//!   tick on.
//! - Wall clock evaluation windows, anomaly detection, Metrics Insights, log and `PromQL` alarms, warm-up periods.
//! - Actions that repeat while a state lasts (Auto Scaling). An action is told once per change.
//! - The exception for the namespace `AWS/DynamoDB`, whose missing data is ignored by default.

pub mod definition;
mod evaluate;
pub mod evaluator;
pub mod event;
pub mod fault;
mod graph;
pub mod math;
pub mod metrics;
pub mod missing_data;
pub mod rule;
pub mod state;
pub mod statistics;
pub mod store;
pub mod suppression;

pub use definition::{Alarm, Resource};
pub use evaluator::Evaluator;
pub use event::{Actions, Event};
pub use fault::{Fault, Faults};
pub use metrics::{Metric, Metrics, Periods, Query};
pub use state::State;
pub use statistics::Statistic;
pub use store::{MetricStore, Sample};
pub use suppression::SuppressedBy;
