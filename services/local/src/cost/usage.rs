//! What one run uses. Requests follow from the flow, and a test holds them against the calls of a run on the local AWS;
//! so it does with what was measured there.

use domain::enriched::is_worth_a_list;

use super::{DAYS_PER_MONTH, Facts};

/// Figures that do not follow from the program, bytes rounded up. Those said to be measured are those of the test
/// `a_run_uses_what_is_paid_for`, which fails when they no longer hold.
#[derive(Debug)]
pub struct Measured;

impl Measured {
    /// Bytes of one stored movie. Measured: 0.8 KB with the stand-in's answers; OMDb's own have a longer plot, ratings
    /// and awards.
    pub const MOVIE_BYTES: f64 = 2_000.0;
    /// Bytes that an invocation logs on level INFO, without what it logs for each movie. Measured: 0.4 KB.
    pub const INVOCATION_LOG_BYTES: f64 = 600.0;
    /// Bytes that the enricher logs for each movie. Measured: 0.4 KB.
    pub const MOVIE_LOG_BYTES: f64 = 500.0;
    /// Bytes that Lambda itself logs around an invocation: start, runtime done, report, as JSON
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-formats.html>). Not measured: only
    /// AWS writes them.
    pub const PLATFORM_LOG_BYTES: f64 = 1_500.0;
    /// Spans of an invocation, one list of the run included, without those of each movie. Measured, exactly.
    pub const SPANS_PER_INVOCATION: f64 = 6.5;
    /// Spans of each movie: sent, processed, asked for, stored. Measured, exactly.
    pub const SPANS_PER_MOVIE: f64 = 4.0;
    /// Spans of counting requests to OMDb: the count is read and written.
    pub const SPANS_PER_RESERVATION: f64 = 2.0;
    /// Bytes of one span in `aws/spans`: a JSON object with its attributes and its resource's. Not measured: only AWS
    /// writes it.
    pub const SPAN_BYTES: f64 = 2_000.0;
    /// Milliseconds that Lambda bills for the ranker, start included. Not measured: at 256 MB a function on AWS has a
    /// seventh of a processor (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>), which TLS
    /// handshakes feel.
    pub const RANKER_BILLED_MS: f64 = 1_000.0;
    /// The same for an invocation of the enricher, which also waits for OMDb.
    pub const ENRICHER_BILLED_MS: f64 = 2_000.0;
}

/// The most entries of a batch that SNS and SQS take
/// (<https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html>,
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>).
const ENTRIES_PER_REQUEST: u64 = 10;

/// So many movies of a batch are asked for at once, at most, and share one reading and one writing of the day's count of
/// requests. As a rule: one that comes a moment later makes another.
const MOVIES_PER_RESERVATION: u64 = 10;

/// Lambda asks an idle queue with so many pollers, each waiting so long for an answer
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html>).
pub(super) const IDLE_POLLERS: f64 = 5.0;
pub(super) const IDLE_POLL_SECONDS: f64 = 20.0;

/// What one run uses when nothing is shared with another one: both functions start cold, and no data key is in use from
/// the run before, which holds when runs are more than five minutes apart.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each field is what its name says")]
pub struct RunUse {
    pub enricher_invocations: f64,
    pub lambda_gb_seconds: f64,
    pub sns_requests: f64,
    pub sqs_requests: f64,
    pub s3_writes: f64,
    pub s3_reads: f64,
    /// GB × months until the run's objects are gone.
    pub s3_gb_months: f64,
    pub ssm_requests: f64,
    pub kms_requests: f64,
    pub put_metric_data: f64,
    pub log_gb: f64,
    /// GB × months until the run's logs are gone.
    pub log_gb_months: f64,
    pub spans: f64,
}

impl RunUse {
    /// What a run uses with these facts.
    #[must_use]
    pub fn of(facts: &Facts) -> Self {
        let movies = number(facts.movies_per_run);
        let requests_of_entries = number(facts.movies_per_run.div_ceil(ENTRIES_PER_REQUEST));
        let enricher_invocations = number(facts.movies_per_run.div_ceil(facts.batch_size));
        let reservations = number(facts.movies_per_run.div_ceil(facts.batch_size.min(MOVIES_PER_RESERVATION)));
        let enrichers = enricher_invocations.min(number(facts.enrichers_at_once));
        let invocations = 1.0 + enricher_invocations;
        let Looks { lists, heads, records_read } = Looks::of(facts);
        let log_bytes_per_invocation = Measured::INVOCATION_LOG_BYTES + Measured::PLATFORM_LOG_BYTES;
        let log_gb = gb(invocations * log_bytes_per_invocation + movies * Measured::MOVIE_LOG_BYTES);
        Self {
            enricher_invocations,
            lambda_gb_seconds: gb_seconds(facts.ranker_memory_mb, Measured::RANKER_BILLED_MS)
                + enricher_invocations * gb_seconds(facts.enricher_memory_mb, Measured::ENRICHER_BILLED_MS),
            sns_requests: requests_of_entries,
            // Sent one by one by the topic, received and deleted by ten.
            sqs_requests: movies + 2.0 * requests_of_entries,
            // Each movie, the run's list, the latest list, the count of requests; lists cost as much as writing.
            s3_writes: movies + 2.0 + reservations + lists,
            // The source and the count are read, and latest looked at.
            s3_reads: heads + records_read + 2.0 + reservations,
            s3_gb_months: stored_gb_months(facts, movies),
            ssm_requests: enrichers,
            kms_requests: kms_requests(facts, enrichers),
            put_metric_data: invocations,
            log_gb,
            log_gb_months: log_gb * months(facts.log_retention_days),
            spans: invocations * Measured::SPANS_PER_INVOCATION
                + movies * Measured::SPANS_PER_MOVIE
                + (lists - enricher_invocations)
                + heads
                + records_read
                + reservations * Measured::SPANS_PER_RESERVATION,
        }
    }
}

/// How the enrichers look for what stands of a run, see `enricher::standing` and `enricher::completion`.
struct Looks {
    lists: f64,
    heads: f64,
    records_read: f64,
}

impl Looks {
    /// Taken for granted: nothing stands when the run begins, batches are full, and come one after the other.
    fn of(facts: &Facts) -> Self {
        let (movies, batch) = (facts.movies_per_run, facts.batch_size.min(facts.movies_per_run));
        let batches = movies.div_ceil(facts.batch_size);
        let is_listed_first = is_worth_a_list(whole(batch), whole(movies));
        // A batch that is its whole run knows that it is complete; any other looks once more.
        let lists_of_each = if is_listed_first && batches > 1 { 2 } else { 1 };
        Self {
            lists: number(batches * lists_of_each),
            heads: if is_listed_first { 0.0 } else { number(movies) },
            // Whoever completes the run has stored the last batch itself.
            records_read: number((batches - 1) * facts.batch_size),
        }
    }
}

/// The movies and their list are kept as runs are, then as removed versions are; the latest list is replaced by the
/// next run and kept as a replaced version.
fn stored_gb_months(facts: &Facts, movies: f64) -> f64 {
    let (run, noncurrent) = (months(facts.run_retention_days), months(facts.noncurrent_version_retention_days));
    gb(movies * Measured::MOVIE_BYTES) * (2.0 * (run + noncurrent) + noncurrent)
}

/// Topic: two for its one publisher
/// (<https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#sse-estimate-kms-usage-costs>). Queue: two for
/// its one producer and one for its consumer
/// (<https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html>). Bucket: one
/// to write and one to read, since it has a key of its own that KMS is asked for from time to time
/// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-key.html>). Variables of a function: one a start. The
/// parameter: one a start of the enricher. Logs: one for each group; AWS does not tell how often it asks.
fn kms_requests(facts: &Facts, enrichers: f64) -> f64 {
    let (topic, queue, bucket, ranker_start) = (2.0, 3.0, 2.0, 1.0);
    let enricher_start = 2.0;
    topic + queue + bucket + ranker_start + enrichers * enricher_start + count(facts.log_groups)
}

/// A GB as AWS bills it.
pub(super) fn gb(bytes: f64) -> f64 {
    bytes / f64::from(1 << 30)
}

fn gb_seconds(memory_mb: u64, milliseconds: f64) -> f64 {
    number(memory_mb) / 1_024.0 * milliseconds / 1_000.0
}

fn months(days: u64) -> f64 {
    number(days) / DAYS_PER_MONTH
}

/// A run has a thousand movies at most.
fn whole(movies: u64) -> usize {
    usize::try_from(movies).unwrap_or(usize::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(super) fn number(whole: u64) -> f64 {
    whole as f64
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(super) fn count(things: usize) -> f64 {
    things as f64
}
