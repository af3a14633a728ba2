//! When a composite alarm's actions are held back.
//!
//! Source: "Suppressing composite alarm actions"
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm_Suppression.html>); its six
//! examples are the tests in `tests/suppression_examples.rs`. Where it is silent, chosen:
//!
//! - Once nothing holds them back any more, actions are taken for the state of that moment, and **only if a change was
//!   held back**: the end of a suppression during which nothing happened tells nobody anything.
//! - A period ends at the first tick at or after its last second.
//! - When alarm and suppressor change at once, the suppressor's new state counts.

/// What holds the actions back, as `ActionsSuppressedBy` of
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_CompositeAlarm.html>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SuppressedBy {
    /// The suppressor is in `ALARM`.
    Alarm,
    /// The alarm changed, and the suppressor may follow.
    WaitPeriod,
    /// The suppressor left `ALARM`, and the alarm may follow.
    ExtensionPeriod,
}

/// The settings of a suppressor, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SuppressionPeriods {
    /// How long the alarm waits for the suppressor to go into `ALARM`.
    pub wait_s: i64,
    /// How long the alarm waits after the suppressor went out of `ALARM`.
    pub extension_s: i64,
}

/// What a step leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing is held back and nothing is to do.
    Idle,
    /// Take the actions of the present state.
    Act,
    /// Actions are held back.
    Suppressed(SuppressedBy),
}

/// The suppression of one composite alarm.
#[derive(Debug, Default)]
pub struct Suppression {
    period: Option<Period>,
    suppressor_was_in_alarm: bool,
    /// A change whose actions were not taken.
    is_withheld: bool,
}

#[derive(Debug, Clone, Copy)]
struct Period {
    by: SuppressedBy,
    until_s: i64,
}

impl Suppression {
    /// One step in time: whether the composite alarm changed its state now, and whether its suppressor is in `ALARM`.
    pub fn step(&mut self, now_s: i64, changed: bool, suppressor_in_alarm: bool, of: SuppressionPeriods) -> Outcome {
        let suppressor_left = self.suppressor_was_in_alarm && !suppressor_in_alarm;
        self.suppressor_was_in_alarm = suppressor_in_alarm;
        self.is_withheld |= changed;
        if suppressor_in_alarm {
            self.period = None;
            return Outcome::Suppressed(SuppressedBy::Alarm);
        }
        if changed {
            self.period = Some(Period { by: SuppressedBy::WaitPeriod, until_s: now_s + of.wait_s });
        } else if suppressor_left {
            self.period = Some(Period { by: SuppressedBy::ExtensionPeriod, until_s: now_s + of.extension_s });
        }
        self.period = self.period.filter(|period| now_s < period.until_s);
        match self.period {
            Some(period) => Outcome::Suppressed(period.by),
            None if std::mem::take(&mut self.is_withheld) => Outcome::Act,
            None => Outcome::Idle,
        }
    }

    /// What holds the actions back, as of the last step.
    #[must_use]
    pub fn by(&self) -> Option<SuppressedBy> {
        if self.suppressor_was_in_alarm { Some(SuppressedBy::Alarm) } else { self.period.map(|period| period.by) }
    }
}
