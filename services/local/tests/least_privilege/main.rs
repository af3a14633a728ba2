//! Least privilege, both ways: what the functions need, their roles allow, and what their roles allow, they need.
//!
//! | Module | What it does |
//! |---|---|
//! | `flow` | runs the pipeline with its variants |
//! | `needs` | what that needs: by the calls that were recorded, and by what AWS does on a function's behalf |
//! | `deployed`, `roles` | what the Pulumi program allows, with the names it is deployed under |
//! | `policy` | IAM's rules |
//! | `audit` | the one held against the other |
//! | `enforcement` | the same roles where the local AWS refuses what they do not allow |
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

mod audit;
mod deployed;
mod enforcement;
mod flow;
mod needs;
mod policy;
mod roles;

use domain::contract::Service;
use local::{AwsRequest, Call, Permissions, Pipeline};
use serde_json::json;

use crate::audit::findings;
use crate::deployed::Deployed;
use crate::needs::{Keys, Need, implied, observed};
use crate::policy::Policy;
use crate::roles::Roles;

/// More tries than a record needs whose failure is healed.
const TRIES_ENOUGH: usize = 100;

#[tokio::test]
async fn the_roles_allow_what_the_functions_need_and_nothing_else() {
    let pipeline = Pipeline::start(flow::options(Permissions::Recorded, TRIES_ENOUGH)).await.unwrap();
    flow::run_every_variant(&pipeline).await;

    let deployed = Deployed { program: pipeline.program(), kms_key_arn: &pipeline.deployment().kms_key_arn };
    let calls = pipeline.recorder().unwrap().calls();
    let (roles, needs) = (roles::of(&deployed).unwrap(), needs_of(&calls, &deployed));
    assert_every_variant_was_seen(&calls);
    assert_eq!(findings(&roles, &needs), Vec::<String>::new());
    assert_each_action_is_missed(&roles, &needs);
    assert_an_action_more_is_found(&roles, &needs);
}

/// Calls that cannot be judged are told all at once.
fn needs_of(calls: &[Call], deployed: &Deployed) -> Vec<Need> {
    let keys = Keys::of(deployed).unwrap();
    let (known, unknown): (Vec<_>, Vec<_>) =
        calls.iter().map(|call| observed::of(call, &keys)).partition(Result::is_ok);
    let unknown: Vec<_> = unknown.into_iter().map(|error| error.unwrap_err().to_string()).collect();
    assert_eq!(unknown, Vec::<String>::new());
    let mut needs: Vec<_> = known.into_iter().flat_map(Result::unwrap).collect();
    needs.extend(implied::by(deployed, &keys).unwrap());
    needs
}

/// The recorder saw both functions, the key fetched again, runs listed, a movie looked for by itself, and latest looked at
/// before and after it stood.
fn assert_every_variant_was_seen(calls: &[Call]) {
    let count = |wanted: fn(&Call) -> bool| calls.iter().filter(|call| wanted(call)).count();
    assert!(Service::ALL.into_iter().all(|service| calls.iter().any(|call| call.caller == Some(service))));
    assert!(count(|call| matches!(call.request, AwsRequest::GetParameter { .. })) >= 2);
    assert!(count(|call| matches!(call.request, AwsRequest::ChangeMessageVisibilityBatch { .. })) >= 1);
    assert!(count(|call| matches!(call.request, AwsRequest::ListObjectsV2 { .. })) >= 4);
    assert!(count(|call| matches!(call.request, AwsRequest::HeadObject { .. }) && call.status == 404) >= 2);
    assert!(count(|call| matches!(call.request, AwsRequest::HeadObject { .. }) && call.status == 200) >= 1);
    let is_of_run =
        |call: &Call| matches!(&call.request, AwsRequest::GetObject { object } if object.contains("/runs/"));
    assert!(calls.iter().filter(|call| is_of_run(call)).count() >= 9, "records that others stored are read");
}

/// Taking any action from any statement is found, by name.
fn assert_each_action_is_missed(roles: &Roles, needs: &[Need]) {
    for (service, policy) in roles {
        for (at, statement) in policy.statements.iter().enumerate() {
            for action in &statement.actions {
                let mut without = roles.clone();
                let of = &mut without.get_mut(service).unwrap().statements[at].actions;
                of.retain(|kept| kept != action);
                let found = findings(&without, needs);
                let told = format!("the {} may not {action} on ", service.name());
                assert!(found.iter().any(|finding| finding.starts_with(&told)), "without {action}: {found:?}");
            }
        }
    }
}

/// One action more, in any role, is found, by name.
fn assert_an_action_more_is_found(roles: &Roles, needs: &[Need]) {
    let statement = json!({
        "Sid": "TooMuch", "Effect": "Allow", "Action": ["sqs:PurgeQueue"], "Resource": ["arn:aws:sqs:*:*:*"],
    });
    for service in Service::ALL {
        let more = Policy::parse(&json!({"Version": "2012-10-17", "Statement": [statement]})).unwrap();
        let mut roles = roles.clone();
        let policy = roles.remove(&service).unwrap();
        roles.insert(service, policy.and(more));
        let told =
            format!("the {} may sqs:PurgeQueue on arn:aws:sqs:*:*:* (TooMuch), but nothing uses it", service.name());
        assert_eq!(findings(&roles, needs), [told]);
    }
}
