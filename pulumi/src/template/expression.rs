//! Texts with references: `arn:${partition}:s3:::${moviesBucket.bucket}` → `Ref`, `Fn::GetAtt`, `Fn::Sub`.

use std::collections::BTreeMap;

use domain::contract::PROJECT;
use serde_json::{Value, json};

use super::TranslateError;
use super::types::{Attribute, Source, Type};
use crate::resource::Resource;

/// Every resource of the program by name, with its type.
pub(super) struct Scope<'a> {
    pub(super) stack: &'a str,
    pub(super) resources: BTreeMap<&'a str, (&'a Resource, &'static Type)>,
}

/// A text, or the place of a reference.
enum Part<'a> {
    Text(String),
    Reference(&'a str),
}

/// What a reference becomes.
enum Target {
    /// `Ref`: a resource by its logical id, or a pseudo parameter.
    Ref(String),
    /// `Fn::GetAtt`.
    GetAtt(String, &'static str),
    /// A text in the language of `Fn::Sub`.
    Sub(String),
}

impl Scope<'_> {
    /// Translates a text on behalf of a resource or output.
    pub(super) fn text(&self, of: &str, text: &str) -> Result<Value, TranslateError> {
        let mut parts = parts(of, text)?;
        if let [Part::Reference(reference)] = parts[..] {
            return Ok(match self.target(of, reference)? {
                Target::Ref(name) => json!({"Ref": name}),
                Target::GetAtt(name, attribute) => json!({"Fn::GetAtt": [name, attribute]}),
                Target::Sub(text) => sub(&text),
            });
        }
        match parts.pop() {
            None => Ok(json!("")),
            Some(Part::Text(text)) if parts.is_empty() => Ok(json!(text)),
            Some(_) => Ok(sub(&self.sub_text(of, text)?)),
        }
    }

    /// Translates a text into the language of `Fn::Sub`.
    pub(super) fn sub_text(&self, of: &str, text: &str) -> Result<String, TranslateError> {
        let translate = |part| {
            Ok(match part {
                Part::Text(text) => text.replace("${", "${!"),
                Part::Reference(reference) => match self.target(of, reference)? {
                    Target::Ref(name) => format!("${{{name}}}"),
                    Target::GetAtt(name, attribute) => format!("${{{name}.{attribute}}}"),
                    Target::Sub(text) => text,
                },
            })
        };
        parts(of, text)?.into_iter().map(translate).collect()
    }

    fn target(&self, of: &str, reference: &str) -> Result<Target, TranslateError> {
        let unknown = || TranslateError::Reference { resource: of.to_owned(), reference: reference.to_owned() };
        let pseudo = |name: &str| Ok(Target::Ref(name.to_owned()));
        match reference {
            "accountId" => return pseudo("AWS::AccountId"),
            "region" => return pseudo("AWS::Region"),
            "partition" => return pseudo("AWS::Partition"),
            "pulumi.stack" => return Ok(Target::Sub(self.stack.to_owned())),
            "pulumi.project" => return Ok(Target::Sub(PROJECT.to_owned())),
            _ => {}
        }
        let (name, attribute) = reference.split_once('.').ok_or_else(unknown)?;
        let (resource, kind) = self.resources.get(name).ok_or_else(unknown)?;
        let Attribute { source, .. } =
            kind.attributes.iter().find(|known| known.pulumi == attribute).ok_or_else(unknown)?;
        let property = |name: &str| {
            let text = resource.properties.get(name).and_then(Value::as_str).ok_or_else(unknown)?;
            self.sub_text(of, text)
        };
        Ok(match source {
            Source::Ref => Target::Ref(logical_id(resource)),
            Source::GetAtt(attribute) => Target::GetAtt(logical_id(resource), attribute),
            Source::Property(name) => Target::Sub(property(name)?),
            Source::ArnOf(prefix, name) => Target::Sub(format!("{prefix}{}", property(name)?)),
        })
    }

    /// The resource that `${name}` or `${name.attribute}` refers to.
    pub(super) fn referred(&self, of: &str, text: &str) -> Result<(&Resource, &'static Type), TranslateError> {
        let unknown = || TranslateError::Reference { resource: of.to_owned(), reference: text.to_owned() };
        let parts = parts(of, text)?;
        let [Part::Reference(reference)] = parts[..] else { return Err(unknown()) };
        let name = reference.split('.').next().unwrap_or(reference);
        self.resources.get(name).copied().ok_or_else(unknown)
    }
}

/// The CloudFormation name of a resource: letters and digits, a capital first. It knows no renaming, so a resource keeps
/// the name it had first.
pub(super) fn logical_id(resource: &Resource) -> String {
    let first = resource.options.get("aliases").and_then(|aliases| aliases[0]["name"].as_str());
    let mut characters = first.unwrap_or(resource.name).chars();
    characters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(characters).collect()
}

/// `Fn::Sub` only where there is something to fill in: `cfn-lint` frowns at others.
fn sub(text: &str) -> Value {
    if text.replace("${!", "").contains("${") { json!({"Fn::Sub": text}) } else { json!(text.replace("${!", "${")) }
}

/// Splits a text of Pulumi YAML: `$$` is a dollar sign, `${…}` a reference, everything else text.
fn parts<'a>(of: &str, text: &'a str) -> Result<Vec<Part<'a>>, TranslateError> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("$$") {
            plain.push('$');
            rest = after;
        } else if let Some(after) = rest.strip_prefix("${") {
            let unclosed = || TranslateError::Reference { resource: of.to_owned(), reference: after.to_owned() };
            let (reference, after) = after.split_once('}').ok_or_else(unclosed)?;
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(Part::Reference(reference));
            rest = after;
        } else {
            plain.push(character);
            rest = &rest[character.len_utf8()..];
        }
    }
    if !plain.is_empty() {
        parts.push(Part::Text(plain));
    }
    Ok(parts)
}
