//! The emitted program, as the rules look at it.

use serde_json::{Value, json};

/// The resources of a program.
pub(super) struct View<'a> {
    resources: &'a Value,
}

/// One resource.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    pub(super) name: &'a str,
    pub(super) kind: &'a str,
    pub(super) properties: &'a Value,
}

impl<'a> View<'a> {
    pub(super) fn new(program: &'a Value) -> Self {
        Self { resources: &program["resources"] }
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Seen<'a>> {
        self.resources.as_object().unwrap().iter().map(|(name, resource)| Seen {
            name,
            kind: resource["type"].as_str().unwrap(),
            properties: &resource["properties"],
        })
    }

    pub(super) fn of_kind(&self, kind: &str) -> impl Iterator<Item = Seen<'a>> {
        self.all().filter(move |resource| resource.kind == kind)
    }

    pub(super) fn named(&self, name: &str) -> Option<Seen<'a>> {
        self.all().find(|resource| resource.name == name)
    }

    /// A resource option (<https://www.pulumi.com/docs/iac/concepts/resources/options/>).
    pub(super) fn option(&self, resource: Seen, option: &str) -> Option<&'a Value> {
        self.resources[resource.name].get("options")?.get(option)
    }

    /// The provider of every resource that names no other.
    pub(super) fn default_provider(&self) -> Option<Seen<'a>> {
        let mut providers = self.of_kind("pulumi:providers:aws");
        providers.find(|provider| self.resources[provider.name]["defaultProvider"] == true)
    }

    /// The stack, as the default tags name it.
    pub(super) fn stack(&self) -> Option<&'a str> {
        self.default_provider()?.properties["defaultTags"]["tags"]["stack"].as_str()
    }

    /// The resource that `${name.attribute}` refers to.
    pub(super) fn referred(&self, reference: &Value) -> Option<Seen<'a>> {
        let name = reference.as_str()?.strip_prefix("${")?.strip_suffix('}')?.split('.').next()?;
        self.named(name)
    }

    /// The resource that a property refers to, if it is of this kind.
    pub(super) fn referred_of_kind(&self, reference: &Value, kind: &str) -> Option<Seen<'a>> {
        self.referred(reference).filter(|referred| referred.kind == kind)
    }

    /// The resources of a kind that refer to this one by a property.
    pub(super) fn referring(&self, kind: &str, property: &str, to: Seen) -> Vec<Seen<'a>> {
        let refers = |resource: &Seen| {
            self.referred(&resource.properties[property]).is_some_and(|referred| referred.name == to.name)
        };
        self.of_kind(kind).filter(refers).collect()
    }

    /// Every statement of every policy, with the resource it stands in.
    pub(super) fn statements(&self) -> Vec<(Seen<'a>, Value)> {
        let of = |resource: Seen<'a>| {
            let permission = (resource.kind == "aws:lambda:Permission").then(|| permission(resource));
            statements_of(resource).into_iter().cloned().chain(permission).map(move |one| (resource, one))
        };
        self.all().flat_map(of).collect()
    }
}

/// The statements of a resource's policies, whatever the properties are called.
pub(super) fn statements_of(resource: Seen<'_>) -> Vec<&Value> {
    let policies = resource.properties.as_object().unwrap().values().filter_map(|value| value.get("fn::toJSON"));
    policies.filter_map(|policy| policy["Statement"].as_array()).flatten().collect()
}

/// A permission as what AWS makes of it: a statement in the policy of its function
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html>).
pub(super) fn permission(permission: Seen) -> Value {
    let properties = permission.properties;
    let principal = properties["principal"].as_str().unwrap_or("*");
    let principal = match principal {
        "*" => json!("*"),
        service if service.ends_with(".amazonaws.com") => json!({"Service": service}),
        account => json!({"AWS": account}),
    };
    let function = properties["function"].as_str().unwrap_or("*");
    let mut statement = json!({
        "Sid": "Permission",
        "Effect": "Allow",
        "Principal": principal,
        "Action": properties["action"],
        "Resource": function.replace(".name}", ".arn}"),
    });
    let conditions = [
        ("sourceArn", "ArnLike", "aws:SourceArn"),
        ("sourceAccount", "StringEquals", "aws:SourceAccount"),
        ("principalOrgId", "StringEquals", "aws:PrincipalOrgID"),
    ];
    for (property, operator, key) in conditions {
        if let Some(told) = properties.get(property) {
            statement["Condition"][operator][key] = told.clone();
        }
    }
    statement
}

/// `resource/statement`.
pub(super) fn place(resource: Seen, statement: &Value) -> String {
    format!("{}/{}", resource.name, statement["Sid"].as_str().unwrap_or("(a statement without a name)"))
}

/// The texts of a value that is one text or a list of them.
pub(super) fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    }
}

/// What a document in a JSON text says, such as a redrive policy.
pub(super) fn document(value: &Value) -> &Value {
    &value["fn::toJSON"]
}
