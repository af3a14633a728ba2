//! How the functions' permissions are looked at while they run.

use anyhow::{Context, ensure};
use serde_json::{Map, Value, json};

/// How the functions' permissions are looked at while they run. Their roles are deployed in any case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Permissions {
    /// Not at all: the local AWS lets everything pass.
    #[default]
    Unwatched,
    /// The local AWS lets everything pass; every call of the functions is kept.
    Recorded,
    /// The local AWS refuses what the roles do not allow; every call of the functions is kept.
    ///
    /// It looks at fewer calls than AWS does: neither at what a service does on a function's behalf (KMS, polling a
    /// queue, writing logs) nor at calls in CBOR, which are those to `CloudWatch`. It takes every request for one that
    /// came by TLS, since bucket, queues and topic refuse any other.
    Enforced {
        /// Actions that the deployed roles are not given, such as `ssm:GetParameter`, to see what happens without.
        withheld: Vec<String>,
    },
}

/// The actions that the local AWS asks for in the place of those that AWS asks for. The deployed roles get them beside
/// the right ones. AWS knows no `sns:PublishBatch`: it asks for `sns:Publish`
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonsns.html>).
const ASKED_INSTEAD: [(&str, &str); 1] = [("sns:Publish", "sns:PublishBatch")];

impl Permissions {
    pub(crate) fn are_enforced(&self) -> bool {
        matches!(self, Self::Enforced { .. })
    }

    /// The template as the local AWS needs it.
    pub(crate) fn adapt(&self, template: &mut Value) -> anyhow::Result<()> {
        let Self::Enforced { withheld } = self else { return Ok(()) };
        withheld.iter().try_for_each(|action| withhold(template, action))?;
        add_what_is_asked_instead(template)
    }
}

fn withhold(template: &mut Value, action: &str) -> anyhow::Result<()> {
    let mut found = false;
    for statements in statements_of_roles(template) {
        for statement in statements.iter_mut() {
            let actions = actions_of(statement)?;
            found |= actions.iter().any(|allowed| allowed == action);
            actions.retain(|allowed| allowed != action);
        }
        // The local AWS takes a statement without actions for one with all of them.
        statements.retain(|statement| statement["Action"] != json!([]));
    }
    ensure!(found, "no role allows {action}, so it cannot be withheld");
    Ok(())
}

fn add_what_is_asked_instead(template: &mut Value) -> anyhow::Result<()> {
    for statement in statements_of_roles(template).flatten() {
        let actions = actions_of(statement)?;
        for (right, asked) in ASKED_INSTEAD {
            if actions.iter().any(|allowed| allowed == right) {
                actions.push(Value::from(asked));
            }
        }
    }
    Ok(())
}

fn actions_of(statement: &mut Value) -> anyhow::Result<&mut Vec<Value>> {
    statement["Action"].as_array_mut().context("a statement of a role has no list of actions")
}

/// The lists of statements in the policies of all roles.
fn statements_of_roles(template: &mut Value) -> impl Iterator<Item = &mut Vec<Value>> {
    let resources = template["Resources"].as_object_mut().into_iter().flat_map(Map::values_mut);
    let roles = resources.filter(|resource| resource["Type"] == "AWS::IAM::Role");
    let policies = roles.filter_map(|role| role.pointer_mut("/Properties/Policies")?.as_array_mut()).flatten();
    policies.filter_map(|policy| policy.pointer_mut("/PolicyDocument/Statement")?.as_array_mut())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// A role with one statement for each list of actions.
    fn template(actions: &[&[&str]]) -> Value {
        let statements: Vec<_> = actions.iter().map(|actions| json!({"Action": actions})).collect();
        let policy = json!({"PolicyDocument": {"Statement": statements}});
        json!({"Resources": {"role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}}}})
    }

    fn without(action: &str) -> Permissions {
        Permissions::Enforced { withheld: vec![action.to_owned()] }
    }

    #[test]
    fn a_withheld_action_is_gone_and_what_the_local_aws_asks_for_instead_is_there() {
        let mut adapted = template(&[&["s3:GetObject", "s3:PutObject"], &["sns:Publish"]]);
        without("s3:GetObject").adapt(&mut adapted).unwrap();
        assert_eq!(adapted, template(&[&["s3:PutObject"], &["sns:Publish", "sns:PublishBatch"]]));
    }

    #[test]
    fn a_statement_whose_only_action_is_withheld_is_gone_and_nothing_is_asked_for_instead() {
        let mut adapted = template(&[&["sns:Publish"], &["s3:GetObject"]]);
        without("sns:Publish").adapt(&mut adapted).unwrap();
        assert_eq!(adapted, template(&[&["s3:GetObject"]]));
    }

    #[test]
    fn what_no_role_has_cannot_be_withheld() {
        let error = without("s3:DeleteObject").adapt(&mut template(&[&["s3:GetObject"]])).unwrap_err();
        assert_eq!(error.to_string(), "no role allows s3:DeleteObject, so it cannot be withheld");
    }

    #[test]
    fn without_enforcement_the_template_stays_as_it_is() {
        let mut adapted = template(&[&["sns:Publish"]]);
        Permissions::Recorded.adapt(&mut adapted).unwrap();
        assert_eq!(adapted, template(&[&["sns:Publish"]]));
    }
}
