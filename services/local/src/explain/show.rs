//! How a story is shown: to people as text, to programs as JSON.

mod json;
mod missing;
mod run;
mod time;

use std::fmt::{self, Display, Formatter};

use chrono::SecondsFormat;
use domain::enriched::run_prefix;

use super::step::{Level, Step};
use super::story::{Missing, Story, Whereabouts};
use missing::place_of;
pub(super) use time::minute;
use time::{milliseconds, offset, thousands};

/// A story on its way to its reader.
pub(crate) struct Shown<'a> {
    pub(crate) story: &'a Story,
    /// The options that lead to the endpoint again, for commands that are proposed.
    pub(crate) options: &'a str,
}

impl Shown<'_> {
    fn write_head(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let story = self.story;
        writeln!(f, "{}\n", self.headline())?;
        writeln!(f, "  event    {}", story.event_time().format("%Y-%m-%d %H:%M:%S UTC"))?;
        if let Some(took) = self.took() {
            writeln!(f, "  took     {took}")?;
        }
        // The headline of a movie says it.
        if story.imdb_id.is_none() {
            self.write_missing(f)?;
        }
        for trace_id in &story.trace_ids {
            writeln!(f, "  trace    {trace_id}")?;
        }
        if let Some(reason) = &story.no_spans {
            writeln!(f, "  spans    {reason}")?;
        }
        writeln!(f, "  objects  {}{}", story.bucket, run_prefix(&story.run))?;
        if story.origin() != story.event_time() {
            let origin = story.origin().to_rfc3339_opts(SecondsFormat::Millis, true);
            writeln!(f, "\nIt did not begin with its event: times count from the first step, {origin}.")?;
        }
        writeln!(f)
    }

    fn headline(&self) -> String {
        let story = self.story;
        if let Some(id) = &story.imdb_id {
            return self.headline_of_movie(id);
        }
        let (run, stored) = (&story.run, story.stored);
        let of = story.of.map_or_else(|| "an unknown number of".to_owned(), |of| of.to_string());
        match (story.listed, &story.dead_event) {
            (Some(_), _) => format!("Run {run}: complete, {stored} of {of} movies stored"),
            (None, Some(dead)) if story.places.is_empty() => {
                format!("Run {run}: nothing was published; its event lies in {}: {}", dead.queue, dead.cause)
            }
            (None, _) if Some(stored) == story.of => {
                format!("Run {run}: not complete, all {of} movies are stored, but the list is not assembled")
            }
            (None, _) => format!("Run {run}: not complete, {stored} of {of} movies stored"),
        }
    }

    fn headline_of_movie(&self, id: &str) -> String {
        let story = self.story;
        let place = story.places.get(id).map_or_else(|| "?".to_owned(), ToString::to_string);
        let of = story.of.map_or_else(|| "?".to_owned(), |of| of.to_string());
        let end = match story.missing.first() {
            Some(missing) => format!("not stored, {}", place_of(missing, &[missing])),
            None => "stored".to_owned(),
        };
        format!("Movie {id}, {place} of {of} in run {}: {end}", story.run)
    }

    fn took(&self) -> Option<String> {
        let story = self.story;
        let stored = || {
            let of_movie = story.steps.iter().find(|step| step.imdb_id.is_some() && step.object.is_some());
            of_movie.map(|step| (step.time, "its object"))
        };
        let end = if story.imdb_id.is_some() { stored() } else { story.listed.map(|time| (time, "its list")) };
        let (time, what) = end?;
        let from = if story.origin() == story.event_time() { "its event" } else { "its first step" };
        let took = offset(time - story.origin());
        Some(format!("{} from {from} to {what}", took.trim_start_matches('+')))
    }

    /// A step in one line; `who` is the movie, where that is not plain.
    fn line(&self, step: &Step, who: &str) -> String {
        let offset = offset(step.time - self.story.origin());
        let level = match step.level {
            Level::Detail | Level::Info => "",
            Level::Warn => "WARN ",
            Level::Error => "ERROR ",
        };
        let prefix = run_prefix(&self.story.run);
        let object = step
            .object
            .as_ref()
            .map(|(key, bytes)| format!(": {}, {} bytes", key.strip_prefix(&prefix).unwrap_or(key), thousands(*bytes)));
        let took = step.duration.map(|duration| format!(" ({})", milliseconds(duration))).unwrap_or_default();
        format!("{offset:>13}  {:<8}  {who}{level}{}{}{took}", step.service, step.what, object.unwrap_or_default())
    }

    /// Where the story of a movie ends for now.
    fn write_dead(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Some(Whereabouts::Dead(dead)) = self.story.missing.first().map(|missing| &missing.whereabouts) else {
            return Ok(());
        };
        writeln!(f, "{:>13}  {:<8}  its message {} lies in {}", "now", "SQS", dead.id, dead.queue)
    }

    fn write_hints(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (story, options) = (self.story, self.options);
        let is_dead = |missing: &&Missing| matches!(missing.whereabouts, Whereabouts::Dead(_));
        let example = story.missing.iter().find_map(|missing| missing.imdb_id.as_deref());
        if let (Some(id), None) = (example, &story.imdb_id) {
            writeln!(f, "Each step:      cargo local explain {id} --run {}{options}", story.run)?;
        }
        let of_movie = story.imdb_id.as_ref().map(|id| format!(" --movie {id}")).unwrap_or_default();
        if story.missing.iter().any(|missing| is_dead(&missing)) || story.dead_event.is_some() {
            writeln!(
                f,
                "Send on again:  cargo local dead-letters redrive --run {}{of_movie} --dry-run{options}",
                story.run
            )?;
        }
        Ok(())
    }
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        self.write_head(f)?;
        if self.story.imdb_id.is_some() {
            self.story.steps.iter().try_for_each(|step| writeln!(f, "{}", self.line(step, "")))?;
            self.write_dead(f)?;
            writeln!(f)?;
        } else {
            self.write_run(f)?;
        }
        self.write_hints(f)
    }
}
