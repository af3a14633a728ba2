//! What each alarm is called and says: what happened, and what to do first. Its section of the runbook has the rest.
//!
//! A first step begins with what can stand alone: up to its first punctuation mark it is the alarm's line in the mail.

/// What an alarm is called and says.
#[derive(Debug)]
pub struct Notice {
    /// Its name within the program.
    pub name: &'static str,
    /// Its name within the names of a stack. The runbook's section is headed by it.
    pub thing: &'static str,
    /// What that means for the movies.
    pub(super) happened: &'static str,
    pub(super) first_step: &'static str,
}

/// The most an alarm's description may have. AWS counts characters
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>), the provider's check
/// bytes, of which there are never fewer.
pub const DESCRIPTION_BYTES: usize = 1_024;

impl Notice {
    /// The alarm's description.
    pub(super) fn description(&self, runbook_url: &str) -> String {
        let Self { thing, happened, first_step, .. } = self;
        format!("{happened} {first_step} Runbook: {runbook_url}#{thing}")
    }

    /// The same with a command and a list on lines of their own.
    pub(super) fn with_list(&self, command: &str, list: &str, runbook_url: &str) -> String {
        let Self { thing, happened, first_step, .. } = self;
        format!("{happened} {first_step}\n{command}\n{list}Runbook: {runbook_url}#{thing}")
    }

    /// The first thing to do in short: what stands before the first punctuation mark.
    pub(super) fn step(&self) -> &'static str {
        self.first_step.split(['.', ',', ':', ';']).next().unwrap_or_default()
    }
}

macro_rules! notices {
    ($($ident:ident = $name:literal, $thing:literal, $happened:literal, $first_step:literal;)*) => {
        $(
            pub(super) const $ident: Notice =
                Notice { name: $name, thing: $thing, happened: $happened, first_step: $first_step };
        )*
    };
}

notices! {
    RUN_LATE = "runLateAlarm", "run-late",
        "No run was reported complete in the time that one should take: Top10Movies.json is out of date, unless only the report failed.",
        "Look which alarms went off before this one. If none did, see whether the schedule's rule is enabled and the ranker was started.";
    DEAD_LETTERS = "deadLettersAlarm", "dead-letters",
        "Movies could not be enriched and lie in the dead-letter queue: their runs are incomplete.",
        "Read the reason in the enricher's log, remove the cause, then move the messages back.";
    UNDELIVERED = "undeliveredAlarm", "undelivered",
        "The topic could not put messages into the queue: their runs are incomplete.",
        "Look at the policies of queue and key.";
    RANKER_FAILURES = "rankerFailuresAlarm", "ranker-failures",
        "A schedule event did not become a run, also when tried again, and lies in the queue of ranker failures.",
        "Read the message in its queue: it holds the event and the error.";
    DEAD_LETTERS_EXPIRE = "deadLettersExpireAlarm", "dead-letters-expire",
        "Dead letters have been lying for four days. SQS deletes each 14 days after it was first sent, and its movie is then lost.",
        "Move the messages back today, or keep a copy of them.";
    QUEUE_STALLS = "queueStallsAlarm", "queue-stalls",
        "Movies wait in the queue and none is taken off it.",
        "See whether the event source mapping is enabled, lacks no permission, and the enricher is not throttled.";
    TOPIC_DELIVERY_FAILED = "topicDeliveryFailedAlarm", "topic-delivery-failed",
        "SNS gave up delivering messages to the queue. They should lie in the queue of undelivered messages.",
        "Look at the policies of queue and key.";
    TOPIC_REDRIVE_FAILED = "topicRedriveFailedAlarm", "topic-redrive-failed",
        "SNS could put messages neither into the queue nor into the queue of undelivered messages: they are lost.",
        "Look at the policies of both queues and the key, then start the run again.";
    RULE_DELIVERY_FAILED = "ruleDeliveryFailedAlarm", "rule-delivery-failed",
        "EventBridge could not start the ranker: the day's run is missing.",
        "Look at the rule's permission, which is to let it start the ranker. Then send the event on its way from the queue of ranker failures.";
    RULE_REDRIVE_FAILED = "ruleRedriveFailedAlarm", "rule-redrive-failed",
        "EventBridge could neither start the ranker nor leave the event in the queue of ranker failures: it is lost.",
        "Look at the policies of queue and key, then start the run.";
    RANKER_EVENTS_DROPPED = "rankerEventsDroppedAlarm", "ranker-events-dropped",
        "Lambda gave up on an event for the ranker. It should lie in the queue of ranker failures.",
        "Read the message in its queue. If there is none, look at the ranker's on-failure destination.";
    RANKER_DESTINATION_FAILED = "rankerDestinationFailedAlarm", "ranker-destination-failed",
        "Lambda could not leave a failed event in the queue of ranker failures: it is lost.",
        "Look at the ranker's role, at the policies of queue and key, then start the run.";
    OMDB_KEY_REJECTED = "omdbKeyRejectedAlarm", "omdb-key-rejected",
        "OMDb rejects the API key: no movie can be enriched. Each is tried every half hour and, after the last of its receives, is a dead letter.",
        "Store a valid key in the parameter; the enricher picks it up by itself.";
    OMDB_QUOTA = "omdbQuotaAlarm", "omdb-quota",
        "OMDb's requests of the day are used up, says OMDb or omdbDailyLimit: what is left of the run waits hidden in the queue for the next day of UTC.",
        "See who used up the requests, by the enricher's log. If the run is wanted sooner, raise the limit or use a key with a larger quota, and start the run again.";
    RANKER_ERRORS = "rankerErrorsAlarm", "ranker-errors",
        "The ranker failed. Lambda tries the event twice more.",
        "Read the error in the ranker's log.";
    ENRICHER_ERRORS = "enricherErrorsAlarm", "enricher-errors",
        "The enricher failed with a whole batch, by a crash or a timeout. The queue delivers it again.",
        "Read the end of the enricher's log: single movies that fail do not count here.";
    RANKER_THROTTLES = "rankerThrottlesAlarm", "ranker-throttles",
        "Lambda refused to start the ranker, which runs once at a time. It tries again for up to six hours.",
        "See whether two runs were started at once, or the account's concurrency is used up.";
    ENRICHER_THROTTLES = "enricherThrottlesAlarm", "enricher-throttles",
        "Lambda refused to start the enricher. Each refusal counts as an attempt at the movies of its batch.",
        "See whether the account's concurrency is used up.";
    RANKER_NEAR_TIMEOUT = "rankerNearTimeoutAlarm", "ranker-near-timeout",
        "The ranker took more than four fifths of its timeout.",
        "Look at the trace for what was slow: a grown source, or S3. Raise rankerTimeoutSeconds if it is to stay so.";
    ENRICHER_NEAR_TIMEOUT = "enricherNearTimeoutAlarm", "enricher-near-timeout",
        "The enricher took more than four fifths of its timeout.",
        "Look at the trace for what was slow, most likely OMDb. Lower batchSize or raise enricherTimeoutSeconds if it is to stay so.";
    SOURCE_SHRANK = "sourceShrankAlarm", "source-shrank",
        "The ranker read fewer items than the source list should have; none if it could not read it.",
        "Look at the source list and its date, and at the ranker's log.";
    SOURCE_SOURS = "sourceSoursAlarm", "source-sours",
        "The source list has items that cannot be ranked. They are left out, the run goes on.",
        "Read index and reason of each in the ranker's log.";
    RANKER_BLIND = "rankerBlindAlarm", "ranker-blind",
        "The ranker could not deliver some of its metrics or traces; its work went on.",
        "Read the reason in the ranker's log: the address in otlpEndpoint, permissions, or CloudWatch.";
    ENRICHER_BLIND = "enricherBlindAlarm", "enricher-blind",
        "The enricher could not deliver some of its metrics or traces; its work went on.",
        "Read the reason in the enricher's log: the address in otlpEndpoint, permissions, or CloudWatch.";
    PAGE = "pageAlarm", "page",
        "Movies are missing, or will be: act now.",
        "List all that is red, as later causes send no mail:";
    TICKET = "ticketAlarm", "ticket",
        "Something wants a look in the next days, not at night.",
        "List all that is red, as later causes send no mail:";
    MAINTENANCE = "maintenanceAlarm", "maintenance",
        "A maintenance window is open: page and ticket tell nobody. It ends by itself about an hour after it was last asked for.",
        "Nothing to do.";
}
