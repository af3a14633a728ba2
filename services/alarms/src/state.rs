//! The three states of an alarm.

use std::fmt;

use serde::{Deserialize, Serialize};

/// State of an alarm
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html#alarm-states>). Written as
/// CloudWatch does: `OK`, `ALARM`, `INSUFFICIENT_DATA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum State {
    /// Within the threshold; the rule of a composite alarm is false.
    Ok,
    /// Outside of the threshold; the rule of a composite alarm is true.
    Alarm,
    /// New, or without the data to tell. Every alarm starts so.
    InsufficientData,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        })
    }
}
