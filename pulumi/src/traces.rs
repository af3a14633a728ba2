//! Traces: where the functions send them, and what X-Ray needs to take and keep them.
//!
//! X-Ray takes spans by OTLP, signed, without a layer or an extension, but only in an account whose Transaction Search
//! is on (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search.html>). That is
//! a setting of the whole account in a region, not of a stack: every trace of the account is from then on kept as logs
//! in `aws/spans`. So one stack of an account turns it on, by `transactionSearch`, and removing the stack leaves it on:
//! others may rely on it.

use serde_json::json;

use crate::config::{Config, OtlpEndpoint};
use crate::policy::{Statement, allow, document};
use crate::program::{ACCOUNT_ID, REGION, Stack};
use crate::resource::{IndexingRule, LogResourcePolicy, TraceSegmentDestination, literal};

/// The share of traces whose summaries X-Ray indexes besides: what is free of charge. All spans can be searched
/// without it (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Enable-TransactionSearch.html>).
const INDEXED_PERCENT: u32 = 1;

/// Where X-Ray keeps spans and what Application Signals makes of them (same page).
const LOG_GROUPS: [&str; 2] = ["aws/spans", "/aws/application-signals/data"];

/// The address that the functions send their traces to; empty where they send none
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html>).
pub(crate) fn endpoint(config: &Config) -> String {
    match &config.otlp_endpoint {
        Some(OtlpEndpoint::XRay) => format!("https://xray.{REGION}.amazonaws.com"),
        Some(OtlpEndpoint::Address(address)) => literal(address),
        None => String::new(),
    }
}

/// What a function may do to send its traces to X-Ray. AWS's guide for senders without a collector grants the first
/// action, by the policy `AWSXrayWriteOnlyPolicy`
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLP-UsingADOT.html>); its list of
/// actions describes the second as the one for OpenTelemetry
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html>). Only AWS can tell which it
/// asks for, and without the right one traces are lost. Neither knows a resource.
pub(crate) fn send(config: &Config) -> Option<Statement> {
    let to_xray = config.otlp_endpoint == Some(OtlpEndpoint::XRay);
    to_xray.then(|| allow("SendTraces").actions(&["xray:PutTraceSegments", "xray:PutSpans"], "*"))
}

/// Turns Transaction Search on, if the stack is the one to do so
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-Transaction-Search-Cloudformation.html>).
pub(crate) fn add(stack: &mut Stack) {
    if !stack.config.transaction_search {
        return;
    }
    let policy = json!({"policyName": stack.name("spans"), "policyDocument": document([xray_keeps_spans()])});
    // Kept in AWS when the stack goes: the destination below stays as well, and X-Ray would have nowhere to write.
    let policy =
        stack.resources.add_with::<LogResourcePolicy>("spansLogPolicy", policy, json!({"retainOnDelete": true}));
    let options = json!({"dependsOn": [policy.itself()], "retainOnDelete": true});
    let destination = json!({"destination": "CloudWatchLogs"});
    let destination = stack.resources.add_with::<TraceSegmentDestination>("spansDestination", destination, options);
    // AWS made this rule; it can be changed, neither added nor removed.
    let rule = json!({"name": "Default", "rule": {"probabilistic": {"desiredSamplingPercentage": INDEXED_PERCENT}}});
    let options = json!({"dependsOn": [destination.itself()], "retainOnDelete": true});
    stack.resources.add_with::<IndexingRule>("spansIndexing", rule, options);
}

fn xray_keeps_spans() -> Statement {
    let groups = LOG_GROUPS.map(|group| Stack::arn("logs", &format!("log-group:{group}:*")));
    allow("XRayKeepsSpans")
        .service("xray.amazonaws.com")
        .actions(&["logs:PutLogEvents"], groups)
        .when("StringEquals", "aws:SourceAccount", ACCOUNT_ID)
        .when("ArnLike", "aws:SourceArn", Stack::arn("xray", "*"))
}
