//! Days end while tests run.

use std::time::{Duration, SystemTime};

use domain::quota::Day;

/// The functions have the machine's clock. If the day ends before `soon` is over, waits for the next one, so that what
/// follows is of one day.
pub(crate) async fn pass_midnight_if_within(soon: Duration) {
    let now = SystemTime::now().into();
    let left = (Day::of(now).end() - now).to_std().unwrap();
    if left < soon {
        tokio::time::sleep(left).await;
    }
}
