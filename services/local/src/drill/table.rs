//! Every drill on one page: what is done, which alarms are to go off, and why.

use std::time::Duration;

use rustix::process::Signal;

use super::{Drill, faults};
use crate::omdb::OmdbFault;
use crate::options::Options;
use crate::permissions::Permissions;
use crate::recorder::{AwsFault, Operation};

/// Longer than a day: the alarm on late runs needs more than 26 hours.
const WATCHED_HOURS: i64 = 28;

const fn error(status: u16, code: &'static str, message: &'static str) -> AwsFault {
    AwsFault::Error { status, code, message }
}

// AWS's errors, in its words. The local AWS encrypts nothing, so KMS's own are those that the service which asks KMS gives on
// (https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html#API_PublishBatch_Errors).
const SNS_REFUSES: AwsFault = error(403, "AuthorizationError", "not authorized to perform: SNS:Publish on this topic");
const S3_REFUSES: AwsFault = error(403, "AccessDenied", "not authorized to perform: s3:PutObject on this object");
const SSM_REFUSES: AwsFault =
    error(400, "AccessDeniedException", "not authorized to perform: ssm:GetParameter on this parameter");
const KMS_REFUSES_SSM: AwsFault = error(
    400,
    "AccessDeniedException",
    "The ciphertext refers to a customer master key that does not exist, does not exist in this region, or you are not allowed to access.",
);
const KMS_REFUSES_SNS: AwsFault = error(400, "KMSDisabled", "the key is disabled. (Service: AWSKMS; Status Code: 400)");
const KMS_THROTTLES_SNS: AwsFault = error(400, "KMSThrottling", "Rate exceeded (Service: AWSKMS; Status Code: 400)");
const THROTTLED: AwsFault = error(400, "ThrottlingException", "Rate exceeded");
const SLOW_DOWN: AwsFault = error(503, "SlowDown", "Please reduce your request rate.");
const UNAVAILABLE: AwsFault = error(503, "ServiceUnavailable", "Service is unable to handle request.");

/// What becomes of a run whose event the ranker could not work off: it is a failure each time, Lambda gives up after the
/// third and leaves the event, and the day's list does not come.
const RANKER_GAVE_UP: &[&str] = &["ranker-errors", "ranker-events-dropped", "ranker-failures", "run-late"];
/// The same when the ranker got no whole list: what it read counts as too few items.
const SOURCE_UNREADABLE: &[&str] =
    &["ranker-errors", "ranker-events-dropped", "ranker-failures", "run-late", "source-shrank"];
/// What becomes of a run whose movies, or one of them, were tried in vain: the run stays incomplete.
const MOVIES_DEAD: &[&str] = &["dead-letters", "run-late"];

const AS_DEPLOYED: fn(&mut Options) = |_| {};

/// A drill's row.
macro_rules! drill {
    ($name:literal, $what:literal, $expected:expr, $because:literal, $stage:ident => $act:expr $(, $field:ident: $value:expr)*) => {
        Drill {
            $($field: $value,)*
            ..Drill {
                name: $name, what: $what, expected: $expected, because: $because, pages: 1,
                silent_minutes: 0, watched_hours: WATCHED_HOURS, prepare: AS_DEPLOYED, act: |$stage| Box::pin($act), next_day: None,
            }
        }
    };
}

/// Every drill, in the order of the flow.
pub const DRILLS: &[Drill] = &[
    drill!("quiet", "Nothing is wrong.", &[], "", stage => faults::nothing(stage)),
    // The schedule
    drill!("schedule-silent", "The schedule does not fire.", &["run-late"],
        "Nothing runs, so nothing but the missing run tells.",
        _stage => async { Ok(()) }),
    drill!("schedule-refused", "EventBridge may no longer start the ranker.",
        &["ranker-failures", "rule-delivery-failed", "run-late"],
        "EventBridge leaves the event in the queue that failed events go to.",
        stage => faults::schedule_refused(stage, false)),
    drill!("schedule-lost", "EventBridge may neither start the ranker nor leave the event anywhere.",
        &["rule-delivery-failed", "rule-redrive-failed", "run-late"], "",
        stage => faults::schedule_refused(stage, true), pages: 2),
    drill!("schedule-repeats", "The schedule event of a run comes a second time.", &[],
        "It is the same run, and what is stored is not stored again.", stage => faults::schedule_repeats(stage)),
    drill!("ranker-throttled", "Two schedule events come at once; the ranker runs once at a time.",
        &["ranker-throttles"], "Lambda tries again and both runs complete, so nobody is woken.",
        stage => faults::ranker_throttled(stage),
        // Two tries more are all that the local AWS gives a throttled event; AWS tries for hours. The other run is over by
        // the first of them, on a busy machine too: it would be another throttle and another mail.
        prepare: |options| options.async_retry_delay = Duration::from_secs(20)),
    // The source
    drill!("source-missing", "There is no source object.", SOURCE_UNREADABLE, "", stage => faults::source_missing(stage)),
    drill!("source-cut-off", "The source ends in the middle.", SOURCE_UNREADABLE, "", stage => faults::source_cut_off(stage)),
    drill!("source-shrunk", "The source has 150 items in the place of 250.", &["source-shrank"],
        "The run completes with what there is; somebody should look, but not at night.",
        stage => faults::source_shrunk(stage, 150)),
    drill!("source-soured", "Three items of the source have no rating.", &["source-sours"],
        "They are left out, the run completes.", stage => faults::source_soured(stage)),
    drill!("source-slow", "S3 and SNS take more than four fifths of the ranker's timeout.",
        &["ranker-near-timeout"], "The run completes, but it will not for long.",
        // One try may take 10 s; two delays allow a timeout that leaves a busy machine 3.6 s.
        stage => faults::aws_hiccup(stage, [Operation::GetObject, Operation::PublishBatch].map(|operation| {
            (operation, AwsFault::Delay(Duration::from_millis(8_200)), 1)
        })),
        prepare: |options| set(options, "rankerTimeoutSeconds", "20")),
    drill!("failed-event-lost", "There is no source object, and the queue for failed events is gone.",
        &["ranker-destination-failed", "ranker-errors", "ranker-events-dropped", "run-late", "source-shrank"],
        "Nothing arrives in the queue, so its own alarm cannot tell.", stage => faults::failed_event_lost(stage), pages: 2),
    // The topic
    drill!("sns-refuses", "SNS refuses the ranker's messages.", RANKER_GAVE_UP, "",
        stage => faults::ranker_refused(stage, Operation::PublishBatch, SNS_REFUSES)),
    drill!("sns-throttles", "SNS throttles two publications.", &[],
        "The SDK tries again within the invocation.",
        stage => faults::aws_hiccup(stage, [(Operation::PublishBatch, THROTTLED, 2)])),
    drill!("delivery-refused", "The topic may no longer put messages into the queue.",
        &["run-late", "topic-delivery-failed", "undelivered"], "",
        stage => faults::delivery_refused(stage, false), prepare: enforce),
    drill!("delivery-lost", "The topic may put messages neither into the queue nor into that for undelivered ones.",
        &["run-late", "topic-delivery-failed", "topic-redrive-failed"], "",
        stage => faults::delivery_refused(stage, true), prepare: enforce, pages: 2),
    drill!("poison-message", "Something comes over the topic that is no movie.", &["dead-letters"],
        "It fails alone: the run beside it completes.", stage => faults::poison_message(stage)),
    // The enricher
    drill!("enricher-disconnected", "The enricher's event source mapping is disabled.", &["queue-stalls", "run-late"],
        "Nothing fails, nothing moves.", stage => faults::enricher_disconnected(stage)),
    drill!("enricher-crashes", "The enricher is killed in the middle of a batch.", &["enricher-errors"],
        "The queue delivers the batch again and the run completes.",
        stage => faults::enricher_hit(stage, Signal::KILL)),
    drill!("enricher-times-out", "The enricher hangs until Lambda ends it.",
    &["enricher-errors", "enricher-near-timeout"],
    "A timeout is an error of Lambda and as long as an invocation can be. The run completes.",
    stage => faults::enricher_hit(stage, Signal::STOP),
    prepare: |options| {
        // Short, but longer than a good run takes on a busy machine.
        set(options, "enricherTimeoutSeconds", "12");
        set(options, "omdbTimeoutMs", "900");
        // As deployed, a batch does not come back while it may still be worked on.
        options.redelivery_delay = Some(Duration::from_secs(14));
    }),
    drill!("enricher-throttled", "Lambda has no room for another enricher for some seconds.", &["enricher-throttles"],
        "The movies wait and the run completes.", stage => faults::enricher_throttled(stage)),
    drill!("ssm-refuses", "SSM refuses the enricher the OMDb key.", MOVIES_DEAD, "",
        stage => faults::enricher_refused(stage, Operation::GetParameter, SSM_REFUSES)),
    drill!("ssm-throttles", "SSM throttles two requests.", &[], "The SDK tries again within the invocation.",
        stage => faults::aws_hiccup(stage, [(Operation::GetParameter, THROTTLED, 2)])),
    drill!("kms-refuses", "KMS does not decrypt the OMDb key: SSM gives its refusal on.", MOVIES_DEAD, "",
        stage => faults::enricher_refused(stage, Operation::GetParameter, KMS_REFUSES_SSM)),
    drill!("kms-disabled", "The key is disabled: SNS gives KMS's refusal on.", RANKER_GAVE_UP,
        "The topic comes first of all that is encrypted, so the run ends there.",
        stage => faults::ranker_refused(stage, Operation::PublishBatch, KMS_REFUSES_SNS)),
    drill!("kms-throttles", "KMS throttles a publication and the OMDb key once each.", &[],
    "The ranker sends SNS's KMSThrottling again, which the SDK does not; the SDK asks SSM again.",
    stage => faults::aws_hiccup(stage, [
        (Operation::PublishBatch, KMS_THROTTLES_SNS, 1), (Operation::GetParameter, THROTTLED, 1),
    ])),
    drill!("omdb-down", "OMDb answers 503 to everything.", MOVIES_DEAD, "",
        stage => faults::omdb(stage, OmdbFault::Status(503))),
    drill!("omdb-hiccup", "OMDb answers 503 for one film until the queue delivers it again.", &[],
        "What mends by itself wakes nobody.", stage => faults::omdb_hiccup(stage)),
    drill!("omdb-slow", "OMDb takes 4.5 s for each movie, of the 5 s that it may.", &[],
        "All are asked at once: the batch takes as long as one, far from four fifths of its 30 s.",
        stage => faults::omdb_slow(stage, 4_500), prepare: |options| options.redelivery_delay = Some(Duration::from_secs(9))),
    drill!("omdb-too-slow", "OMDb takes longer for each movie than it may.", MOVIES_DEAD,
    "To the enricher that is no answer.",
    stage => faults::omdb(stage, OmdbFault::Delay(Duration::from_secs(3))),
    prepare: |options| {
        set(options, "omdbTimeoutMs", "400");
        set(options, "omdbMaxAttempts", "2");
    }),
    drill!("omdb-crawls", "OMDb takes 24.3 s for each movie, and omdbTimeoutMs was raised to let it.",
    &["enricher-near-timeout"],
    "Four fifths of the 30 s are over; as deployed, OMDb is given up long before. The run completes.",
    stage => faults::omdb_slow(stage, 24_300),
    prepare: |options| {
        set(options, "omdbTimeoutMs", "26000");
        // In a drill a second is a minute, and the movies would wait for longer than they ordinarily may.
        set(options, "maxReceiveCount", "10");
        options.redelivery_delay = Some(Duration::from_mins(1));
    }),
    drill!("omdb-key-rejected", "OMDb rejects the API key, and nobody mends it.",
        &["dead-letters", "omdb-key-rejected", "run-late"],
        "The alarm on the key tells the cause with the first batch, two hours and a half before there are dead letters.",
        stage => faults::omdb_key_rejected(stage)),
    drill!("omdb-quota", "OMDb's requests of the day are used up.", &["omdb-quota", "run-late"],
        "The movies wait hidden: no dead letters, and a queue that has nothing to give does not stall. They come after \
         midnight, which is in time for nobody: the run before is of the day before.",
        stage => faults::omdb_quota(stage)),
    drill!("omdb-daily-limit", "Another run of the day left half of a run's requests of what omdbDailyLimit allows.",
        &["omdb-quota"],
        "Half of the movies wait as above. The other run completed, so none is late; and the next day has requests for the \
         movies that waited and for its own.",
        stage => faults::omdb_daily_limit(stage, 5), prepare: |options| set(options, "omdbDailyLimit", "15")),
    drill!("omdb-unknown-id", "OMDb does not know one of the films.", MOVIES_DEAD,
        "One movie is enough for a run to stay incomplete.", stage => faults::omdb_unknown_id(stage)),
    // The bucket
    drill!("s3-refuses", "S3 does not take the enricher's objects.", MOVIES_DEAD, "",
        stage => faults::enricher_refused(stage, Operation::PutObject, S3_REFUSES)),
    drill!("s3-throttles", "S3 asks two writes to slow down.", &[], "The SDK tries again within the invocation.",
        stage => faults::aws_hiccup(stage, [(Operation::PutObject, SLOW_DOWN, 2)])),
    // Telemetry
    drill!("traces-down", "Nobody answers where the traces go.", &["enricher-blind", "ranker-blind"],
        "The run completes; the spans are lost, and that is told by the metrics.", stage => faults::nothing(stage),
        prepare: |options| set(options, "otlpEndpoint", "http://127.0.0.1:9")),
    drill!("metrics-down", "CloudWatch takes no metrics.", &["run-late"],
        "The run completes, but nobody can know: without metrics its heartbeat is missing, and the blind alarms need one themselves.",
        stage => faults::metrics_down(stage, UNAVAILABLE)),
    // Two faults
    drill!("second-fault", "OMDb does not know one of the films, and a day later, when nobody has mended that, rejects the key.",
        &["dead-letters", "omdb-key-rejected", "run-late"],
        "Page stands for the first, so the second sends no mail: the first one has the command that lists what is red.",
        stage => faults::omdb_unknown_id(stage), next_day: Some(|stage| Box::pin(faults::omdb_key_rejected(stage)))),
    // People
    drill!("dead-letters-forgotten", "OMDb does not know one of the films, and nobody looks for five days.",
        &["dead-letters", "dead-letters-expire", "run-late"], "", stage => faults::omdb_unknown_id(stage), watched_hours: 5 * 24),
    drill!("maintenance", "OMDb answers 503 while a maintenance window is open.",
        &["dead-letters", "maintenance", "run-late"],
        "The window keeps the page back; when it closes, what is still wrong is told.", stage => faults::maintenance(stage),
        silent_minutes: 60),
];

fn set(options: &mut Options, name: &str, value: &str) {
    options.configuration.insert(name.to_owned(), value.to_owned());
}

/// The local AWS asks for a queue's policy only when it asks for all permissions.
fn enforce(options: &mut Options) {
    options.permissions = Permissions::Enforced { withheld: Vec::new() };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use pulumi::alarms::{ALARMS, MAINTENANCE};

    use super::*;

    #[test]
    fn no_two_drills_share_a_name() {
        assert_eq!(DRILLS.iter().map(|drill| drill.name).collect::<BTreeSet<_>>().len(), DRILLS.len());
    }

    #[test]
    fn every_alarm_goes_off_in_some_drill_and_every_expected_one_exists() {
        let expected: BTreeSet<_> = DRILLS.iter().flat_map(|drill| drill.expected).copied().collect();
        let declared = ALARMS.iter().map(|alarm| alarm.notice.thing).chain([MAINTENANCE.thing]).collect();
        assert_eq!(expected, declared);
    }
}
