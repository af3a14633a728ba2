//! The person on call: what would be told to them, and when.
//!
//! ```text
//! the running pipeline ─ gauges ─▶ recording ─ timeline ─▶ metrics of days ─ alarms ─▶ changes ─ desk ─▶ the local SNS ─▶ queue
//! ```
//!
//! | Module | What it does |
//! |---|---|
//! | `declared` | the alarms of the Pulumi program, references resolved |
//! | `gauges` | what the local AWS lacks as metrics, read off the running pipeline |
//! | `recording` | what was seen of one run |
//! | `timeline` | recordings → the metrics of several days, minute by minute |
//! | `watch` | CloudWatch's evaluation of the alarms over these days |
//! | `notification` | what CloudWatch publishes when a composite alarm changes |
//! | `desk` | publishes it on the stack's alarm topic and reads what a subscriber receives |
//!
//! Time is virtual: a real second of a recording stands for a minute, see [`TIME_SCALE`].
//!
//! # What is real and what is imitated
//!
//! Real are the functions, their calls, failures and metrics, the queues with their redelivery and dead letters, the
//! throttling, and the way of a notification through the alarm topic. The alarms are judged by the crate `alarms`, which
//! follows AWS's documentation. Imitated, because the local AWS does not have it, and so only to be proven on AWS:
//!
//! | Metrics | Read off |
//! |---|---|
//! | `AWS/SQS` | the queues' own counts, ten times a second; the age from when a queue was last empty |
//! | `AWS/Lambda` `Invocations`, `Duration`, `Errors` | `REPORT` lines and errors in the functions' logs, ends of environments in the log of the local AWS |
//! | `AWS/Lambda` `AsyncEventsDropped`, `DestinationDeliveryFailures` | events that arrive in the on-failure queue; the log of the local AWS |
//! | `AWS/SNS` | what the log of the local AWS says of deliveries; SNS's redrive policy is played here |
//! | `AWS/Events` | the schedule is played here, its retries and dead-letter queue included |
//!
//! What the enricher hides for hours comes back as on AWS, though nobody waits for it: the virtual time leaps to when the
//! enricher's own rule (`domain::rest`) has it back if the run is at noon, the messages are made visible, and the real
//! enricher goes on. How long it really asked SQS for is not taken, since the functions have the machine's clock: late in
//! the day, that is other hours than at noon. Nor are the minutes between the movies of a run, which on AWS come back one
//! after the other.

mod declared;
mod desk;
mod gauges;
mod late;
mod notification;
mod recording;
mod timeline;
mod watch;

use std::time::Duration;

pub(crate) use declared::{declared, url_of_undelivered};
pub(crate) use desk::{Desk, Received};
pub(crate) use gauges::Gauges;
pub(crate) use gauges::delivery;
pub(crate) use recording::{Recording, metric};
pub(crate) use timeline::{Day, Timeline};
pub(crate) use watch::{Change, Watch};

/// How many virtual seconds a real one stands for. What Lambda and SQS wait for minutes is waited for seconds here: see
/// [`REDELIVERY_DELAY`] and [`ASYNC_RETRY_DELAY`].
pub(crate) const TIME_SCALE: f64 = 60.0;

/// After how long a failed message comes back in a drill: two virtual minutes. As deployed it is three; the rest leaves
/// room for a busy machine, whose every second is a minute too many.
pub(crate) const REDELIVERY_DELAY: Duration = Duration::from_secs(2);

/// After how long Lambda tries a failed event again in a drill: a virtual minute, as on AWS.
pub(crate) const ASYNC_RETRY_DELAY: Duration = Duration::from_secs(1);
