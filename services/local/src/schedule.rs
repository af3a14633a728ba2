//! The event that the daily rule sends.

use chrono::{DateTime, SecondsFormat, Utc};
use domain::Run;
use serde_json::{Value, json};

use crate::emulator::{ACCOUNT_ID, REGION};

/// One firing of the schedule.
#[derive(Debug, Clone)]
pub struct ScheduledEvent {
    /// The run it starts.
    pub run: Run,
    json: Value,
}

impl ScheduledEvent {
    /// The event that EventBridge sends for a rule at a time
    /// (<https://docs.aws.amazon.com/eventbridge/latest/ref/events-ref-scheduled-events.html>).
    ///
    /// # Errors
    /// [`domain::run::RunError`] for a year without four digits.
    pub fn at(time: DateTime<Utc>, rule_arn: &str) -> Result<Self, domain::run::RunError> {
        let json = json!({
            "version": "0",
            "id": event_id(),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": ACCOUNT_ID,
            "time": time.to_rfc3339_opts(SecondsFormat::Secs, true),
            "region": REGION,
            "resources": [rule_arn],
            "detail": {},
        });
        Ok(Self { run: Run::at(time)?, json })
    }

    /// Its JSON.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.json
    }
}

/// A random UUID of version 4 (RFC 9562, section 5.4).
fn event_id() -> String {
    let bits = fastrand::u128(..) & !(0xf << 76) & !(0b11 << 62) | (0x4 << 76) | (0b10 << 62);
    let digits = format!("{bits:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_shape_that_eventbridge_sends_and_names_its_run() {
        let event = ScheduledEvent::at("2026-11-22T12:00:00.9Z".parse().unwrap(), "arn:rule").unwrap();
        assert_eq!(event.json()["time"], "2026-11-22T12:00:00Z");
        assert_eq!(event.json()["resources"], json!(["arn:rule"]));
        assert_eq!(event.run.as_str(), "2026-11-22T12-00-00Z");
    }

    #[test]
    fn an_event_id_is_a_uuid_of_version_4() {
        let id = event_id();
        let parts: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(&id[14..15], "4");
        assert!("89ab".contains(&id[19..20]));
    }
}
