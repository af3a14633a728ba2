//! Every function leaves a log that ends some day, loses nothing it was given, and cannot start without limit.

use serde_json::{Value, json};

use super::view::{Seen, View, document, texts};
use super::{Exception, Finding, Rule, remove};

const LOGGED: Rule = Rule {
    demand: "every function writes to a log group of the stack that has a retention",
    reason: "Lambda otherwise makes one that is not encrypted by our key, keeps everything for ever and stays behind",
    find: |view| without(view, has_log_group, "has no log group with a retention"),
    exceptions: &[],
};

const NOTHING_IS_LOST: Rule = Rule {
    demand: "whatever a function is given goes to a queue if the function fails for good",
    reason: "SQS and Lambda drop it otherwise, without a word",
    find: |view| without(view, has_failure_path, "loses what it fails on"),
    exceptions: &[],
};

const BOUNDED: Rule = Rule {
    demand: "the number of functions that run at once has a bound",
    reason: "a fault upstream would otherwise use up OMDb's quota and the concurrency of the whole account",
    find: |view| {
        let unbound = without(view, has_bound, "may run any number of times at once").into_iter();
        unbound.map(|found| Finding { subject: reserved(view), ..found }).collect()
    },
    exceptions: &[Exception {
        at: &["ranker"],
        reason: "the stack says that the account has no concurrency to spare (`reserveConcurrency` is false, as a new \
                 account needs); the schedule starts one run at a time",
        only_if: |reserved| reserved == &json!([]),
    }],
};

const FAILED_ONLY: Rule = Rule {
    demand: "of a batch, only the messages that failed go back to the queue",
    reason: "one bad movie would otherwise take the good ones of its batch along to the dead letters \
             (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html)",
    find: |view| {
        let sources = view.of_kind("aws:lambda:EventSourceMapping");
        let sources = sources
            .filter(|source| !texts(&source.properties["functionResponseTypes"]).contains(&"ReportBatchItemFailures"));
        sources.map(|source| Finding::new(source.name, "takes back whole batches", source.properties)).collect()
    },
    exceptions: &[],
};

const ROOM_FOR_SOURCES: Rule = Rule {
    demand: "a function has room for as many at once as its sources start",
    reason: "Lambda throttles the rest, and each throttled try brings a good message closer to the dead letters \
             (https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html)",
    find: |view| without(view, has_room, "reserves less concurrency than its sources may use"),
    exceptions: &[],
};

fn without(view: &View, has: fn(&View, Seen) -> bool, what: &str) -> Vec<Finding> {
    let found = view.of_kind("aws:lambda:Function").filter(|function| !has(view, *function));
    found.map(|function| Finding::new(function.name, what, function.properties)).collect()
}

fn has_log_group(view: &View, function: Seen) -> bool {
    let group = view.referred_of_kind(&function.properties["loggingConfig"]["logGroup"], "aws:cloudwatch:LogGroup");
    group.is_some_and(|group| group.properties["retentionInDays"].as_u64().is_some_and(|days| days > 0))
}

/// A function that a queue feeds needs a redrive from that queue, any other a destination for failed events.
fn has_failure_path(view: &View, function: Seen) -> bool {
    let is_queue = |arn: &Value| view.referred_of_kind(arn, "aws:sqs:Queue").is_some();
    let sources = view.referring("aws:lambda:EventSourceMapping", "functionName", function);
    if sources.is_empty() {
        let settings = view.referring("aws:lambda:FunctionEventInvokeConfig", "functionName", function);
        return settings
            .iter()
            .any(|of| is_of_latest(*of) && is_queue(&of.properties["destinationConfig"]["onFailure"]["destination"]));
    }
    sources.iter().all(|source| {
        let queue = view.referred_of_kind(&source.properties["eventSourceArn"], "aws:sqs:Queue");
        queue.is_some_and(|queue| is_queue(&document(&queue.properties["redrivePolicy"])["deadLetterTargetArn"]))
    })
}

/// The settings of another version or alias do not count for events that name none.
fn is_of_latest(settings: Seen) -> bool {
    settings.properties.get("qualifier").is_none_or(|qualifier| qualifier == "$$LATEST")
}

fn has_bound(view: &View, function: Seen) -> bool {
    let sources = view.referring("aws:lambda:EventSourceMapping", "functionName", function);
    let is_limited = |source: &Seen| source.properties["scalingConfig"]["maximumConcurrency"].is_u64();
    function.properties["reservedConcurrentExecutions"].as_u64().is_some_and(|bound| bound > 0)
        || !sources.is_empty() && sources.iter().all(is_limited)
}

/// The concurrency that the functions of the program reserve.
fn reserved(view: &View) -> Value {
    let functions = view.of_kind("aws:lambda:Function");
    functions.filter_map(|function| function.properties.get("reservedConcurrentExecutions").cloned()).collect()
}

fn has_room(view: &View, function: Seen) -> bool {
    let sources = view.referring("aws:lambda:EventSourceMapping", "functionName", function);
    let used: u64 =
        sources.iter().filter_map(|source| source.properties["scalingConfig"]["maximumConcurrency"].as_u64()).sum();
    function.properties["reservedConcurrentExecutions"].as_u64().is_none_or(|reserved| reserved >= used)
}

#[test]
fn every_function_is_logged_bounded_and_loses_nothing() {
    LOGGED.assert_kept();
    NOTHING_IS_LOST.assert_kept();
    BOUNDED.assert_kept();
    ROOM_FOR_SOURCES.assert_kept();
    FAILED_ONLY.assert_kept();
}

#[test]
fn a_batch_that_comes_back_as_a_whole_is_caught() {
    FAILED_ONLY.assert_catches("enricherSource", |resources| {
        remove(&mut resources["enricherSource"], "functionResponseTypes");
    });
}

#[test]
fn a_log_without_an_end_is_caught() {
    LOGGED.assert_catches("ranker", |resources| remove(&mut resources["rankerLogs"], "retentionInDays"));
    LOGGED.assert_catches("ranker", |resources| resources["rankerLogs"]["properties"]["retentionInDays"] = json!(0));
    LOGGED.assert_catches("enricher", |resources| remove(&mut resources["enricher"], "loggingConfig"));
    LOGGED.assert_catches("enricher", |resources| {
        resources["enricher"]["properties"]["loggingConfig"]["logGroup"] = json!("/aws/lambda/other");
    });
}

#[test]
fn a_function_that_loses_what_it_fails_on_is_caught() {
    NOTHING_IS_LOST
        .assert_catches("ranker", |resources| remove(&mut resources["rankerFailurePath"], "destinationConfig"));
    NOTHING_IS_LOST.assert_catches("ranker", |resources| {
        resources.as_object_mut().unwrap().shift_remove("rankerFailurePath");
    });
    NOTHING_IS_LOST.assert_catches("ranker", |resources| {
        resources["rankerFailurePath"]["properties"]["qualifier"] = json!("live");
    });
    NOTHING_IS_LOST.assert_catches("enricher", |resources| remove(&mut resources["moviesQueue"], "redrivePolicy"));
}

#[test]
fn a_function_without_a_bound_is_caught() {
    BOUNDED.assert_catches_with_all_options("enricher", |resources| {
        remove(&mut resources["enricherSource"], "scalingConfig");
    });
    ROOM_FOR_SOURCES.assert_catches("enricher", |resources| {
        resources["enricher"]["properties"]["reservedConcurrentExecutions"] = json!(1);
    });
    // Not to be able to reserve any is an exception; to reserve none, or some for the other function only, is not.
    BOUNDED.assert_catches("ranker", |resources| remove(&mut resources["ranker"], "reservedConcurrentExecutions"));
    BOUNDED.assert_catches("ranker", |resources| {
        resources["ranker"]["properties"]["reservedConcurrentExecutions"] = json!(-1);
    });
}
