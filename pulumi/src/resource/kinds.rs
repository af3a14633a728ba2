//! The kinds of resources in use, each with the attributes that others refer to.

use super::{Handle, Kind, Reference};

/// `stateful` marks the kinds that hold what cannot be made again: see [`Kind::STATEFUL`].
macro_rules! kinds {
    ($($kind:ident = $token:literal $($stateful:ident)? { $($attribute:ident: $name:literal),* })*) => {
        $(
            #[doc = concat!("`", $token, "`")]
            #[derive(Debug)]
            pub enum $kind {}

            impl Kind for $kind {
                const TOKEN: &'static str = $token;
                const STATEFUL: bool = kinds!(@is_stateful $($stateful)?);
            }

            impl Handle<$kind> {
                $(
                    #[doc = concat!("Its `", $name, "`.")]
                    #[must_use]
                    pub fn $attribute(&self) -> Reference {
                        self.attribute($name)
                    }
                )*
            }
        )*

        /// The tokens of the stateful kinds.
        #[cfg(test)]
        pub(crate) fn stateful_tokens() -> Vec<&'static str> {
            let all = [$(($kind::STATEFUL, $kind::TOKEN)),*];
            all.into_iter().filter_map(|(is_stateful, token)| is_stateful.then_some(token)).collect()
        }
    };
    (@is_stateful) => { false };
    (@is_stateful stateful) => { true };
}

kinds! {
    Provider = "pulumi:providers:aws" {}
    Key = "aws:kms:Key" stateful { arn: "arn", key_id: "keyId" }
    KeyAlias = "aws:kms:Alias" {}
    Parameter = "aws:ssm:Parameter" stateful { arn: "arn", name: "name" }
    Bucket = "aws:s3:Bucket" stateful { arn: "arn", name: "bucket" }
    BucketVersioning = "aws:s3:BucketVersioning" {}
    BucketEncryption = "aws:s3:BucketServerSideEncryptionConfiguration" {}
    BucketPublicAccessBlock = "aws:s3:BucketPublicAccessBlock" {}
    BucketLifecycle = "aws:s3:BucketLifecycleConfiguration" {}
    BucketPolicy = "aws:s3:BucketPolicy" {}
    Topic = "aws:sns:Topic" { arn: "arn", name: "name" }
    TopicPolicy = "aws:sns:TopicPolicy" {}
    TopicSubscription = "aws:sns:TopicSubscription" {}
    Queue = "aws:sqs:Queue" stateful { arn: "arn", name: "name", url: "url" }
    QueuePolicy = "aws:sqs:QueuePolicy" {}
    LogGroup = "aws:cloudwatch:LogGroup" stateful { arn: "arn", name: "name" }
    LogResourcePolicy = "aws:cloudwatch:LogResourcePolicy" {}
    TraceSegmentDestination = "aws:xray:TraceSegmentDestination" {}
    IndexingRule = "aws:xray:IndexingRule" {}
    Role = "aws:iam:Role" { arn: "arn", name: "name" }
    RolePolicy = "aws:iam:RolePolicy" {}
    Function = "aws:lambda:Function" { arn: "arn", name: "name" }
    FunctionPermission = "aws:lambda:Permission" {}
    FunctionEventInvokeConfig = "aws:lambda:FunctionEventInvokeConfig" {}
    EventSourceMapping = "aws:lambda:EventSourceMapping" {}
    EventRule = "aws:cloudwatch:EventRule" { arn: "arn", name: "name" }
    EventTarget = "aws:cloudwatch:EventTarget" {}
    MetricAlarm = "aws:cloudwatch:MetricAlarm" { arn: "arn", name: "name" }
    CompositeAlarm = "aws:cloudwatch:CompositeAlarm" { arn: "arn" }
    QueryDefinition = "aws:cloudwatch:QueryDefinition" {}
    Dashboard = "aws:cloudwatch:Dashboard" { name: "dashboardName" }
}
