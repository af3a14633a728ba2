//! What the functions ask of AWS while they are measured: S3, SNS, SSM, CloudWatch, and a receiver of traces. It answers
//! as AWS does in the course of things and knows no failures; those are for the local AWS, which is in Python and would
//! be what is measured here.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::json;

use super::http::{Answer, Request, Server};
use crate::omdb::KEY;

/// The bucket of the source list.
pub(super) const SOURCE_BUCKET: &str = "bench-source";

/// A running stand-in.
#[derive(Debug)]
pub(super) struct Aws {
    server: Server,
    stored: Arc<Mutex<Stored>>,
}

#[derive(Debug, Default)]
struct Stored {
    source: Bytes,
    /// How long S3 takes for each answer.
    s3_delay: Duration,
    /// By path, bucket included.
    objects: BTreeMap<String, Object>,
    writes: u64,
}

#[derive(Debug, Clone)]
struct Object {
    body: Bytes,
    etag: String,
    /// Its metadata, as headers.
    metadata: Vec<(String, String)>,
}

impl Aws {
    pub(super) fn start() -> io::Result<Self> {
        let stored = Arc::<Mutex<Stored>>::default();
        let served = Arc::clone(&stored);
        Ok(Self { server: Server::start(move |request| answer(&served, request))?, stored })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// From now on, this is the source list.
    pub(super) fn set_source(&self, source: Bytes) {
        lock(&self.stored).source = source;
    }

    /// From now on, S3 takes so long for each answer.
    pub(super) fn set_s3_delay(&self, delay: Duration) {
        lock(&self.stored).s3_delay = delay;
    }

    /// How many objects runs have left, which are then gone.
    pub(super) fn take_runs(&self) -> usize {
        let mut stored = lock(&self.stored);
        let all = stored.objects.len();
        stored.objects.retain(|path, _| !path.contains("/runs/"));
        all - stored.objects.len()
    }
}

fn lock(stored: &Mutex<Stored>) -> MutexGuard<'_, Stored> {
    // Every change is one insertion or assignment, so it is whole after any panic.
    stored.lock().unwrap_or_else(PoisonError::into_inner)
}

fn answer(stored: &Mutex<Stored>, request: &Request) -> Answer {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    // Each connection has a thread of its own.
    if request.method != "POST" {
        let delay = lock(stored).s3_delay;
        std::thread::sleep(delay);
    }
    match (request.method.as_str(), path) {
        ("POST", "/v1/traces") => Answer::new(200, "").with("content-type", "application/x-protobuf"),
        // An empty map (RFC 8949, section 3.1).
        ("POST", path) if path.ends_with("/operation/PutMetricData") => Answer::new(200, &[0xa0][..])
            .with("smithy-protocol", "rpc-v2-cbor")
            .with("content-type", "application/cbor"),
        ("POST", "/") if request.header("x-amz-target") == Some("AmazonSSM.GetParameter") => parameter(),
        ("POST", "/") => published(&request.body),
        ("GET", path) if query.contains("list-type=2") => list(&lock(stored), path, query),
        ("GET" | "HEAD", path) => read(&lock(stored), path),
        ("PUT", path) => write(&mut lock(stored), path, request),
        _ => Answer::new(400, "no such call"),
    }
}

fn parameter() -> Answer {
    let parameter = json!({"Parameter": {"Name": "/bench/omdb-api-key", "Type": "SecureString", "Value": KEY}});
    Answer::new(200, parameter.to_string()).with("content-type", "application/x-amz-json-1.1")
}

/// Each entry of a batch is taken
/// (<https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html#API_PublishBatch_Examples>).
fn published(form: &[u8]) -> Answer {
    let form = String::from_utf8_lossy(form);
    let ids = form.split('&').filter_map(|pair| {
        let (name, id) = pair.split_once('=')?;
        (name.starts_with("PublishBatchRequestEntries.member.") && name.ends_with(".Id")).then_some(id)
    });
    let taken = ids.map(|id| format!("<member><Id>{id}</Id><MessageId>message-{id}</MessageId></member>"));
    xml(&format!(
        "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult><Failed/>\
         <Successful>{}</Successful></PublishBatchResult></PublishBatchResponse>",
        taken.collect::<String>()
    ))
}

fn xml(body: &str) -> Answer {
    let body = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{body}");
    Answer::new(200, body).with("content-type", "application/xml").with("x-amz-request-id", "bench")
}

fn read(stored: &Stored, path: &str) -> Answer {
    if path.trim_start_matches('/').starts_with(SOURCE_BUCKET) {
        return Answer::new(200, stored.source.clone()).with("etag", "\"source\"");
    }
    let Some(object) = stored.objects.get(path) else {
        return Answer { status: 404, ..xml("<Error><Code>NoSuchKey</Code></Error>") };
    };
    let answer = Answer::new(200, object.body.clone()).with("etag", &object.etag);
    object.metadata.iter().fold(answer, |answer, (name, value)| answer.with(name, value))
}

/// Conditional writes as S3 has them
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>).
fn write(stored: &mut Stored, path: &str, request: &Request) -> Answer {
    let standing = stored.objects.get(path).map(|object| object.etag.as_str());
    let must_be_absent = request.header("if-none-match").is_some();
    let must_be = request.header("if-match");
    if (must_be_absent && standing.is_some()) || must_be.is_some_and(|etag| standing != Some(etag)) {
        return Answer { status: 412, ..xml("<Error><Code>PreconditionFailed</Code></Error>") };
    }
    stored.writes += 1;
    let etag = format!("\"{:032x}\"", stored.writes);
    let is_metadata = |(name, _): &&(String, String)| name.starts_with("x-amz-meta-");
    let metadata = request.headers.iter().filter(is_metadata).cloned().collect();
    let object = Object { body: request.body.clone().into(), etag: etag.clone(), metadata };
    stored.objects.insert(path.to_owned(), object);
    Answer::new(200, "").with("etag", etag)
}

/// All keys under a prefix on one page; a run has no more than fit it.
fn list(stored: &Stored, path: &str, query: &str) -> Answer {
    let prefix = query.split('&').find_map(|pair| pair.strip_prefix("prefix=")).unwrap_or_default();
    let prefix = percent_encoding::percent_decode_str(prefix).decode_utf8_lossy();
    let bucket = format!("{}/", path.trim_end_matches('/'));
    let keys = stored.objects.keys().filter_map(|path| path.strip_prefix(&bucket));
    let keys = keys.filter(|key| key.starts_with(&*prefix));
    let contents: Vec<_> = keys.map(|key| format!("<Contents><Key>{key}</Key></Contents>")).collect();
    let contents = contents.concat();
    xml(&format!(
        "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><IsTruncated>false</IsTruncated>{contents}\
         </ListBucketResult>"
    ))
}
