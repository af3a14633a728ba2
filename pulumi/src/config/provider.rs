//! How the provider reaches AWS: Pulumi's own keys, which begin with `aws:`. A provider that the program declares itself
//! sees none of them, so each is either read here and handed on, or refused by name: an account that was meant to be the
//! only one must not be lost on the way.

use serde::Deserialize;
use serde_json::Value;

use super::checks;
use super::read::{Reader, plain};

/// The keys that are handed on. Without the region it comes from the environment, as it does for the AWS command line.
pub(super) const KEYS: [&str; 4] = [REGION_KEY, PROFILE_KEY, ALLOWED_ACCOUNT_IDS_KEY, ASSUME_ROLES_KEY];

/// The key under which a stack names its AWS region.
pub const REGION_KEY: &str = "aws:region";
const PROFILE_KEY: &str = "aws:profile";
const ALLOWED_ACCOUNT_IDS_KEY: &str = "aws:allowedAccountIds";
const ASSUME_ROLES_KEY: &str = "aws:assumeRoles";

const ACCOUNT_IDS_LOOK_LIKE: &str = r#"a list of 12-digit account ids such as ["123456789012"]"#;
const ROLES_LOOK_LIKE: &str = concat!(
    r#"a list such as [{"roleArn": "arn:aws:iam::123456789012:role/deployer"}], whose entries may also have the texts "#,
    "externalId, sessionName, duration",
);

/// What Pulumi's AWS provider is told besides the tags
/// (<https://www.pulumi.com/registry/packages/aws/installation-configuration/>).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProviderSettings {
    /// The region the stack lives in, if the stack names it.
    pub region: Option<String>,
    /// The profile of the AWS command line whose credentials are used.
    pub profile: Option<String>,
    /// The accounts that may be deployed to; empty: any.
    pub allowed_account_ids: Vec<String>,
    /// The roles to take on before anything is done, one after the other.
    pub assume_roles: Vec<AssumedRole>,
}

/// A role that the provider takes on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "each field is that of sts:AssumeRole")]
pub struct AssumedRole {
    pub role_arn: String,
    pub external_id: Option<String>,
    pub session_name: Option<String>,
    /// Such as `1h`.
    pub duration: Option<String>,
}

impl ProviderSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        Self {
            region: reader.checked(REGION_KEY, checks::REGION_LOOKS_LIKE, checks::is_region),
            profile: reader.checked(PROFILE_KEY, "the name of a profile", is_profile),
            allowed_account_ids: account_ids(reader),
            assume_roles: roles(reader),
        }
    }
}

fn is_profile(text: &str) -> bool {
    !text.is_empty() && !text.contains(char::is_control)
}

/// Pulumi sends lists and objects as JSON texts; an id that is written without quotes is a number there.
fn account_ids(reader: &mut Reader) -> Vec<String> {
    let Some(text) = reader.take(ALLOWED_ACCOUNT_IDS_KEY) else { return Vec::new() };
    let ids = serde_json::from_str::<Vec<Value>>(&text).unwrap_or_default();
    let ids: Vec<_> = ids.into_iter().map(plain).collect::<Option<_>>().unwrap_or_default();
    if ids.is_empty() || !ids.iter().all(|id| checks::is_account_id(id)) {
        reader.fault(ALLOWED_ACCOUNT_IDS_KEY.to_owned(), &text, ACCOUNT_IDS_LOOK_LIKE);
    }
    ids
}

/// The value is kept out of the fault: an external id may be a secret of the stack.
fn roles(reader: &mut Reader) -> Vec<AssumedRole> {
    let Some(text) = reader.take(ASSUME_ROLES_KEY) else { return Vec::new() };
    let roles: Vec<AssumedRole> = serde_json::from_str(&text).unwrap_or_default();
    if roles.is_empty() || !roles.iter().all(|role| checks::is_role_arn(&role.role_arn)) {
        reader.silent_fault(format!("{ASSUME_ROLES_KEY} cannot be used"), ROLES_LOOK_LIKE);
    }
    roles
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Config;

    fn read(values: &Value) -> Result<ProviderSettings, String> {
        let config = Config::read("dev", Some(&values.to_string()));
        config.map(|config| config.provider).map_err(|faults| faults.to_string())
    }

    #[test]
    fn what_the_provider_is_told_is_read_as_pulumi_sends_it_lists_as_texts() {
        let role = "arn:aws:iam::123456789012:role/deployer";
        let told = read(&json!({
            "aws:region": "eu-west-1",
            "aws:profile": "work",
            "aws:allowedAccountIds": r#"["123456789012", 210987654321]"#,
            "aws:assumeRoles": json!([{"roleArn": role, "externalId": "7"}]).to_string(),
        }));
        let role = AssumedRole {
            role_arn: role.to_owned(),
            external_id: Some("7".to_owned()),
            session_name: None,
            duration: None,
        };
        let expected = ProviderSettings {
            region: Some("eu-west-1".to_owned()),
            profile: Some("work".to_owned()),
            allowed_account_ids: ["123456789012", "210987654321"].map(str::to_owned).into(),
            assume_roles: vec![role],
        };
        assert_eq!(told, Ok(expected));
        assert_eq!(read(&json!({})), Ok(ProviderSettings::default()));
    }

    #[test]
    fn a_key_of_the_provider_that_is_not_handed_on_is_refused_by_name_without_its_value() {
        let faults =
            read(&json!({"aws:secretKey": "canary", "aws:defaultTags": "{}", "aws:forbiddenAccountIds": "[]"}));
        let faults = faults.unwrap_err();
        for key in ["aws:secretKey", "aws:defaultTags", "aws:forbiddenAccountIds"] {
            assert!(faults.contains(&format!("\n  {key} is not handed on to the provider; allowed: ")), "{faults}");
        }
        assert!(faults.contains("aws:profile, aws:allowedAccountIds, aws:assumeRoles"), "{faults}");
        assert!(faults.contains("AWS_PROFILE") && !faults.contains("canary"), "{faults}");
    }

    #[test]
    fn accounts_and_roles_that_are_none_are_refused_all_at_once() {
        for accounts in ["", "123456789012", "[]", "[12]", r#"["1234567890123"]"#, r#"[["123456789012"]]"#] {
            let role = json!([{"roleArn": "deployer", "externalId": "canary"}]).to_string();
            let faults = read(
                &json!({"aws:allowedAccountIds": accounts, "aws:assumeRoles": role, "aws:profile": "", "aws:region": "cn-north-1"}),
            );
            let faults = faults.unwrap_err();
            assert!(faults.contains(&format!("aws:allowedAccountIds is {accounts:?}; allowed: a list of")), "{faults}");
            assert!(faults.contains("aws:assumeRoles cannot be used; allowed: a list such as"), "{faults}");
            assert!(faults.contains(r#"aws:profile is ""; allowed: the name of a profile"#), "{faults}");
            assert!(
                faults.contains(r#"aws:region is "cn-north-1"; allowed: a region of the partition aws"#),
                "{faults}"
            );
            assert!(!faults.contains("canary"), "{faults}");
        }
        for roles in ["", "{}", "[]", "[{}]", r#"[{"roleArn": "arn:aws:iam::123456789012:role/x", "policy": "{}"}]"#] {
            assert!(read(&json!({"aws:assumeRoles": roles})).is_err(), "{roles}");
        }
    }
}
