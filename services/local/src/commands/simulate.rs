//! `cargo local simulate`: storms over both handlers, between simulated services on virtual time.

use std::io::Write;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};
use simulator::{Campaign, Figures, Mutation, Outcome, Shrunk, Simulator, shrink};

use super::{exit_code_of, until_signal};
use crate::progress::Progress;

/// How often progress is told.
const PROGRESS_PAUSE: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// How many records and events are handed to the functions, at least.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    deliveries: u64,
    /// Where chance begins; without it, somewhere else every time. The same seed goes the same way.
    #[arg(long)]
    seed: Option<u64>,
    /// Seeds a mistake into the pipeline, to see that it is noticed.
    #[arg(long, value_name = "NAME", value_parser = mistakes())]
    mistake: Option<String>,
    /// Prints one JSON object instead of the text.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    // Short enough to be typed again.
    let first_seed = arguments.seed.unwrap_or_else(|| u64::from(fastrand::u32(..)));
    let mutation = arguments.mistake.as_deref().and_then(Mutation::named);
    let campaign = Campaign { first_seed, deliveries: arguments.deliveries, mutation, threads: None };
    Progress::Shown.say(&format!("· {} deliveries, from seed {first_seed} on …", arguments.deliveries));
    let work = tokio::task::spawn_blocking(move || {
        let outcome = campaign.run(Watch::default().told());
        let story = outcome.failed.as_ref().and_then(|(scenario, lived)| {
            Progress::Shown.say(&format!("· seed {} breaks a rule; looking for its shortest story …", scenario.seed));
            shrink(&Simulator::new(mutation), scenario, lived)
        });
        (outcome, story)
    });
    let (outcome, story) = match until_signal(work).await? {
        Ok(done) => done.context("the simulation broke off")?,
        Err(signal) => return Ok(exit_code_of(signal)),
    };
    let text = if arguments.json {
        format!("{}\n", serde_json::to_string(&as_json(first_seed, &outcome, story.as_ref()))?)
    } else {
        as_text(first_seed, mutation, &outcome, story.as_ref())
    };
    std::io::stdout().write_all(text.as_bytes()).context("printing what was found")?;
    Ok(ExitCode::from(u8::from(outcome.failed.is_some())))
}

/// The names of the mistakes there are.
fn mistakes() -> PossibleValuesParser {
    PossibleValuesParser::new(Mutation::ALL.map(Mutation::name))
}

/// Tells progress now and then.
#[derive(Debug)]
struct Watch {
    started: Instant,
    told: Mutex<Instant>,
}

impl Default for Watch {
    fn default() -> Self {
        Self { started: Instant::now(), told: Mutex::new(Instant::now()) }
    }
}

impl Watch {
    fn told(self) -> impl Fn(&Figures) + Sync {
        move |figures| {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.elapsed() >= PROGRESS_PAUSE {
                *told = Instant::now();
                let (deliveries, seconds) = (figures.deliveries, self.started.elapsed().as_secs());
                let rate = deliveries / seconds.max(1);
                Progress::Shown.say(&format!("  {deliveries} deliveries in {seconds} s, {rate} a second"));
            }
        }
    }
}

fn as_text(first_seed: u64, mutation: Option<Mutation>, outcome: &Outcome, story: Option<&Shrunk>) -> String {
    let Figures { deliveries, worlds, faults, simulated } = outcome.figures;
    let broken = if outcome.failed.is_some() { "a rule is BROKEN" } else { "no rule is broken" };
    let figures = format!(
        "{deliveries} deliveries in {worlds} worlds with {faults} faults, from seed {first_seed} on: {broken}.\n\
         {} days of the pipeline in {:.1} s, {:.0} deliveries a second.\n",
        simulated.as_secs() / 86_400,
        outcome.took.as_secs_f64(),
        outcome.deliveries_per_second(),
    );
    let Some((scenario, lived)) = &outcome.failed else { return figures };
    let violations: Vec<_> = lived.violations.iter().map(|(_, violation)| violation.to_string()).collect();
    let violations = violations.join("\n");
    let story = story.map(Shrunk::to_string).unwrap_or_default();
    let mistake = mutation.map(|mutation| format!(" --mistake {}", mutation.name())).unwrap_or_default();
    let again = format!("cargo local simulate --seed {} --deliveries 1{mistake}", scenario.seed);
    format!("{figures}\n{violations}\n\n{story}\nThe same again: {again}\n")
}

fn as_json(first_seed: u64, outcome: &Outcome, story: Option<&Shrunk>) -> Value {
    let Figures { deliveries, worlds, faults, simulated } = outcome.figures;
    let failed = outcome.failed.as_ref().map(|(scenario, lived)| {
        let violations: Vec<_> = lived.violations.iter().map(|(_, violation)| violation).collect();
        json!({"seed": scenario.seed, "violations": violations, "story": story.map(story_as_json)})
    });
    json!({
        "first_seed": first_seed,
        "deliveries": deliveries,
        "worlds": worlds,
        "faults": faults,
        "simulated_s": simulated.as_secs(),
        "took_ms": milliseconds(outcome.took),
        "deliveries_per_second": outcome.deliveries_per_second().round(),
        "failed": failed,
    })
}

fn story_as_json(story: &Shrunk) -> Value {
    let line = |(at, line): &(Duration, String)| json!({"at_ms": milliseconds(*at), "line": line});
    let faults: Vec<_> = story.faults.iter().map(|(site, fault)| json!({"site": site, "fault": fault})).collect();
    let lines: Vec<_> = story.lived.story.iter().map(line).collect();
    json!({"scenario": story.scenario, "faults": faults, "lines": lines})
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn campaign(mutation: Option<Mutation>) -> (Outcome, Option<Shrunk>) {
        let outcome = Campaign { first_seed: 1, deliveries: 200, mutation, threads: None }.run(|_| {});
        let failed = outcome.failed.as_ref();
        let story = failed.and_then(|(scenario, lived)| shrink(&Simulator::new(mutation), scenario, lived));
        (outcome, story)
    }

    #[test]
    fn a_quiet_campaign_tells_its_figures() {
        let (outcome, story) = campaign(None);
        let text = as_text(1, None, &outcome, story.as_ref());
        assert!(text.contains("from seed 1 on: no rule is broken."), "{text}");
        let json = as_json(1, &outcome, story.as_ref());
        assert!(json["failed"].is_null() && json["deliveries"].as_u64().unwrap() >= 200, "{json}");
    }

    #[test]
    fn a_broken_rule_is_told_with_its_seed_and_its_shortest_story() {
        let (outcome, story) = campaign(Some(Mutation::KeyWithoutRun));
        let text = as_text(1, Some(Mutation::KeyWithoutRun), &outcome, story.as_ref());
        let again = " --deliveries 1 --mistake key-without-run\n";
        for part in ["a rule is BROKEN", "Bytes: runs/", "The shortest story", "cargo local simulate --seed", again] {
            assert!(text.contains(part), "{part:?} is missing in: {text}");
        }
        let json = as_json(1, &outcome, story.as_ref());
        assert_eq!(json["failed"]["violations"][0]["rule"], "bytes");
        assert!(json["failed"]["story"]["lines"].as_array().is_some_and(|lines| !lines.is_empty()), "{json}");
    }
}
