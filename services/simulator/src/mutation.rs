//! Seeded mistakes: each makes the pipeline wrong in one way, so that a test can show that the invariants would notice.
//! They sit around the handlers, at the seams; the handlers themselves stay as they are.

/// One mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// A message is deleted when it is handed to the enricher.
    DeleteBeforeStore,
    /// The enricher's response never names a failed record.
    WholeBatchSuccess,
    /// Objects of all runs lie in one folder.
    KeyWithoutRun,
    /// All messages of a run name the same ranking, whatever the source has become.
    OneRankingPerRun,
    /// Latest is written whatever stands there.
    LatestWithoutCondition,
    /// Every object of a run, and latest, is written whatever stands there.
    NoConditions,
    /// The count of a day's requests is written whatever stands there.
    CountWithoutCondition,
    /// The last movie's record succeeds although the run's list could not be written.
    CompletionFailuresIgnored,
    /// A write is confirmed although it was refused.
    StoreFailuresIgnored,
    /// The ranker believes that the topic took every entry.
    RefusedEntriesIgnored,
    /// A listing lacks the newest object, as S3's did before December 2020.
    StaleLists,
    /// The list of a run that a batch begins with tells whether the run is complete at its end as well.
    FirstListFinal,
    /// Whose condition was broken takes what stands there for its own.
    OthersTakenForOwn,
    /// Messages look as if they were new, however long they have been in the queue.
    AgeUnknown,
    /// A failed event is not tried again and goes nowhere.
    EventsDropped,
}

impl Mutation {
    /// Each of them.
    pub const ALL: [Self; 15] = [
        Self::DeleteBeforeStore,
        Self::WholeBatchSuccess,
        Self::KeyWithoutRun,
        Self::OneRankingPerRun,
        Self::LatestWithoutCondition,
        Self::NoConditions,
        Self::CountWithoutCondition,
        Self::CompletionFailuresIgnored,
        Self::StoreFailuresIgnored,
        Self::RefusedEntriesIgnored,
        Self::StaleLists,
        Self::FirstListFinal,
        Self::OthersTakenForOwn,
        Self::AgeUnknown,
        Self::EventsDropped,
    ];

    /// Its name, as a person gives it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::DeleteBeforeStore => "delete-before-store",
            Self::WholeBatchSuccess => "whole-batch-success",
            Self::KeyWithoutRun => "key-without-run",
            Self::OneRankingPerRun => "one-ranking-per-run",
            Self::LatestWithoutCondition => "latest-without-condition",
            Self::NoConditions => "no-conditions",
            Self::CountWithoutCondition => "count-without-condition",
            Self::CompletionFailuresIgnored => "completion-failures-ignored",
            Self::StoreFailuresIgnored => "store-failures-ignored",
            Self::RefusedEntriesIgnored => "refused-entries-ignored",
            Self::StaleLists => "stale-lists",
            Self::FirstListFinal => "first-list-final",
            Self::OthersTakenForOwn => "others-taken-for-own",
            Self::AgeUnknown => "age-unknown",
            Self::EventsDropped => "events-dropped",
        }
    }

    /// The mistake of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mutation| mutation.name() == name)
    }
}
