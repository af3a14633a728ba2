//! Roles held against needs, both ways.

use std::collections::BTreeSet;

use domain::contract::Service;

use crate::needs::Need;
use crate::roles::Roles;

/// What is needed and not allowed, then what is allowed and not needed, each once and by name.
pub(crate) fn findings(roles: &Roles, needs: &[Need]) -> Vec<String> {
    let missing: BTreeSet<_> = needs.iter().filter_map(|need| missing(roles, need)).collect();
    missing.into_iter().chain(Service::ALL.into_iter().flat_map(|service| superfluous(roles, service, needs))).collect()
}

fn missing(roles: &Roles, need: &Need) -> Option<String> {
    let Need { service, request, because } = need;
    let is_allowed = roles.get(service).is_some_and(|policy| policy.allows(request));
    (!is_allowed).then(|| format!("the {} may not {request}, but {because}", service.name()))
}

/// A statement is used when each of its parts is: else one action, one resource or one value of it could go.
fn superfluous(roles: &Roles, service: Service, needs: &[Need]) -> Vec<String> {
    let own: Vec<_> = needs.iter().filter(|need| need.service == service).collect();
    let mut findings = Vec::new();
    for statement in roles.get(&service).iter().flat_map(|policy| &policy.statements) {
        let unused = statement.parts().into_iter().filter(|part| !own.iter().any(|need| part.matches(&need.request)));
        let told = |part| format!("the {} may {part} ({}), but nothing uses it", service.name(), statement.sid);
        findings.extend(unused.map(told));
    }
    findings
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::policy::{Policy, Request};

    fn roles(actions: &[&str], resources: &[&str]) -> Roles {
        let statement = json!({"Sid": "Store", "Effect": "Allow", "Action": actions, "Resource": resources});
        let policy = Policy::parse(&json!({"Version": "2012-10-17", "Statement": [statement]})).unwrap();
        Roles::from([(Service::Enricher, policy)])
    }

    fn need(service: Service, action: &str, resource: &str) -> Need {
        let request = Request { action: action.to_owned(), resource: resource.to_owned(), context: BTreeMap::new() };
        Need { service, request, because: "it was seen to" }
    }

    fn needs() -> [Need; 2] {
        let need = |action| need(Service::Enricher, action, "arn:aws:s3:::b/runs/1");
        [need("s3:GetObject"), need("s3:PutObject")]
    }

    #[test]
    fn a_role_that_allows_what_is_needed_and_nothing_else_is_without_findings() {
        let roles = roles(&["s3:GetObject", "s3:PutObject"], &["arn:aws:s3:::b/runs/*"]);
        assert_eq!(findings(&roles, &needs()), Vec::<String>::new());
    }

    #[test]
    fn an_action_too_many_is_found_by_name() {
        let roles = roles(&["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], &["arn:aws:s3:::b/runs/*"]);
        let told = "the enricher may s3:DeleteObject on arn:aws:s3:::b/runs/* (Store), but nothing uses it";
        assert_eq!(findings(&roles, &needs()), [told]);
    }

    #[test]
    fn a_resource_too_many_is_found_by_name() {
        let roles = roles(&["s3:GetObject", "s3:PutObject"], &["arn:aws:s3:::b/runs/*", "arn:aws:s3:::b/old"]);
        let told = ["Get", "Put"]
            .map(|verb| format!("the enricher may s3:{verb}Object on arn:aws:s3:::b/old (Store), but nothing uses it"));
        assert_eq!(findings(&roles, &needs()), told);
    }

    #[test]
    fn an_action_too_few_is_found_by_name() {
        let roles = roles(&["s3:GetObject"], &["arn:aws:s3:::b/runs/*"]);
        let told = "the enricher may not s3:PutObject on arn:aws:s3:::b/runs/1, but it was seen to";
        assert_eq!(findings(&roles, &needs()), [told]);
    }

    #[test]
    fn what_one_function_may_helps_no_other() {
        let roles = roles(&["s3:GetObject"], &["arn:aws:s3:::b/*"]);
        let found = findings(&roles, &[need(Service::Ranker, "s3:GetObject", "arn:aws:s3:::b/1")]);
        let told = [
            "the ranker may not s3:GetObject on arn:aws:s3:::b/1, but it was seen to",
            "the enricher may s3:GetObject on arn:aws:s3:::b/* (Store), but nothing uses it",
        ];
        assert_eq!(found, told);
    }
}
