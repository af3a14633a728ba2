//! Alarms on other alarms.

use serde_json::Value;

use super::properties::Properties;
use super::{ActionLists, description};
use crate::rule::{Rule, alarm_name};
use crate::suppression::SuppressionPeriods;

/// How many alarms a rule may name
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html>).
const MAX_ALARMS: usize = 100;

/// An alarm on the states of other alarms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompositeAlarm {
    /// Name, unique within account and region.
    pub name: String,
    /// What the person on call reads first.
    pub description: String,
    /// `ALARM` while it holds, `OK` otherwise.
    pub rule: Rule,
    /// What may hold its actions back.
    pub suppressor: Option<Suppressor>,
    /// What its changes set off.
    pub actions: ActionLists,
}

/// An alarm that holds back a composite alarm's actions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressor {
    /// Its name.
    pub alarm: String,
    /// How long to wait for it, and after it.
    pub periods: SuppressionPeriods,
}

impl CompositeAlarm {
    pub(super) fn read(name: &str, mut properties: Properties<'_>) -> Option<Self> {
        properties.required::<String>("alarmName");
        let description = description(("alarmName", name), &mut properties);
        let actions = ActionLists::read(&mut properties);
        let rule = rule(&mut properties);
        let suppressor =
            properties.optional("actionsSuppressor").map(|value| Suppressor::read(&value, &mut properties));
        // Tags change nothing about an evaluation.
        properties.optional::<Value>("tags");
        properties.finish();
        Some(Self { name: name.to_owned(), description, rule: rule?, suppressor: suppressor.flatten(), actions })
    }
}

fn rule(properties: &mut Properties<'_>) -> Option<Rule> {
    let text: String = properties.required("alarmRule")?;
    let rule = Rule::parse(&text).map_err(|error| properties.fault("alarmRule", error)).ok()?;
    let mut alarms = rule.alarms();
    alarms.sort_unstable();
    alarms.dedup();
    if alarms.len() > MAX_ALARMS {
        properties.fault("alarmRule", format!("names {} alarms; at most {MAX_ALARMS} are allowed", alarms.len()));
    }
    Some(rule)
}

impl Suppressor {
    fn read(value: &Value, properties: &mut Properties<'_>) -> Option<Self> {
        let mut properties = properties.within("actionsSuppressor", value);
        let alarm = properties.required::<String>("alarm");
        let wait_s = properties.required::<u32>("waitPeriod");
        let extension_s = properties.required::<u32>("extensionPeriod");
        properties.finish();
        let periods = SuppressionPeriods { wait_s: wait_s?.into(), extension_s: extension_s?.into() };
        Some(Self { alarm: alarm_name(&alarm?).to_owned(), periods })
    }
}
