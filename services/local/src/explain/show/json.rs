//! A story as JSON: with every step, whatever people are shown of it.

use chrono::SecondsFormat;
use serde_json::{Value, json};

use super::{Missing, Shown, Step, Whereabouts};

impl Shown<'_> {
    pub(crate) fn to_json(&self) -> Value {
        let story = self.story;
        json!({
            "run": story.run,
            "movie": story.imdb_id,
            "event_time": story.event_time().to_rfc3339_opts(SecondsFormat::Secs, true),
            "complete": story.listed.is_some(),
            "of": story.of,
            "stored": story.stored,
            "listed": story.listed.map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            "missing": story.missing.iter().map(missing_to_json).collect::<Vec<_>>(),
            "dead_event": story.dead_event.as_ref().map(|dead| json!({"queue": dead.queue, "cause": dead.cause})),
            "trace_ids": story.trace_ids,
            "no_spans": story.no_spans,
            "steps": story.steps.iter().map(|step| self.step_to_json(step)).collect::<Vec<_>>(),
        })
    }

    fn step_to_json(&self, step: &Step) -> Value {
        json!({
            "time": step.time.to_rfc3339_opts(SecondsFormat::Millis, true),
            "offset_ms": (step.time - self.story.event_time()).num_milliseconds(),
            "service": step.service,
            "movie": step.imdb_id,
            "position": step.imdb_id.as_ref().and_then(|id| self.story.places.get(id)),
            "delivery": step.delivery,
            "level": step.level.name(),
            "what": step.what,
            "duration_ms": step.duration.map(|duration| duration.num_milliseconds()),
            "key": step.object.as_ref().map(|(key, _)| key),
            "bytes": step.object.as_ref().map(|(_, bytes)| bytes),
        })
    }
}

fn missing_to_json(missing: &Missing) -> Value {
    let (place, dead, cause) = match &missing.whereabouts {
        Whereabouts::Dead(dead) => ("failure queue", Some(dead), Some(&dead.cause)),
        Whereabouts::Hidden(waiting) => ("hidden", None, waiting.reason.as_ref()),
        Whereabouts::InFlight(_) => ("in flight", None, None),
        Whereabouts::Unknown => ("unknown", None, None),
    };
    json!({
        "position": missing.position,
        "movie": missing.imdb_id,
        "where": place,
        "queue": dead.map(|dead| &dead.queue),
        "cause": cause,
        "hidden_until": missing.hidden_until().map(|until| until.to_rfc3339_opts(SecondsFormat::Secs, true)),
        "message_id": dead.map(|dead| &dead.id),
    })
}
