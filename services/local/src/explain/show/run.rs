//! A run on one screen: what went well in a line for each movie, what did not in full.

use std::collections::BTreeMap;
use std::fmt::{self, Formatter};

use chrono::{DateTime, Utc};

use super::super::step::Origin;
use super::{Level, Shown, Step, offset};

/// How many movies with trouble are told in full; more have a line each, as when OMDb is down and all fail alike.
const MAX_IN_FULL: usize = 3;

/// How many lines of one kind the run itself has, such as items that cannot be ranked.
const MAX_ALIKE: usize = 3;

/// How many movies without trouble have a line each; more are counted.
const MAX_WELL: usize = 25;

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
        let (trouble, well): (Vec<_>, Vec<_>) = movies.into_iter().partition(|(_, steps)| has_trouble(steps));
        let who = |(position, id): (usize, &str)| format!("{position:>2} {id}  ");
        for (index, (movie, steps)) in trouble.into_iter().enumerate() {
            entries.extend(self.with_trouble(&who(movie), &steps, index < MAX_IN_FULL));
        }
        let well = well.into_iter().filter_map(|(movie, steps)| {
            let stored = steps.iter().rev().find(|step| step.object.is_some());
            Some((movie, *stored.or(steps.last())?))
        });
        let well: Vec<_> = well.collect();
        if well.len() > MAX_WELL {
            entries.extend(self.counted(&well));
        } else {
            entries.extend(
                well.into_iter()
                    .map(|(movie, step)| Entry { time: step.time, lines: vec![self.line(step, &who(movie))] }),
            );
        }
        entries.sort_by_key(|entry| entry.time);
        let mut blocks = entries.chunk_by(|one, next| one.lines.len() == 1 && next.lines.len() == 1);
        blocks.try_for_each(|block| {
            block.iter().flat_map(|entry| &entry.lines).try_for_each(|line| writeln!(f, "{line}"))?;
            writeln!(f)
        })
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
            let last = of_run().rfind(|step| self::kind(step) == kind);
            entries.extend(last.map(|last| {
                let what = format!("{} more: {kind}", seen - MAX_ALIKE);
                let line = self.line(&Step { what, duration: None, ..last.clone() }, "");
                Entry { time: last.time, lines: vec![line] }
            }));
        }
        entries
    }

    /// A movie with trouble stands where the first of its lines belongs.
    fn with_trouble(&self, who: &str, steps: &[&Step], in_full: bool) -> Option<Entry> {
        let (first, last) = (steps.first()?, steps.last()?);
        if in_full {
            return Some(Entry { time: first.time, lines: self.deliveries(who, steps) });
        }
        let trouble = steps.iter().filter(|step| step.level > Level::Info).count();
        let line = self.line(last, &format!("{who}{trouble} times trouble, the last: "));
        Some(Entry { time: last.time, lines: vec![line] })
    }

    /// Each delivery in full, but for those that failed of the same as the one before of the same message.
    fn deliveries(&self, who: &str, steps: &[&Step]) -> Vec<String> {
        let deliveries: Vec<_> = steps.chunk_by(|_, next| next.origin != Origin::Delivery).collect();
        let mut lines = Vec::new();
        for alike in deliveries.chunk_by(|one, next| is_one_message(one, next) && is_one_failure(one, next)) {
            lines.extend(alike[0].iter().map(|step| self.line(step, who)));
            if let (Some(again @ [second, ..]), Some(end)) =
                (alike.get(1..), alike.last().and_then(|last| failure(last)))
            {
                let number = |step: &Step| step.delivery.unwrap_or_default();
                let what = match again {
                    [_] => format!("delivery {} failed of the same", number(second[0])),
                    _ => format!("deliveries {} to {} failed of the same", number(second[0]), number(end)),
                };
                lines.push(self.line(&Step { what, duration: None, ..end.clone() }, who));
            }
        }
        lines
    }

    fn counted<M>(&self, well: &[(M, &Step)]) -> Option<Entry> {
        let (first, last) =
            (well.iter().min_by_key(|(_, step)| step.time)?.1, well.iter().max_by_key(|(_, step)| step.time)?.1);
        let began = offset(first.time - self.story.origin());
        let what = format!("{} movies without trouble, the first done at {began}, the last now", well.len());
        let step = Step { what, duration: None, object: None, level: Level::Info, ..last.clone() };
        Some(Entry { time: last.time, lines: vec![self.line(&step, "")] })
    }
}

/// What a delivery failed of.
fn failure<'a>(delivery: &[&'a Step]) -> Option<&'a Step> {
    delivery.iter().rev().find(|step| step.level == Level::Error).copied()
}

fn is_one_failure(one: &[&Step], next: &[&Step]) -> bool {
    failure(one).zip(failure(next)).is_some_and(|(one, next)| one.what == next.what)
}

/// A message that was sent again has its deliveries counted from one again.
fn is_one_message(one: &[&Step], next: &[&Step]) -> bool {
    one[0].delivery < next[0].delivery
}

fn has_trouble(steps: &[&Step]) -> bool {
    steps.iter().any(|step| step.level > Level::Info)
}

/// What lines alike have in common: what is said before any reason.
fn kind(step: &Step) -> &str {
    step.what.split(':').next().unwrap_or_default()
}
