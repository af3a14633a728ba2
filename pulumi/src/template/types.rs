//! What the translation knows of a type; the types themselves stand in `table`.

mod table;

use super::shape::Property;

/// One type of Pulumi.
#[derive(Debug)]
pub(super) struct Type {
    /// Pulumi's type token.
    pub(super) pulumi: &'static str,
    pub(super) form: Form,
    pub(super) properties: &'static [Property],
    /// What others may refer to.
    pub(super) attributes: &'static [Attribute],
}

/// What becomes of a resource.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A resource of this type, which takes tags.
    Tagged(&'static str),
    /// A resource of this type, which does not.
    Untagged(&'static str),
    /// A part of the resource that this property, or the option of this name, refers to.
    PartOf(&'static str),
    /// An entry in a list of the resource that the first property refers to.
    EntryOf(&'static str, &'static str),
    /// The provider: its tags go to every resource.
    Provider,
    /// A `SecureString` parameter, which CloudFormation cannot create.
    SecureParameter,
}

/// Something of a resource that others refer to.
#[derive(Debug)]
pub(super) struct Attribute {
    pub(super) pulumi: &'static str,
    pub(super) source: Source,
}

/// How CloudFormation tells it.
#[derive(Debug)]
pub(super) enum Source {
    Ref,
    GetAtt(&'static str),
    /// The resource's own property.
    Property(&'static str),
    /// An ARN of this beginning, ended by the resource's own property.
    ArnOf(&'static str, &'static str),
}

/// The type of this token.
pub(super) fn find(token: &str) -> Option<&'static Type> {
    table::TYPES.iter().find(|known| known.pulumi == token)
}
