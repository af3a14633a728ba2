//! Which faults each operation can have.

use std::time::Duration;

use fastrand::Rng;

use super::{Fault, OmdbFault, Operation};
use crate::dice::{millis, one_of};

/// Makes a fault; the number in front tells the kinds apart, which a world may have or lack.
type Maker = (u8, fn(&mut Rng) -> Fault);

const ANSWER_LOST: Maker = (0, |_| Fault::AnswerLost);
const LATE: Maker = (1, |rng| Fault::Late(delay(rng)));
const SLOW: Maker = (2, |rng| Fault::Slow(delay(rng)));
const SILENT: Maker = (3, |_| Fault::Silent);
const KILLED_BEFORE: Maker = (4, |_| Fault::KilledBefore);
const KILLED_AFTER: Maker = (5, |_| Fault::KilledAfter);
const THROTTLED: Maker = (6, |_| Fault::Throttled);
const DOUBLED: Maker = (7, |rng| Fault::Doubled(delay(rng)));
const DELAYED: Maker = (8, |rng| Fault::Delayed(delay(rng)));
const UNDELIVERED: Maker = (9, |_| Fault::Undelivered);
const REAPPEARS: Maker = (10, |rng| Fault::Reappears(millis(rng, 0..=3_000)));
const NOT_DELETED: Maker = (11, |_| Fault::NotDeleted);
const UNDEAD: Maker = (12, |rng| Fault::Undead(delay(rng)));
const PANICKED: Maker = (13, |_| Fault::Panicked);
const ENTRIES_REFUSED: Maker =
    (14, |rng| Fault::EntriesRefused { mask: rng.u16(1..=0x3ff), sender_fault: rng.u8(..4) == 0 });
const CUT_OFF: Maker = (15, |rng| Fault::CutOff(rng.u8(0..100)));
const OMDB: Maker = (16, |rng| Fault::Omdb(omdb(rng)));
const REFUSED_BY_S3: Maker = (17, |rng| {
    Fault::Refused(one_of(rng, &["SlowDown", "InternalError", "RequestTimeout", "AccessDenied", "AccessDenied"]))
});
const CONFLICT: Maker = (18, |_| Fault::Refused("ConditionalRequestConflict"));
const REFUSED_BY_SNS: Maker =
    (19, |rng| Fault::Refused(one_of(rng, &["Throttled", "InternalError", "KMSThrottling", "AuthorizationError"])));
const REFUSED_BY_SSM: Maker = (20, |rng| {
    let codes = ["ThrottlingException", "InternalServerError", "AccessDeniedException", "ParameterNotFound"];
    Fault::Refused(one_of(rng, &codes))
});
const NO_SOURCE: Maker = (21, |_| Fault::Refused("NoSuchKey"));

const KILLED_AT: Maker = (22, |rng| Fault::KilledAt(millis(rng, 0..=500)));
const REFUSED_BY_SQS: Maker =
    (23, |rng| Fault::Refused(one_of(rng, &["RequestThrottled", "AccessDenied", "ReceiptHandleIsInvalid"])));

/// What can go wrong with an operation; twice what should do so more often.
fn menu(operation: Operation) -> &'static [Maker] {
    match operation {
        Operation::AcceptEvent => &[DOUBLED, DELAYED],
        Operation::InvokeRanker | Operation::InvokeEnricher => &[THROTTLED, KILLED_BEFORE, KILLED_AT],
        Operation::RankerAnswer => &[ANSWER_LOST],
        Operation::EnricherAnswer => &[ANSWER_LOST, SLOW],
        Operation::ReadSource => &[REFUSED_BY_S3, NO_SOURCE, CUT_OFF, DELAYED, SLOW, SILENT, KILLED_BEFORE],
        Operation::Publish => &[
            REFUSED_BY_SNS,
            ENTRIES_REFUSED,
            ENTRIES_REFUSED,
            ANSWER_LOST,
            LATE,
            DELAYED,
            SLOW,
            SILENT,
            KILLED_BEFORE,
            KILLED_AFTER,
        ],
        Operation::Deliver => &[DOUBLED, DELAYED, UNDELIVERED],
        Operation::Receive => &[REAPPEARS, DOUBLED],
        Operation::Delete => &[NOT_DELETED, UNDEAD],
        Operation::FetchKey => &[REFUSED_BY_SSM, SLOW, SILENT, KILLED_BEFORE],
        Operation::AskOmdb => {
            &[OMDB, OMDB, OMDB, ANSWER_LOST, DELAYED, SLOW, SILENT, PANICKED, KILLED_BEFORE, KILLED_AFTER]
        }
        Operation::LookAt | Operation::Read | Operation::List => &[REFUSED_BY_S3, DELAYED, SLOW, SILENT, KILLED_BEFORE],
        Operation::Hide => &[REFUSED_BY_SQS, ANSWER_LOST, LATE, SLOW, SILENT, KILLED_BEFORE, KILLED_AFTER],
        Operation::Store => &[
            REFUSED_BY_S3,
            REFUSED_BY_S3,
            CONFLICT,
            ANSWER_LOST,
            LATE,
            DELAYED,
            SLOW,
            SILENT,
            KILLED_BEFORE,
            KILLED_AFTER,
        ],
    }
}

/// One of the faults that the operation can have and that this world has, whose kinds are the bits of `kinds`.
pub(crate) fn pick(operation: Operation, kinds: u32, rng: &mut Rng) -> Option<Fault> {
    let (kind, make) = one_of(rng, menu(operation));
    (kinds & (1 << kind) != 0).then(|| make(rng))
}

/// From a hiccup to longer than any timeout.
fn delay(rng: &mut Rng) -> Duration {
    let longest = one_of(rng, &[200, 5_000, 40_000, 600_000]);
    millis(rng, 1..=longest)
}

fn omdb(rng: &mut Rng) -> OmdbFault {
    let seconds = rng.u64(0..=40);
    let faults = [
        OmdbFault::KeyRejected,
        OmdbFault::QuotaExhausted,
        OmdbFault::Unusable,
        OmdbFault::Unusable,
        OmdbFault::RetryAfter(seconds),
        OmdbFault::UnknownId,
    ];
    one_of(rng, &faults)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::mem::discriminant;

    use super::*;
    use crate::run::{Simulator, Weather};
    use crate::scenario::Scenario;

    /// A few seconds of a debug build.
    const WORLDS: u64 = 120;

    /// What a fault is, without how long or how much: with its code, and with what OMDb answers.
    fn kind(fault: &Fault) -> String {
        match fault {
            Fault::Refused(code) => format!("Refused({code})"),
            Fault::Omdb(answer) => format!("Omdb({:?})", discriminant(answer)),
            _ => format!("{:?}", discriminant(fault)),
        }
    }

    #[test]
    fn every_fault_happens_with_every_operation_that_can_have_it() {
        let simulator = Simulator::new(None);
        let lives = (1..=WORLDS).map(|seed| simulator.live(&Scenario::from_seed(seed), &Weather::Seeded, false));
        let happened: Vec<_> = lives.flat_map(|lived| lived.faults).collect();
        let operations: HashSet<_> = happened.iter().map(|(site, _)| site.operation).collect();
        assert_eq!(operations.len(), Operation::Store as usize + 1, "{operations:?}");
        let happened: HashSet<_> = happened.iter().map(|(site, fault)| (site.operation, kind(fault))).collect();
        for operation in operations {
            for (_, make) in menu(operation) {
                let kinds: HashSet<_> = (0..100).map(|seed| kind(&make(&mut Rng::with_seed(seed)))).collect();
                for kind in kinds {
                    assert!(happened.contains(&(operation, kind.clone())), "{operation:?} {kind}");
                }
            }
        }
    }
}
