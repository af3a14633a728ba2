//! What is missing, by where it is and why.

use std::fmt::{self, Formatter};

use super::time::between;
use super::{Missing, Shown, Whereabouts};

/// The most movies that a line names.
const MAX_NAMED: usize = 5;

impl Shown<'_> {
    pub(super) fn write_missing(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut places = Vec::<(&Missing, Vec<&Missing>)>::new();
        for missing in &self.story.missing {
            match places.iter_mut().find(|(first, _)| is_alike(first, missing)) {
                Some((_, alike)) => alike.push(missing),
                None => places.push((missing, vec![missing])),
            }
        }
        let mut places = places.into_iter();
        places.try_for_each(|(first, alike)| writeln!(f, "  missing  {}: {}", named(&alike), place_of(first, &alike)))
    }
}

/// Whether two movies are in one place for one reason. Hidden ones come back one after the other, so that their times
/// differ.
fn is_alike(one: &Missing, other: &Missing) -> bool {
    match (&one.whereabouts, &other.whereabouts) {
        (Whereabouts::Dead(one), Whereabouts::Dead(other)) => (&one.queue, &one.cause) == (&other.queue, &other.cause),
        (Whereabouts::Hidden(one), Whereabouts::Hidden(other)) => one.reason == other.reason,
        (one, other) => one == other,
    }
}

fn named(alike: &[&Missing]) -> String {
    let more = alike.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let name =
        |missing: &&Missing| format!("{} {}", missing.position, missing.imdb_id.as_deref().unwrap_or("of unknown id"));
    let named: Vec<_> = alike.iter().take(MAX_NAMED).map(name).collect();
    format!("{}{more}", named.join(", "))
}

/// Where a movie is, and all that are in the same place for the same reason.
pub(super) fn place_of(first: &Missing, alike: &[&Missing]) -> String {
    match &first.whereabouts {
        Whereabouts::Dead(dead) => format!("in the queue {}: {}", dead.queue, dead.cause),
        Whereabouts::Hidden(waiting) => {
            let until = alike.iter().filter_map(|missing| missing.hidden_until());
            let (earliest, latest) = until.fold((waiting.until, waiting.until), |(earliest, latest), until| {
                (earliest.min(until), latest.max(until))
            });
            let reason = waiting.reason.as_deref().map(|reason| format!(": {reason}")).unwrap_or_default();
            format!("hidden in the movies queue until about {}{reason}", between(earliest, latest))
        }
        Whereabouts::InFlight(1) => "in flight: 1 message waits in the movies queue or is worked on".to_owned(),
        Whereabouts::InFlight(messages) => {
            format!("in flight: {messages} messages wait in the movies queue or are worked on")
        }
        Whereabouts::Unknown => "unknown: neither stored nor in any queue".to_owned(),
    }
}
