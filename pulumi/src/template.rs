//! The Pulumi program as a CloudFormation template: for the local AWS, and for those who must stay on CloudFormation.
//!
//! A pure, generic translation. `types/table.rs` says for each Pulumi type which CloudFormation type it becomes and where each
//! property goes; `shape` turns values, `expression` turns texts with references. Whatever these do not know is an
//! error that names it: nothing is dropped silently.
//!
//! In form, not in effect, these differ:
//! - Pulumi keeps some parts of a resource as resources of their own (a bucket's versioning, a role's policy, a rule's
//!   target). CloudFormation has them inside the resource they belong to.
//! - The functions' code lies in the bucket that the parameter [`CODE_BUCKET_PARAMETER`] names, as
//!   `<service name>.zip`.
//! - CloudFormation cannot create a `SecureString`
//!   (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-parameter.html>). Such a
//!   parameter is left out of the template and told in [`Template::secure_parameters`], to be put by a direct call.
//! - What Pulumi retains has the deletion policy `Retain`.
//!
//! In effect, two do: CloudFormation removes no bucket that holds objects, protected or not, and it has nothing like
//! `protect` for a single resource; turn on the stack's own termination protection.

mod assemble;
mod expression;
mod shape;
#[cfg(test)]
mod tests;
mod types;

use serde_json::Value;

use crate::program::Program;

/// The template's parameter that names the bucket of the functions' code.
pub const CODE_BUCKET_PARAMETER: &str = "CodeBucket";

/// A CloudFormation template, and what it cannot hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// The template.
    pub body: Value,
    /// The `SecureString` parameters to put once the stack stands.
    pub secure_parameters: Vec<SecureParameter>,
}

/// A parameter that has to be put by a direct call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecureParameter {
    /// Its name, such as `/movie-pipeline/dev/omdb-api-key`.
    pub name: String,
    /// What it holds.
    pub description: String,
    /// The output of the stack that tells the ARN of the KMS key to encrypt it with.
    pub kms_key_output: String,
}

impl SecureParameter {
    /// The command that puts it.
    #[must_use]
    pub fn command(&self) -> String {
        let Self { name, description, kms_key_output } = self;
        format!(
            "aws ssm put-parameter --type SecureString --name {name} --description '{description}' --key-id \
             <output {kms_key_output} of the stack> --value <the secret>"
        )
    }
}

/// Something of the program that the translation does not know. Teach it in `pulumi/src/template/types/table.rs`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TranslateError {
    /// A type of resource.
    #[error("{resource}: there is no CloudFormation form of the type {kind}")]
    Type {
        /// The resource.
        resource: String,
        /// Its Pulumi type.
        kind: String,
    },
    /// A property, with its path.
    #[error("{resource}: there is no CloudFormation form of the property {property}")]
    Property {
        /// The resource.
        resource: String,
        /// Where the property stands.
        property: String,
    },
    /// A property whose value has another form than the table says.
    #[error("{resource}: the property {property} should be {expected}")]
    Shape {
        /// The resource.
        resource: String,
        /// Where the property stands.
        property: String,
        /// What the table says.
        expected: &'static str,
    },
    /// A reference.
    #[error("{resource}: there is no CloudFormation form of the reference ${{{reference}}}")]
    Reference {
        /// The resource or output that refers.
        resource: String,
        /// What it refers to.
        reference: String,
    },
    /// A resource option.
    #[error("{resource}: there is no CloudFormation form of the option {option}")]
    Option {
        /// The resource.
        resource: String,
        /// The option.
        option: String,
    },
    /// A secure parameter whose key no output tells, so nobody could encrypt it.
    #[error("{resource}: no output of the program tells the key it is encrypted with")]
    KeyOutput {
        /// The parameter.
        resource: String,
    },
}

/// Translates a program.
///
/// # Errors
/// The first thing the translation does not know.
pub fn cloudformation(program: &Program) -> Result<Template, TranslateError> {
    assemble::template(program)
}
