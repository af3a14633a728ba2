//! A message with its story: the log lines that belong to it, and the cause that they tell.

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::contract::{Service, logs};
use domain::enriched::movie_key;
use domain::message::MovieMessage;
use serde_json::Value;

use super::letter::{FailureQueue, Letter};
use crate::endpoint::{CLOCKS_DIFFER_BY, Endpoint, EndpointFault};

/// A message that failed, and what is known about it.
#[derive(Debug, Clone)]
pub struct Case {
    /// The message.
    pub letter: Letter,
    /// Why it failed, the last time.
    pub cause: String,
    /// The lines of the functions' logs that belong to it, in the order they were written.
    pub log: Vec<Value>,
}

/// For how long, at the most, an event is tried before it is given up and sent to the queue: some hours.
pub(crate) const TRIED_FOR: TimeDelta = TimeDelta::days(1);

impl Case {
    pub(super) fn new(letter: Letter, records: &[Value]) -> Self {
        let invocation = invocation(&letter, records);
        let log: Vec<_> = records.iter().filter(|record| belongs(record, &letter, invocation)).cloned().collect();
        Self { cause: cause(&letter, &log), letter, log }
    }

    /// The trace it belongs to: the one it carries, or the one that its log lines name.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        let logged = || self.log.iter().rev().find_map(|record| text(record, logs::TRACE_ID));
        self.letter.trace_id().or_else(logged)
    }
}

/// The records of the functions' logs that may be about these messages, each function's in order.
pub(super) async fn records_about(endpoint: &Endpoint, letters: &[Letter]) -> Result<Vec<Value>, EndpointFault> {
    let mut records = Vec::new();
    for service in Service::ALL {
        let of_service = letters.iter().filter(|letter| logs_of(letter.queue) == service);
        if let Some(oldest) = of_service.map(|letter| letter.sent).min() {
            let since = if service == Service::Ranker { oldest - TRIED_FOR } else { oldest };
            records.extend(read(endpoint, service, since - CLOCKS_DIFFER_BY).await?);
        }
    }
    Ok(records)
}

/// Whose log tells why a message of this queue failed.
fn logs_of(queue: FailureQueue) -> Service {
    match queue {
        FailureQueue::DeadLetters | FailureQueue::Undelivered => Service::Enricher,
        FailureQueue::RankerFailures => Service::Ranker,
    }
}

/// The lines of a service's log that are about runs or messages, in order. A log group that is gone has none.
async fn read(endpoint: &Endpoint, service: Service, since: DateTime<Utc>) -> Result<Vec<Value>, EndpointFault> {
    let pattern = format!(
        r#"{{ $.{} = "*" || $.{} = "*" || $.{} = "*" }}"#,
        logs::MESSAGE_ID.name,
        logs::REQUEST_ID.name,
        logs::RUN.name
    );
    let mut events = endpoint.log_events(service, since, Some(pattern)).await?;
    events.sort_by_key(|(time, _)| *time);
    Ok(events.iter().filter_map(|(_, line)| serde_json::from_str(line).ok()).collect())
}

fn text<'a>(record: &'a Value, field: &logs::Field) -> Option<&'a str> {
    record.get(field.name)?.as_str()
}

/// The invocation that failed on an event: the one that Lambda names beside it or, where it names none, as the local AWS
/// does not, the last one before it was given up that failed of the same.
fn invocation<'a>(letter: &'a Letter, records: &'a [Value]) -> Option<&'a str> {
    if letter.queue != FailureQueue::RankerFailures {
        return None;
    }
    let (cause, given_up) = (letter.own_cause(), letter.sent.to_rfc3339_opts(SecondsFormat::Millis, true));
    let failed_of_it = |record: &&Value| {
        let before = text(record, logs::TIMESTAMP).is_some_and(|time| time <= given_up.as_str());
        before && text(record, logs::REASON) == cause.as_deref()
    };
    let last = || text(records.iter().rev().find(failed_of_it)?, logs::REQUEST_ID);
    letter.request_id().or_else(last)
}

/// Whether a line is about this message: about itself, about its movie in its run (under an id that it had before), or
/// about what went wrong with its run as a whole.
fn belongs(record: &Value, letter: &Letter, invocation: Option<&str>) -> bool {
    if letter.queue == FailureQueue::RankerFailures {
        let (request_id, run) = (text(record, logs::REQUEST_ID), text(record, logs::RUN));
        return of_ranker(record) && (invocation.is_some() && request_id == invocation || is_run(run, letter));
    }
    let same_run = is_run(text(record, logs::RUN), letter);
    match (text(record, logs::MESSAGE_ID), text(record, logs::IMDB_ID)) {
        (Some(id), _) if id == letter.id => true,
        (Some(_), movie) => movie.is_some() && movie == letter.movie() && same_run,
        (None, None) => same_run && text(record, logs::REASON).is_some() && !of_ranker(record),
        (None, Some(_)) => false,
    }
}

fn is_run(run: Option<&str>, letter: &Letter) -> bool {
    run.is_some() && run == letter.run().as_deref()
}

fn of_ranker(record: &Value) -> bool {
    text(record, logs::SERVICE) == Some(Service::Ranker.name())
}

/// What the message says itself, or the last reason that the log gives: its own, before one that its run shares.
fn cause(letter: &Letter, log: &[Value]) -> String {
    if let Some(cause) = letter.own_cause() {
        return cause;
    }
    let reasons = || log.iter().rev().filter_map(|record| Some((record, text(record, logs::REASON)?)));
    let own = reasons().find(|(record, _)| text(record, logs::MESSAGE_ID) == Some(&letter.id));
    match own.or_else(|| reasons().next()) {
        Some((_, reason)) => without_its_own_names(reason, letter),
        None => unknown(letter.queue).to_owned(),
    }
}

/// What a message is said to have failed of when nobody wrote why.
const fn unknown(queue: FailureQueue) -> &'static str {
    match queue {
        FailureQueue::DeadLetters => {
            "not told by any log line: the enricher crashed, ran out of time, could not be started, or its log is gone"
        }
        FailureQueue::Undelivered => "the topic could not deliver it to the movies queue and did not say why",
        FailureQueue::RankerFailures => "the event did not become a run, and nobody said why",
    }
}

/// A cause that many messages share must read the same for all of them.
fn without_its_own_names(reason: &str, letter: &Letter) -> String {
    let key = MovieMessage::parse(&letter.body).ok().map(|message| movie_key(&message));
    let reason = key.map_or_else(|| reason.to_owned(), |key| reason.replace(&key, "<its object>"));
    letter.movie().map_or_else(|| reason.clone(), |id| reason.replace(id, "<its id>"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::letter::tests::{letter, movie};
    use super::*;

    const RUN: &str = "2026-11-22T12-00-00Z";

    fn failed(message_id: &str, imdb_id: &str, reason: &str) -> Value {
        json!({"service": "enricher", "message_id": message_id, "run": RUN, "imdb_id": imdb_id, "reason": reason})
    }

    #[test]
    fn the_cause_is_the_last_reason_of_the_message_itself() {
        let records = [
            failed("m", "tt0000001", "HTTP status 500"),
            failed("m", "tt0000001", "unknown id"),
            failed("other", "tt0000002", "quota"),
            failed("before", "tt0000001", "from the delivery under another id"),
        ];
        let case = Case::new(movie("m", RUN, "tt0000001"), &records);
        assert_eq!(case.cause, "unknown id");
        assert_eq!(case.log.len(), 3, "all but the other movie's");
    }

    #[test]
    fn a_message_that_was_sent_again_has_the_cause_of_its_movie_in_its_run() {
        let records = [failed("before", "tt0000001", "unknown id"), failed("before", "tt0000002", "quota")];
        assert_eq!(Case::new(movie("new", RUN, "tt0000001"), &records).cause, "unknown id");
        let other_run = movie("new", "2026-11-23T12-00-00Z", "tt0000001");
        assert!(Case::new(other_run, &records).cause.starts_with("not told by any log line"));
    }

    #[test]
    fn what_went_wrong_with_a_run_as_a_whole_is_the_cause_of_a_movie_without_one_of_its_own() {
        let records = [
            json!({"service": "enricher", "message_id": "m", "run": RUN, "imdb_id": "tt0000001"}),
            json!({"service": "enricher", "run": RUN, "reason": "S3 could not list"}),
            json!({"service": "ranker", "run": RUN, "reason": "no business of the enricher's"}),
        ];
        assert_eq!(Case::new(movie("m", RUN, "tt0000001"), &records).cause, "S3 could not list");
    }

    #[test]
    fn messages_that_failed_of_the_same_share_their_cause_whatever_their_names() {
        let body = |id: &str, position: usize| {
            json!({"schema_version": 1, "run": RUN, "ranking": "0123456789abcdef", "position": position, "of": 2,
                   "movie": {"id": id, "title": "T", "imDbRating": "9"}})
        };
        let cause = |id: &str, position: usize| {
            let letter = letter(FailureQueue::DeadLetters, id, &body(id, position));
            let key = movie_key(&MovieMessage::parse(&letter.body).unwrap());
            Case::new(letter, &[failed(id, id, &format!("S3 could not put {key} of {id}"))]).cause
        };
        assert_eq!(cause("tt0000001", 1), "S3 could not put <its object> of <its id>");
        assert_eq!(cause("tt0000001", 1), cause("tt0000002", 2));
    }

    #[test]
    fn a_ranker_failure_has_the_lines_of_its_invocation_and_of_its_run() {
        let body = json!({"requestContext": {"requestId": "r"}, "requestPayload": {"time": "2026-11-22T12:00:00Z"}});
        let records = [
            json!({"service": "ranker", "request_id": "r", "trace_id": "t"}),
            json!({"service": "ranker", "request_id": "x", "run": RUN}),
            json!({"service": "ranker", "request_id": "y", "run": "2026-11-23T12-00-00Z"}),
        ];
        assert_eq!(Case::new(letter(FailureQueue::RankerFailures, "f", &body), &records).log, records[..2]);
    }

    #[test]
    fn a_ranker_failure_that_names_no_invocation_has_the_last_before_it_that_failed_of_the_same() {
        let body = json!({"requestPayload": {}, "responsePayload": {"errorMessage": "no source"}});
        let failed = |time: &str, id: &str, reason: &str| json!({"service": "ranker", "timestamp": time, "request_id": id, "reason": reason});
        let records = [
            failed("2026-11-22T11:59:57.000Z", "a", "no source"),
            failed("2026-11-22T11:59:58.000Z", "b", "no source"),
            failed("2026-11-22T11:59:59.000Z", "c", "another cause"),
            failed("2026-11-22T12:00:01.000Z", "d", "no source"),
        ];
        assert_eq!(Case::new(letter(FailureQueue::RankerFailures, "f", &body), &records).log, records[1..2]);
    }
}
