//! The types: Pulumi's names on the left, CloudFormation's on the right
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html>).

use super::{Attribute, Form, Source, Type};
use crate::template::shape::{Property, Shape};

use Form::{EntryOf, PartOf, Tagged, Untagged};
use Shape::{Archive, Document, DocumentText, Implied, InList, NamesAndValues, Object, Objects, OnlyPulumi, Plain};

const fn property(pulumi: &'static str, path: &'static str, shape: Shape) -> Property {
    Property { pulumi, path, shape }
}

const fn plain(pulumi: &'static str, path: &'static str) -> Property {
    property(pulumi, path, Plain)
}

const fn attribute(pulumi: &'static str, source: Source) -> Attribute {
    Attribute { pulumi, source }
}

const ARN: Attribute = attribute("arn", Source::GetAtt("Arn"));

pub(super) const TYPES: &[Type] = &[
    Type {
        pulumi: "pulumi:providers:aws",
        form: Form::Provider,
        // Taken from here are the tags. Whoever creates the stack chooses region, account and role.
        properties: &[
            plain("region", ""),
            plain("profile", ""),
            plain("allowedAccountIds", ""),
            plain("assumeRoles", ""),
            plain("defaultTags", ""),
        ],
        attributes: &[],
    },
    Type {
        pulumi: "aws:kms:Key",
        form: Tagged("AWS::KMS::Key"),
        properties: &[
            plain("description", "Description"),
            plain("enableKeyRotation", "EnableKeyRotation"),
            plain("deletionWindowInDays", "PendingWindowInDays"),
            property("policy", "KeyPolicy", Document),
        ],
        attributes: &[ARN, attribute("keyId", Source::Ref)],
    },
    Type {
        pulumi: "aws:kms:Alias",
        form: Untagged("AWS::KMS::Alias"),
        properties: &[plain("name", "AliasName"), plain("targetKeyId", "TargetKeyId")],
        attributes: &[],
    },
    Type {
        pulumi: "aws:ssm:Parameter",
        form: Form::SecureParameter,
        properties: &[
            plain("name", "Name"),
            plain("description", "Description"),
            plain("type", "Type"),
            plain("keyId", "KeyId"),
            plain("value", "Value"),
        ],
        attributes: &[
            attribute("name", Source::Property("name")),
            attribute(
                "arn",
                Source::ArnOf("arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter", "name"),
            ),
        ],
    },
    Type {
        pulumi: "aws:s3:Bucket",
        form: Tagged("AWS::S3::Bucket"),
        properties: &[plain("bucket", "BucketName"), property("forceDestroy", "", OnlyPulumi)],
        attributes: &[ARN, attribute("bucket", Source::Ref)],
    },
    Type {
        pulumi: "aws:s3:BucketVersioning",
        form: PartOf("bucket"),
        properties: &[property(
            "versioningConfiguration",
            "VersioningConfiguration",
            Object(&[plain("status", "Status")]),
        )],
        attributes: &[],
    },
    Type {
        pulumi: "aws:s3:BucketServerSideEncryptionConfiguration",
        form: PartOf("bucket"),
        properties: &[property(
            "rules",
            "BucketEncryption.ServerSideEncryptionConfiguration",
            Objects(&[
                property(
                    "applyServerSideEncryptionByDefault",
                    "ServerSideEncryptionByDefault",
                    Object(&[plain("sseAlgorithm", "SSEAlgorithm"), plain("kmsMasterKeyId", "KMSMasterKeyID")]),
                ),
                plain("bucketKeyEnabled", "BucketKeyEnabled"),
            ]),
        )],
        attributes: &[],
    },
    Type {
        pulumi: "aws:s3:BucketPublicAccessBlock",
        form: PartOf("bucket"),
        properties: &[
            plain("blockPublicAcls", "PublicAccessBlockConfiguration.BlockPublicAcls"),
            plain("blockPublicPolicy", "PublicAccessBlockConfiguration.BlockPublicPolicy"),
            plain("ignorePublicAcls", "PublicAccessBlockConfiguration.IgnorePublicAcls"),
            plain("restrictPublicBuckets", "PublicAccessBlockConfiguration.RestrictPublicBuckets"),
        ],
        attributes: &[],
    },
    Type {
        pulumi: "aws:s3:BucketLifecycleConfiguration",
        form: PartOf("bucket"),
        properties: &[property(
            "rules",
            "LifecycleConfiguration.Rules",
            Objects(&[
                plain("id", "Id"),
                plain("status", "Status"),
                property("filter", "", Object(&[plain("prefix", "Prefix")])),
                property(
                    "expiration",
                    "",
                    Object(&[
                        plain("days", "ExpirationInDays"),
                        plain("expiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"),
                    ]),
                ),
                property(
                    "noncurrentVersionExpiration",
                    "NoncurrentVersionExpiration",
                    Object(&[plain("noncurrentDays", "NoncurrentDays")]),
                ),
                property(
                    "abortIncompleteMultipartUpload",
                    "AbortIncompleteMultipartUpload",
                    Object(&[plain("daysAfterInitiation", "DaysAfterInitiation")]),
                ),
            ]),
        )],
        attributes: &[],
    },
    Type {
        pulumi: "aws:s3:BucketPolicy",
        form: Untagged("AWS::S3::BucketPolicy"),
        properties: &[plain("bucket", "Bucket"), property("policy", "PolicyDocument", Document)],
        attributes: &[],
    },
    Type {
        pulumi: "aws:sns:Topic",
        form: Tagged("AWS::SNS::Topic"),
        properties: &[plain("name", "TopicName"), plain("kmsMasterKeyId", "KmsMasterKeyId")],
        attributes: &[attribute("arn", Source::Ref), attribute("name", Source::GetAtt("TopicName"))],
    },
    Type {
        pulumi: "aws:sns:TopicPolicy",
        form: Untagged("AWS::SNS::TopicPolicy"),
        properties: &[property("arn", "Topics", InList), property("policy", "PolicyDocument", Document)],
        attributes: &[],
    },
    Type {
        pulumi: "aws:sns:TopicSubscription",
        form: Untagged("AWS::SNS::Subscription"),
        properties: &[
            plain("topic", "TopicArn"),
            plain("protocol", "Protocol"),
            plain("endpoint", "Endpoint"),
            plain("rawMessageDelivery", "RawMessageDelivery"),
            property("redrivePolicy", "RedrivePolicy", Document),
        ],
        attributes: &[],
    },
    Type {
        pulumi: "aws:sqs:Queue",
        form: Tagged("AWS::SQS::Queue"),
        properties: &[
            plain("name", "QueueName"),
            plain("visibilityTimeoutSeconds", "VisibilityTimeout"),
            plain("messageRetentionSeconds", "MessageRetentionPeriod"),
            plain("kmsMasterKeyId", "KmsMasterKeyId"),
            property("redrivePolicy", "RedrivePolicy", Document),
            property("redriveAllowPolicy", "RedriveAllowPolicy", Document),
        ],
        attributes: &[ARN, attribute("name", Source::GetAtt("QueueName")), attribute("url", Source::Ref)],
    },
    Type {
        pulumi: "aws:sqs:QueuePolicy",
        form: Untagged("AWS::SQS::QueuePolicy"),
        properties: &[property("queueUrl", "Queues", InList), property("policy", "PolicyDocument", Document)],
        attributes: &[],
    },
    Type {
        pulumi: "aws:cloudwatch:LogGroup",
        form: Tagged("AWS::Logs::LogGroup"),
        properties: &[
            plain("name", "LogGroupName"),
            plain("retentionInDays", "RetentionInDays"),
            plain("kmsKeyId", "KmsKeyId"),
        ],
        attributes: &[
            attribute("name", Source::Ref),
            // CloudFormation's own attribute ends in `:*`, Pulumi's does not.
            attribute(
                "arn",
                Source::ArnOf("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:", "name"),
            ),
        ],
    },
    Type {
        pulumi: "aws:cloudwatch:LogResourcePolicy",
        form: Untagged("AWS::Logs::ResourcePolicy"),
        properties: &[plain("policyName", "PolicyName"), property("policyDocument", "PolicyDocument", DocumentText)],
        attributes: &[],
    },
    Type {
        pulumi: "aws:xray:TraceSegmentDestination",
        form: Untagged("AWS::XRay::TransactionSearchConfig"),
        properties: &[property("destination", "", Implied("CloudWatchLogs"))],
        attributes: &[],
    },
    Type {
        pulumi: "aws:xray:IndexingRule",
        form: PartOf("dependsOn"),
        properties: &[
            property("name", "", Implied("Default")),
            property(
                "rule",
                "",
                Object(&[property(
                    "probabilistic",
                    "",
                    Object(&[plain("desiredSamplingPercentage", "IndexingPercentage")]),
                )]),
            ),
        ],
        attributes: &[],
    },
    Type {
        pulumi: "aws:iam:Role",
        form: Tagged("AWS::IAM::Role"),
        properties: &[
            plain("name", "RoleName"),
            plain("description", "Description"),
            property("assumeRolePolicy", "AssumeRolePolicyDocument", Document),
        ],
        attributes: &[ARN, attribute("name", Source::Ref)],
    },
    Type {
        pulumi: "aws:iam:RolePolicy",
        form: EntryOf("role", "Policies"),
        properties: &[plain("name", "PolicyName"), property("policy", "PolicyDocument", Document)],
        attributes: &[],
    },
    Type {
        pulumi: "aws:lambda:Function",
        form: Tagged("AWS::Lambda::Function"),
        properties: &[
            plain("name", "FunctionName"),
            plain("description", "Description"),
            plain("role", "Role"),
            plain("runtime", "Runtime"),
            plain("handler", "Handler"),
            plain("architectures", "Architectures"),
            property("code", "Code", Archive),
            plain("memorySize", "MemorySize"),
            plain("timeout", "Timeout"),
            plain("kmsKeyArn", "KmsKeyArn"),
            plain("reservedConcurrentExecutions", "ReservedConcurrentExecutions"),
            property("environment", "Environment", Object(&[plain("variables", "Variables")])),
            property(
                "loggingConfig",
                "LoggingConfig",
                Object(&[
                    plain("logFormat", "LogFormat"),
                    plain("applicationLogLevel", "ApplicationLogLevel"),
                    plain("systemLogLevel", "SystemLogLevel"),
                    plain("logGroup", "LogGroup"),
                ]),
            ),
        ],
        attributes: &[ARN, attribute("name", Source::Ref)],
    },
    Type {
        pulumi: "aws:lambda:Permission",
        form: Untagged("AWS::Lambda::Permission"),
        properties: &[
            plain("action", "Action"),
            plain("function", "FunctionName"),
            plain("principal", "Principal"),
            plain("sourceArn", "SourceArn"),
        ],
        attributes: &[],
    },
    Type {
        pulumi: "aws:lambda:FunctionEventInvokeConfig",
        form: Untagged("AWS::Lambda::EventInvokeConfig"),
        properties: &[
            plain("functionName", "FunctionName"),
            plain("qualifier", "Qualifier"),
            plain("maximumRetryAttempts", "MaximumRetryAttempts"),
            plain("maximumEventAgeInSeconds", "MaximumEventAgeInSeconds"),
            property(
                "destinationConfig",
                "DestinationConfig",
                Object(&[property("onFailure", "OnFailure", Object(&[plain("destination", "Destination")]))]),
            ),
        ],
        attributes: &[],
    },
    Type {
        pulumi: "aws:lambda:EventSourceMapping",
        form: Tagged("AWS::Lambda::EventSourceMapping"),
        properties: &[
            plain("eventSourceArn", "EventSourceArn"),
            plain("functionName", "FunctionName"),
            plain("batchSize", "BatchSize"),
            plain("maximumBatchingWindowInSeconds", "MaximumBatchingWindowInSeconds"),
            plain("functionResponseTypes", "FunctionResponseTypes"),
            property("scalingConfig", "ScalingConfig", Object(&[plain("maximumConcurrency", "MaximumConcurrency")])),
        ],
        attributes: &[],
    },
    Type {
        pulumi: "aws:cloudwatch:EventRule",
        form: Tagged("AWS::Events::Rule"),
        properties: &[
            plain("name", "Name"),
            plain("description", "Description"),
            plain("scheduleExpression", "ScheduleExpression"),
            plain("state", "State"),
        ],
        attributes: &[ARN, attribute("name", Source::Ref)],
    },
    Type {
        pulumi: "aws:cloudwatch:EventTarget",
        form: EntryOf("rule", "Targets"),
        properties: &[
            plain("targetId", "Id"),
            plain("arn", "Arn"),
            property(
                "retryPolicy",
                "RetryPolicy",
                Object(&[
                    plain("maximumRetryAttempts", "MaximumRetryAttempts"),
                    plain("maximumEventAgeInSeconds", "MaximumEventAgeInSeconds"),
                ]),
            ),
            property("deadLetterConfig", "DeadLetterConfig", Object(&[plain("arn", "Arn")])),
        ],
        attributes: &[],
    },
    Type {
        pulumi: "aws:cloudwatch:MetricAlarm",
        form: Tagged("AWS::CloudWatch::Alarm"),
        properties: &[
            plain("name", "AlarmName"),
            plain("alarmDescription", "AlarmDescription"),
            plain("namespace", "Namespace"),
            plain("metricName", "MetricName"),
            property("dimensions", "Dimensions", NamesAndValues),
            property(
                "metricQueries",
                "Metrics",
                Objects(&[
                    plain("id", "Id"),
                    plain("expression", "Expression"),
                    plain("label", "Label"),
                    plain("returnData", "ReturnData"),
                    property(
                        "metric",
                        "",
                        Object(&[
                            plain("namespace", "MetricStat.Metric.Namespace"),
                            plain("metricName", "MetricStat.Metric.MetricName"),
                            property("dimensions", "MetricStat.Metric.Dimensions", NamesAndValues),
                            plain("stat", "MetricStat.Stat"),
                            plain("period", "MetricStat.Period"),
                        ]),
                    ),
                ]),
            ),
            plain("statistic", "Statistic"),
            plain("comparisonOperator", "ComparisonOperator"),
            plain("threshold", "Threshold"),
            plain("period", "Period"),
            plain("evaluationPeriods", "EvaluationPeriods"),
            plain("datapointsToAlarm", "DatapointsToAlarm"),
            plain("treatMissingData", "TreatMissingData"),
        ],
        attributes: &[ARN, attribute("name", Source::Ref)],
    },
    Type {
        pulumi: "aws:cloudwatch:CompositeAlarm",
        form: Tagged("AWS::CloudWatch::CompositeAlarm"),
        properties: &[
            plain("alarmName", "AlarmName"),
            plain("alarmDescription", "AlarmDescription"),
            plain("alarmRule", "AlarmRule"),
            plain("alarmActions", "AlarmActions"),
            plain("okActions", "OKActions"),
            property(
                "actionsSuppressor",
                "",
                Object(&[
                    plain("alarm", "ActionsSuppressor"),
                    plain("waitPeriod", "ActionsSuppressorWaitPeriod"),
                    plain("extensionPeriod", "ActionsSuppressorExtensionPeriod"),
                ]),
            ),
        ],
        attributes: &[ARN],
    },
    Type {
        pulumi: "aws:cloudwatch:QueryDefinition",
        form: Untagged("AWS::Logs::QueryDefinition"),
        properties: &[
            plain("name", "Name"),
            plain("queryString", "QueryString"),
            plain("logGroupNames", "LogGroupNames"),
        ],
        attributes: &[],
    },
    Type {
        pulumi: "aws:cloudwatch:Dashboard",
        form: Untagged("AWS::CloudWatch::Dashboard"),
        properties: &[
            plain("dashboardName", "DashboardName"),
            property("dashboardBody", "DashboardBody", DocumentText),
        ],
        attributes: &[attribute("dashboardName", Source::Ref)],
    },
];
