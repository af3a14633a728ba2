//! What a policy of a role allows: the part of IAM's rules that our policies use. Anything else in a policy is an error.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>

mod condition;
mod pattern;

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde::Deserialize;
use serde_json::Value;

use condition::Condition;

/// What someone wants to do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Request {
    /// Such as `s3:GetObject`.
    pub(crate) action: String,
    /// The resource's ARN, `*` for an action that knows no resources.
    pub(crate) resource: String,
    /// The condition keys that AWS knows a value of.
    pub(crate) context: BTreeMap<&'static str, String>,
}

/// The policy of a role.
#[derive(Debug, Clone, Default)]
pub(crate) struct Policy {
    pub(crate) statements: Vec<Statement>,
}

/// One statement of a policy.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) sid: String,
    effect: Effect,
    pub(crate) actions: Vec<String>,
    resources: Vec<String>,
    conditions: Vec<Condition>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum Effect {
    Allow,
    Deny,
}

impl Policy {
    /// Reads a policy document.
    pub(crate) fn parse(document: &Value) -> anyhow::Result<Self> {
        let Document { version, statement } = Document::deserialize(document)?;
        // The older version takes variables for text.
        ensure!(version == "2012-10-17", "the policy language of {version} is not known here");
        let read = |wire: WireStatement| {
            let sid = wire.sid.clone();
            Statement::read(wire).with_context(|| format!("statement {sid}"))
        };
        Ok(Self { statements: statement.into_iter().map(read).collect::<anyhow::Result<_>>()? })
    }

    /// Whether a statement allows it and none denies it
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>).
    pub(crate) fn allows(&self, request: &Request) -> bool {
        let says = |effect| self.statements.iter().any(|of| of.effect == effect && of.matches(request));
        says(Effect::Allow) && !says(Effect::Deny)
    }

    /// The policy with the statements of another.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.statements.extend(other.statements);
        self
    }
}

impl Statement {
    fn read(wire: WireStatement) -> anyhow::Result<Self> {
        let mut conditions = Vec::new();
        for (operator, keys) in wire.condition {
            for (key, values) in keys {
                conditions.push(Condition::read(&operator, &key, values.into())?);
            }
        }
        let WireStatement { sid, effect, action, resource, .. } = wire;
        let statement = Self { sid, effect, actions: action.into(), resources: resource.into(), conditions };
        statement.check()?;
        Ok(statement)
    }

    fn check(&self) -> anyhow::Result<()> {
        ensure!(!self.actions.is_empty() && !self.resources.is_empty(), "it says nothing");
        for resource in &self.resources {
            ensure!(!resource.contains("${"), "policy variables are not known here: {resource}");
            ensure!(pattern::is_arn(resource), "{resource} is neither * nor an ARN");
        }
        for action in &self.actions {
            let is_one = action.contains(':') && !action.contains(['*', '?']);
            ensure!(is_one, "{action} names no single action, so nobody can tell whether all of it is used");
        }
        Ok(())
    }

    pub(crate) fn matches(&self, request: &Request) -> bool {
        self.actions.iter().any(|action| action.eq_ignore_ascii_case(&request.action))
            && self.resources.iter().any(|resource| pattern::arn_matches(resource, &request.resource))
            && self.conditions.iter().all(|condition| condition.holds(&request.context))
    }

    /// Its smallest parts: one action, one resource, one value of each condition. Together they match what it matches.
    pub(crate) fn parts(&self) -> Vec<Self> {
        let mut combinations = vec![Vec::new()];
        for condition in &self.conditions {
            combinations = combine(&combinations, &condition.parts());
        }
        let mut parts = Vec::new();
        for action in &self.actions {
            for resource in &self.resources {
                parts.extend(combinations.iter().map(|conditions| Self {
                    actions: vec![action.clone()],
                    resources: vec![resource.clone()],
                    conditions: conditions.clone(),
                    ..self.clone()
                }));
            }
        }
        parts
    }
}

/// Each of these followed by each of those.
fn combine(before: &[Vec<Condition>], parts: &[Condition]) -> Vec<Vec<Condition>> {
    let followed = |before: &Vec<Condition>, part: &Condition| {
        let mut conditions = before.clone();
        conditions.push(part.clone());
        conditions
    };
    before.iter().flat_map(|before| parts.iter().map(move |part| followed(before, part))).collect()
}

/// `s3:GetObject on arn:aws:s3:::b/*, if s3:prefix is runs/*`
impl std::fmt::Display for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {}", self.actions.join(", "), self.resources.join(", "))?;
        self.conditions.iter().try_for_each(|condition| write!(f, ", if {condition}"))
    }
}

/// `s3:GetObject on arn:aws:s3:::b/k (kms:ViaService s3.…)`
impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} on {}", self.action, self.resource)?;
        self.context.iter().try_for_each(|(key, value)| write!(f, " ({key} {value})"))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Document {
    version: String,
    statement: Vec<WireStatement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct WireStatement {
    sid: String,
    effect: Effect,
    action: OneOrMany,
    resource: OneOrMany,
    #[serde(default)]
    condition: BTreeMap<String, BTreeMap<String, OneOrMany>>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl From<OneOrMany> for Vec<String> {
    fn from(values: OneOrMany) -> Self {
        match values {
            OneOrMany::One(value) => vec![value],
            OneOrMany::Many(values) => values,
        }
    }
}

#[cfg(test)]
mod tests;
