//! Statements and documents of IAM policies
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>).

use serde::Serialize;
use serde_json::{Value, json};

use crate::program::{ACCOUNT_ID, PARTITION};

/// A statement under construction.
#[derive(Debug)]
pub(crate) struct Statement(Value);

/// A statement that allows. The name tells a reader of the policy in AWS what it is for.
pub(crate) fn allow(sid: &str) -> Statement {
    Statement(json!({"Sid": sid, "Effect": "Allow"}))
}

impl Statement {
    /// Who it is about, an AWS service; for policies that belong to a resource.
    pub(crate) fn service(self, service: &str) -> Self {
        self.with("Principal", json!({"Service": service}))
    }

    /// What may be done, and with which resources.
    pub(crate) fn actions(self, actions: &[&str], resources: impl Serialize) -> Self {
        self.with("Action", json!(actions)).with("Resource", json!(resources))
    }

    /// On which condition. Several conditions must all hold.
    pub(crate) fn when(mut self, operator: &str, key: &str, value: impl Serialize) -> Self {
        self.0["Condition"][operator][key] = json!(value);
        self
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.0[name] = value;
        self
    }
}

/// Refuses whoever comes without TLS, to a resource that has its own policy.
pub(crate) fn tls_only(actions: &str, resources: impl Serialize) -> Statement {
    Statement(json!({"Sid": "TlsOnly", "Effect": "Deny", "Principal": "*"})).actions(&[actions], resources).when(
        "Bool",
        "aws:SecureTransport",
        "false",
    )
}

/// Lets the account administer a resource, directly and through IAM.
pub(crate) fn account_administers(actions: &str) -> Statement {
    allow("AccountAdministers")
        .with("Principal", json!({"AWS": format!("arn:{PARTITION}:iam::{ACCOUNT_ID}:root")}))
        .actions(&[actions], "*")
}

/// Lets a Lambda function take on a role.
pub(crate) fn lambda_assumes() -> Value {
    let statement = allow("LambdaAssumes").service("lambda.amazonaws.com").with("Action", json!("sts:AssumeRole"));
    document([statement])
}

/// The policy of these statements, as the JSON text that AWS wants.
pub(crate) fn document(statements: impl IntoIterator<Item = Statement>) -> Value {
    let statements: Vec<_> = statements.into_iter().map(|statement| statement.0).collect();
    to_json(&json!({"Version": "2012-10-17", "Statement": statements}))
}

/// A JSON text whose references the engine fills in.
pub(crate) fn to_json(value: &Value) -> Value {
    json!({"fn::toJSON": value})
}
