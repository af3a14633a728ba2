//! Resources → the template: each in its form, parts inside the resource they belong to.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::expression::{Scope, logical_id};
use super::shape::Translator;
use super::types::{self, Form, Type};
use super::{CODE_BUCKET_PARAMETER, SecureParameter, Template, TranslateError};
use crate::program::Program;
use crate::resource::{Kind, Provider, Resource};

/// The options that have a form in CloudFormation. `protect` becomes that of `retainOnDelete`, which stands beside it;
/// `aliases` decide the logical id.
const OPTIONS: [&str; 4] = ["dependsOn", "protect", "retainOnDelete", "aliases"];

pub(super) fn template(program: &Program) -> Result<Template, TranslateError> {
    let scope = scope(program)?;
    let mut assembly = Assembly { scope: &scope, tags: tags(program), resources: Map::new() };
    for resource in program.resources() {
        assembly.add(resource)?;
    }
    let resources = assembly.resources;
    let output = |(name, value): (&String, &Value)| {
        let misshapen =
            || TranslateError::Shape { resource: name.clone(), property: "value".to_owned(), expected: "a text" };
        let value = scope.text(name, value.as_str().ok_or_else(misshapen)?)?;
        Ok((name.clone(), json!({"Value": value})))
    };
    let outputs: Map<_, _> = program.outputs().iter().map(output).collect::<Result<_, _>>()?;
    let secure_parameters = secure_parameters(&scope, program)?;
    let body = json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": program.description(),
        "Parameters": {
            CODE_BUCKET_PARAMETER: {
                "Type": "String",
                "Description": "The bucket that holds the functions' code as <service name>.zip",
            },
        },
        "Resources": resources,
        "Outputs": outputs,
    });
    Ok(Template { body, secure_parameters })
}

fn scope(program: &Program) -> Result<Scope<'_>, TranslateError> {
    let mut scope = Scope { stack: program.stack(), resources: BTreeMap::new() };
    for resource in program.resources() {
        scope.resources.insert(resource.name, (resource, type_of(resource)?));
    }
    Ok(scope)
}

fn type_of(resource: &Resource) -> Result<&'static Type, TranslateError> {
    types::find(resource.kind).ok_or_else(|| unknown_type(resource))
}

/// The provider's tags, in the form that most types take.
fn tags(program: &Program) -> Vec<Value> {
    let providers = program.resources().iter().filter(|resource| resource.kind == Provider::TOKEN);
    let tags = providers.filter_map(|provider| provider.properties.get("defaultTags")?.get("tags")?.as_object());
    tags.flatten().map(|(key, value)| json!({"Key": key, "Value": value})).collect()
}

/// The template's resources so far.
struct Assembly<'a> {
    scope: &'a Scope<'a>,
    tags: Vec<Value>,
    resources: Map<String, Value>,
}

impl Assembly<'_> {
    fn add(&mut self, resource: &Resource) -> Result<(), TranslateError> {
        let kind = type_of(resource)?;
        match &kind.form {
            Form::Tagged(form) => self.add_whole(resource, kind, form, true),
            Form::Untagged(form) => self.add_whole(resource, kind, form, false),
            Form::PartOf(owner) => {
                let part = self.translate_part(resource, kind, owner)?;
                self.owner(resource, owner)?.extend(part);
                Ok(())
            }
            Form::EntryOf(owner, list) => {
                let entry = Value::Object(self.translate_part(resource, kind, owner)?);
                let entries = self.owner(resource, owner)?.entry(*list).or_insert_with(|| json!([]));
                entries.as_array_mut().map(|entries| entries.push(entry)).ok_or_else(|| unknown_type(resource))
            }
            Form::Provider => known_only(resource, kind, &["version"]),
            Form::SecureParameter => {
                known_only(resource, kind, &["ignoreChanges", "protect", "retainOnDelete", "aliases"])
            }
        }
    }

    fn add_whole(&mut self, resource: &Resource, kind: &Type, form: &str, tagged: bool) -> Result<(), TranslateError> {
        let mut properties = self.translate(resource, &resource.properties, kind)?;
        if tagged {
            properties.insert("Tags".to_owned(), json!(self.tags));
        }
        let mut whole = json!({"Type": form, "Properties": properties});
        let waits_for = self.waits_for(resource)?;
        let waits_for: Vec<_> = waits_for.into_iter().filter(|id| !refers_to(&whole, id)).collect();
        if !waits_for.is_empty() {
            whole["DependsOn"] = json!(waits_for);
        }
        if let Some(is_kept) = resource.options.get("retainOnDelete") {
            let policy = if is_kept == true { "Retain" } else { "Delete" };
            whole["DeletionPolicy"] = json!(policy);
            whole["UpdateReplacePolicy"] = json!(policy);
        }
        self.resources.insert(logical_id(resource), whole);
        Ok(())
    }

    fn translate(
        &self,
        resource: &Resource,
        properties: &Map<String, Value>,
        kind: &Type,
    ) -> Result<Map<String, Value>, TranslateError> {
        let mut target = Map::new();
        let translator = Translator { scope: self.scope, resource: resource.name };
        translator.properties(properties, kind.properties, "", &mut target)?;
        Ok(target)
    }

    /// Translates a part, less the property that only tells whose part it is.
    fn translate_part(
        &self,
        resource: &Resource,
        kind: &Type,
        owner: &str,
    ) -> Result<Map<String, Value>, TranslateError> {
        let whose = logical_id(self.whole(resource, reference_to(resource, owner))?);
        if self.waits_for(resource)?.into_iter().any(|id| id != whose) {
            return Err(unknown_option(resource, "dependsOn of a part on another resource"));
        }
        let mut properties = resource.properties.clone();
        properties.shift_remove(owner);
        self.translate(resource, &properties, kind)
    }

    /// The properties of the resource that a part belongs to. It stands already: a part refers to it.
    fn owner(&mut self, resource: &Resource, owner: &str) -> Result<&mut Map<String, Value>, TranslateError> {
        let id = logical_id(self.whole(resource, reference_to(resource, owner))?);
        let whole = self.resources.get_mut(&id).and_then(|whole| whole["Properties"].as_object_mut());
        whole.ok_or_else(|| unknown_type(resource))
    }

    /// The logical ids of what a resource waits for.
    fn waits_for(&self, resource: &Resource) -> Result<Vec<String>, TranslateError> {
        if let Some(option) = resource.options.keys().find(|option| !OPTIONS.contains(&option.as_str())) {
            return Err(unknown_option(resource, option));
        }
        let depends_on = resource.options.get("dependsOn").and_then(Value::as_array).into_iter().flatten();
        depends_on.map(|reference| Ok(logical_id(self.whole(resource, Some(reference))?))).collect()
    }

    /// The resource that a reference means in CloudFormation: of a part, the one it is part of.
    fn whole(&self, of: &Resource, reference: Option<&Value>) -> Result<&Resource, TranslateError> {
        let (referred, kind) = self.scope.referred(of.name, reference.and_then(Value::as_str).unwrap_or_default())?;
        match kind.form {
            Form::PartOf(owner) | Form::EntryOf(owner, _) => self.whole(referred, reference_to(referred, owner)),
            _ => Ok(referred),
        }
    }
}

/// How a resource refers to the one it is part of: by a property, or by the first entry of an option.
fn reference_to<'a>(resource: &'a Resource, owner: &str) -> Option<&'a Value> {
    resource.properties.get(owner).or_else(|| resource.options.get(owner)?.get(0))
}

/// A secure parameter, with the output that tells the key it is encrypted with.
fn secure_parameters(scope: &Scope, program: &Program) -> Result<Vec<SecureParameter>, TranslateError> {
    let secure =
        |resource: &&Resource| types::find(resource.kind).is_some_and(|kind| kind.form == Form::SecureParameter);
    let told = |resource: &Resource| {
        let text = |name: &str| scope.sub_text(resource.name, resource.properties[name].as_str().unwrap_or_default());
        let key = resource.properties.get("keyId");
        let output = program.outputs().iter().find(|(_, value)| Some(*value) == key);
        let output = output.ok_or_else(|| TranslateError::KeyOutput { resource: resource.name.to_owned() })?;
        Ok(SecureParameter { name: text("name")?, description: text("description")?, kms_key_output: output.0.clone() })
    };
    program.resources().iter().filter(secure).map(told).collect()
}

/// What the template leaves out must be known all the same, or something would be lost unnoticed.
fn known_only(resource: &Resource, kind: &Type, options: &[&str]) -> Result<(), TranslateError> {
    let is_known = |name: &str| kind.properties.iter().any(|property| property.pulumi == name);
    if let Some(name) = resource.properties.keys().find(|name| !is_known(name)) {
        return Err(TranslateError::Property { resource: resource.name.to_owned(), property: name.clone() });
    }
    let unknown = resource.options.keys().find(|option| !options.contains(&option.as_str()));
    unknown.map_or(Ok(()), |option| Err(unknown_option(resource, option)))
}

/// Whether a value refers to a resource. CloudFormation then waits by itself, and `cfn-lint` frowns at saying so twice.
fn refers_to(value: &Value, id: &str) -> bool {
    match value {
        Value::Array(items) => items.iter().any(|item| refers_to(item, id)),
        Value::Object(object) => object.iter().any(|(name, value)| match (name.as_str(), value) {
            ("Ref", value) => value == id,
            ("Fn::GetAtt", value) => value[0] == id,
            ("Fn::Sub", Value::String(text)) => {
                text.contains(&format!("${{{id}}}")) || text.contains(&format!("${{{id}."))
            }
            (_, value) => refers_to(value, id),
        }),
        _ => false,
    }
}

fn unknown_type(resource: &Resource) -> TranslateError {
    TranslateError::Type { resource: resource.name.to_owned(), kind: resource.kind.to_owned() }
}

fn unknown_option(resource: &Resource, option: &str) -> TranslateError {
    TranslateError::Option { resource: resource.name.to_owned(), option: option.to_owned() }
}
