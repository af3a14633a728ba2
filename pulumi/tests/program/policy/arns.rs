//! What the program's resources will be called in AWS, as far as the program tells: ARNs with references filled in.

use domain::contract::PROJECT;

use super::view::{Seen, View};
use crate::common::references;

impl View<'_> {
    /// The ARN of a resource whose name the program tells. Account, region and partition stay references.
    /// Its form: <https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>.
    pub(super) fn arn_of(&self, resource: Seen) -> Option<String> {
        const HERE: &str = "${region}:${accountId}";
        let (service, place, prefix, name) = match resource.kind {
            "aws:sns:Topic" => ("sns", HERE, "", "name"),
            "aws:sqs:Queue" => ("sqs", HERE, "", "name"),
            "aws:cloudwatch:LogGroup" => ("logs", HERE, "log-group:", "name"),
            "aws:cloudwatch:EventRule" => ("events", HERE, "rule/", "name"),
            "aws:cloudwatch:MetricAlarm" => ("cloudwatch", HERE, "alarm:", "name"),
            "aws:cloudwatch:CompositeAlarm" => ("cloudwatch", HERE, "alarm:", "alarmName"),
            "aws:lambda:Function" => ("lambda", HERE, "function:", "name"),
            "aws:ssm:Parameter" => ("ssm", HERE, "parameter", "name"),
            "aws:iam:Role" => ("iam", ":${accountId}", "role/", "name"),
            "aws:s3:Bucket" => ("s3", ":", "", "bucket"),
            _ => return None,
        };
        let name = self.resolved(resource.properties[name].as_str()?);
        Some(format!("arn:${{partition}}:{service}:{place}:{prefix}{name}"))
    }

    /// A text with its references to names and ARNs filled in.
    pub(super) fn resolved(&self, text: &str) -> String {
        references(text).into_iter().fold(text.to_owned(), |text, reference| match self.told(reference) {
            Some(told) => text.replace(&format!("${{{reference}}}"), &told),
            None => text,
        })
    }

    fn told(&self, reference: &str) -> Option<String> {
        match reference.split_once('.')? {
            ("pulumi", "project") => Some(PROJECT.to_owned()),
            ("pulumi", "stack") => self.stack().map(str::to_owned),
            (name, "arn") => self.arn_of(self.named(name)?),
            (name, attribute) => Some(self.resolved(self.named(name)?.properties[attribute].as_str()?)),
        }
    }
}

/// Whether an ARN fits a pattern, part by part as AWS compares them: a wildcard does not reach over the colons of the
/// first five (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html>).
pub(super) fn fits(pattern: &str, arn: &str) -> bool {
    if !pattern.starts_with("arn:") {
        return fits_text(pattern, arn);
    }
    let (patterns, parts): (Vec<_>, Vec<_>) = (pattern.splitn(6, ':').collect(), arn.splitn(6, ':').collect());
    patterns.len() == parts.len() && patterns.iter().zip(parts).all(|(pattern, part)| fits_text(pattern, part))
}

/// `*` stands for any text, `?` for one character.
pub(super) fn fits_text(pattern: &str, text: &str) -> bool {
    let mut pattern = pattern.chars();
    let Some(first) = pattern.next() else { return text.is_empty() };
    let rest = pattern.as_str();
    match first {
        '*' => text.char_indices().any(|(at, _)| fits_text(rest, &text[at..])) || fits_text(rest, ""),
        other => text
            .chars()
            .next()
            .is_some_and(|next| (other == '?' || other == next) && fits_text(rest, &text[next.len_utf8()..])),
    }
}

#[test]
fn a_wildcard_stays_within_its_part_of_an_arn() {
    let alarm = "arn:aws:cloudwatch:eu-west-1:1:alarm:dev-late";
    for pattern in ["*", "arn:*:cloudwatch:*:1:alarm:dev-*", "arn:aws:cloudwatch:eu-west-?:1:*", alarm] {
        assert!(fits(pattern, alarm), "{pattern}");
    }
    for pattern in ["", "arn:*:alarm:dev-*", "arn:aws:cloudwatch:*:1:alarm:prod-*", "arn:aws:sns:*:1:*", "arn:*"] {
        assert!(!fits(pattern, alarm), "{pattern}");
    }
}
