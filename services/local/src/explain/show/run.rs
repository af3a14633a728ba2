//! A run on one screen: what went well in a line for each movie, what did not in full.

use std::collections::BTreeMap;
use std::fmt::{self, Formatter};

use chrono::{DateTime, Utc};

use super::{Level, Shown, Step};

/// How many movies with trouble are told in full; more have a line each, as when OMDb is down and all fail alike.
const MAX_IN_FULL: usize = 3;

/// How many lines of one kind the run itself has, such as items that cannot be ranked.
const MAX_ALIKE: usize = 3;

/// Lines that stay together, and the time that they are ordered by.
struct Entry {
    time: DateTime<Utc>,
    lines: Vec<String>,
}

impl Shown<'_> {
    pub(super) fn write_run(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut entries = self.of_run();
        let mut movies = BTreeMap::<(usize, &str), Vec<&Step>>::new();
        for step in self.story.steps.iter().filter(|step| step.level > Level::Detail) {
            if let Some(id) = &step.imdb_id {
                let position = self.story.places.get(id).copied().unwrap_or_default();
                movies.entry((position, id)).or_default().push(step);
            }
        }
        let mut in_full = 0;
        for ((position, id), steps) in movies {
            in_full += usize::from(has_trouble(&steps));
            let who = format!("{position:>2} {id}  ");
            entries.extend(self.of_movie(&who, &steps, in_full <= MAX_IN_FULL));
        }
        entries.sort_by_key(|entry| entry.time);
        entries.iter().flat_map(|entry| &entry.lines).try_for_each(|line| writeln!(f, "{line}"))
    }

    /// What concerns the run as a whole. Of many lines alike, the first are told and the rest counted.
    fn of_run(&self) -> Vec<Entry> {
        let mut alike = BTreeMap::<&str, usize>::new();
        let mut entries = Vec::new();
        let of_run = || self.story.steps.iter().filter(|step| step.imdb_id.is_none() && step.level > Level::Detail);
        for step in of_run() {
            let seen = alike.entry(kind(step)).or_default();
            *seen += 1;
            if *seen <= MAX_ALIKE {
                entries.push(Entry { time: step.time, lines: vec![self.line(step, "")] });
            }
        }
        for (kind, seen) in alike.into_iter().filter(|(_, seen)| *seen > MAX_ALIKE) {
            let last = of_run().filter(|step| self::kind(step) == kind).last();
            entries.extend(last.map(|last| {
                let what = format!("{} more: {kind}", seen - MAX_ALIKE);
                let line = self.line(&Step { what, duration: None, ..last.clone() }, "");
                Entry { time: last.time, lines: vec![line] }
            }));
        }
        entries
    }

    fn of_movie(&self, who: &str, steps: &[&Step], in_full: bool) -> Option<Entry> {
        let (last, stored) = (steps.last()?, steps.iter().rev().find(|step| step.object.is_some()));
        let lines = match (has_trouble(steps), in_full) {
            (false, _) => vec![self.line(stored.unwrap_or(last), who)],
            (true, true) => steps.iter().map(|step| self.line(step, who)).collect(),
            (true, false) => {
                let failures = steps.iter().filter(|step| step.level > Level::Info).count();
                vec![self.line(last, &format!("{who}{failures} times trouble, the last: "))]
            }
        };
        // One that goes well stands where it was stored, one with trouble where that came to its end.
        Some(Entry { time: if has_trouble(steps) { last.time } else { stored.unwrap_or(last).time }, lines })
    }
}

fn has_trouble(steps: &[&Step]) -> bool {
    steps.iter().any(|step| step.level > Level::Info)
}

/// What lines alike have in common: what is said before any reason.
fn kind(step: &Step) -> &str {
    step.what.split(':').next().unwrap_or_default()
}
