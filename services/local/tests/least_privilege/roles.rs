//! What the role of each function may do, as the program says.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use domain::contract::Service;

use crate::deployed::{Deployed, document};
use crate::policy::Policy;

/// The policies of the functions' roles.
pub(crate) type Roles = BTreeMap<Service, Policy>;

/// Reads them from the program.
pub(crate) fn of(deployed: &Deployed) -> anyhow::Result<Roles> {
    nothing_else_gives_permissions(deployed)?;
    let mut roles = Roles::new();
    for function in deployed.all("aws:lambda:Function") {
        let policy = policy_of(deployed, &deployed.property(function, "/role")?)?;
        let before = roles.insert(deployed.service(function, "/name")?, policy);
        ensure!(before.is_none(), "a service has two functions");
    }
    ensure!(roles.len() == Service::ALL.len(), "a service has no function");
    Ok(roles)
}

fn policy_of(deployed: &Deployed, role_arn: &str) -> anyhow::Result<Policy> {
    let (_, role) = role_arn.split_once(":role/").context("a function's role is no role")?;
    let mut all = Policy::default();
    for policy in deployed.all("aws:iam:RolePolicy") {
        if deployed.property(policy, "/role")? == role {
            let policy = Policy::parse(&deployed.value(document(policy, "policy")?)?);
            all = all.and(policy.with_context(|| format!("the policy of {role}"))?);
        }
    }
    Ok(all)
}

/// Permissions that come another way, such as an attached policy, would be left out.
fn nothing_else_gives_permissions(deployed: &Deployed) -> anyhow::Result<()> {
    for resource in deployed.program.resources().iter().filter(|resource| resource.kind.starts_with("aws:iam:")) {
        ensure!(["aws:iam:Role", "aws:iam:RolePolicy"].contains(&resource.kind), "{} is not read here", resource.kind);
        let further =
            ["inlinePolicies", "managedPolicyArns"].iter().find(|name| resource.properties.contains_key(**name));
        ensure!(further.is_none(), "{}: {further:?} is not read here", resource.name);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pulumi::Config;

    use super::*;

    const ALL_OPTIONS: &str = include_str!("../../../../pulumi/tests/all-options.json");

    /// Service, statement and action of everything that a configuration allows.
    fn allowed(configuration: &str) -> BTreeSet<(Service, String, String)> {
        let program = pulumi::program(&Config::read("any", Some(configuration)).unwrap());
        let roles = of(&Deployed { program: &program, kms_key_arn: "arn:aws:kms:r:1:key/k" }).unwrap();
        let of_statement = |service: Service, statement: &crate::policy::Statement| {
            let sid = statement.sid.clone();
            statement.actions.clone().into_iter().map(move |action| (service, sid.clone(), action))
        };
        let statements =
            roles.iter().flat_map(|(service, policy)| policy.statements.iter().map(move |of| (*service, of)));
        statements.flat_map(|(service, statement)| of_statement(service, statement)).collect()
    }

    /// What is proven of the local configuration holds for all. The exception cannot be proven here: no emulator has
    /// X-Ray's endpoint, and `pulumi/src/traces.rs` tells why it has two actions.
    #[test]
    fn no_configuration_allows_more_than_the_local_one_but_for_traces_to_xray() {
        let local = allowed(r#"{"movie-pipeline:otlpEndpoint": "http://127.0.0.1:4318"}"#);
        let all = allowed(ALL_OPTIONS);
        let traces = ["xray:PutSpans", "xray:PutTraceSegments"];
        let traces = Service::ALL
            .into_iter()
            .flat_map(|service| traces.map(|action| (service, "SendTraces".to_owned(), action.to_owned())));
        assert_eq!(&all - &local, traces.collect());
        assert_eq!(&local - &all, BTreeSet::new());
    }
}
