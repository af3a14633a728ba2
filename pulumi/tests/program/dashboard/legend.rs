//! A series is what its legend says: the statistic, the thing, and on each chart the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::body::Chart;
use super::charted::{self, Charted};
use super::of_kind;
use crate::common::references;

/// The chart of everything that failed.
pub(super) const FAILED_MESSAGES: &str = "Failed messages now";

/// What titles and labels call the things of the program, and their names there.
const THINGS: [(&str, &str); 9] = [
    ("ranker", "ranker"),
    ("enricher", "enricher"),
    ("topic", "moviesTopic"),
    ("schedule", "schedule"),
    ("movies", "moviesQueue"),
    ("movies queue", "moviesQueue"),
    ("dead letters", "deadLetterQueue"),
    ("undelivered", "undeliveredQueue"),
    ("ranker failures", "rankerFailuresQueue"),
];

pub(super) fn faults(program: &Value, charts: &[&Chart]) -> Vec<String> {
    let all: Vec<_> = charts.iter().filter_map(|chart| charted::metrics(chart).ok()).flatten().collect();
    let each = all.iter().filter_map(statistic_fault).chain(all.iter().filter_map(thing_fault));
    each.chain(homonyms(&all)).chain(uncounted(program, &all)).collect()
}

/// The statistic that a label says, if it says one.
fn statistic_told(label: &str) -> Option<&str> {
    let is_percentile =
        label.strip_prefix('p').is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
    match label {
        "longest" => Some("Maximum"),
        "mean" => Some("Average"),
        _ => is_percentile.then_some(label),
    }
}

fn statistic_fault(charted: &Charted) -> Option<String> {
    let Charted { title, label, statistic, .. } = charted;
    let told = statistic_told(label)?;
    (told != statistic).then(|| format!("{title}: {label} is drawn by {statistic}"))
}

/// What a title is about: what stands before its colon.
fn subject(title: &str) -> Option<&str> {
    title.split_once(": ").map(|(subject, _)| subject)
}

/// What stands in a title or label for a thing is read; of a way from one to another, where it begins.
fn thing_fault(charted: &Charted) -> Option<String> {
    let Charted { title, label, metric, .. } = charted;
    let sender = label.split(" to ").next();
    let called = [subject(title), sender].into_iter().flatten().map(str::to_lowercase);
    let mut named = called.filter_map(|called| THINGS.iter().find(|(name, _)| *name == called));
    let read: Vec<_> = metric["dimensions"].as_object()?.values().filter_map(Value::as_str).collect();
    let is_read = |thing: &str| read.iter().any(|text| *text == thing || roots(text).contains(&thing));
    let (name, _) = named.find(|(_, thing)| !is_read(thing))?;
    Some(format!("{title}: {name} reads something else"))
}

/// A label means the same on all charts that do not say themselves what they are about.
fn homonyms(all: &[Charted]) -> Vec<String> {
    let mut meant = BTreeMap::new();
    let own =
        all.iter().filter(|charted| subject(&charted.title).is_none() && statistic_told(&charted.label).is_none());
    let mut faults = Vec::new();
    for charted in own.filter(|charted| !charted.label.is_empty()) {
        let first = meant.entry(&charted.label).or_insert(charted);
        if (&first.metric, &first.statistic) != (&charted.metric, &charted.statistic) {
            faults.push(format!("{}: {} is another series on {}", charted.title, charted.label, first.title));
        }
    }
    faults
}

/// What failed lies in the queues that feed no function: all of them are counted, and no other.
fn uncounted(program: &Value, all: &[Charted]) -> Vec<String> {
    let sources = of_kind(program, "aws:lambda:EventSourceMapping");
    let feeding: BTreeSet<_> = sources.flat_map(|(_, source)| roots(text(&source["eventSourceArn"]))).collect();
    let queues = of_kind(program, "aws:sqs:Queue").map(|(name, _)| name);
    let failures: BTreeSet<_> = queues.filter(|name| !feeding.contains(name)).collect();
    let counted = all.iter().filter(|charted| charted.title == FAILED_MESSAGES);
    let counted: BTreeSet<_> =
        counted.flat_map(|charted| roots(text(&charted.metric["dimensions"]["QueueName"]))).collect();
    let missing = failures.difference(&counted).map(|queue| format!("{FAILED_MESSAGES}: {queue} is not in it"));
    let strange =
        counted.difference(&failures).map(|queue| format!("{FAILED_MESSAGES}: {queue} is no queue for failures"));
    missing.chain(strange).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The names in the program that a text refers to.
fn roots(text: &str) -> Vec<&str> {
    references(text).into_iter().filter_map(|reference| reference.split('.').next()).collect()
}
