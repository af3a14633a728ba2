//! Resources and typed references to them.
//!
//! Adding a resource gives a [`Handle`]; only a handle gives a [`Reference`]. So a reference to a resource that does
//! not exist, or to an attribute that its kind does not have, does not compile:
//!
//! ```
//! use pulumi::resource::{Queue, Resources};
//! use serde_json::json;
//!
//! let mut resources = Resources::default();
//! let queue = resources.add::<Queue>("moviesQueue", json!({}));
//! assert_eq!(queue.arn().to_string(), "${moviesQueue.arn}");
//! ```
//!
//! The same with an attribute that queues do not have:
//!
//! ```compile_fail,E0599
//! use pulumi::resource::{Queue, Resources};
//! use serde_json::json;
//!
//! let mut resources = Resources::default();
//! let queue = resources.add::<Queue>("moviesQueue", json!({}));
//! assert_eq!(queue.bucket().to_string(), "${moviesQueue.bucket}");
//! ```
//!
//! And with a handle of another kind where a queue is asked for:
//!
//! ```compile_fail,E0308
//! use pulumi::resource::{Handle, Queue, Resources, Topic};
//! use serde_json::json;
//!
//! fn subscribe(_: &Handle<Queue>) {}
//! subscribe(&Resources::default().add::<Topic>("moviesTopic", json!({})));
//! ```

mod kinds;
mod rename;

use std::fmt;
use std::marker::PhantomData;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

pub use kinds::*;
pub(crate) use rename::{RENAMES, Rename};

/// One resource of the program.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its name within the program; Pulumi's state knows it by this name, so a new one replaces the resource unless
    /// `resource/rename.rs` tells of the old one.
    pub name: &'static str,
    /// Pulumi's type token, such as `aws:sqs:Queue`.
    pub kind: &'static str,
    /// Its properties, named as Pulumi names them.
    pub properties: Map<String, Value>,
    /// Pulumi's resource options (<https://www.pulumi.com/docs/iac/concepts/resources/options/>).
    pub options: Map<String, Value>,
}

impl Resource {
    pub(crate) fn to_json(&self) -> Value {
        let mut object = json!({"type": self.kind, "properties": self.properties});
        // Or every resource would get a provider without our region and tags.
        if self.kind == Provider::TOKEN {
            object["defaultProvider"] = json!(true);
        }
        if !self.options.is_empty() {
            object["options"] = Value::Object(self.options.clone());
        }
        object
    }
}

/// A kind of resource.
pub trait Kind {
    /// Pulumi's type token.
    const TOKEN: &'static str;
    /// Whether it holds what cannot be made again: objects, messages, logs, a secret, or the key to all of them. Such
    /// a resource is kept from removal unless the stack says otherwise.
    const STATEFUL: bool;
}

/// A resource of this kind that the program has.
#[derive(Debug)]
pub struct Handle<K> {
    name: &'static str,
    kind: PhantomData<K>,
}

impl<K> Handle<K> {
    /// The resource itself: what `dependsOn` takes.
    #[must_use]
    pub fn itself(&self) -> Reference {
        Reference(format!("${{{}}}", self.name))
    }

    fn attribute(&self, attribute: &str) -> Reference {
        Reference(format!("${{{}.{attribute}}}", self.name))
    }
}

/// A value that is known once its resource stands. Written into a text it reads `${resource.attribute}`, which
/// Pulumi's engine fills in.
#[derive(Debug, Clone)]
pub struct Reference(String);

impl fmt::Display for Reference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for Reference {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// A text that is to stay as it is: Pulumi writes a dollar sign as two.
pub(crate) fn literal(text: &str) -> String {
    text.replace('$', "$$")
}

/// The resources added so far, in order.
#[derive(Debug, Default)]
pub struct Resources {
    added: Vec<Resource>,
    protect: bool,
    renames: &'static [Rename],
}

impl Resources {
    /// None yet. `protect`: whether stateful resources are kept from removal.
    pub(crate) fn new(protect: bool, renames: &'static [Rename]) -> Self {
        Self { added: Vec::new(), protect, renames }
    }

    /// Adds a resource with these properties, an object.
    pub fn add<K: Kind>(&mut self, name: &'static str, properties: Value) -> Handle<K> {
        self.add_with(name, properties, json!({}))
    }

    /// Adds a resource with these properties and options, both objects.
    pub fn add_with<K: Kind>(&mut self, name: &'static str, properties: Value, options: Value) -> Handle<K> {
        let (properties, mut options) = (object(properties), object(options));
        if K::STATEFUL {
            // `protect` makes Pulumi refuse to remove it; should someone take that off by hand, Pulumi still only
            // forgets it and leaves it in AWS.
            options.insert("protect".to_owned(), json!(self.protect));
            options.insert("retainOnDelete".to_owned(), json!(self.protect));
        }
        options.extend(rename::aliases(self.renames, name).map(|aliases| ("aliases".to_owned(), aliases)));
        self.added.push(Resource { name, kind: K::TOKEN, properties, options });
        Handle { name, kind: PhantomData }
    }

    pub(crate) fn into_vec(self) -> Vec<Resource> {
        self.added
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => unreachable!("properties and options are written as objects in this crate, not {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_made_again_is_kept_from_removal_and_nothing_else() {
        let expected =
            ["aws:kms:Key", "aws:ssm:Parameter", "aws:s3:Bucket", "aws:sqs:Queue", "aws:cloudwatch:LogGroup"];
        assert_eq!(stateful_tokens(), expected);
        for protect in [true, false] {
            let mut resources = Resources::new(protect, &[]);
            resources.add_with::<Queue>("queue", json!({}), json!({"ignoreChanges": ["name"]}));
            resources.add::<Topic>("topic", json!({}));
            let options = json!({"ignoreChanges": ["name"], "protect": protect, "retainOnDelete": protect});
            let resources = resources.into_vec();
            assert_eq!((Value::Object(resources[0].options.clone()), resources[1].options.len()), (options, 0));
        }
    }
}
