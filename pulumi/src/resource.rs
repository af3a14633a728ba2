//! Resources and typed references to them.
//!
//! Adding a resource gives a [`Handle`]; only a handle gives a [`Reference`]. So a reference to a resource that does
//! not exist, or to an attribute that its kind does not have, does not compile.

use std::fmt;
use std::marker::PhantomData;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

/// One resource of the program.
#[derive(Debug, Clone, PartialEq)]
pub struct Resource {
    /// Its name within the program; Pulumi's state knows it by this name, so changing it replaces the resource.
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
pub(crate) trait Kind {
    /// Pulumi's type token.
    const TOKEN: &'static str;
}

/// A resource of this kind that the program has.
#[derive(Debug)]
pub(crate) struct Handle<K> {
    name: &'static str,
    kind: PhantomData<K>,
}

impl<K> Handle<K> {
    /// The resource itself: what `dependsOn` takes.
    pub(crate) fn itself(&self) -> Reference {
        Reference(format!("${{{}}}", self.name))
    }

    fn attribute(&self, attribute: &str) -> Reference {
        Reference(format!("${{{}.{attribute}}}", self.name))
    }
}

/// A value that is known once its resource stands. Written into a text it reads `${resource.attribute}`, which
/// Pulumi's engine fills in.
#[derive(Debug, Clone)]
pub(crate) struct Reference(String);

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
pub(crate) struct Resources(Vec<Resource>);

impl Resources {
    pub(crate) fn add<K: Kind>(&mut self, name: &'static str, properties: Value) -> Handle<K> {
        self.add_with(name, properties, json!({}))
    }

    pub(crate) fn add_with<K: Kind>(&mut self, name: &'static str, properties: Value, options: Value) -> Handle<K> {
        let (properties, options) = (object(properties), object(options));
        self.0.push(Resource { name, kind: K::TOKEN, properties, options });
        Handle { name, kind: PhantomData }
    }

    pub(crate) fn into_vec(self) -> Vec<Resource> {
        self.0
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => unreachable!("properties and options are written as objects in this crate, not {other}"),
    }
}

/// The kinds in use, each with the attributes that others refer to.
macro_rules! kinds {
    ($($kind:ident = $token:literal { $($attribute:ident: $name:literal),* })*) => {
        $(
            #[derive(Debug)]
            pub(crate) enum $kind {}

            impl Kind for $kind {
                const TOKEN: &'static str = $token;
            }

            #[allow(dead_code, reason = "some kinds are only ever referred to as a whole, most not at all")]
            impl Handle<$kind> {
                $(
                    pub(crate) fn $attribute(&self) -> Reference {
                        self.attribute($name)
                    }
                )*
            }
        )*
    };
}

kinds! {
    Provider = "pulumi:providers:aws" {}
    Key = "aws:kms:Key" { arn: "arn", key_id: "keyId" }
    KeyAlias = "aws:kms:Alias" {}
    Parameter = "aws:ssm:Parameter" { arn: "arn", name: "name" }
    Bucket = "aws:s3:Bucket" { arn: "arn", name: "bucket" }
    BucketVersioning = "aws:s3:BucketVersioning" {}
    BucketEncryption = "aws:s3:BucketServerSideEncryptionConfiguration" {}
    BucketPublicAccessBlock = "aws:s3:BucketPublicAccessBlock" {}
    BucketLifecycle = "aws:s3:BucketLifecycleConfiguration" {}
    BucketPolicy = "aws:s3:BucketPolicy" {}
    Topic = "aws:sns:Topic" { arn: "arn" }
    TopicPolicy = "aws:sns:TopicPolicy" {}
    TopicSubscription = "aws:sns:TopicSubscription" {}
    Queue = "aws:sqs:Queue" { arn: "arn", name: "name", url: "url" }
    QueuePolicy = "aws:sqs:QueuePolicy" {}
    LogGroup = "aws:cloudwatch:LogGroup" { arn: "arn", name: "name" }
    Role = "aws:iam:Role" { arn: "arn", name: "name" }
    RolePolicy = "aws:iam:RolePolicy" {}
    Function = "aws:lambda:Function" { arn: "arn", name: "name" }
    FunctionPermission = "aws:lambda:Permission" {}
    FunctionEventInvokeConfig = "aws:lambda:FunctionEventInvokeConfig" {}
    EventSourceMapping = "aws:lambda:EventSourceMapping" {}
    EventRule = "aws:cloudwatch:EventRule" { arn: "arn", name: "name" }
    EventTarget = "aws:cloudwatch:EventTarget" {}
    MetricAlarm = "aws:cloudwatch:MetricAlarm" { arn: "arn" }
    Dashboard = "aws:cloudwatch:Dashboard" { name: "dashboardName" }
}
