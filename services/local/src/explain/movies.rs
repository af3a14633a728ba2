//! What belongs to a run, and to which of its movies.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::Run;
use domain::contract::logs;
use domain::enriched::read_movie_key;

use super::material::{DeadLetter, LogLine, Material};
use super::span::SpanRecord;

/// What belongs to one run.
pub(super) struct OfRun<'a> {
    pub(super) run: &'a Run,
    pub(super) material: &'a Material,
    /// Its traces: one, and one more for each time that its event was tried or sent again.
    pub(super) trace_ids: BTreeSet<String>,
    /// Its log lines.
    pub(super) lines: Vec<&'a LogLine>,
    /// Its spans.
    pub(super) spans: Vec<&'a SpanRecord>,
    pub(super) dead_letters: Vec<&'a DeadLetter>,
    spans_by_id: HashMap<&'a str, &'a SpanRecord>,
    /// Its movies by id, with their places.
    pub(super) places: BTreeMap<String, usize>,
}

impl<'a> OfRun<'a> {
    pub(super) fn select(run: &'a Run, material: &'a Material) -> Self {
        let is_run = |name: Option<&str>| name == Some(run.as_str());
        let dead_letters: Vec<_> = material.dead_letters.iter().filter(|dead| is_run(dead.run.as_deref())).collect();
        let trace_ids = trace_ids(run, material);
        let spans_by_id: HashMap<_, _> = material.spans.iter().map(|span| (span.span_id.as_str(), span)).collect();
        let mut of_run = Self {
            run,
            material,
            trace_ids,
            lines: Vec::new(),
            spans: Vec::new(),
            dead_letters,
            spans_by_id,
            places: BTreeMap::new(),
        };
        of_run.spans = material.spans.iter().filter(|span| of_run.has_span(span)).collect();
        of_run.lines = of_run.select_lines();
        of_run.places = of_run.find_places();
        of_run
    }

    /// A trace may have spans of other runs, when a batch of several is part of it.
    fn has_span(&self, span: &SpanRecord) -> bool {
        let run = self.up(span).find_map(|span| span.field(logs::RUN));
        self.trace_ids.contains(&span.trace_id) && run.is_none_or(|run| run == self.run.as_str())
    }

    fn select_lines(&self) -> Vec<&'a LogLine> {
        let failed = self.dead_letters.iter().filter_map(|dead| dead.request_id.as_deref());
        let failed: BTreeSet<_> = failed.collect();
        let is_own = |line: &&LogLine| match (line.text_of(logs::RUN), line.text_of(logs::TRACE_ID)) {
            (Some(run), _) => run == self.run.as_str(),
            (None, Some(trace_id)) if self.trace_ids.contains(trace_id) => true,
            (None, _) => line.text_of(logs::REQUEST_ID).is_some_and(|id| failed.contains(id)),
        };
        // The runtime says a second time what a function has said of its failure.
        let is_said_again =
            |line: &&LogLine| line.text_of(logs::TARGET).is_some_and(|t| t.starts_with("lambda_runtime"));
        let own: Vec<_> = self.material.lines.iter().filter(is_own).filter(|line| !is_said_again(line)).collect();
        let invocations: BTreeSet<_> = own.iter().filter_map(|line| line.text_of(logs::REQUEST_ID)).collect();
        let of_spans = self.spans.iter().filter_map(|span| span.field(logs::REQUEST_ID));
        let invocations: BTreeSet<_> = invocations.into_iter().chain(of_spans).collect();
        let bad_ends = self
            .material
            .lines
            .iter()
            .filter(|line| line.bad_end().is_some_and(|(request_id, _)| invocations.contains(request_id)));
        own.iter().copied().chain(bad_ends).collect()
    }

    fn find_places(&self) -> BTreeMap<String, usize> {
        let of_lines = self.lines.iter().filter_map(|line| {
            let position = usize::try_from(line.number_of(logs::POSITION)?).ok()?;
            Some((line.text_of(logs::IMDB_ID)?.to_owned(), position))
        });
        let of_spans = self.spans.iter().filter_map(|span| {
            Some((span.field(logs::IMDB_ID)?.to_owned(), span.field(logs::POSITION)?.parse().ok()?))
        });
        let dead = self.dead_letters.iter().filter_map(|dead| Some((dead.imdb_id.clone()?, dead.position?)));
        let stored = self.material.objects.iter().filter_map(|object| {
            let named = read_movie_key(self.run, &object.key)?;
            Some((named.id.to_string(), named.position))
        });
        of_lines.chain(of_spans).chain(dead).chain(stored).collect()
    }

    /// A span and those that it lies in, outwards. A record that names itself as its parent ends it.
    fn up(&self, span: &'a SpanRecord) -> impl Iterator<Item = &'a SpanRecord> {
        const DEEPEST: usize = 64;
        let parent = |span: &&'a SpanRecord| self.spans_by_id.get(span.parent.as_deref()?).copied();
        std::iter::successors(Some(span), parent).take(DEEPEST)
    }

    /// What a field says of the movie that a span is about. The invocation lies in the span of its first message,
    /// and the run's completion may, but neither is about that movie alone.
    pub(super) fn of_its_movie(&self, span: &'a SpanRecord, field: &logs::Field) -> Option<&'a str> {
        let is_shared = |span: &SpanRecord| {
            span.kind == "SERVER" || span.field(logs::RUN).is_some() && span.field(logs::IMDB_ID).is_none()
        };
        self.up(span).take_while(|span| !is_shared(span)).find_map(|span| span.field(field))
    }

    /// The movie that a line is about: some lines of the ranker know its place only.
    pub(super) fn movie_of(&self, line: &LogLine) -> Option<String> {
        let at_place = || {
            let position = usize::try_from(line.number_of(logs::POSITION)?).ok()?;
            self.places.iter().find(|(_, place)| **place == position).map(|(id, _)| id.clone())
        };
        line.text_of(logs::IMDB_ID).map(str::to_owned).or_else(at_place)
    }

    /// How many movies the run has, as far as anything says so.
    pub(super) fn of(&self) -> Option<usize> {
        let published = self.lines.iter().filter_map(|line| usize::try_from(line.number_of(logs::RANKED)?).ok()).max();
        let dead = || self.dead_letters.iter().find_map(|dead| dead.of);
        let sent = || {
            let sent = self.spans.iter().filter(|span| span.kind == "PRODUCER");
            sent.filter_map(|span| span.field(logs::POSITION)?.parse().ok()).max()
        };
        published.or_else(dead).or_else(sent)
    }
}

/// The traces that lines, spans and dead letters of the run name.
pub(super) fn trace_ids(run: &Run, material: &Material) -> BTreeSet<String> {
    let is_run = |name: Option<&str>| name == Some(run.as_str());
    let of_lines = material.lines.iter().filter(|line| is_run(line.text_of(logs::RUN)));
    let of_lines = of_lines.filter_map(|line| line.text_of(logs::TRACE_ID));
    let of_spans = material.spans.iter().filter(|span| is_run(span.field(logs::RUN)));
    let of_spans = of_spans.map(|span| span.trace_id.as_str());
    let dead = material.dead_letters.iter().filter(|dead| is_run(dead.run.as_deref()));
    let dead = dead.filter_map(|dead| dead.trace_id.as_deref());
    of_lines.chain(of_spans).chain(dead).map(str::to_owned).collect()
}
