//! Property values → CloudFormation: names, nesting, documents.

use serde_json::{Map, Value, json};

use super::expression::Scope;
use super::{CODE_BUCKET_PARAMETER, TranslateError};

/// How one property of Pulumi becomes one of CloudFormation.
#[derive(Debug)]
pub(super) struct Property {
    /// Pulumi's name.
    pub(super) pulumi: &'static str,
    /// CloudFormation's name; dots lead into objects. Empty: the value's own properties take its place.
    pub(super) path: &'static str,
    pub(super) shape: Shape,
}

/// The form of a value.
#[derive(Debug)]
pub(super) enum Shape {
    /// As it is, texts translated. For plain values, lists of them, and maps whose keys are data.
    Plain,
    /// An object with these properties.
    Object(&'static [Property]),
    /// A list of objects with these properties.
    Objects(&'static [Property]),
    /// One value where CloudFormation takes a list.
    InList,
    /// A map that becomes a list of `Name` and `Value`.
    NamesAndValues,
    /// A JSON text that CloudFormation takes as an object: a policy.
    Document,
    /// A JSON text that CloudFormation takes as a text: a dashboard.
    DocumentText,
    /// A function's archive, `…/<service name>/<file>.zip`.
    Archive,
    /// This text, which CloudFormation's type implies: left out.
    Implied(&'static str),
    /// Only Pulumi acts by it: left out.
    OnlyPulumi,
}

/// One resource's properties under translation.
pub(super) struct Translator<'a> {
    pub(super) scope: &'a Scope<'a>,
    pub(super) resource: &'a str,
}

impl Translator<'_> {
    /// Translates an object's properties into `target`. `within` is the path that leads to the object, for errors.
    pub(super) fn properties(
        &self,
        source: &Map<String, Value>,
        known: &[Property],
        within: &str,
        target: &mut Map<String, Value>,
    ) -> Result<(), TranslateError> {
        for (name, value) in source {
            let at = if within.is_empty() { name.clone() } else { format!("{within}.{name}") };
            let property = known.iter().find(|property| property.pulumi == name);
            let property = property.ok_or_else(|| self.unknown_property(&at))?;
            match (&property.shape, property.path) {
                (Shape::OnlyPulumi, _) => {}
                (Shape::Implied(text), _) if value == text => {}
                (Shape::Object(known), "") => self.properties(self.object(value, &at)?, known, &at, target)?,
                (shape, path) => put(target, path, self.value(value, shape, &at)?),
            }
        }
        Ok(())
    }

    fn value(&self, value: &Value, shape: &Shape, at: &str) -> Result<Value, TranslateError> {
        match shape {
            Shape::Plain => self.plain(value, at),
            Shape::InList => Ok(json!([self.plain(value, at)?])),
            Shape::Object(known) => self.nested(value, known, at),
            Shape::Objects(known) => {
                let items = value.as_array().ok_or_else(|| self.misshapen(at, "a list"))?;
                items.iter().map(|item| self.nested(item, known, at)).collect()
            }
            Shape::NamesAndValues => {
                let pair = |(name, value)| Ok(json!({"Name": name, "Value": self.plain(value, at)?}));
                self.object(value, at)?.iter().map(pair).collect()
            }
            Shape::Document => self.plain(self.document(value, at)?, at),
            Shape::DocumentText => self.scope.text(self.resource, &self.document(value, at)?.to_string()),
            Shape::Archive => self.archive(value, at),
            Shape::Implied(text) => Err(self.misshapen(at, text)),
            Shape::OnlyPulumi => Ok(Value::Null),
        }
    }

    fn nested(&self, value: &Value, known: &[Property], at: &str) -> Result<Value, TranslateError> {
        let mut target = Map::new();
        self.properties(self.object(value, at)?, known, at, &mut target)?;
        Ok(Value::Object(target))
    }

    /// Translates the texts within a value. A function of Pulumi has no place here.
    fn plain(&self, value: &Value, at: &str) -> Result<Value, TranslateError> {
        match value {
            Value::String(text) => self.scope.text(self.resource, text),
            Value::Array(items) => items.iter().map(|item| self.plain(item, at)).collect(),
            Value::Object(object) => {
                let translate = |(name, value): (&String, &Value)| {
                    let at = format!("{at}.{name}");
                    if name.starts_with("fn::") {
                        return Err(self.unknown_property(&at));
                    }
                    Ok((name.clone(), self.plain(value, &at)?))
                };
                object.iter().map(translate).collect::<Result<Map<_, _>, _>>().map(Value::Object)
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(value.clone()),
        }
    }

    fn document<'v>(&self, value: &'v Value, at: &str) -> Result<&'v Value, TranslateError> {
        value.get("fn::toJSON").ok_or_else(|| self.misshapen(at, "fn::toJSON"))
    }

    fn archive(&self, value: &Value, at: &str) -> Result<Value, TranslateError> {
        let path = value.get("fn::fileArchive").and_then(Value::as_str);
        let service = path.and_then(|path| path.rsplit('/').nth(1));
        let service = service.ok_or_else(|| self.misshapen(at, "fn::fileArchive of <folder of the service>/<file>"))?;
        Ok(json!({"S3Bucket": {"Ref": CODE_BUCKET_PARAMETER}, "S3Key": format!("{service}.zip")}))
    }

    fn object<'v>(&self, value: &'v Value, at: &str) -> Result<&'v Map<String, Value>, TranslateError> {
        value.as_object().ok_or_else(|| self.misshapen(at, "an object"))
    }

    fn unknown_property(&self, at: &str) -> TranslateError {
        TranslateError::Property { resource: self.resource.to_owned(), property: at.to_owned() }
    }

    fn misshapen(&self, at: &str, expected: &'static str) -> TranslateError {
        TranslateError::Shape { resource: self.resource.to_owned(), property: at.to_owned(), expected }
    }
}

/// Puts a value where a path of names leads.
fn put(target: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => drop(target.insert(path.to_owned(), value)),
        Some((name, rest)) => {
            let inner = target.entry(name).or_insert_with(|| json!({}));
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}
