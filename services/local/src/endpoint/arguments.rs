//! The options of every command that talks to an AWS.

use clap::Args;

/// Which AWS, and which stack in it.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Which stack (without any of these: the running `cargo local up`)")]
pub(crate) struct EndpointArguments {
    /// A profile of your AWS configuration; with --region and --stack it means AWS itself.
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// The region the stack lives in, such as eu-central-1.
    #[arg(long, value_name = "NAME")]
    pub(crate) region: Option<String>,
    /// The stack's name, such as prod.
    #[arg(long, value_name = "NAME")]
    pub(crate) stack: Option<String>,
    /// Another endpoint for all services, such as that of a second `cargo local up`.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint_url: Option<String>,
}

impl EndpointArguments {
    fn all(&self) -> [(&'static str, Option<&str>); 4] {
        [
            ("--profile", self.profile.as_deref()),
            ("--region", self.region.as_deref()),
            ("--stack", self.stack.as_deref()),
            ("--endpoint-url", self.endpoint_url.as_deref()),
        ]
    }

    /// What AWS itself cannot be asked without.
    pub(super) fn missing_for_aws(&self) -> String {
        let [profile, region, stack, _] = self.all();
        let missing = [profile, region, stack].into_iter().filter(|(_, value)| value.is_none());
        missing.map(|(name, _)| name).collect::<Vec<_>>().join(" and ")
    }

    /// As they were typed, each with a blank before it.
    pub(super) fn as_typed(&self) -> String {
        let typed = self.all().into_iter().filter_map(|(name, value)| Some(format!(" {name} {}", value?)));
        typed.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::{Endpoint, EndpointFault};

    fn arguments(profile: &str, region: &str, stack: &str, endpoint_url: &str) -> EndpointArguments {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        EndpointArguments {
            profile: given(profile),
            region: given(region),
            stack: given(stack),
            endpoint_url: given(endpoint_url),
        }
    }

    #[test]
    fn aws_itself_is_never_asked_before_profile_region_and_stack_are_all_named() {
        let missing = |profile, region, stack| match Endpoint::find(&arguments(profile, region, stack, "")) {
            Err(EndpointFault::Incomplete { missing }) => missing,
            other => panic!("{other:?}"),
        };
        assert_eq!(missing("p", "", ""), "--region and --stack");
        assert_eq!(missing("p", "r", ""), "--stack");
        assert_eq!(missing("", "r", "prod"), "--profile");
        assert_eq!(missing("", "", "prod"), "--profile and --region");
        // Whatever address is named: it may be AWS's.
        let by_address = Endpoint::find(&arguments("p", "", "", "https://sqs.eu-west-1.amazonaws.com")).unwrap_err();
        assert!(by_address.to_string().contains("missing: --region and --stack"), "{by_address}");
        let found = Endpoint::find(&arguments("p", "eu-west-1", "prod", "")).unwrap();
        assert_eq!(
            (found.place(), found.options()),
            ("AWS, eu-west-1", " --profile p --region eu-west-1 --stack prod")
        );
        assert_eq!(found.place_and_profile(), "AWS, eu-west-1, with the profile p");
    }

    #[test]
    fn another_endpoint_without_a_profile_gets_the_credentials_of_the_local_aws_and_its_stack() {
        let found = Endpoint::find(&arguments("", "", "", "http://127.0.0.1:1")).unwrap();
        assert_eq!(found.names().dead_letters, "movie-pipeline-local-movies-dead-letters");
        assert!(matches!(
            Endpoint::find(&arguments("", "eu-west-1", "", "http://127.0.0.1:1")),
            Err(EndpointFault::RegionWithoutProfile)
        ));
    }

    #[test]
    fn a_name_that_no_stack_has_is_refused_with_what_is_allowed() {
        let fault = Endpoint::find(&arguments("p", "r", "My Stack", "")).unwrap_err().to_string();
        assert!(fault.contains("--stack My Stack") && fault.contains("lower-case letters"), "{fault}");
    }
}
