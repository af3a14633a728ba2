//! What the functions need to be allowed: what they were seen to ask for, and what AWS does on their behalf, which no
//! call of theirs shows.
//!
//! Which action a call needs: <https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html>.

pub(crate) mod implied;
pub(crate) mod observed;

use std::collections::BTreeMap;

use domain::contract::Service;
use local::REGION;

use crate::deployed::Deployed;
use crate::policy::Request;

/// One thing that the role of a function has to allow.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Need {
    pub(crate) service: Service,
    pub(crate) request: Request,
    /// What it follows from.
    pub(crate) because: &'static str,
}

/// A request without conditions.
fn request(action: &str, resource: impl Into<String>) -> Request {
    Request { action: action.to_owned(), resource: resource.into(), context: BTreeMap::new() }
}

/// The use of a key by an AWS service for one of our functions
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service>).
fn key_use(action: &str, key: &str, via: &str) -> Request {
    Request { context: [("kms:ViaService", format!("{via}.{REGION}.amazonaws.com"))].into(), ..request(action, key) }
}

/// The customer keys that things are encrypted with: ARN of the thing → ARN of its key.
pub(crate) struct Keys(BTreeMap<String, String>);

impl Keys {
    /// Reads them from the program.
    pub(crate) fn of(deployed: &Deployed) -> anyhow::Result<Self> {
        const KEYS: [(&str, &str); 3] = [
            ("aws:sns:Topic", "/kmsMasterKeyId"),
            ("aws:sqs:Queue", "/kmsMasterKeyId"),
            ("aws:ssm:Parameter", "/keyId"),
        ];
        let mut keys = BTreeMap::new();
        for (kind, path) in KEYS {
            for resource in deployed.all(kind) {
                if let Some(key) = deployed.find(resource, path)? {
                    keys.insert(deployed.attribute(resource, "arn")?, key);
                }
            }
        }
        for encryption in deployed.all("aws:s3:BucketServerSideEncryptionConfiguration") {
            let bucket = deployed.property(encryption, "/bucket")?;
            let key = deployed.property(encryption, "/rules/0/applyServerSideEncryptionByDefault/kmsMasterKeyId")?;
            keys.insert(format!("arn:aws:s3:::{bucket}"), key);
        }
        Ok(Self(keys))
    }

    fn of_thing(&self, arn: &str) -> Option<&str> {
        self.0.get(arn).map(String::as_str)
    }
}
