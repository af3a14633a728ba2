use proptest::prelude::*;
use serde_json::json;

use super::*;

fn policy(statements: &Value) -> anyhow::Result<Policy> {
    Policy::parse(&json!({"Version": "2012-10-17", "Statement": statements}))
}

fn request(action: &str, resource: &str, context: &[(&'static str, &str)]) -> Request {
    let context = context.iter().map(|&(key, value)| (key, value.to_owned())).collect();
    Request { action: action.to_owned(), resource: resource.to_owned(), context }
}

/// A policy of one statement that allows `s3:ListBucket` of the bucket `b` on this condition.
fn on_condition(condition: &Value) -> anyhow::Result<Policy> {
    let resource = "arn:aws:s3:::b";
    policy(&json!([
        {"Sid": "S", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": resource, "Condition": condition},
    ]))
}

fn lists(condition: &Value, context: &[(&'static str, &str)]) -> bool {
    on_condition(condition).unwrap().allows(&request("s3:ListBucket", "arn:aws:s3:::b", context))
}

#[test]
fn an_action_is_allowed_on_its_resource_and_on_no_other() {
    let policy = policy(&json!([
        {"Sid": "S", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::b/runs/*"]},
    ]));
    let allows = |action, resource| policy.as_ref().unwrap().allows(&request(action, resource, &[]));
    assert!(allows("s3:GetObject", "arn:aws:s3:::b/runs/1/2.json"));
    assert!(allows("S3:getobject", "arn:aws:s3:::b/runs/"));
    assert!(!allows("s3:PutObject", "arn:aws:s3:::b/runs/1"));
    assert!(!allows("s3:GetObject", "arn:aws:s3:::b/latest"));
    assert!(!allows("s3:GetObject", "*"));
}

#[test]
fn what_is_denied_is_not_allowed_whatever_else_is_said() {
    let statements = json!([
        {"Sid": "All", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"},
        {"Sid": "But", "Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/secret"},
    ]);
    let policy = policy(&statements).unwrap();
    assert!(policy.allows(&request("s3:GetObject", "arn:aws:s3:::b/open", &[])));
    assert!(!policy.allows(&request("s3:GetObject", "arn:aws:s3:::b/secret", &[])));
}

#[test]
fn each_operator_compares_in_its_own_way() {
    let equals = json!({"StringEquals": {"s3:prefix": ["runs/*", "x"]}});
    assert!(lists(&equals, &[("s3:prefix", "x")]) && lists(&equals, &[("s3:prefix", "runs/*")]));
    assert!(!lists(&equals, &[("s3:prefix", "runs/1")]) && !lists(&equals, &[("s3:prefix", "X")]));
    let like = json!({"StringLike": {"S3:Prefix": "runs/*"}});
    assert!(lists(&like, &[("s3:prefix", "runs/1/")]) && !lists(&like, &[("s3:prefix", "latest")]));
    let arn = json!({"ArnLike": {"aws:SourceArn": "arn:aws:sns:*:1:t*"}});
    assert!(lists(&arn, &[("aws:SourceArn", "arn:aws:sns:eu:1:topic")]));
    assert!(!lists(&arn, &[("aws:SourceArn", "arn:aws:sns:eu:2:topic")]));
    let tls = json!({"Bool": {"aws:SecureTransport": "true"}});
    assert!(lists(&tls, &[("aws:SecureTransport", "True")]) && !lists(&tls, &[("aws:SecureTransport", "false")]));
}

#[test]
fn a_key_without_a_value_holds_only_if_that_is_said() {
    assert!(!lists(&json!({"StringLike": {"s3:prefix": "*"}}), &[]));
    let if_exists = json!({"StringLikeIfExists": {"s3:prefix": "runs/*"}});
    assert!(lists(&if_exists, &[]) && lists(&if_exists, &[("s3:prefix", "runs/1/")]));
    assert!(!lists(&if_exists, &[("s3:prefix", "latest")]));
}

#[test]
fn every_condition_has_to_hold() {
    let both = json!({"StringEquals": {"s3:prefix": "p", "aws:SourceAccount": "1"}});
    assert!(lists(&both, &[("s3:prefix", "p"), ("aws:SourceAccount", "1")]));
    assert!(!lists(&both, &[("s3:prefix", "p")]));
}

#[test]
fn what_is_not_known_here_is_an_error_and_never_a_match() {
    let unknown = on_condition(&json!({"NumericLessThan": {"s3:max-keys": "10"}})).unwrap_err();
    assert_eq!(format!("{unknown:#}"), "statement S: the condition operator NumericLessThan is not known here");
    assert!(on_condition(&json!({"ForAnyValue:StringEquals": {"k": "v"}})).is_err());
    assert!(on_condition(&json!({"StringNotEquals": {"k": "v"}})).is_err());
    assert!(on_condition(&json!({"StringEquals": {"k": "${aws:username}"}})).is_err());
    let statement = |changed: &Value| {
        let mut statement = json!({"Sid": "S", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"});
        statement.as_object_mut().unwrap().extend(changed.as_object().unwrap().clone());
        policy(&json!([statement]))
    };
    assert!(statement(&json!({})).is_ok());
    for changed in [
        json!({"NotAction": "s3:*"}),
        json!({"NotResource": "*"}),
        json!({"Principal": "*"}),
        json!({"Action": "s3:*"}),
        json!({"Action": []}),
        json!({"Resource": "b"}),
        json!({"Effect": "Perhaps"}),
    ] {
        assert!(statement(&changed).is_err(), "{changed}");
    }
}

#[test]
fn a_statement_has_a_part_for_each_action_resource_and_value() {
    let statement = json!([{
        "Sid": "S", "Effect": "Allow", "Action": ["a:A", "a:B"], "Resource": ["arn:aws:a:::1", "arn:aws:a:::2"],
        "Condition": {"StringEqualsIfExists": {"k": ["v", "w"]}},
    }]);
    let parts = policy(&statement).unwrap().statements[0].parts();
    let told: Vec<_> = parts.iter().take(3).map(ToString::to_string).collect();
    assert_eq!(parts.len(), 2 * 2 * 3);
    let expected =
        ["a:A on arn:aws:a:::1, if k is v", "a:A on arn:aws:a:::1, if k is w", "a:A on arn:aws:a:::1, if k is nothing"];
    assert_eq!(told, expected);
}

prop_compose! {
    fn any_statement()(
        actions in prop::sample::subsequence(vec!["a:A", "a:B", "a:C"], 1..3),
        resources in prop::sample::subsequence(vec!["*", "arn:aws:a:::1", "arn:aws:a:::?", "arn:aws:a:::2*"], 1..3),
        operator in prop::sample::select(vec!["StringEquals", "StringLike", "StringLikeIfExists", "BoolIfExists"]),
        values in prop::sample::subsequence(vec!["v", "w", "*", "true"], 1..3),
        is_conditional in any::<bool>(),
    ) -> Value {
        let condition = if is_conditional { json!({operator: {"k": values}}) } else { json!({}) };
        json!({"Sid": "S", "Effect": "Allow", "Action": actions, "Resource": resources, "Condition": condition})
    }
}

prop_compose! {
    fn any_request()(
        action in prop::sample::select(vec!["a:A", "a:B", "a:C"]),
        resource in prop::sample::select(vec!["arn:aws:a:::1", "arn:aws:a:::2", "arn:aws:a:::22", "*"]),
        value in prop::option::of(prop::sample::select(vec!["v", "w", "x", "TRUE"])),
    ) -> Request {
        request(action, resource, &value.map(|value| ("k", value)).into_iter().collect::<Vec<_>>())
    }
}

proptest! {
    #[test]
    fn a_statement_matches_exactly_what_its_parts_match(statement in any_statement(), request in any_request()) {
        let statement = &policy(&json!([statement])).unwrap().statements[0];
        prop_assert_eq!(statement.matches(&request), statement.parts().iter().any(|part| part.matches(&request)));
    }

    #[test]
    fn one_more_statement_that_allows_never_takes_anything_away(
        one in any_statement(), other in any_statement(), request in any_request(),
    ) {
        let (before, after) = (policy(&json!([one])).unwrap(), policy(&json!([one, other])).unwrap());
        prop_assert!(!before.allows(&request) || after.allows(&request));
    }

    #[test]
    fn a_denied_statement_takes_away_exactly_what_it_matches(
        one in any_statement(), other in any_statement(), request in any_request(),
    ) {
        let mut denied = other.clone();
        denied["Effect"] = json!("Deny");
        let (allows, matches) = (policy(&json!([one])).unwrap(), policy(&json!([other])).unwrap());
        let both = policy(&json!([one, denied])).unwrap();
        prop_assert_eq!(both.allows(&request), allows.allows(&request) && !matches.allows(&request));
    }
}
