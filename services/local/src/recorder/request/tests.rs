use aws_smithy_cbor::Encoder;
use axum::extract::Request;

use super::*;

/// Reads a request that is signed for this service.
fn read(signed_for: &str, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> AwsRequest {
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential=AKIA/20261122/{REGION}/{signed_for}/aws4_request, SignedHeaders=host, Signature=0"
    );
    let mut request = Request::builder().method(method).uri(target).header("authorization", authorization);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    AwsRequest::read(&request.body(()).unwrap().into_parts().0, body)
}

fn s3(method: &str, target: &str, headers: &[(&str, &str)]) -> AwsRequest {
    read("s3", method, target, headers, b"")
}

fn is_unknown(request: &AwsRequest) -> bool {
    matches!(request, AwsRequest::Unknown(_))
}

#[test]
fn reading_and_storing_name_the_object() {
    let object = || "arn:aws:s3:::b/runs/a b.json".to_owned();
    assert_eq!(s3("HEAD", "/b/runs/a%20b.json", &[]), AwsRequest::HeadObject { object: object() });
    assert_eq!(s3("GET", "/b/runs/a%20b.json?x-id=GetObject", &[]), AwsRequest::GetObject { object: object() });
    let key = [("x-amz-server-side-encryption-aws-kms-key-id", "arn:key")];
    let stored = AwsRequest::PutObject { object: object(), kms_key: Some("arn:key".to_owned()) };
    assert_eq!(s3("PUT", "/b/runs/a%20b.json?x-id=PutObject", &key), stored);
}

#[test]
fn a_list_tells_its_prefix() {
    let list = |prefix: Option<&str>| AwsRequest::ListObjectsV2 {
        bucket: "arn:aws:s3:::b".to_owned(),
        prefix: prefix.map(str::to_owned),
    };
    assert_eq!(s3("GET", "/b/?list-type=2&prefix=runs%2Fx%2F", &[]), list(Some("runs/x/")));
    assert_eq!(s3("GET", "/b?list-type=2", &[]), list(None));
}

#[test]
fn what_needs_further_permissions_is_not_taken_for_the_plain_operation() {
    for target in ["/b/k?acl", "/b/k?versionId=1", "/b/?versions", "/b/"] {
        assert!(is_unknown(&s3("GET", target, &[])), "{target}");
    }
    assert!(is_unknown(&s3("DELETE", "/b/k", &[])));
    assert!(is_unknown(&s3("HEAD", "/b/k", &[("x-amz-checksum-mode", "ENABLED")])));
    for header in ["x-amz-tagging", "x-amz-acl", "x-amz-grant-read", "x-amz-copy-source"] {
        assert!(is_unknown(&s3("PUT", "/b/k", &[(header, "x")])), "{header}");
    }
}

#[test]
fn a_form_names_action_and_topic() {
    let body = b"Action=PublishBatch&Version=2010-03-31&TopicArn=arn%3Aaws%3Asns%3Ax%3A1%3At&Message=a+b";
    let topic = "arn:aws:sns:x:1:t".to_owned();
    assert_eq!(read("sns", "POST", "/", &[], body), AwsRequest::PublishBatch { topic });
    assert!(is_unknown(&read("sns", "POST", "/", &[], b"Action=Publish&TopicArn=t")));
}

#[test]
fn a_parameter_is_named_with_one_slash_and_tells_whether_it_is_decrypted() {
    let get = |body: &str| read("ssm", "POST", "/", &[("x-amz-target", "AmazonSSM.GetParameter")], body.as_bytes());
    let parameter = || format!("arn:aws:ssm:{REGION}:{ACCOUNT_ID}:parameter/a/b");
    let decrypted = AwsRequest::GetParameter { parameter: parameter(), with_decryption: true };
    assert_eq!(get(r#"{"Name":"/a/b","WithDecryption":true}"#), decrypted);
    let plain = AwsRequest::GetParameter { parameter: parameter(), with_decryption: false };
    assert_eq!(get(r#"{"Name":"a/b"}"#), plain);
    let other = [("x-amz-target", "AmazonSSM.DeleteParameter")];
    assert!(is_unknown(&read("ssm", "POST", "/", &other, br#"{"Name":"/a"}"#)));
}

#[test]
fn hidden_messages_are_told_with_their_queue_and_time() {
    let change =
        |target: &'static str, body: &str| read("sqs", "POST", "/", &[("x-amz-target", target)], body.as_bytes());
    let entries = r#"[{"Id":"0","ReceiptHandle":"a b","VisibilityTimeout":1800}]"#;
    let body = format!(r#"{{"QueueUrl":"http://127.0.0.1:1/{ACCOUNT_ID}/movies","Entries":{entries}}}"#);
    let hidden = AwsRequest::ChangeMessageVisibilityBatch {
        queue: format!("arn:aws:sqs:{REGION}:{ACCOUNT_ID}:movies"),
        messages: vec![("a b".to_owned(), Duration::from_mins(30))],
    };
    assert_eq!(change("AmazonSQS.ChangeMessageVisibilityBatch", &body), hidden);
    assert!(is_unknown(&change("AmazonSQS.DeleteMessageBatch", &body)));
}

#[test]
fn the_namespace_is_read_wherever_it_stands_in_the_map() {
    let mut body = Encoder::new(Vec::new());
    body.begin_map().str("MetricData").array(1).begin_map().str("Value").double(1.5).end();
    body.str("Namespace").str("MoviePipeline").end();
    let body = body.into_writer();
    let path = "/service/GraniteServiceVersion20100801/operation/PutMetricData";
    let reported = AwsRequest::PutMetricData { namespace: "MoviePipeline".to_owned() };
    assert_eq!(read("monitoring", "POST", path, &[], &body), reported);
    assert!(is_unknown(&read("monitoring", "POST", path, &[("content-encoding", "gzip")], &body)));
    assert!(is_unknown(&read("monitoring", "POST", path, &[], b"no CBOR")));
}

#[test]
fn what_is_unknown_is_told_by_name() {
    let deletes = [("x-amz-target", "TrentService.Decrypt")];
    let AwsRequest::Unknown(name) = read("kms", "POST", "/", &deletes, b"{}") else { panic!("kms is known") };
    assert_eq!(name, "POST / TrentService.Decrypt signed for kms");
}
