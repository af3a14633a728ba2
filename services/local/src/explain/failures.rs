//! Failures are told once: by the log line, by the call that failed, or by the span around it, whichever says most.

use domain::contract::logs;

use super::material::LogLine;
use super::movies::OfRun;
use super::step::{Level, Origin, Step, next_try};

/// A line that announces the next try joins the call that failed; gives whether it did.
pub(super) fn join_failed_call(steps: &mut [Step], line: &LogLine, told: &Step) -> bool {
    let (Some(delay_ms), Some(reason)) = (line.number_of(logs::DELAY_MS), line.text_of(logs::REASON)) else {
        return false;
    };
    let is_it = |step: &&mut Step| {
        let failed_of_it = step.error.as_deref().is_some_and(|error| reason.contains(error.trim_end_matches('…')));
        let same = (&step.imdb_id, &step.service) == (&told.imdb_id, &told.service);
        let is_new = step.origin == Origin::Span && step.level < Level::Warn;
        is_new && same && failed_of_it && step.time <= told.time + chrono::TimeDelta::milliseconds(1)
    };
    let call = steps.iter_mut().filter(is_it).max_by_key(|step| step.time);
    let joined = call.map(|call| {
        call.what.push_str(&next_try(delay_ms));
        call.level = Level::Warn;
    });
    joined.is_some()
}

/// A call whose cause no line tells is a failure of its own; of the others, the line tells enough in a run's story.
pub(super) fn raise_untold_calls(steps: &mut [Step]) {
    for index in 0..steps.len() {
        let step = &steps[index];
        let Some(error) = step.error.clone().filter(|_| step.origin == Origin::Span && step.level == Level::Detail)
        else {
            continue;
        };
        let tells = |other: &Step| {
            let same = (&other.imdb_id, other.delivery) == (&step.imdb_id, step.delivery) || other.imdb_id.is_none();
            same && other.origin != Origin::Span && other.level >= Level::Warn && other.tells(&error)
        };
        if !steps.iter().any(tells) {
            steps[index].level = Level::Error;
        }
    }
}

/// Spans around calls that failed of something that nothing else tells, such as when the log is gone.
pub(super) fn untold_spans(of_run: &OfRun<'_>, steps: &[Step]) -> Vec<Step> {
    let mut untold: Vec<Step> = Vec::new();
    for span in of_run.spans.iter().filter(|span| span.kind != "CLIENT") {
        let Some(error) = &span.error else { continue };
        let imdb_id = of_run.of_its_movie(span, logs::IMDB_ID).map(str::to_owned);
        let tells = |other: &Step| (imdb_id.is_none() || other.imdb_id == imdb_id) && other.tells(error);
        if !steps.iter().chain(&untold).any(tells) {
            let what = format!("{} failed: {error}", span.name);
            untold.push(Step { time: span.end(), ..Step::of_span(span, imdb_id, Level::Error, what) });
        }
    }
    untold
}
