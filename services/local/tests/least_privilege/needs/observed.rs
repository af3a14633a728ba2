//! What the recorded calls need.

use anyhow::{Context, bail, ensure};
use local::{AwsRequest, Call};

use super::{Keys, Need, key_use, request};
use crate::policy::Request;

/// What a call needs.
///
/// # Errors
/// A call that nothing is known of, of nobody we know, or that was refused.
pub(crate) fn of(call: &Call, keys: &Keys) -> anyhow::Result<Vec<Need>> {
    let service = call.caller.with_context(|| format!("who calls? {call:?}"))?;
    ensure!(call.status != 403, "the local AWS refused {call:?}");
    let needs = requests(call, keys)?;
    Ok(needs.into_iter().map(|(because, request)| Need { service, request, because }).collect())
}

type Reasoned = (&'static str, Request);

fn requests(call: &Call, keys: &Keys) -> anyhow::Result<Vec<Reasoned>> {
    Ok(match &call.request {
        AwsRequest::HeadObject { object } => {
            let found = ("it looks at an object", request("s3:GetObject", object));
            [found].into_iter().chain(missing(call, object)?).collect()
        }
        AwsRequest::GetObject { object } => {
            let read = ("it reads an object", request("s3:GetObject", object));
            [read].into_iter().chain(missing(call, object)?).chain(decrypted(call, object, keys)?).collect()
        }
        AwsRequest::PutObject { object, kms_key } => stored(object, kms_key.as_deref(), keys)?,
        AwsRequest::ListObjectsV2 { bucket, prefix } => {
            let mut list = request("s3:ListBucket", bucket);
            list.context.extend(prefix.clone().map(|prefix| ("s3:prefix", prefix)));
            vec![("it lists a bucket", list)]
        }
        AwsRequest::PublishBatch { topic } => published(topic, keys),
        AwsRequest::GetParameter { parameter, with_decryption } => parameter_read(parameter, *with_decryption, keys),
        AwsRequest::ChangeMessageVisibilityBatch { queue, .. } => {
            vec![("it hides messages", request("sqs:ChangeMessageVisibility", queue))]
        }
        AwsRequest::PutMetricData { namespace } => {
            let mut report = request("cloudwatch:PutMetricData", "*");
            report.context.insert("cloudwatch:namespace", namespace.clone());
            vec![("it reports metrics", report)]
        }
        AwsRequest::Unknown(name) => {
            bail!("what this call needs is not known here; teach it in recorder/request.rs: {name}")
        }
    })
}

/// Only who may list the bucket is told that an object does not exist; others are refused. Nobody asks for a prefix then
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>).
fn missing(call: &Call, object: &str) -> anyhow::Result<Option<Reasoned>> {
    let list = request("s3:ListBucket", bucket_of(object)?);
    Ok((call.status == 404).then_some(("it wants to know that an object does not exist", list)))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>
fn decrypted(call: &Call, object: &str, keys: &Keys) -> anyhow::Result<Option<Reasoned>> {
    let key = keys.of_thing(bucket_of(object)?).filter(|_| call.status == 200);
    Ok(key.map(|key| ("S3 decrypts what is read", key_use("kms:Decrypt", key, "s3"))))
}

/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html>
fn stored(object: &str, kms_key: Option<&str>, keys: &Keys) -> anyhow::Result<Vec<Reasoned>> {
    let put = ("it stores an object", request("s3:PutObject", object));
    let key = kms_key.or(keys.of_thing(bucket_of(object)?));
    let reason = "S3 encrypts what is stored with a new data key";
    let data_key = key.map(|key| (reason, key_use("kms:GenerateDataKey", key, "s3")));
    Ok([put].into_iter().chain(data_key).collect())
}

/// <https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html>
fn parameter_read(parameter: &str, with_decryption: bool, keys: &Keys) -> Vec<Reasoned> {
    let read = ("it reads a parameter", request("ssm:GetParameter", parameter));
    let key = keys.of_thing(parameter).filter(|_| with_decryption);
    let decrypted = key.map(|key| ("the parameter store decrypts it", key_use("kms:Decrypt", key, "ssm")));
    [read].into_iter().chain(decrypted).collect()
}

/// <https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html>
fn published(topic: &str, keys: &Keys) -> Vec<Reasoned> {
    let publish = ("it publishes messages", request("sns:Publish", topic));
    let reason = "SNS encrypts what is published to the topic";
    let uses = keys
        .of_thing(topic)
        .into_iter()
        .flat_map(|key| ["kms:Decrypt", "kms:GenerateDataKey"].map(|action| (reason, key_use(action, key, "sns"))));
    [publish].into_iter().chain(uses).collect()
}

fn bucket_of(object: &str) -> anyhow::Result<&str> {
    let (bucket, _) = object.split_once('/').with_context(|| format!("{object} is no object"))?;
    Ok(bucket)
}

#[cfg(test)]
mod tests {
    use domain::contract::Service;

    use super::*;

    fn needs(caller: Option<Service>, request: AwsRequest, status: u16) -> anyhow::Result<Vec<String>> {
        let thing = |arn: &str| (arn.to_owned(), "arn:key".to_owned());
        let keys = Keys([thing("arn:aws:s3:::b"), thing("arn:topic"), thing("arn:parameter")].into());
        let needs = of(&Call { caller, request, status }, &keys)?;
        Ok(needs.into_iter().map(|need| need.request.to_string().replace(".eu-central-1.amazonaws.com", "")).collect())
    }

    fn needed(request: AwsRequest, status: u16) -> Vec<String> {
        needs(Some(Service::Enricher), request, status).unwrap()
    }

    #[test]
    fn what_is_read_is_decrypted_and_what_is_missing_is_told_to_who_may_list() {
        let get = |object: &str| AwsRequest::GetObject { object: object.to_owned() };
        let read = "s3:GetObject on arn:aws:s3:::b/k";
        assert_eq!(needed(get("arn:aws:s3:::b/k"), 200), [read, "kms:Decrypt on arn:key (kms:ViaService s3)"]);
        assert_eq!(needed(get("arn:aws:s3:::b/k"), 404), [read, "s3:ListBucket on arn:aws:s3:::b"]);
        assert_eq!(needed(get("arn:aws:s3:::open/k"), 200), ["s3:GetObject on arn:aws:s3:::open/k"]);
    }

    #[test]
    fn what_is_stored_is_encrypted_with_the_key_that_is_named_or_else_the_buckets() {
        let put = |kms_key| AwsRequest::PutObject { object: "arn:aws:s3:::b/k".to_owned(), kms_key };
        let data_key = |key: &str| format!("kms:GenerateDataKey on {key} (kms:ViaService s3)");
        assert_eq!(needed(put(None), 200)[1], data_key("arn:key"));
        assert_eq!(needed(put(Some("arn:other".to_owned())), 412)[1], data_key("arn:other"));
    }

    #[test]
    fn a_topic_needs_its_key_and_a_parameter_only_where_it_is_decrypted() {
        let publish = AwsRequest::PublishBatch { topic: "arn:topic".to_owned() };
        let uses =
            ["kms:Decrypt", "kms:GenerateDataKey"].map(|action| format!("{action} on arn:key (kms:ViaService sns)"));
        assert_eq!(needed(publish, 200)[1..], uses);
        let get = |with_decryption| AwsRequest::GetParameter { parameter: "arn:parameter".to_owned(), with_decryption };
        assert_eq!(needed(get(true), 200)[1], "kms:Decrypt on arn:key (kms:ViaService ssm)");
        assert_eq!(needed(get(false), 200).len(), 1);
    }

    #[test]
    fn a_call_that_cannot_be_judged_fails_by_name() {
        let list = || AwsRequest::ListObjectsV2 { bucket: "arn:aws:s3:::b".to_owned(), prefix: None };
        let unknown = AwsRequest::Unknown("DELETE /b/k signed for s3".to_owned());
        let error = |caller, request, status| needs(caller, request, status).unwrap_err().to_string();
        assert!(error(Some(Service::Ranker), unknown, 204).ends_with("DELETE /b/k signed for s3"));
        assert!(error(None, list(), 200).starts_with("who calls?"));
        assert!(error(Some(Service::Ranker), list(), 403).starts_with("the local AWS refused"));
    }
}
