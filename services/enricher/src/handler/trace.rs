//! The spans of a batch, its records and the runs they complete, and whose trace each is part of.

use aws_lambda_events::event::sqs::SqsMessage;
use domain::Run;
use domain::message::TRACEPARENT_ATTRIBUTE;
use telemetry::spans::attribute;
use telemetry::{propagation, spans};
use tracing::{Span, info_span};

/// SQS in OpenTelemetry's list of messaging systems
/// (<https://opentelemetry.io/docs/specs/semconv/registry/attributes/messaging/#messaging-system>).
pub(crate) const MESSAGING_SYSTEM: &str = "aws_sqs";

/// The span of the whole batch. It links to the senders of all its records
/// (<https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/>).
pub(super) fn batch_span(records: &[SqsMessage]) -> Span {
    let span = info_span!("process batch", otel.kind = "consumer");
    describe_processing(&span, records.first());
    spans::set(&span, attribute::MESSAGING_BATCH_MESSAGE_COUNT, i64::try_from(records.len()).unwrap_or(i64::MAX));
    for sender in records.iter().filter_map(sender_of) {
        if !propagation::link(&span, sender) {
            tracing::debug!("a record's trace context cannot be read; its trace begins here");
        }
    }
    span
}

/// The span of one record: a child of the span that sent it. For the log it stays within the batch, so that its lines
/// have the invocation's `request_id`; without a sender it does for the trace, too. A record that is delivered again is
/// one more child of the same sender, with its receive count.
pub(super) fn record_span(record: &SqsMessage, batch: &Span) -> Span {
    let span = info_span!(
        parent: batch,
        "process movie",
        otel.kind = "consumer",
        message_id = record.message_id,
        receive_count = record.attributes.get("ApproximateReceiveCount"),
        run = tracing::field::Empty,
        position = tracing::field::Empty,
        imdb_id = tracing::field::Empty,
    );
    describe_processing(&span, Some(record));
    if let Some(id) = &record.message_id {
        spans::set(&span, attribute::MESSAGING_MESSAGE_ID, id.clone());
    }
    if let Some(sender) = sender_of(record) {
        // A context that cannot be read leaves the record in the batch's trace.
        let _ = propagation::set_parent(&span, sender);
    }
    span
}

/// The span in which a run is completed: part of the batch, if the batch is part of the run's trace. A batch of several
/// runs is not; the span is then a child of the sender of its run's best movie in the batch.
pub(super) fn completion_span(run: &Run, sender: Option<&str>) -> Span {
    let span = info_span!("complete run", run = run.as_str());
    if let Some(sender) = sender.filter(|sender| !propagation::is_of_trace(&Span::current(), sender)) {
        let _ = propagation::set_parent(&span, sender);
    }
    span
}

fn describe_processing(span: &Span, record: Option<&SqsMessage>) {
    spans::set(span, attribute::MESSAGING_SYSTEM, MESSAGING_SYSTEM);
    spans::set(span, attribute::MESSAGING_OPERATION_TYPE, "process");
    spans::set(span, attribute::MESSAGING_OPERATION_NAME, "process");
    // The last part of `arn:<partition>:sqs:<region>:<account>:<queue>`.
    let queue = record.and_then(|record| record.event_source_arn.as_deref()?.rsplit(':').next());
    if let Some(queue) = queue {
        spans::set(span, attribute::MESSAGING_DESTINATION_NAME, queue.to_owned());
    }
}

/// The W3C trace context of the span that sent a record.
pub(super) fn sender_of(record: &SqsMessage) -> Option<&str> {
    record.message_attributes.get(TRACEPARENT_ATTRIBUTE)?.string_value.as_deref()
}
