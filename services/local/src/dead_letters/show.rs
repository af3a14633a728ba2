//! How dead letters are shown: to people as text, to programs as JSON.

use std::fmt::{self, Display, Formatter};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use domain::contract::logs;
use serde_json::{Map, Value, json};

use super::{Case, DeadLetters, FailureQueue, Found, Group, group};
use crate::endpoint::Endpoint;

/// The most films or runs that a line names.
const MAX_NAMED: usize = 5;

/// What lies in the failure queues, by cause.
pub(crate) struct Listing<'a> {
    endpoint: &'a Endpoint,
    messages: usize,
    out_of_sight: usize,
    movies_out_of_sight: usize,
    groups: Vec<Group>,
    now: DateTime<Utc>,
}

impl<'a> Listing<'a> {
    pub(crate) fn new(dead_letters: &'a DeadLetters, found: &Found, now: DateTime<Utc>) -> Self {
        let Found { cases, out_of_sight, movies_out_of_sight } = found;
        Self {
            endpoint: dead_letters.endpoint(),
            messages: cases.len(),
            out_of_sight: *out_of_sight,
            movies_out_of_sight: *movies_out_of_sight,
            groups: group(cases),
            now,
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let names = self.endpoint.names();
        let groups = self.groups.iter().map(|group| {
            json!({
                "queue": group.queue.name(names),
                "cause": group.cause,
                "messages": group.ids.len(),
                "oldest_sent": time(group.oldest),
                "oldest_age_s": (self.now - group.oldest).num_seconds(),
                "runs": group.runs,
                "movies": group.movies,
                "ids": group.ids,
            })
        });
        json!({
            "stack": names.stack,
            "endpoint": self.endpoint.place(),
            "messages": self.messages,
            "out_of_sight": self.out_of_sight,
            "movies_out_of_sight": self.movies_out_of_sight,
            "groups": groups.collect::<Vec<_>>(),
        })
    }

    /// Movies that are on their way or wait for something, and so are no failures yet.
    fn write_movies(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let movies = match self.movies_out_of_sight {
            0 => return Ok(()),
            1 => "1 message of the movies queue is".to_owned(),
            n => format!("About {n} messages of the movies queue are"),
        };
        let (queue, options) = (&self.endpoint.names().movies_queue, self.endpoint.options());
        writeln!(f, "\n{movies} out of sight ({queue}): worked on, or hidden until trying again is of use.")?;
        write!(f, "Which, and until when:  cargo local explain{options}")
    }

    fn write_group(&self, f: &mut Formatter<'_>, group: &Group) -> fmt::Result {
        writeln!(f, "{:>5}  {}", group.ids.len(), group.cause)?;
        let age = age(self.now - group.oldest);
        writeln!(f, "       in {}, the oldest sent {age} ago", group.queue.name(self.endpoint.names()))?;
        if !group.runs.is_empty() {
            writeln!(f, "       run {}", some_of(&group.runs))?;
        }
        if !group.movies.is_empty() {
            writeln!(f, "       movie {}", some_of(&group.movies))?;
        }
        writeln!(f)
    }
}

impl Display for Listing<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (stack, place, options) = (&self.endpoint.names().stack, self.endpoint.place(), self.endpoint.options());
        match self.messages {
            0 => write!(f, "No message lies in the failure queues of the stack {stack} ({place}).")?,
            1 => writeln!(f, "1 message lies in the failure queues of the stack {stack} ({place}):\n")?,
            n => writeln!(f, "{n} messages lie in the failure queues of the stack {stack} ({place}), by cause:\n")?,
        }
        self.groups.iter().try_for_each(|group| self.write_group(f, group))?;
        if self.messages > 0 {
            writeln!(f, "Look closer:    cargo local dead-letters inspect{options}")?;
            writeln!(f, "Send on again:  cargo local dead-letters redrive{options} --all --dry-run")?;
            write!(f, "Either takes --id, --run, --movie or --cause to pick some.")?;
        }
        write_out_of_sight(f, self.out_of_sight)?;
        self.write_movies(f)
    }
}

fn write_out_of_sight(f: &mut Formatter<'_>, out_of_sight: usize) -> fmt::Result {
    if out_of_sight == 0 {
        return Ok(());
    }
    write!(
        f,
        "\nBesides, about {out_of_sight} cannot be seen just now, since somebody else is looking at them; try again in two minutes."
    )
}

/// Messages with all that is known about them.
pub(crate) struct Inspection<'a> {
    pub(crate) cases: Vec<&'a Case>,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) out_of_sight: usize,
    pub(crate) now: DateTime<Utc>,
}

impl Inspection<'_> {
    pub(crate) fn to_json(&self) -> Value {
        let cases = self.cases.iter().map(|case| self.case_to_json(case));
        Value::Array(cases.collect())
    }

    fn case_to_json(&self, case: &Case) -> Value {
        let letter = &case.letter;
        json!({
            "id": letter.id,
            "queue": letter.queue.name(self.endpoint.names()),
            "cause": case.cause,
            "sent": time(letter.sent),
            "age_s": (self.now - letter.sent).num_seconds(),
            "run": letter.run(),
            "movie": letter.movie(),
            "title": letter.title(),
            "trace_id": case.trace_id(),
            "attributes": attributes(case).collect::<Map<_, _>>(),
            "body": letter.body_as_json(),
            "log": case.log,
        })
    }

    fn write_case(&self, f: &mut Formatter<'_>, case: &Case) -> fmt::Result {
        let letter = &case.letter;
        writeln!(f, "{}", describe(case))?;
        writeln!(f, "  id        {}", letter.id)?;
        writeln!(f, "  queue     {}", letter.queue.name(self.endpoint.names()))?;
        writeln!(f, "  sent      {} ({} ago)", time(letter.sent), age(self.now - letter.sent))?;
        writeln!(f, "  cause     {}", case.cause)?;
        writeln!(f, "  trace id  {}", case.trace_id().unwrap_or("none: neither it nor the log names one"))?;
        for (name, value) in attributes(case) {
            writeln!(f, "  attribute {name}: {}", value.as_str().unwrap_or_default())?;
        }
        writeln!(f, "  body      {}", letter.body)?;
        if case.log.is_empty() {
            return writeln!(f, "  log       no line: nothing was logged about it, or the log is gone");
        }
        writeln!(f, "  log, {} lines:", case.log.len())?;
        case.log.iter().try_for_each(|record| writeln!(f, "    {}", log_line(record)))
    }
}

impl Display for Inspection<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, case) in self.cases.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            self.write_case(f, case)?;
        }
        if self.cases.is_empty() {
            write!(f, "No message lies in the failure queues of the stack {}.", self.endpoint.names().stack)?;
        }
        write_out_of_sight(f, self.out_of_sight)
    }
}

/// What a redrive will do.
pub(crate) struct Plan<'a> {
    pub(crate) selected: &'a [&'a Case],
    pub(crate) others: usize,
    pub(crate) endpoint: &'a Endpoint,
}

impl Display for Plan<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let names = self.endpoint.names();
        writeln!(f, "In the stack {} ({}):", names.stack, self.endpoint.place_and_profile())?;
        for queue in FailureQueue::ALL {
            let of_queue: Vec<_> = self.selected.iter().filter(|case| case.letter.queue == queue).collect();
            if of_queue.is_empty() {
                continue;
            }
            let (from, to) = (queue.name(names), queue.destination(names));
            match queue {
                FailureQueue::RankerFailures => writeln!(f, "From {from}, as an event to the function {to}:")?,
                FailureQueue::DeadLetters | FailureQueue::Undelivered => writeln!(f, "From {from} to {to}:")?,
            }
            for case in of_queue {
                writeln!(f, "  {}  {}: {}", case.letter.id, describe(case), case.cause)?;
            }
        }
        match self.others {
            0 => writeln!(f, "No other message lies there.")?,
            1 => writeln!(f, "1 other message stays where it is.")?,
            n => writeln!(f, "{n} other messages stay where they are.")?,
        }
        write!(
            f,
            "Each is deleted from its queue only after it was taken. Should this be cut short, one may be there twice, which does no harm: a movie that is stored is not stored again. What was not reached then is seen again after two minutes."
        )
    }
}

/// A message in a few words, for people.
pub(crate) fn describe(case: &Case) -> String {
    let letter = &case.letter;
    let run = letter.run();
    match (letter.queue, letter.movie(), run.as_deref()) {
        (FailureQueue::RankerFailures, _, Some(run)) => format!("the event of run {run}"),
        (FailureQueue::RankerFailures, _, None) => "an event without a time".to_owned(),
        (_, Some(movie), Some(run)) => {
            let title = letter.title().map_or_else(String::new, |title| format!(" ({title})"));
            format!("{movie}{title} of run {run}")
        }
        _ => "a message that is none of ours".to_owned(),
    }
}

/// The message attributes as text; of bytes, how many.
fn attributes(case: &Case) -> impl Iterator<Item = (String, Value)> {
    case.letter.attributes.iter().map(|(name, value)| {
        let bytes = || format!("{} bytes", value.binary_value().map_or(0, |bytes| bytes.as_ref().len()));
        (name.clone(), Value::from(value.string_value().map_or_else(bytes, str::to_owned)))
    })
}

/// A log line in a few words: when, how bad, who, what, why.
fn log_line(record: &Value) -> String {
    let text = |field: &logs::Field| record.get(field.name).and_then(Value::as_str).unwrap_or_default();
    let mut line =
        format!("{} {:<5} {}: {}", text(logs::TIMESTAMP), text(logs::LEVEL), text(logs::SERVICE), text(logs::MESSAGE));
    if !text(logs::REASON).is_empty() {
        line = format!("{line}: {}", text(logs::REASON));
    }
    if !text(logs::RECEIVE_COUNT).is_empty() {
        line = format!("{line} (delivery {})", text(logs::RECEIVE_COUNT));
    }
    line
}

fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Some of many names, and how many more there are.
fn some_of<'a>(names: impl IntoIterator<Item = &'a String>) -> String {
    let names: Vec<_> = names.into_iter().map(String::as_str).collect();
    let shown = names[..names.len().min(MAX_NAMED)].join(", ");
    if names.len() > MAX_NAMED { format!("{shown} and {} more", names.len() - MAX_NAMED) } else { shown }
}

/// An age in the largest unit that leaves at least two of it.
fn age(age: TimeDelta) -> String {
    let units = [(age.num_days(), "days"), (age.num_hours(), "hours"), (age.num_minutes(), "minutes")];
    let large = units.into_iter().find(|(number, _)| *number >= 2);
    let (number, unit) = large.unwrap_or((age.num_seconds().max(0), "seconds"));
    format!("{number} {unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_told_in_the_unit_that_fits() {
        let told = |seconds| age(TimeDelta::seconds(seconds));
        assert_eq!(told(-3), "0 seconds");
        assert_eq!(told(119), "119 seconds");
        assert_eq!(told(120), "2 minutes");
        assert_eq!(told(7_199), "119 minutes");
        assert_eq!(told(7_200), "2 hours");
        assert_eq!(told(3 * 86_400), "3 days");
    }

    #[test]
    fn of_many_names_the_first_are_told_and_the_rest_counted() {
        let names: Vec<_> = (1..=7).map(|number| format!("tt{number}")).collect();
        assert_eq!(some_of(&names), "tt1, tt2, tt3, tt4, tt5 and 2 more");
        assert_eq!(some_of(&names[..2]), "tt1, tt2");
    }
}
