//! Says on stderr what is being done, so that nobody wonders during the long steps. stdout stays free for results.

use std::time::Instant;

/// Where progress goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// To stderr, a line a step.
    Shown,
    /// Nowhere; for tests.
    Silent,
}

impl Progress {
    /// Says one line.
    pub fn say(self, line: &str) {
        if self == Self::Shown {
            eprintln!("{line}");
        }
    }

    /// Says that a step begins, does it, and says how long it took.
    pub async fn step<T, E>(self, name: &str, work: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        self.say(&format!("· {name} …"));
        let start = Instant::now();
        let result = work.await;
        if result.is_ok() {
            self.say(&format!("  {name}: done in {:.1} s", start.elapsed().as_secs_f64()));
        }
        result
    }
}
