//! All objects of a run → its list, and the latest list. There is no coordinator: S3 lists are strongly consistent
//! (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel>), so whoever stores the last
//! movie of a run sees all of them.

use std::collections::{BTreeSet, HashMap};

use domain::enriched::{LATEST_KEY, assemble, complete_ranking, run_list_key, run_prefix};
use domain::{RankingId, Run};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::bucket::{Bucket, BucketError, Condition, Object, Put};

/// How many records are read at once when a list is assembled.
const READS_IN_FLIGHT: usize = 16;

/// How often moving the latest list is tried when others move it at the same time. Each loss means that somebody else
/// won, so this many losses in a row need this many runs that end at the same moment.
const MAX_MOVES: usize = 10;

/// What became of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completion {
    /// Movies are still missing; whoever stores the last one will look again.
    Incomplete,
    /// This call assembled the list.
    Assembled {
        /// The list.
        list: Vec<u8>,
    },
    /// Somebody had assembled it before.
    AlreadyAssembled,
}

/// Why a complete run has no list yet, or latest does not name it. The records that led here fail, so that the queue
/// delivers them again and this is tried again.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CompletionError {
    /// S3 refused.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// Others moved latest each time.
    #[error("the latest list was moved by others {MAX_MOVES} times in a row")]
    Contended,
    /// The invocation had no time left for it.
    #[error("the invocation ends before the run could be completed")]
    OutOfTime,
}

impl CompletionError {
    /// In a word, for spans.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Bucket(_) => "bucket",
            Self::Contended => "contended",
            Self::OutOfTime => "timeout",
        }
    }
}

/// What a batch knows of a run by having worked at it.
#[derive(Debug, Default)]
pub struct Known {
    /// Keys of objects that stand.
    pub keys: BTreeSet<String>,
    /// The bytes of those that it has stored itself.
    pub records: HashMap<String, Vec<u8>>,
}

/// Looks whether a ranking of a run is complete; if so, sees to it that the run's list stands. It is written once: two
/// who assemble it at the same time write the same bytes, and only one of them is told that it did. If the run has two
/// rankings, because its source changed between two attempts of its event, the first to be complete is its list.
///
/// The bucket is asked for what is not `known` to stand.
///
/// # Errors
/// [`BucketError`].
pub async fn assemble_if_complete<B: Bucket>(
    bucket: &B,
    run: &Run,
    ranking: &RankingId,
    of: usize,
    known: Known,
) -> Result<Completion, BucketError> {
    let Known { mut keys, mut records } = known;
    let complete = |keys: &BTreeSet<String>| complete_ranking(run, ranking, of, keys.iter().map(String::as_str));
    let mut movies = complete(&keys);
    if movies.is_none() {
        keys = bucket.list(&run_prefix(run)).await?.into_iter().collect();
        movies = complete(&keys);
    }
    let Some(movies) = movies else { return Ok(Completion::Incomplete) };
    let list_key = run_list_key(run);
    if keys.contains(&list_key) {
        return Ok(Completion::AlreadyAssembled);
    }
    let movies = movies.into_iter().map(|key| (records.remove(&key), key)).collect();
    let list = assemble(run, &read_all(bucket, movies).await?);
    let object = Object { key: &list_key, body: &list, run: Some(run) };
    Ok(match bucket.put(object, &Condition::Absent).await? {
        Put::Stored => Completion::Assembled { list },
        Put::ConditionFailed => Completion::AlreadyAssembled,
    })
}

/// The records of a run in order of position; read where they are not at hand.
async fn read_all<B: Bucket>(bucket: &B, movies: Vec<(Option<Vec<u8>>, String)>) -> Result<Vec<Vec<u8>>, BucketError> {
    let read = |(record, key): (Option<Vec<u8>>, String)| async move {
        match record {
            Some(record) => Ok(record),
            None => bucket.get(&key).await,
        }
    };
    stream::iter(movies).map(read).buffered(READS_IN_FLIGHT).try_collect().await
}

/// Makes latest the list of a complete run, unless it is of this or a newer run already: latest only moves forward.
/// `list` spares reading it again.
///
/// # Errors
/// [`CompletionError`]; it may be called again.
pub async fn move_latest<B: Bucket>(bucket: &B, run: &Run, list: Option<Vec<u8>>) -> Result<(), CompletionError> {
    let mut list = list;
    for _ in 0..MAX_MOVES {
        let condition = match bucket.head(LATEST_KEY).await? {
            Some(latest) if latest.run.as_ref() >= Some(run) => return Ok(()),
            Some(latest) => Condition::Unchanged { etag: latest.etag },
            None => Condition::Absent,
        };
        let body = match list.take() {
            Some(list) => list,
            None => bucket.get(&run_list_key(run)).await?,
        };
        let object = Object { key: LATEST_KEY, body: &body, run: Some(run) };
        if bucket.put(object, &condition).await? == Put::Stored {
            tracing::info!(run = run.as_str(), key = LATEST_KEY, "the latest list is of this run");
            return Ok(());
        }
        list = Some(body);
    }
    Err(CompletionError::Contended)
}
