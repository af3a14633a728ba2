//! The fields of an event or a span as JSON.

use std::error::Error;
use std::fmt::Debug;

use serde_json::{Map, Value};
use tracing::field::{Field, Visit};

/// Fields by name, in the order they were given. Numbers stay numbers and booleans stay booleans.
#[derive(Debug, Default)]
pub(super) struct Fields(pub(super) Map<String, Value>);

impl Fields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        // Dotted names are OpenTelemetry's: attributes of the span, or instructions to its layer such as `otel.kind`.
        // The fields of our log lines have none.
        if !field.name().contains('.') {
            self.0.insert(field.name().to_owned(), value.into());
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        // JSON knows neither NaN nor infinity.
        self.insert(field, if value.is_finite() { Value::from(value) } else { Value::from(value.to_string()) });
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    /// What `Duration::as_millis` gives: a number as long as JSON readers take it for one.
    fn record_u128(&mut self, field: &Field, value: u128) {
        self.insert(field, u64::try_from(value).map_or_else(|_| Value::from(value.to_string()), Value::from));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.insert(field, i64::try_from(value).map_or_else(|_| Value::from(value.to_string()), Value::from));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.insert(field, crate::flush::reasons(value));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.insert(field, format!("{value:?}"));
    }
}
