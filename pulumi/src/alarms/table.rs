//! Every alarm on one page: whom it wakes, what it watches, when it goes off. What each says stands in `notices`.

use std::time::Duration;

use Service::{Enricher, Ranker};
use domain::contract::Service;
use domain::contract::environment::{HIDDEN_WHILE_KEY_IS_REJECTED, MAX_HIDDEN};
use domain::contract::metrics::{
    OMDB_AUTH_REJECTED, OMDB_QUOTA_EXHAUSTED, RUNS_COMPLETED, SOURCE_ITEMS, SOURCE_ITEMS_REJECTED, TELEMETRY_DROPPED,
};

use super::notices::{
    DEAD_LETTERS, DEAD_LETTERS_EXPIRE, ENRICHER_BLIND, ENRICHER_ERRORS, ENRICHER_NEAR_TIMEOUT, ENRICHER_THROTTLES,
    Notice, OMDB_KEY_REJECTED, OMDB_QUOTA, QUEUE_STALLS, RANKER_BLIND, RANKER_DESTINATION_FAILED, RANKER_ERRORS,
    RANKER_EVENTS_DROPPED, RANKER_FAILURES, RANKER_NEAR_TIMEOUT, RANKER_THROTTLES, RULE_DELIVERY_FAILED,
    RULE_REDRIVE_FAILED, RUN_LATE, SOURCE_SHRANK, SOURCE_SOURS, TOPIC_DELIVERY_FAILED, TOPIC_REDRIVE_FAILED,
    UNDELIVERED,
};
use super::signal::Breach::{AtLeast, Below};
use super::signal::Signal::Stall;
use super::signal::Statistic::{Maximum, Minimum, Sum};
use super::signal::{
    Breach, Signal, VISIBLE, Window, again_within, function, heartbeat, lasting, lasting_minutes_of_late_data, once,
    once_ended, ours, periods_of_invocation, queue, rule, topic,
};
use super::{Alarm, Severity};
use crate::config::Config;
use crate::messaging::visibility_timeout_seconds;

const MINUTE: u32 = 60;
const HOUR: u32 = 60 * MINUTE;
const DAY: u32 = 24 * HOUR;

/// Every alarm that a composite one stands for.
pub const ALARMS: &[Alarm] = &[
    // A day between runs, and two hours: EventBridge may try for one of them to start the ranker, and movies that are
    // tried again take a quarter of the other. It goes off up to 3 hours after that, see `heartbeat`.
    page(&RUN_LATE, ours(RUNS_COMPLETED, Enricher, Sum), Below(|_| 1), heartbeat(|set| set.run_late_alarm_hours)),
    // Each message is a movie or a run that is missing, so the first counts unless the stack says otherwise.
    page(&DEAD_LETTERS, queue(|all| &all.dead_letters, VISIBLE, Maximum), FAILED_MESSAGES, once()),
    page(&UNDELIVERED, queue(|all| &all.undelivered, VISIBLE, Maximum), FAILED_MESSAGES, once()),
    page(&RANKER_FAILURES, queue(|all| &all.ranker_failures, VISIBLE, Maximum), FAILED_MESSAGES, once()),
    // Five minutes of ten, while a batch of the slowest as deployed takes half of one.
    page(
        &QUEUE_STALLS,
        Stall(|all| &all.queue),
        AtLeast(longest_ordinary_wait_seconds),
        lasting_minutes_of_late_data(|_| 10),
    ),
    // The last stop before something is lost without a trace: one is too many.
    page(&TOPIC_DELIVERY_FAILED, topic("NumberOfNotificationsFailed"), FIRST, once()),
    page(&TOPIC_REDRIVE_FAILED, topic("NumberOfNotificationsFailedToRedriveToDlq"), FIRST, once()),
    page(&RULE_DELIVERY_FAILED, rule("FailedInvocations"), FIRST, once()),
    page(&RULE_REDRIVE_FAILED, rule("InvocationsFailedToBeSentToDlq"), FIRST, once()),
    page(&RANKER_EVENTS_DROPPED, function(Ranker, "AsyncEventsDropped", Sum), FIRST, once()),
    page(&RANKER_DESTINATION_FAILED, function(Ranker, "DestinationDeliveryFailures", Sum), FIRST, once()),
    // Nobody but a person gets a new key, or a larger quota: one batch that stopped for it is enough. The movies are hidden
    // and tried again, so it is one incident until they could have been: not a page for each trial.
    page(
        &OMDB_KEY_REJECTED,
        ours(OMDB_AUTH_REJECTED, Enricher, Sum),
        FIRST,
        again_within(5 * MINUTE, key_trial_periods),
    ),
    page(&OMDB_QUOTA, ours(OMDB_QUOTA_EXHAUSTED, Enricher, Sum), FIRST, again_within(15 * MINUTE, quota_trial_periods)),
    // Not in page, where it could tell nobody: a composite alarm acts only when its own state changes, and the alarm on
    // dead letters holds page at ALARM for as long as one lies there. A dead letter goes 14 days after it was sent and may
    // have waited 4 of them in the queue: 6 are left to act, so an hour does not matter.
    ticket(&DEAD_LETTERS_EXPIRE, queue(|all| &all.dead_letters, VISIBLE, Maximum), FIRST, lasting(HOUR, |_| 4 * 24)),
    // Lambda and the queue try again; what they cannot mend pages by the alarms above. A daily job has too few
    // invocations for a rate.
    ticket(&RANKER_ERRORS, function(Ranker, "Errors", Sum), FIRST, RANKER_ENDED),
    ticket(&ENRICHER_ERRORS, function(Enricher, "Errors", Sum), FIRST, ENRICHER_ENDED),
    ticket(&RANKER_THROTTLES, function(Ranker, "Throttles", Sum), FIRST, once()),
    ticket(&ENRICHER_THROTTLES, function(Enricher, "Throttles", Sum), FIRST, once()),
    ticket(&RANKER_NEAR_TIMEOUT, function(Ranker, "Duration", Maximum), RANKER_SLOW, RANKER_ENDED),
    ticket(&ENRICHER_NEAR_TIMEOUT, function(Enricher, "Duration", Maximum), ENRICHER_SLOW, ENRICHER_ENDED),
    // Of the smallest read, so that one whole read beside it does not hide it. A source that cannot be read counts as
    // zero items.
    ticket(&SOURCE_SHRANK, ours(SOURCE_ITEMS, Ranker, Minimum), FEW_ITEMS, once()),
    // A sound list has no such item: the first means that its maker changed something.
    ticket(&SOURCE_SOURS, ours(SOURCE_ITEMS_REJECTED, Ranker, Sum), FIRST, once()),
    // Without telemetry the alarms above are blind, too.
    ticket(&RANKER_BLIND, ours(TELEMETRY_DROPPED, Ranker, Sum), FIRST, once()),
    ticket(&ENRICHER_BLIND, ours(TELEMETRY_DROPPED, Enricher, Sum), FIRST, once()),
];

const FIRST: Breach = AtLeast(|_| 1);

const FAILED_MESSAGES: Breach = AtLeast(|config| config.failed_messages_alarm_threshold);

const FEW_ITEMS: Breach = Below(|config| config.source_items_alarm_threshold);

/// Four fifths of the timeout, in milliseconds: room to see it coming, while an invocation of seconds stays far below.
const RANKER_SLOW: Breach = AtLeast(|config| config.ranker_timeout_seconds * 800);
const ENRICHER_SLOW: Breach = AtLeast(|config| config.enricher_timeout_seconds * 800);

const RANKER_ENDED: Window = once_ended(|config| periods_of_invocation(config.ranker_timeout_seconds));
const ENRICHER_ENDED: Window = once_ended(|config| periods_of_invocation(config.enricher_timeout_seconds));

/// How long a movie may wait while nothing is wrong with the queue: one that fails is hidden after each of its receives
/// before it becomes a dead letter, which has an alarm of its own. At least 15 minutes, a multiple of what a run takes;
/// at most a day, when the next run comes.
fn longest_ordinary_wait_seconds(config: &Config) -> u32 {
    let until_dead = visibility_timeout_seconds(config).saturating_mul(config.max_receive_count);
    until_dead.clamp(15 * MINUTE, DAY)
}

/// How many periods of five minutes there are between two trials with a rejected key, and two for the trial itself. A
/// movie is hidden for no less than the queue hides it by itself.
fn key_trial_periods(config: &Config) -> u32 {
    let by_the_queue = Duration::from_secs(visibility_timeout_seconds(config).into());
    in_periods(HIDDEN_WHILE_KEY_IS_REJECTED.max(by_the_queue), 5 * MINUTE) + 2
}

/// The same for a used-up quota, in periods of a quarter of an hour.
fn quota_trial_periods(_: &Config) -> u32 {
    in_periods(MAX_HIDDEN, 15 * MINUTE) + 2
}

fn in_periods(time: Duration, period_seconds: u32) -> u32 {
    u32::try_from(time.as_secs().div_ceil(period_seconds.into())).unwrap_or(u32::MAX)
}

const fn page(notice: &'static Notice, signal: Signal, breach: Breach, window: Window) -> Alarm {
    Alarm { notice, severity: Severity::Page, signal, breach, window }
}

const fn ticket(notice: &'static Notice, signal: Signal, breach: Breach, window: Window) -> Alarm {
    Alarm { notice, severity: Severity::Ticket, signal, breach, window }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_alarm_on_the_key_stands_from_one_trial_to_the_next_however_long_the_queue_hides() {
        for (timeout, periods) in [("30", 6 + 2), ("900", 19 + 2)] {
            let values = json!({"movie-pipeline:enricherTimeoutSeconds": timeout}).to_string();
            assert_eq!(key_trial_periods(&Config::read("dev", Some(&values)).unwrap()), periods, "{timeout} s");
        }
    }
}
