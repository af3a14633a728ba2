//! List prices of the AWS region [`REGION`], before any free tier, in the lowest tier of use.
//!
//! AWS's own pages fill their tables by script, so the figures were checked against dated articles that quote them;
//! `seen` tells the date of the newest. Of those without a date, the prices of alarms and of S3's writes were seen
//! undated; S3's reads and storage, `PutMetricData`, kept logs and spans were not found again and are as generally known.

use serde::Serialize;

/// The region that the prices are of.
pub(super) const REGION: &str = "us-east-1";

/// A list price.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Price {
    /// US dollars for `per` units.
    pub usd: f64,
    /// How many units that buys.
    pub per: f64,
    /// What that is, as it is said after the price.
    pub unit: &'static str,
    /// AWS's pricing page, below <https://aws.amazon.com/>.
    pub page: &'static str,
    /// The date of the newest dated source, `year-month-day`; nothing when none was found.
    pub seen: Option<&'static str>,
}

impl Price {
    /// US dollars for so many units.
    #[must_use]
    pub fn of(&self, quantity: f64) -> f64 {
        quantity * self.usd / self.per
    }
}

const fn price(usd: f64, per: f64, unit: &'static str, page: &'static str, seen: Option<&'static str>) -> Price {
    Price { usd, per, unit, page, seen }
}

const LAMBDA: &str = "lambda/pricing/";
const KMS: &str = "kms/pricing/";
const S3: &str = "s3/pricing/";
const CLOUDWATCH: &str = "cloudwatch/pricing/";
const MILLION: f64 = 1_000_000.0;

pub(super) const LAMBDA_REQUESTS: Price = price(0.20, MILLION, "a million requests", LAMBDA, Some("2026-05-11"));
pub(super) const LAMBDA_ARM64: Price = price(0.000_013_333_4, 1.0, "a GB-second", LAMBDA, Some("2026-05-11"));
pub(super) const LAMBDA_X86_64: Price = price(0.000_016_666_7, 1.0, "a GB-second", LAMBDA, Some("2026-05-11"));
pub(super) const SNS_REQUESTS: Price = price(0.50, MILLION, "a million requests", "sns/pricing/", Some("2026-06-13"));
pub(super) const SQS_REQUESTS: Price = price(0.40, MILLION, "a million requests", "sqs/pricing/", Some("2026-06-13"));
pub(super) const KMS_KEYS: Price = price(1.00, 1.0, "a month", KMS, Some("2026-06-13"));
pub(super) const KMS_REQUESTS: Price = price(0.03, 10_000.0, "for 10,000 requests", KMS, Some("2026-06-13"));
pub(super) const S3_WRITES: Price = price(0.005, 1_000.0, "for 1,000 PUT or LIST", S3, None);
pub(super) const S3_READS: Price = price(0.0004, 1_000.0, "for 1,000 GET or HEAD", S3, None);
pub(super) const S3_STORAGE: Price = price(0.023, 1.0, "a GB and month", S3, None);
/// For each metric that an alarm looks at.
pub(super) const ALARM_METRICS: Price = price(0.10, 1.0, "a month and metric", CLOUDWATCH, None);
/// The same for periods below a minute.
pub(super) const HIGH_RESOLUTION_ALARM_METRICS: Price = price(0.30, 1.0, "a month and metric", CLOUDWATCH, None);
pub(super) const COMPOSITE_ALARMS: Price = price(0.50, 1.0, "a month", CLOUDWATCH, None);
/// Counted by the hour in which values are sent.
pub(super) const CUSTOM_METRICS: Price = price(0.30, 1.0, "a month", CLOUDWATCH, Some("2026-02-15"));
pub(super) const PUT_METRIC_DATA: Price = price(0.01, 1_000.0, "for 1,000 calls", CLOUDWATCH, None);
pub(super) const DASHBOARDS: Price = price(3.00, 1.0, "a month", CLOUDWATCH, Some("2026-06-13"));
pub(super) const LOGS_INGESTED: Price = price(0.50, 1.0, "a GB", CLOUDWATCH, Some("2026-06-13"));
pub(super) const LOGS_STORED: Price = price(0.03, 1.0, "a GB and month", CLOUDWATCH, None);
/// What X-Ray keeps in `aws/spans` with Transaction Search; the share that is indexed is within what is free.
pub(super) const SPANS_INGESTED: Price = price(0.35, 1.0, "a GB", CLOUDWATCH, None);
