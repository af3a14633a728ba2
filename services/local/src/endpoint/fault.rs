//! Why an endpoint cannot be asked: what was tried, what is missing, what to do.

use aws_sdk_sqs::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};

use super::{Action, profiles};
use crate::fault::Fault;

/// Why a command cannot ask its endpoint.
#[derive(Debug, thiserror::Error)]
pub enum EndpointFault {
    /// Nothing runs on this machine and nothing else was named.
    #[error(
        "no pipeline runs on this machine; start one in another terminal with `cargo local up`, or name a stack on AWS with --profile, --region and --stack"
    )]
    NothingRuns,
    /// A pipeline was killed.
    #[error(
        "the pipeline that process {process} kept running since {since} is gone, and everything in it; start another with `cargo local up`"
    )]
    Stale {
        /// The process that kept it running.
        process: u32,
        /// Since when.
        since: String,
    },
    /// More than one pipeline runs on this machine.
    #[error("several pipelines run on this machine; name one with --endpoint-url:\n  {pipelines}")]
    SeveralRun {
        /// Where they answer, of which stack and since when, one a line.
        pipelines: String,
    },
    /// Options for AWS itself, but not all.
    #[error(
        "a stack on AWS is named by --profile, --region and --stack together (missing: {missing}); without any of them, the running `cargo local up` is asked"
    )]
    Incomplete {
        /// The options that are missing.
        missing: String,
    },
    /// A region for the local AWS.
    #[error("--region goes with --profile; the local AWS, which --endpoint-url alone means, has one region only")]
    RegionWithoutProfile,
    /// A name that no stack has.
    #[error("--stack {stack} is no name of a stack; a name has {allowed}")]
    StackName {
        /// The name.
        stack: String,
        /// What is allowed.
        allowed: String,
    },
    /// The stack is not there.
    #[error("there is no queue {queue} at {place}, so no stack {stack}; {existing}")]
    NoSuchStack {
        /// The queue that was looked for.
        queue: String,
        /// The stack it belongs to.
        stack: String,
        /// Where it was looked for.
        place: String,
        /// Which stacks are there, in a sentence.
        existing: String,
    },
    /// A permission is missing.
    #[error(
        "{credentials} do not allow {} on {} ({}); have it granted, then try again. The answer was: {}",
        .tried.permission, .tried.resource, .tried.place, .tried.said
    )]
    Forbidden {
        /// Whose credentials.
        credentials: String,
        /// What the permission is missing for.
        tried: Box<Tried>,
    },
    /// The profile is not there.
    #[error("there is no profile {profile}; {existing}")]
    NoSuchProfile {
        /// The name.
        profile: String,
        /// Which profiles there are, or where they could be, in a sentence.
        existing: String,
    },
    /// The credentials are missing, wrong or out of date.
    #[error(
        "{credentials} cannot be used; {} on {} was tried ({}). {advice} The answer was: {}",
        .tried.permission, .tried.resource, .tried.place, .tried.said
    )]
    BadCredentials {
        /// Whose credentials.
        credentials: String,
        /// What to do.
        advice: &'static str,
        /// What they were used for.
        tried: Box<Tried>,
    },
    /// Nobody answers.
    #[error(
        "{} does not answer ({} on {} was tried): {}. Is the region right, does the network reach it, does the pipeline still run?",
        .0.place, .0.permission, .0.resource, .0.said
    )]
    Unreachable(Box<Tried>),
    /// Anything else.
    #[error("{} on {} failed ({}): {}", .0.permission, .0.resource, .0.place, .0.said)]
    Failed(Box<Tried>),
    /// Something of this machine.
    #[error(transparent)]
    Machine(#[from] Box<Fault>),
}

/// A call that failed.
#[derive(Debug)]
pub struct Tried {
    /// The IAM action it needs.
    pub permission: String,
    /// What it was done on.
    pub resource: String,
    /// Where.
    pub place: String,
    /// What was answered.
    pub said: String,
}

impl From<Fault> for EndpointFault {
    fn from(fault: Fault) -> Self {
        Self::Machine(Box::new(fault))
    }
}

/// What a refusal means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// A permission on the resource itself.
    Permission,
    /// A permission on the KMS key that the queue is encrypted with.
    KeyPermission,
    Credentials,
    Other,
}

/// What to do about credentials of the local AWS that are refused.
const NAME_A_PROFILE: &str = "This endpoint wants others than those of the local AWS; name a profile with --profile.";

/// What to do about those of a profile; most have run out.
const LOG_IN: &str = "Log in again (`aws sso login`, or new keys); a profile of IAM Identity Center works here with the line `credential_process = aws configure export-credentials --profile NAME` in a profile of its own.";

impl EndpointFault {
    /// The resource may be used, but not the key that it is encrypted with.
    pub(super) fn of_key(action: Action, resource: &str, place: &str, profile: Option<&str>, said: String) -> Self {
        let (permission, place) = (action.key_permissions().join(" and "), place.to_owned());
        let tried = Box::new(Tried { permission, resource: format!("the KMS key of {resource}"), place, said });
        Self::Forbidden { credentials: whose(profile), tried }
    }

    pub(super) fn of_call<E>(
        error: &SdkError<E>,
        action: Action,
        resource: &str,
        place: &str,
        profile: Option<&str>,
    ) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let credentials = whose(profile);
        let advice = if profile.is_some() { LOG_IN } else { NAME_A_PROFILE };
        let tried = |permission: &str, resource: &str, said: String| {
            let [permission, resource, place] = [permission, resource, place].map(str::to_owned);
            Box::new(Tried { permission, resource, place, said })
        };
        let Some(answer) = error.as_service_error() else {
            let tried = tried(action.permission(), resource, reason(error));
            // The SDK has no kind of its own for credentials that it could not get; it says so somewhere on the way in.
            return if DisplayErrorContext(error).to_string().contains("redentials") {
                profile.and_then(profiles::missing).unwrap_or(Self::BadCredentials { credentials, advice, tried })
            } else {
                Self::Unreachable(tried)
            };
        };
        let code = answer.code().unwrap_or("no code");
        let said = format!("{code}: {}", answer.message().unwrap_or("no message"));
        match meaning(code, &said) {
            Meaning::KeyPermission => Self::of_key(action, resource, place, profile, said),
            Meaning::Permission => Self::Forbidden { credentials, tried: tried(action.permission(), resource, said) },
            Meaning::Credentials => {
                Self::BadCredentials { credentials, advice, tried: tried(action.permission(), resource, said) }
            }
            Meaning::Other => Self::Failed(tried(action.permission(), resource, said)),
        }
    }
}

fn whose(profile: Option<&str>) -> String {
    profile.map_or_else(
        || "the credentials of the local AWS".to_owned(),
        |name| format!("the credentials of the profile {name}"),
    )
}

/// What a code means. SQS, Logs and Lambda name the same differently
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html>,
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html#API_ReceiveMessage_Errors>).
fn meaning(code: &str, said: &str) -> Meaning {
    const CREDENTIALS: [&str; 10] = [
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "InvalidAccessKeyId",
        "SignatureDoesNotMatch",
        "InvalidSignatureException",
        "IncompleteSignature",
        "ExpiredToken",
        "MissingAuthenticationToken",
        "InvalidToken",
        "RequestTimeTooSkewed",
    ];
    // A key that is disabled or busy is no matter of permissions, though its codes begin alike.
    let is_of_key = code.to_ascii_lowercase().starts_with("kms") || said.contains("kms:");
    if is_of_key && code.contains("AccessDenied") {
        Meaning::KeyPermission
    } else if code.contains("AccessDenied") || code == "AuthorizationError" || code == "NotAuthorized" {
        Meaning::Permission
    } else if CREDENTIALS.iter().any(|known| code.starts_with(known)) {
        Meaning::Credentials
    } else {
        Meaning::Other
    }
}

/// The innermost reason, which says most: `Connection refused`, ``profile `x` was not defined``.
fn reason(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_from_wrong_credentials_and_from_the_key() {
        let cases = [
            ("AccessDenied", "not authorized to perform: sqs:receivemessage", Meaning::Permission),
            ("AccessDeniedException", "not authorized to perform: logs:FilterLogEvents", Meaning::Permission),
            ("KMS.AccessDeniedException", "denied", Meaning::KeyPermission),
            ("KmsAccessDenied", "denied", Meaning::KeyPermission),
            ("AccessDeniedException", "not authorized to perform: kms:Decrypt", Meaning::KeyPermission),
            ("KmsDisabled", "the key is disabled", Meaning::Other),
            ("KMS.DisabledException", "the key is disabled", Meaning::Other),
            ("KmsThrottled", "busy", Meaning::Other),
            ("InvalidClientTokenId", "invalid", Meaning::Credentials),
            ("InvalidToken", "malformed", Meaning::Credentials),
            ("RequestTimeTooSkewed", "the clock is wrong", Meaning::Credentials),
            ("ExpiredTokenException", "expired", Meaning::Credentials),
            ("ServiceUnavailable", "busy", Meaning::Other),
        ];
        for (code, said, expected) in cases {
            assert_eq!(meaning(code, said), expected, "{code}");
        }
    }
}
