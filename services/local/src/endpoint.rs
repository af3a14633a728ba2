//! Which AWS a command talks to: the pipeline that `cargo local up` keeps running, any other endpoint, or AWS itself.
//!
//! AWS itself is only ever talked to when profile, region and stack are all named on the command line: no variable of
//! the environment and no default can turn a command for this machine into one for production.

mod arguments;
mod fault;
mod logs;
mod names;
mod permissions;
mod profiles;
mod running;

use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_http_client::tls::Provider;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;

pub(crate) use arguments::EndpointArguments;
pub use fault::{EndpointFault, Tried};
pub(crate) use logs::CLOCKS_DIFFER_BY;
pub use names::Names;
pub use permissions::Action;
pub(crate) use permissions::{explain_help as explain_permissions_help, help as permissions_help};
pub(crate) use running::Announcement;

use crate::aws::Clients;
use crate::deploy::STACK;

/// An AWS with one of our stacks in it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    clients: Clients,
    names: Names,
    /// Where it is, for people: `http://127.0.0.1:4566`, or `AWS, eu-central-1`.
    place: String,
    /// The profile whose credentials are used; without one, those of the local AWS are.
    profile: Option<String>,
    /// The options that lead here again.
    options: String,
}

impl Endpoint {
    /// The stack of a pipeline on this machine.
    ///
    /// # Errors
    /// [`EndpointFault::StackName`] for a name that no stack has.
    pub fn local(endpoint_url: &str, stack: &str) -> Result<Self, EndpointFault> {
        Ok(Self {
            clients: Clients::new(endpoint_url),
            names: Names::of(stack)?,
            place: endpoint_url.to_owned(),
            profile: None,
            options: String::new(),
        })
    }

    /// What the command line names; without any of its options, the pipeline that `cargo local up` keeps running.
    pub(crate) fn find(arguments: &EndpointArguments) -> Result<Self, EndpointFault> {
        let EndpointArguments { endpoint_url, profile, region, stack } = arguments;
        let endpoint = match (endpoint_url, profile, region, stack) {
            (None, None, None, None) => {
                let running = running::only_one(&running::directory()?)?;
                Self::local(&running.endpoint, &running.stack)?
            }
            (None, Some(profile), Some(region), Some(stack)) => Self::with_profile(profile, region, stack, None)?,
            (Some(url), Some(profile), Some(region), Some(stack)) => {
                Self::with_profile(profile, region, stack, Some(url))?
            }
            (Some(url), None, None, stack) => Self::local(url, stack.as_deref().unwrap_or(STACK))?,
            (Some(_), None, Some(_), _) => return Err(EndpointFault::RegionWithoutProfile),
            // An address may well be AWS's: no default may stand in for what a profile does there.
            (None, ..) | (Some(_), Some(_), ..) => {
                return Err(EndpointFault::Incomplete { missing: arguments.missing_for_aws() });
            }
        };
        Ok(Self { options: arguments.as_typed(), ..endpoint })
    }

    fn with_profile(profile: &str, region: &str, stack: &str, url: Option<&str>) -> Result<Self, EndpointFault> {
        Ok(Self {
            clients: Clients::of(&configuration(profile, region, url)),
            names: Names::of(stack)?,
            place: url.map_or_else(|| format!("AWS, {region}"), str::to_owned),
            profile: Some(profile.to_owned()),
            options: String::new(),
        })
    }

    /// Its clients.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.clients
    }

    /// What the stack's things are called.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Where it is, for people.
    #[must_use]
    pub fn place(&self) -> &str {
        &self.place
    }

    /// The same with the profile that is used there, for whoever is about to change something.
    pub(crate) fn place_and_profile(&self) -> String {
        let profile = self.profile.as_ref().map(|profile| format!(", with the profile {profile}"));
        format!("{}{}", self.place, profile.unwrap_or_default())
    }

    /// The options that lead here again, each with a blank before it.
    pub(crate) fn options(&self) -> &str {
        &self.options
    }

    /// For `map_err` around calls: what was tried on what, and what that means for whoever reads it.
    pub(crate) fn refusal<E>(&self, action: Action, resource: &str) -> impl FnOnce(SdkError<E>) -> EndpointFault
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        move |error| EndpointFault::of_call(&error, action, resource, &self.place, self.profile.as_deref())
    }

    /// For an answer that lacks what only the key of the resource would open.
    pub(crate) fn key_refusal(&self, action: Action, resource: &str, said: String) -> EndpointFault {
        EndpointFault::of_key(action, resource, &self.place, self.profile.as_deref(), said)
    }
}

/// A configuration with the credentials of this profile alone. It is built by hand rather than loaded, since credentials
/// in the environment would otherwise come before those of a profile that is named.
fn configuration(profile: &str, region: &str, url: Option<&str>) -> SdkConfig {
    let http = aws_smithy_http_client::Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let region = Region::new(region.to_owned());
    let provider = ProviderConfig::without_region().with_region(Some(region.clone())).with_http_client(http.clone());
    let credentials = ProfileFileCredentialsProvider::builder().configure(&provider).profile_name(profile).build();
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region)
        .credentials_provider(aws_sdk_s3::config::SharedCredentialsProvider::new(credentials))
        .http_client(http);
    config.set_endpoint_url(url.map(str::to_owned));
    config.build()
}
