//! S3: strongly consistent (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel>), with
//! conditional writes (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>): 412 when the
//! condition does not hold, 404 for `If-Match` without an object, 409 when another write is under way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::enriched::LATEST_KEY;
use domain::invariants::Happened;
use domain::{Run, quota};
use enricher::bucket::{Attempt, Bucket, BucketError, Condition, Found, Head, Object, Put, Tries, put_conditionally};

use super::call::{AWS_ATTEMPTS, Caller};
use crate::fault::Operation;
use crate::mutation::Mutation;
use crate::world::State;

/// An object as it stands.
pub(crate) struct StoredObject {
    body: Arc<[u8]>,
    etag: String,
    run: Option<Run>,
    writer: String,
}

/// A request to store an object.
struct Write {
    key: String,
    body: Arc<[u8]>,
    run: Option<Run>,
    writer: String,
    /// None: whatever stands there.
    condition: Option<Condition>,
}

/// So that an enricher's budget can have it as well.
#[derive(Clone)]
pub(crate) struct SimulatedBucket {
    caller: Caller,
    /// What was listed for the batch at work, for one of the mistakes.
    listed: Arc<Mutex<BTreeMap<String, Vec<String>>>>,
}

impl SimulatedBucket {
    pub(crate) fn new(caller: Caller) -> Self {
        Self { caller, listed: Arc::default() }
    }

    /// Another batch is at work.
    pub(crate) fn begin(&self) {
        self.listed().clear();
    }

    fn listed(&self) -> MutexGuard<'_, BTreeMap<String, Vec<String>>> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has(&self, mutation: Mutation) -> bool {
        self.caller.world.has(mutation)
    }

    /// Where the object lies in truth.
    fn place(&self, key: &str) -> String {
        match key.strip_prefix("runs/").and_then(|rest| rest.split_once('/')) {
            Some((_, name)) if self.has(Mutation::KeyWithoutRun) => format!("runs/{name}"),
            _ => key.to_owned(),
        }
    }

    async fn look_at(&self, key: &str) -> Result<Option<(Head, String)>, BucketError> {
        let place = self.place(key);
        let effect = move |state: &mut State, _: Option<&_>| {
            let object = state.objects.get(&place)?;
            Some((Head { etag: object.etag.clone(), run: object.run.clone() }, object.writer.clone()))
        };
        self.call(Operation::LookAt, "look at", key, effect).await
    }

    async fn call<T>(
        &self,
        operation: Operation,
        name: &'static str,
        key: &str,
        effect: impl Fn(&mut State, Option<&crate::fault::Fault>) -> T + Clone + Send + 'static,
    ) -> Result<T, BucketError> {
        let answer = self.caller.call(operation, key, AWS_ATTEMPTS, effect).await;
        answer.map_err(|code| error(name, key, code))
    }

    fn condition(&self, key: &str, condition: &Condition) -> Option<Condition> {
        let ignored = if is_count(key) {
            self.has(Mutation::CountWithoutCondition)
        } else {
            self.has(Mutation::NoConditions) || self.has(Mutation::LatestWithoutCondition) && key == LATEST_KEY
        };
        (!ignored).then(|| condition.clone())
    }
}

fn is_count(key: &str) -> bool {
    key.starts_with(quota::PREFIX)
}

fn error(operation: &'static str, key: &str, reason: &str) -> BucketError {
    BucketError { operation, key: key.to_owned(), reason: reason.to_owned() }
}

impl Bucket for SimulatedBucket {
    async fn head(&self, key: &str) -> Result<Option<Head>, BucketError> {
        Ok(self.look_at(key).await?.map(|(head, _)| head))
    }

    async fn get(&self, key: &str) -> Result<Vec<u8>, BucketError> {
        let place = self.place(key);
        let effect =
            move |state: &mut State, _: Option<&_>| state.objects.get(&place).map(|object| object.body.to_vec());
        let body = self.call(Operation::Read, "read", key, effect).await?;
        body.ok_or_else(|| error("read", key, "NoSuchKey"))
    }

    async fn find(&self, key: &str) -> Result<Option<Found>, BucketError> {
        let place = self.place(key);
        let effect = move |state: &mut State, _: Option<&_>| {
            let object = state.objects.get(&place)?;
            Some(Found { body: object.body.to_vec(), etag: object.etag.clone() })
        };
        self.call(Operation::Read, "read", key, effect).await
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, BucketError> {
        if let Some(keys) = self.listed().get(prefix) {
            return Ok(keys.clone());
        }
        let place = self.place(prefix);
        let is_stale = self.has(Mutation::StaleLists);
        let effect = move |state: &mut State, _: Option<&_>| {
            let newest = if is_stale { state.writes.to_string() } else { String::new() };
            let objects = state.objects.iter().filter(|(_, object)| object.etag != newest);
            objects.filter_map(|(key, _)| key.strip_prefix(&place).map(str::to_owned)).collect::<Vec<_>>()
        };
        let names = self.call(Operation::List, "list", prefix, effect).await?;
        let keys: Vec<_> = names.into_iter().map(|name| format!("{prefix}{name}")).collect();
        if self.has(Mutation::FirstListFinal) {
            self.listed().insert(prefix.to_owned(), keys.clone());
        }
        Ok(keys)
    }

    async fn put(&self, object: Object<'_>, condition: &Condition) -> Result<Put, BucketError> {
        let put = put_conditionally(self, object, condition).await;
        match put {
            Err(_) if self.has(Mutation::StoreFailuresIgnored) && !is_count(object.key) => Ok(Put::Stored),
            put => put,
        }
    }
}

impl Tries for SimulatedBucket {
    async fn try_put(&self, object: Object<'_>, condition: &Condition, writer: &str) -> Result<Attempt, BucketError> {
        let write = Arc::new(Write {
            key: self.place(object.key),
            body: object.body.into(),
            run: object.run.cloned(),
            writer: writer.to_owned(),
            condition: self.condition(object.key, condition),
        });
        let by = self.caller.environment.name.clone();
        let effect = move |state: &mut State, _: Option<&_>| state.write(&write, &by);
        match self.caller.call(Operation::Store, object.key, AWS_ATTEMPTS, effect).await {
            Ok(attempt) => Ok(attempt),
            Err("ConditionalRequestConflict") => Ok(Attempt::Conflict),
            Err(code) => Err(error("store", object.key, code)),
        }
    }

    async fn is_written_by(&self, key: &str, writer: &str) -> Result<Option<bool>, BucketError> {
        Ok(self.look_at(key).await?.map(|(_, by)| by == writer || self.has(Mutation::OthersTakenForOwn)))
    }
}

impl State {
    /// Puts an object there before the world begins.
    pub(crate) fn place(&mut self, key: String, body: Vec<u8>) {
        self.writes += 1;
        let etag = self.writes.to_string();
        self.note(&Happened::Stored { key: key.clone(), body: body.clone(), run: None });
        self.objects.insert(key, StoredObject { body: body.into(), etag, run: None, writer: String::new() });
    }

    fn write(&mut self, write: &Write, by: &str) -> Attempt {
        let Write { key, body, run, writer, condition } = write;
        let standing = self.objects.get(key).map(|object| &object.etag);
        let holds = match condition {
            None => true,
            Some(Condition::Absent) => standing.is_none(),
            Some(Condition::Unchanged { etag }) => standing == Some(etag),
        };
        if !holds {
            self.say(|| format!("{by} does not store {key}: the condition does not hold"));
            return Attempt::ConditionFailed;
        }
        self.writes += 1;
        let etag = self.writes.to_string();
        let of = run.as_ref().filter(|_| key == LATEST_KEY).map(|run| format!(" of {run}")).unwrap_or_default();
        self.say(|| format!("{by} stores {key}{of}"));
        self.note(&Happened::Stored { key: key.clone(), body: body.to_vec(), run: run.clone() });
        let object = StoredObject { body: Arc::clone(body), etag, run: run.clone(), writer: writer.clone() };
        self.objects.insert(key.clone(), object);
        Attempt::Stored
    }
}
