//! Properties of a resource, taken one by one: what is missing, ill-typed or left over becomes a fault, not an end.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::fault::Fault;

pub(super) struct Properties<'a> {
    alarm: &'a str,
    /// Path of the object, with a dot at its end; empty at the top.
    path: String,
    rest: Map<String, Value>,
    faults: &'a mut Vec<Fault>,
}

impl<'a> Properties<'a> {
    pub(super) fn new(alarm: &'a str, value: &Value, faults: &'a mut Vec<Fault>) -> Self {
        let mut properties = Self { alarm, path: String::new(), rest: Map::new(), faults };
        properties.open(value);
        properties
    }

    fn open(&mut self, value: &Value) {
        match value.as_object() {
            Some(object) => self.rest.clone_from(object),
            None => self.fault("", "must be an object"),
        }
    }

    /// The properties of an object within.
    pub(super) fn within(&mut self, path: &str, value: &Value) -> Properties<'_> {
        let path = format!("{}{path}.", self.path);
        let mut inner = Properties { alarm: self.alarm, path, rest: Map::new(), faults: self.faults };
        inner.open(value);
        inner
    }

    /// The property, if it is there; `null` counts as absent.
    pub(super) fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.rest.shift_remove(name).filter(|value| !value.is_null())?;
        serde_json::from_value(value).map_err(|error| self.fault(name, error)).ok()
    }

    pub(super) fn required<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        if self.rest.get(name).is_none_or(Value::is_null) {
            self.fault(name, "is missing");
        }
        self.optional(name)
    }

    pub(super) fn fault(&mut self, name: &str, message: impl std::fmt::Display) {
        let property = format!("{}{name}", self.path);
        // The object itself is at fault: its path without the dot.
        let property = if name.is_empty() { property.trim_end_matches('.').to_owned() } else { property };
        self.faults.push(Fault { alarm: self.alarm.to_owned(), property, message: message.to_string() });
    }

    /// Every property that nobody asked for is unknown.
    pub(super) fn finish(mut self) {
        for name in std::mem::take(&mut self.rest).keys() {
            self.fault(name, "is not a property that can be evaluated");
        }
    }
}
