//! One trace per run: the exact tree of spans, and what becomes of it when things go wrong.
//!
//! The queue hands out batches as it likes. So that trees are exact, messages are held back until all of them are in
//! the queue: then they are one batch.
//!
//! `BLESS=1 cargo test -p local --test pipeline traces` writes what was seen over what is expected; review it.

mod conventions;
mod tree;

use std::collections::BTreeMap;

use aws_sdk_sqs::types::{MessageAttributeValue, MessageSystemAttributeName};
use domain::contract::Service;
use local::{AwsFault, Configuration, OmdbFault, Operation, Options, Permissions, Pipeline, ScheduledEvent, Span};

use crate::{PATIENCE, TRIES_ENOUGH, failing, noon, sample_ids};

/// Runs of three movies, so that a person can read their trees.
const MOVIES: usize = 3;

fn small() -> Options {
    Options { top_n: MOVIES, ..Options::default() }
}

/// A pipeline whose messages wait in the queue.
async fn held(options: Options) -> Pipeline {
    let pipeline = Pipeline::start(options).await.unwrap();
    deliver(&pipeline, false).await;
    pipeline
}

/// Has the queue's messages delivered to the enricher, or not.
async fn deliver(pipeline: &Pipeline, enabled: bool) {
    let lambda = &pipeline.clients().lambda;
    let mappings = lambda.list_event_source_mappings().function_name(&pipeline.deployment().enricher_function);
    let mappings = mappings.send().await.unwrap();
    let [mapping] = mappings.event_source_mappings() else { panic!("{mappings:?}") };
    lambda.update_event_source_mapping().uuid(mapping.uuid().unwrap()).enabled(enabled).send().await.unwrap();
}

/// Publishes the run of an event; its messages wait.
async fn publish(pipeline: &Pipeline, event: &ScheduledEvent, messages_waiting: usize) {
    pipeline.fire(event).await.unwrap();
    until_waiting(pipeline, messages_waiting).await;
}

async fn until_waiting(pipeline: &Pipeline, messages: usize) {
    let waiting = async |pipeline: &Pipeline| {
        let waiting = pipeline.messages_in(&pipeline.deployment().queue_url).await?;
        Ok((waiting == messages).then_some(()))
    };
    pipeline.eventually("messages in the queue", PATIENCE, waiting).await.unwrap();
}

/// All spans, as the conventions want them, once so many invocations of ranker and enricher have sent theirs: a function
/// sends all spans of an invocation at once.
async fn spans_after(pipeline: &Pipeline, ranker: usize, enricher: usize) -> Vec<Span> {
    let arrived = async |pipeline: &Pipeline| {
        let spans = pipeline.traces().spans();
        Ok((invocations(&spans, Service::Ranker) == ranker && invocations(&spans, Service::Enricher) == enricher)
            .then_some(spans))
    };
    let spans = pipeline.eventually("spans of all invocations", PATIENCE, arrived).await.unwrap();
    spans.iter().for_each(conventions::check);
    spans
}

fn invocations(spans: &[Span], service: Service) -> usize {
    let own = spans.iter().filter(|span| span.service == service.name());
    own.filter(|span| span.attributes.contains_key("faas.invocation_id")).count()
}

/// The traces that begin with the ranker.
fn runs(spans: &[Span]) -> BTreeMap<&str, usize> {
    let of_ranker = spans.iter().filter(|span| span.service == Service::Ranker.name());
    let mut runs = BTreeMap::new();
    for span in of_ranker {
        *runs.entry(span.trace_id.as_str()).or_default() += 1;
    }
    runs
}

fn assert_tree(name: &str, seen: &str) {
    let path = format!("{}/tests/pipeline/traces/expected/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, seen).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(expected == seen, "the tree is not as {path} has it; seen:\n{seen}");
}

#[tokio::test]
async fn a_run_is_one_trace_from_the_schedule_to_the_assembled_list() {
    let pipeline = held(small()).await;
    publish(&pipeline, &noon(&pipeline), MOVIES).await;
    deliver(&pipeline, true).await;
    assert_tree("run", &tree::trees(&spans_after(&pipeline, 1, 1).await));
}

#[tokio::test]
async fn a_call_that_aws_refuses_at_first_is_one_span_that_tells_of_each_further_try() {
    let pipeline = held(Options { permissions: Permissions::Recorded, ..small() }).await;
    let refused = |status, code| AwsFault::Error { status, code, message: "Please reduce your request rate." };
    let recorder = pipeline.recorder().unwrap();
    recorder.fail(Operation::GetObject, refused(503, "SlowDown"), Some(1));
    recorder.fail(Operation::PublishBatch, refused(400, "Throttling"), Some(2));
    recorder.fail(Operation::GetParameter, refused(400, "ThrottlingException"), Some(1));
    publish(&pipeline, &noon(&pipeline), MOVIES).await;
    deliver(&pipeline, true).await;
    assert_tree("throttled", &tree::trees(&spans_after(&pipeline, 1, 1).await));
}

#[tokio::test]
async fn a_run_in_batches_of_one_is_one_trace_as_well() {
    let one = Configuration::from([("batchSize".to_owned(), "1".to_owned())]);
    let pipeline = Pipeline::start(Options { configuration: one, ..small() }).await.unwrap();
    crate::complete(&pipeline, &noon(&pipeline)).await;
    let spans = spans_after(&pipeline, 1, MOVIES).await;
    assert_eq!(pipeline.traces().trace_count(), 1);
    // Whose trace it is apart, each invocation belongs to the very movie that it processes.
    let by_id: BTreeMap<_, _> = spans.iter().map(|span| (span.span_id.as_str(), span)).collect();
    let processed = spans.iter().filter(|span| span.name == "process movie");
    for process in processed {
        let sender = by_id[process.parent_span_id.as_deref().unwrap()];
        assert_eq!(sender.attributes["imdb_id"], process.attributes["imdb_id"]);
        let below = spans.iter().filter(|span| span.parent_span_id.as_ref() == Some(&sender.span_id));
        assert_eq!(below.count(), 2, "its invocation and its processing");
    }
}

#[tokio::test]
async fn a_movie_that_fails_says_why_and_its_next_delivery_is_one_more_child_of_the_same_sender() {
    let mut options = Options { top_n: MOVIES, ..failing(TRIES_ENOUGH) };
    options.configuration.insert("omdbMaxAttempts".to_owned(), "2".to_owned());
    let pipeline = held(options).await;
    pipeline.omdb().unwrap().fail(&sample_ids(MOVIES)[1], OmdbFault::Status(503));
    publish(&pipeline, &noon(&pipeline), MOVIES).await;
    deliver(&pipeline, true).await;
    spans_after(&pipeline, 1, 1).await;
    pipeline.omdb().unwrap().heal();
    assert_tree("redelivered", &tree::trees(&spans_after(&pipeline, 1, 2).await));
}

#[tokio::test]
async fn an_event_that_comes_twice_is_a_second_trace_of_the_same_run_in_which_nothing_is_done_again() {
    let pipeline = held(small()).await;
    let event = noon(&pipeline);
    publish(&pipeline, &event, MOVIES).await;
    deliver(&pipeline, true).await;
    let first = spans_after(&pipeline, 1, 1).await;
    deliver(&pipeline, false).await;
    publish(&pipeline, &event, MOVIES).await;
    deliver(&pipeline, true).await;
    let mut spans = spans_after(&pipeline, 2, 2).await;
    assert_eq!(runs(&spans).len(), 2);
    spans.retain(|span| span.trace_id != first[0].trace_id);
    assert_tree("repeated", &tree::trees(&spans));
}

#[tokio::test]
async fn a_message_that_comes_back_from_the_dead_letter_queue_is_still_part_of_its_trace() {
    let pipeline = held(Options { top_n: MOVIES, ..failing(1) }).await;
    pipeline.omdb().unwrap().fail(&sample_ids(MOVIES)[1], OmdbFault::UnknownId);
    publish(&pipeline, &noon(&pipeline), MOVIES).await;
    deliver(&pipeline, true).await;
    let dead = async |pipeline: &Pipeline| Ok((pipeline.dead_letters().await? == 1).then_some(()));
    pipeline.eventually("a dead letter", PATIENCE, dead).await.unwrap();
    pipeline.omdb().unwrap().heal();
    redrive(&pipeline).await;
    assert_tree("redriven", &tree::trees(&spans_after(&pipeline, 1, 2).await));
}

/// Moves one message from the dead-letter queue to where it came from, with all its attributes, as SQS's own redrive
/// does (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue-redrive.html>),
/// which the local AWS does not have.
async fn redrive(pipeline: &Pipeline) {
    let (sqs, deployment) = (&pipeline.clients().sqs, pipeline.deployment());
    let receive = sqs.receive_message().queue_url(&deployment.dead_letter_queue_url).message_attribute_names("All");
    let received = receive.message_system_attribute_names(MessageSystemAttributeName::All).send().await.unwrap();
    let [message] = received.messages() else { panic!("{received:?}") };
    let attributes: Option<std::collections::HashMap<String, MessageAttributeValue>> =
        message.message_attributes().cloned();
    let send = sqs.send_message().queue_url(&deployment.queue_url).message_body(message.body().unwrap());
    send.set_message_attributes(attributes).send().await.unwrap();
    let delete = sqs.delete_message().queue_url(&deployment.dead_letter_queue_url);
    delete.receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
}

#[tokio::test]
async fn a_batch_of_two_runs_has_a_trace_of_its_own_while_each_run_keeps_its_movies_and_its_completion() {
    let pipeline = held(small()).await;
    let event = |day: &str| pipeline.event_at(format!("2026-11-{day}T12:00:00Z").parse().unwrap()).unwrap();
    // Fetches the key, which would otherwise be part of either run.
    publish(&pipeline, &event("20"), MOVIES).await;
    deliver(&pipeline, true).await;
    let before = spans_after(&pipeline, 1, 1).await.len();
    deliver(&pipeline, false).await;

    publish(&pipeline, &event("21"), MOVIES).await;
    publish(&pipeline, &event("22"), 2 * MOVIES).await;
    deliver(&pipeline, true).await;
    let spans = spans_after(&pipeline, 3, 2).await;
    assert_tree("mixed", &tree::trees(&spans[before..]));
}

#[tokio::test]
async fn an_invocation_by_hand_begins_a_trace() {
    let pipeline = held(small()).await;
    pipeline.invoke(Service::Enricher, &serde_json::json!({"Records": []})).await.unwrap();
    pipeline.invoke(Service::Enricher, &serde_json::json!("by hand")).await.unwrap();
    assert_tree("by-hand", &tree::trees(&spans_after(&pipeline, 0, 2).await));
}

#[tokio::test]
async fn a_source_that_cannot_be_read_is_said_where_it_happened() {
    let pipeline = held(Options { source: None, ..small() }).await;
    pipeline.invoke(Service::Ranker, noon(&pipeline).json()).await.unwrap();
    assert_tree("source-missing", &tree::trees(&spans_after(&pipeline, 1, 0).await));
}
