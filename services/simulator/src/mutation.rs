//! Seeded mistakes: each makes the pipeline wrong in one way, so that a test can show that the invariants would notice.
//! They sit around the handlers, at the seams; the handlers themselves stay as they are.

use serde::Serialize;

/// One mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mutation {
    /// A message is deleted when it is handed to the enricher.
    DeleteBeforeStore,
    /// The enricher's response never names a failed record.
    WholeBatchSuccess,
    /// Objects of all runs lie in one folder.
    KeyWithoutRun,
    /// Latest is written whatever stands there.
    LatestWithoutCondition,
    /// Every object is written whatever stands there.
    NoConditions,
    /// The last movie's record succeeds although the run's list could not be written.
    CompletionFailuresIgnored,
    /// A write is confirmed although it was refused.
    StoreFailuresIgnored,
    /// The ranker believes that the topic took every entry.
    RefusedEntriesIgnored,
    /// A listing lacks the newest object, as S3's did before December 2020.
    StaleLists,
    /// A failed event is not tried again and goes nowhere.
    EventsDropped,
}

impl Mutation {
    /// Each of them.
    pub const ALL: [Self; 10] = [
        Self::DeleteBeforeStore,
        Self::WholeBatchSuccess,
        Self::KeyWithoutRun,
        Self::LatestWithoutCondition,
        Self::NoConditions,
        Self::CompletionFailuresIgnored,
        Self::StoreFailuresIgnored,
        Self::RefusedEntriesIgnored,
        Self::StaleLists,
        Self::EventsDropped,
    ];
}
