//! What the invariants look at, read through the wire.

use anyhow::{Context, bail};
use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::ObjectVersion;
use domain::enriched::{LATEST_KEY, RUN_METADATA};
use domain::invariants::{Happened, Snapshot, Standing};
use domain::movie::ImdbId;
use domain::{Run, quota};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use super::trial::Trial;
use crate::dead_letters::{DeadLetters, FailureQueue};
use crate::pipeline::Pipeline;

/// How many objects are read at once.
const AT_ONCE: usize = 16;

/// Reads everything from a pipeline at rest.
///
/// The order matters, should something move after all: a message that is no longer where it was looked for first is
/// where it is looked for next.
pub(super) async fn read(trial: &Trial, recovered: bool) -> anyhow::Result<Snapshot> {
    let pipeline = trial.pipeline();
    let mut history: Vec<_> = trial.accepted().into_iter().map(|run| Happened::EventAccepted { run }).collect();
    history.extend(trial.published().into_iter().map(|body| Happened::Published { body }));
    let moving = pipeline.messages_in(&pipeline.deployment().queue_url).await?;
    if moving > 0 {
        bail!("{moving} messages are on their way; only a pipeline at rest can be looked at");
    }
    let standing = Standing { recovered, ..failed(&trial.dead_letters().await?).await? };
    history.extend(answers(pipeline)?);
    history.extend(stored(pipeline).await?);
    history.extend(counts(pipeline).await?);
    history.extend(asked(trial)?);
    Ok(Snapshot { history, standing })
}

/// What lies in the queues for failures.
async fn failed(queues: &DeadLetters) -> anyhow::Result<Standing> {
    let mut standing = Standing::default();
    for letter in Box::pin(queues.letters()).await? {
        if letter.queue == FailureQueue::RankerFailures {
            let run = letter.run().with_context(|| format!("a failed event names no run: {}", letter.body))?;
            standing.failed_events.push(Run::parse(&run)?);
        } else {
            standing.dead.push(letter.body);
        }
    }
    Ok(standing)
}

/// What OMDb answers. It is the same all the time, so when it did does not matter.
fn answers(pipeline: &Pipeline) -> anyhow::Result<Vec<Happened>> {
    let omdb = pipeline.omdb().context("only what the stand-in of OMDb answered can be checked")?;
    let answered = |(id, film): (String, Value)| {
        let Value::Object(movie) = film else { bail!("the stand-in's answer for {id} is no object") };
        Ok(Happened::Answered { id: ImdbId::parse(&id)?, movie })
    };
    omdb.films().into_iter().map(answered).collect()
}

/// The counts of OMDb's requests as they stand: in the end they hold all that OMDb got.
async fn counts(pipeline: &Pipeline) -> anyhow::Result<Vec<Happened>> {
    let mut counts = Vec::new();
    for key in pipeline.objects(quota::PREFIX).await? {
        let body = pipeline.read_object(&key).await?.with_context(|| format!("{key} is gone"))?;
        counts.push(Happened::Stored { key, body: body.into(), run: None });
    }
    Ok(counts)
}

/// What OMDb got.
fn asked(trial: &Trial) -> anyhow::Result<impl Iterator<Item = Happened>> {
    let omdb = trial.pipeline().omdb().context("only what the stand-in of OMDb got can be checked")?;
    let daily_limit = trial.daily_limit();
    let of_day = move |(day, requests)| std::iter::repeat_n(Happened::Asked { day, daily_limit }, requests);
    Ok(omdb.requests_by_day().into_iter().flat_map(of_day))
}

/// Every write to the bucket, oldest first, from the versions of its objects; without the counts of OMDb's requests,
/// which are no movies.
async fn stored(pipeline: &Pipeline) -> anyhow::Result<Vec<Happened>> {
    let mut versions = versions(pipeline).await?;
    versions.retain(|version| version.key().is_none_or(|key| !key.starts_with(quota::PREFIX)));
    versions.sort_by_key(written);
    stream::iter(versions).map(|version| read_version(pipeline, version)).buffered(AT_ONCE).try_collect().await
}

/// When a version was written, to the millisecond. Of what was written within the same, lists count as written after
/// movies, and latest after lists: each is made of the ones before.
fn written(version: &ObjectVersion) -> (Option<DateTime>, u8) {
    let level = match version.key() {
        Some(LATEST_KEY) => 2,
        Some(key) if key.ends_with(LATEST_KEY) => 1,
        _ => 0,
    };
    (version.last_modified().copied(), level)
}

/// All versions; those of one key oldest first.
async fn versions(pipeline: &Pipeline) -> anyhow::Result<Vec<ObjectVersion>> {
    let bucket = &pipeline.deployment().movies_bucket;
    let (mut versions, mut key_marker, mut version_marker) = (Vec::new(), None, None);
    loop {
        let list = pipeline.clients().s3.list_object_versions().bucket(bucket);
        let list = list.set_key_marker(key_marker).set_version_id_marker(version_marker);
        let page = list.send().await.context("listing the versions of the movies' bucket")?;
        // The enricher deletes nothing, and a version below a marker would look as if it stood.
        let deleted = page.delete_markers().iter().filter_map(|marker| marker.key());
        if let Some(key) = deleted.into_iter().find(|key| !key.starts_with(quota::PREFIX)) {
            bail!("{key} was deleted");
        }
        versions.extend(page.versions.unwrap_or_default());
        (key_marker, version_marker) = (page.next_key_marker, page.next_version_id_marker);
        if page.is_truncated != Some(true) {
            break;
        }
    }
    // S3 gives the newest first (https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html).
    versions.reverse();
    Ok(versions)
}

async fn read_version(pipeline: &Pipeline, version: ObjectVersion) -> anyhow::Result<Happened> {
    let key = version.key.context("a version without a key")?;
    let get = pipeline.clients().s3.get_object().bucket(&pipeline.deployment().movies_bucket).key(&key);
    let object = get.set_version_id(version.version_id).send().await.with_context(|| format!("reading {key}"))?;
    let run = object.metadata().and_then(|metadata| metadata.get(RUN_METADATA)).map(|run| Run::parse(run));
    let run = run.transpose().with_context(|| format!("the metadata of {key}"))?;
    let body = object.body.collect().await.with_context(|| format!("reading {key}"))?.to_vec();
    Ok(Happened::Stored { key, body, run })
}
