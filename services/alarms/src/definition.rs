//! Alarms, read from the properties of Pulumi's `aws:cloudwatch:MetricAlarm` and `aws:cloudwatch:CompositeAlarm`
//! (<https://www.pulumi.com/registry/packages/aws/api-docs/cloudwatch/metricalarm/>, `.../compositealarm/`), references
//! resolved to plain strings. What is read is valid by CloudWatch's rules as far as one alarm can tell.

mod composite;
mod metric;
mod properties;
mod queries;

use serde_json::Value;

pub use composite::{CompositeAlarm, Suppressor};
pub use metric::{Comparison, LowSamples, MetricAlarm, Watched};

use crate::fault::Fault;
use crate::state::State;
use properties::Properties;

// Limits of https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html; they are the same
// for composite alarms.
const MAX_NAME_LENGTH: usize = 255;
const MAX_DESCRIPTION_LENGTH: usize = 1_024;
const MAX_ACTIONS: usize = 5;

/// An alarm as the infrastructure declares it.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// `aws:cloudwatch:MetricAlarm` or `aws:cloudwatch:CompositeAlarm`.
    pub resource_type: String,
    /// Its properties: an object, every reference resolved.
    pub properties: Value,
}

/// An alarm.
#[derive(Debug, Clone, PartialEq)]
pub enum Alarm {
    /// On a metric or an expression.
    Metric(MetricAlarm),
    /// On other alarms.
    Composite(CompositeAlarm),
}

impl Alarm {
    /// Name, unique within account and region.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Metric(alarm) => &alarm.name,
            Self::Composite(alarm) => &alarm.name,
        }
    }

    /// What the person on call reads first.
    #[must_use]
    pub fn description(&self) -> &str {
        match self {
            Self::Metric(alarm) => &alarm.description,
            Self::Composite(alarm) => &alarm.description,
        }
    }

    /// What its changes set off.
    #[must_use]
    pub fn actions(&self) -> &ActionLists {
        match self {
            Self::Metric(alarm) => &alarm.actions,
            Self::Composite(alarm) => &alarm.actions,
        }
    }
}

/// What changes set off: ARNs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActionLists {
    /// Whether any are taken at all; by default they are.
    pub enabled: bool,
    /// On going into `ALARM`.
    pub alarm: Vec<String>,
    /// On going into `OK`.
    pub ok: Vec<String>,
    /// On going into `INSUFFICIENT_DATA`.
    pub insufficient_data: Vec<String>,
}

impl ActionLists {
    fn read(properties: &mut Properties<'_>) -> Self {
        let enabled = properties.optional("actionsEnabled").unwrap_or(true);
        let mut list = |name: &str| {
            let actions: Vec<String> = properties.optional(name).unwrap_or_default();
            if actions.len() > MAX_ACTIONS {
                properties.fault(name, format!("has {} actions; at most {MAX_ACTIONS} are allowed", actions.len()));
            }
            actions
        };
        let (alarm, ok) = (list("alarmActions"), list("okActions"));
        Self { enabled, alarm, ok, insufficient_data: list("insufficientDataActions") }
    }

    /// What going into this state sets off.
    #[must_use]
    pub fn on(&self, state: State) -> &[String] {
        match state {
            _ if !self.enabled => &[],
            State::Alarm => &self.alarm,
            State::Ok => &self.ok,
            State::InsufficientData => &self.insufficient_data,
        }
    }
}

/// Reads one alarm and adds its faults to `faults`. With faults, there may still be an alarm, so that what it refers to
/// is checked as well.
pub(crate) fn read(resource: &Resource, index: usize, faults: &mut Vec<Fault>) -> Option<Alarm> {
    let unnamed = format!("{} at index {index}", resource.resource_type);
    match resource.resource_type.as_str() {
        "aws:cloudwatch:MetricAlarm" => {
            let name = name(resource, "name", unnamed);
            MetricAlarm::read(&name, Properties::new(&name, &resource.properties, faults)).map(Alarm::Metric)
        }
        "aws:cloudwatch:CompositeAlarm" => {
            let name = name(resource, "alarmName", unnamed);
            CompositeAlarm::read(&name, Properties::new(&name, &resource.properties, faults)).map(Alarm::Composite)
        }
        other => {
            let message = format!("`{other}` is no alarm that can be evaluated");
            faults.push(Fault { alarm: unnamed, property: "type".to_owned(), message });
            None
        }
    }
}

/// The description, once name and description are short enough.
fn description((name_property, name): (&str, &str), properties: &mut Properties<'_>) -> String {
    let description: String = properties.optional("alarmDescription").unwrap_or_default();
    for (property, text, limit) in
        [(name_property, name, MAX_NAME_LENGTH), ("alarmDescription", &description, MAX_DESCRIPTION_LENGTH)]
    {
        let length = text.chars().count();
        if length > limit {
            properties.fault(property, format!("has {length} characters; at most {limit} are allowed"));
        }
    }
    description
}

/// The name an alarm would have, even if something else is wrong with it.
pub(crate) fn declared_name(resource: &Resource) -> Option<&str> {
    ["name", "alarmName"].iter().find_map(|property| resource.properties.get(property)?.as_str())
}

fn name(resource: &Resource, property: &str, unnamed: String) -> String {
    resource.properties.get(property).and_then(Value::as_str).map_or(unnamed, str::to_owned)
}
