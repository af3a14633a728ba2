//! What a policy says to one request, as AWS evaluates it: a refusal counts for more than a permission, and what nothing
//! permits is refused (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html>).

use serde_json::{Value, json};

use super::arns::{fits, fits_text};
use super::view::{View, texts};

/// What an AWS service, or a function by its role, asks for.
#[derive(Clone)]
pub(super) struct Request {
    /// The service; none for whoever has the role whose policy is asked.
    pub(super) service: Option<String>,
    pub(super) action: &'static str,
    /// The ARN of what it wants to use.
    pub(super) resource: String,
    /// What AWS tells of the request, by condition key.
    pub(super) context: Vec<(&'static str, String)>,
}

impl View<'_> {
    /// Whether these statements permit the request.
    pub(super) fn permits(&self, statements: &[Value], request: &Request) -> bool {
        let mut speaking = statements.iter().filter(|statement| self.speaks_of(statement, request)).peekable();
        speaking.peek().is_some() && speaking.all(|statement| statement["Effect"] == "Allow")
    }

    /// Whether the statement is about the request, to permit or to refuse it.
    pub(super) fn speaks_of(&self, statement: &Value, request: &Request) -> bool {
        let names = |element: &str, wanted: &str| {
            let named = texts(&statement[element]);
            named.iter().any(|pattern| fits(&self.resolved(pattern), wanted))
        };
        is_about(statement, request)
            && names("Action", request.action)
            && (statement.get("Resource").is_none() || names("Resource", &request.resource))
            && self.holds(statement, request)
    }

    /// Whether all conditions hold. One that this evaluation does not know holds in a refusal, not in a permission.
    fn holds(&self, statement: &Value, request: &Request) -> bool {
        let operators = statement.get("Condition").and_then(Value::as_object).into_iter().flatten();
        let mut conditions = operators.flat_map(|(operator, keys)| {
            keys.as_object().into_iter().flatten().map(move |(key, wanted)| (operator.as_str(), key, wanted))
        });
        conditions.all(|(operator, key, wanted)| {
            let told = request.context.iter().find(|(of, _)| of == key).map(|(_, told)| told.as_str());
            self.compares(operator, wanted, told).unwrap_or(statement["Effect"] != "Allow")
        })
    }

    fn compares(&self, operator: &str, wanted: &Value, told: Option<&str>) -> Option<bool> {
        let (operator, if_exists) = operator.strip_suffix("IfExists").map_or((operator, false), |name| (name, true));
        let compare: fn(&str, &str) -> bool = match operator {
            "StringEquals" | "Bool" => |wanted, told| wanted == told,
            "StringLike" => fits_text,
            "ArnEquals" | "ArnLike" => fits,
            _ => return None,
        };
        let is_wanted = |told| texts(wanted).iter().any(|wanted| compare(&self.resolved(wanted), told));
        Some(told.map_or(if_exists, is_wanted))
    }
}

/// A statement without a principal stands in the policy of a role.
fn is_about(statement: &Value, request: &Request) -> bool {
    let Some(principal) = statement.get("Principal") else { return true };
    let services = texts(&principal["Service"]);
    *principal == "*"
        || *principal == json!({"AWS": "*"})
        || request.service.as_ref().is_some_and(|service| services.contains(&service.as_str()))
}

#[test]
fn a_request_passes_if_something_permits_it_and_nothing_refuses_it() {
    let program = json!({"resources": {"queue": {"type": "aws:sqs:Queue", "properties": {"name": "q"}}}});
    let view = View::new(&program);
    let told = vec![("aws:SourceArn", "arn:aws:sns:here:1:t".to_owned())];
    let service = Some("sns.amazonaws.com".to_owned());
    let resource = "arn:${partition}:sqs:${region}:${accountId}:q".to_owned();
    let request = Request { service, action: "sqs:SendMessage", resource, context: told };
    let allow = |operator: &str, source: &str| {
        json!({
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": ["sqs:SendMessage"],
            "Resource": "${queue.arn}", "Condition": {operator: {"aws:SourceArn": source}},
        })
    };
    let refuse =
        |condition: Value| json!({"Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Condition": condition});
    let good = allow("ArnLike", "arn:aws:sns:*:1:t");
    for (statements, permits) in [
        (vec![], false),
        (vec![good.clone()], true),
        (vec![allow("StringEquals", "arn:aws:sns:*:1:t")], false),
        (vec![allow("StringNotLike", "other")], false),
        (vec![good.clone(), refuse(json!({"Bool": {"aws:SecureTransport": "false"}}))], true),
        (vec![good.clone(), refuse(json!({"StringNotLike": {"aws:SourceArn": "other"}}))], false),
        (vec![good, refuse(json!({}))], false),
    ] {
        assert_eq!(view.permits(&statements, &request), permits, "{statements:?}");
    }
}
