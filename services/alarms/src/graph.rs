//! How the alarms of a set lean on each other.

use std::collections::HashMap;

use crate::definition::{Alarm, CompositeAlarm};
use crate::fault::Fault;

/// The alarms whose states a composite alarm looks at: those of its rule, then its suppressor.
fn needed(alarm: &CompositeAlarm) -> Vec<(&'static str, &str)> {
    let rule = alarm.rule.alarms().into_iter().map(|name| ("alarmRule", name));
    let suppressor = alarm.suppressor.iter().map(|suppressor| ("actionsSuppressor.alarm", suppressor.alarm.as_str()));
    rule.chain(suppressor).collect()
}

/// Names that stand for no alarm, one fault each. `declared` also has the names of alarms that could not be read.
pub(crate) fn check_names(alarms: &[Alarm], declared: &[&str], faults: &mut Vec<Fault>) {
    for (index, name) in declared.iter().enumerate() {
        if declared[..index].contains(name) {
            faults.push(fault(name, "name", "is the name of another alarm, too".to_owned()));
        }
    }
    for alarm in alarms.iter().filter_map(composite) {
        for (property, name) in needed(alarm).into_iter().filter(|(_, name)| !declared.contains(name)) {
            faults.push(fault(&alarm.name, property, format!("there is no alarm `{name}`")));
        }
    }
}

/// The composite alarms, each after those that it looks at. A circle is a fault: CloudWatch stops evaluating such
/// alarms (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm.html>).
pub(crate) fn order(alarms: &[Alarm], faults: &mut Vec<Fault>) -> Vec<usize> {
    let indices: HashMap<&str, usize> = alarms.iter().enumerate().map(|(index, alarm)| (alarm.name(), index)).collect();
    let mut walk = Walk { alarms, indices, open: Vec::new(), done: Vec::new() };
    for index in 0..alarms.len() {
        if let Err(circle) = walk.visit(index) {
            let message = format!("leads back to itself: {}", circle.join(" → "));
            faults.push(fault(&circle[0], "alarmRule", message));
            return Vec::new();
        }
    }
    walk.done
}

struct Walk<'a> {
    alarms: &'a [Alarm],
    indices: HashMap<&'a str, usize>,
    /// The way to the alarm at work.
    open: Vec<usize>,
    done: Vec<usize>,
}

impl Walk<'_> {
    fn visit(&mut self, index: usize) -> Result<(), Vec<String>> {
        let Some(alarm) = composite(&self.alarms[index]) else { return Ok(()) };
        if let Some(start) = self.open.iter().position(|open| *open == index) {
            let circle = self.open[start..].iter().chain([&index]);
            return Err(circle.map(|index| self.alarms[*index].name().to_owned()).collect());
        }
        if self.done.contains(&index) {
            return Ok(());
        }
        self.open.push(index);
        for (_, name) in needed(alarm) {
            // An unknown name is told by `check_names`.
            if let Some(next) = self.indices.get(name).copied() {
                self.visit(next)?;
            }
        }
        self.open.pop();
        self.done.push(index);
        Ok(())
    }
}

fn composite(alarm: &Alarm) -> Option<&CompositeAlarm> {
    match alarm {
        Alarm::Composite(alarm) => Some(alarm),
        Alarm::Metric(_) => None,
    }
}

fn fault(alarm: &str, property: &str, message: String) -> Fault {
    Fault { alarm: alarm.to_owned(), property: property.to_owned(), message }
}
