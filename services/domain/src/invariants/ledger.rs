//! What the invariants need to remember of the past.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Happened, Rule, Standing, Violation};
use crate::enriched::{LATEST_KEY, MovieKey, OmdbMovie, enrich, movie_key, read_movie_key, run_list_key, run_prefix};
use crate::message::MovieMessage;
use crate::movie::ImdbId;
use crate::quota::{self, Count, Day};
use crate::ranking::RankingId;
use crate::run::Run;

/// The past, told step by step: what a step breaks is said at once, what only shows in the whole by
/// [`check`](Self::check).
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    events: BTreeSet<Run>,
    /// By the key of their object. Whoever makes messages by hand may make different ones of the same key.
    published: BTreeMap<String, Vec<MovieMessage>>,
    /// The runs' rankings with their sizes; more than one if the source changed between two attempts.
    runs: BTreeMap<Run, BTreeSet<(RankingId, usize)>>,
    /// The positions of a ranking of which a message was deleted.
    deleted: BTreeMap<(Run, RankingId), BTreeSet<usize>>,
    /// Texts that are no message of ours.
    foreign: BTreeSet<String>,
    answers: HashMap<ImdbId, Vec<OmdbMovie>>,
    /// How often `OMDb` was asked on each day.
    asked: BTreeMap<Day, u32>,
    objects: BTreeMap<String, Vec<u8>>,
    latest: Option<Run>,
}

impl Ledger {
    /// Takes the next step; gives what is wrong with it.
    pub fn note(&mut self, happened: &Happened) -> Vec<Violation> {
        match happened {
            Happened::EventAccepted { run } => drop(self.events.insert(run.clone())),
            Happened::Published { body } => self.publish(body),
            Happened::Answered { id, movie } => self.answer(id, movie),
            Happened::Asked { day, daily_limit } => return self.ask(*day, *daily_limit),
            Happened::Stored { key, body, run } => return self.store(key, body, run.as_ref()),
            Happened::Deleted { body } => return self.delete(body).into_iter().collect(),
        }
        Vec::new()
    }

    /// What is wrong with the whole, given what is there besides the objects.
    #[must_use]
    pub fn check(&self, standing: &Standing) -> Vec<Violation> {
        let outside = Outside::of(standing);
        let mut violations = self.lost(&outside);
        violations.extend(self.events.iter().filter_map(|run| self.event(run, standing)));
        for (run, rankings) in &self.runs {
            violations.extend(rankings.iter().filter_map(|(ranking, of)| self.completed(run, ranking, *of, &outside)));
        }
        if standing.recovered {
            violations.extend(unrecovered(standing));
        }
        violations
    }

    fn publish(&mut self, body: &str) {
        let Ok(message) = MovieMessage::parse(body) else {
            self.foreign.insert(body.to_owned());
            return;
        };
        self.runs.entry(message.run.clone()).or_default().insert((message.ranking.clone(), message.of));
        let messages = self.published.entry(movie_key(&message)).or_default();
        if !messages.contains(&message) {
            messages.push(message);
        }
    }

    fn answer(&mut self, id: &ImdbId, movie: &OmdbMovie) {
        let answers = self.answers.entry(id.clone()).or_default();
        if !answers.contains(movie) {
            answers.push(movie.clone());
        }
    }

    fn ask(&mut self, day: Day, daily_limit: u32) -> Vec<Violation> {
        let asked = self.asked.entry(day).or_default();
        *asked += 1;
        let count = self.objects.get(&day.key()).and_then(|json| Count::read(day, json).ok());
        let counted = count.map_or(0, Count::requests);
        let too_many =
            (*asked > daily_limit).then(|| format!("OMDb got more than the {daily_limit} requests of a day"));
        let uncounted =
            (*asked > counted).then(|| format!("OMDb got more requests on a day than {} tells of", day.key()));
        [too_many, uncounted].into_iter().flatten().map(|sentence| violation(Rule::Budget, sentence)).collect()
    }

    fn store(&mut self, key: &str, body: &[u8], run: Option<&Run>) -> Vec<Violation> {
        let mut wrong = match (key, run) {
            (LATEST_KEY, run) => self.move_latest(body, run),
            // What it says is looked at whenever OMDb is asked.
            _ if key.starts_with(quota::PREFIX) => Vec::new(),
            (_, Some(run)) if key == run_list_key(run) => self.list_fault(run, body).into_iter().collect(),
            _ => self.record_fault(key, body).into_iter().collect(),
        };
        let standing = self.objects.insert(key.to_owned(), body.to_vec());
        let may_change = key == LATEST_KEY || key.starts_with(quota::PREFIX);
        if let Some(standing) = standing.filter(|_| !may_change) {
            let by = if standing == body { "the same bytes" } else { "other bytes" };
            wrong.push(violation(Rule::Bytes, format!("{key} was written again, with {by}")));
        }
        wrong
    }

    fn record_fault(&self, key: &str, body: &[u8]) -> Option<Violation> {
        let Some(messages) = self.published.get(key) else {
            return Some(violation(Rule::Bytes, format!("{key} was stored, but no message has this key")));
        };
        let explains = |message: &MovieMessage| {
            let mut answers = self.answers.get(&message.movie.id).into_iter().flatten();
            answers.any(|answer| enrich(message, answer.clone()) == body)
        };
        let unexplained = !messages.iter().any(explains);
        unexplained.then(|| violation(Rule::Bytes, format!("no message and answer of OMDb explain the bytes of {key}")))
    }

    /// A list is sound if it is the stored records of one ranking of its run in order, and holds no movie twice.
    fn list_fault(&self, run: &Run, body: &[u8]) -> Option<Violation> {
        let mut rankings = self.runs.get(run).into_iter().flatten();
        let Some(ids) = rankings.find_map(|(ranking, of)| self.read_list(run, ranking, *of, body)) else {
            return Some(violation(Rule::Bytes, format!("the list of {run} is not its stored records in order")));
        };
        let mut seen = BTreeSet::new();
        let twice = ids.into_iter().find(|id| !seen.insert(id.clone()))?;
        Some(violation(Rule::Bytes, format!("the list of {run} holds {twice} twice")))
    }

    /// The movies of a list, if it is what was stored of a ranking.
    fn read_list(&self, run: &Run, ranking: &RankingId, of: usize, body: &[u8]) -> Option<Vec<String>> {
        let mut rest = body.strip_prefix(format!(r#"{{"run":"{run}","items":["#).as_bytes())?;
        let mut ids = Vec::new();
        for position in 1..=of {
            if position > 1 {
                rest = rest.strip_prefix(b",")?;
            }
            let mut candidates = self.records(run, ranking).filter(|(named, _)| named.position == position);
            let (named, after) = candidates.find_map(|(named, record)| Some((named, rest.strip_prefix(record)?)))?;
            ids.push(named.id.to_string());
            rest = after;
        }
        (rest == b"]}").then_some(ids)
    }

    /// The stored records of a ranking.
    fn records<'a>(&'a self, run: &'a Run, ranking: &'a RankingId) -> impl Iterator<Item = (MovieKey, &'a [u8])> {
        let prefix = run_prefix(run);
        let of_run = self.objects.range(prefix.clone()..).take_while(move |(key, _)| key.starts_with(&prefix));
        let of_run = of_run.filter_map(|(key, body)| Some((read_movie_key(run, key)?, body.as_slice())));
        of_run.filter(|(named, _)| named.ranking == *ranking)
    }

    fn move_latest(&mut self, body: &[u8], run: Option<&Run>) -> Vec<Violation> {
        let Some(run) = run else {
            return vec![violation(Rule::Latest, "latest does not say which run it is of".to_owned())];
        };
        let mut wrong = Vec::new();
        if let Some(before) = self.latest.as_ref().filter(|before| *before > run) {
            wrong.push(violation(Rule::Latest, format!("latest went back from {before} to {run}")));
        }
        if self.objects.get(&run_list_key(run)).is_none_or(|list| list != body) {
            wrong.push(violation(Rule::Latest, format!("latest is not the list of {run}, which it names")));
        }
        self.latest = Some(run.clone());
        wrong
    }

    fn delete(&mut self, body: &str) -> Option<Violation> {
        let Ok(message) = MovieMessage::parse(body) else {
            let shown: String = body.chars().take(60).collect();
            let sentence = format!("a message that is none of ours was deleted instead of kept: {shown}");
            return Some(violation(Rule::Deletion, sentence));
        };
        let key = movie_key(&message);
        if !self.objects.contains_key(&key) {
            return Some(violation(Rule::Deletion, format!("the message of {key} was deleted before it was stored")));
        }
        let MovieMessage { run, ranking, position, of, .. } = message;
        let deleted = self.deleted.entry((run.clone(), ranking)).or_default();
        deleted.insert(position);
        let is_the_last = deleted.len() == of;
        is_the_last.then(|| self.unfinished(&run)).flatten()
    }

    fn lost(&self, outside: &Outside<'_>) -> Vec<Violation> {
        let is_whole = |message: &MovieMessage| outside.messages.contains(message);
        let lost_movies = self
            .published
            .iter()
            .filter(|(key, messages)| !self.objects.contains_key(*key) && !messages.iter().any(is_whole));
        let lost_movies = lost_movies.map(|(key, _)| {
            let sentence = format!("{key} was published, but is neither stored, nor dead or on its way as a whole");
            violation(Rule::Conservation, sentence)
        });
        let lost_others = self.foreign.iter().filter(|body| !outside.foreign.contains(body.as_str()));
        let lost_others = lost_others.map(|body| {
            let shown: String = body.chars().take(60).collect();
            violation(Rule::Conservation, format!("a message that is none of ours is gone: {shown}"))
        });
        lost_movies.chain(lost_others).collect()
    }

    fn event(&self, run: &Run, standing: &Standing) -> Option<Violation> {
        let has_failed = standing.failed_events.contains(run) || standing.pending_events.contains(run);
        let mut rankings = self.runs.get(run).into_iter().flatten();
        let mut is_published = || rankings.any(|(ranking, of)| self.published_positions(run, ranking).len() == *of);
        (!has_failed && !is_published()).then(|| {
            let sentence = format!("the event of {run} was accepted, but is neither published as a whole nor failed");
            violation(Rule::Events, sentence)
        })
    }

    fn published_positions(&self, run: &Run, ranking: &RankingId) -> BTreeSet<usize> {
        let messages = self.of_run(run).flat_map(|(_, messages)| messages);
        messages.filter(|message| message.ranking == *ranking).map(|message| message.position).collect()
    }

    fn of_run(&self, run: &Run) -> impl Iterator<Item = (&String, &Vec<MovieMessage>)> {
        let prefix = run_prefix(run);
        self.published.range(prefix.clone()..).take_while(move |(key, _)| key.starts_with(&prefix))
    }

    /// With all movies of a ranking stored and no message left that could still complete it, its run's list stands and
    /// latest is of this run or a newer one.
    fn completed(&self, run: &Run, ranking: &RankingId, of: usize, outside: &Outside<'_>) -> Option<Violation> {
        let stored: BTreeSet<_> = self.records(run, ranking).map(|(named, _)| named.position).collect();
        let is_left = outside.rankings.contains(&(run.clone(), ranking.clone()));
        if !(1..=of).all(|position| stored.contains(&position)) || is_left {
            return None;
        }
        self.unfinished(run)
    }

    /// What is missing of a run that is done with.
    fn unfinished(&self, run: &Run) -> Option<Violation> {
        if !self.objects.contains_key(&run_list_key(run)) {
            let sentence =
                format!("all movies of {run} are stored and their messages deleted, but its list does not stand");
            return Some(violation(Rule::Deletion, sentence));
        }
        let latest = self.latest.as_ref().map_or("nothing", Run::as_str);
        let is_older = self.latest.as_ref() < Some(run);
        is_older.then(|| violation(Rule::Latest, format!("{run} is complete and done with, but latest is of {latest}")))
    }
}

/// What is left over although nothing fails any more.
fn unrecovered(standing: &Standing) -> Vec<Violation> {
    let letters = standing.dead.iter().chain(&standing.waiting).filter_map(|body| MovieMessage::parse(body).ok());
    let letters = letters.map(|message| format!("{} is not", movie_key(&message)));
    let events = standing.failed_events.iter().map(|run| format!("the event of {run} is not"));
    letters
        .chain(events)
        .map(|what| violation(Rule::Recovery, format!("all was redriven and nothing failed, but {what} worked off")))
        .collect()
}

/// The messages outside of the bucket, in the forms they are looked for.
struct Outside<'a> {
    messages: Vec<MovieMessage>,
    rankings: BTreeSet<(Run, RankingId)>,
    foreign: BTreeSet<&'a str>,
}

impl<'a> Outside<'a> {
    fn of(standing: &'a Standing) -> Self {
        let mut outside = Self { messages: Vec::new(), rankings: BTreeSet::new(), foreign: BTreeSet::new() };
        for body in standing.waiting.iter().chain(&standing.dead) {
            match MovieMessage::parse(body) {
                Ok(message) => {
                    outside.rankings.insert((message.run.clone(), message.ranking.clone()));
                    outside.messages.push(message);
                }
                Err(_) => drop(outside.foreign.insert(body)),
            }
        }
        outside
    }
}

fn violation(rule: Rule, sentence: String) -> Violation {
    Violation { rule, sentence }
}
