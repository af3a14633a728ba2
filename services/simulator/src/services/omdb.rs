//! `OMDb`: the same movie for the same id, but for the number of votes, which grows by the minute. A
//! request counts for the day that it arrives on.

use domain::ImdbId;
use domain::enriched::OmdbMovie;
use domain::invariants::Happened;
use domain::quota::Day;
use enricher::api_key::ApiKey;
use enricher::omdb::{Answer, Ask};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

use super::call::Caller;
use crate::fault::{Fault, OmdbFault, Operation};
use crate::scenario::imdb_id;
use crate::world::State;

pub(crate) struct SimulatedOmdb {
    pub(crate) caller: Caller,
}

impl Ask for SimulatedOmdb {
    async fn ask(&self, id: &ImdbId, _key: &ApiKey) -> Answer {
        let world = &self.caller.world;
        let is_unknown = world.scenario.unknown.iter().any(|movie| imdb_id(*movie) == id.as_str());
        let minute = world.elapsed().as_secs() / 60;
        let refuses = world.scenario.omdb_refuses;
        let (asked, arrives_in) = (id.clone(), Arc::clone(world));
        let effect = move |state: &mut State, fault: Option<&Fault>| {
            let day = Day::of(arrives_in.now());
            let daily_limit = arrives_in.scenario.requests_left(day);
            state.note(&Happened::Asked { day, daily_limit });
            match fault {
                _ if refuses && !state.is_calm => Answer::QuotaExhausted,
                Some(Fault::Omdb(fault)) => answer_with(*fault),
                _ if is_unknown && !state.is_calm => Answer::UnknownId("Incorrect IMDb ID.".to_owned()),
                _ => {
                    let movie = movie(&asked, minute);
                    state.note(&Happened::Answered { id: asked.clone(), movie: movie.clone() });
                    Answer::Movie(movie)
                }
            }
        };
        // A client of its own: it does not ask again by itself.
        match self.caller.call(Operation::AskOmdb, id.as_str(), 1, effect).await {
            Ok(answer) => answer,
            Err(reason) => Answer::unusable(reason),
        }
    }
}

fn movie(id: &ImdbId, minute: u64) -> OmdbMovie {
    let fields = [
        ("Title", json!(format!("Title of {id}"))),
        ("imdbID", json!(id.as_str())),
        ("imdbVotes", json!(minute.to_string())),
        ("Response", json!("True")),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn answer_with(fault: OmdbFault) -> Answer {
    match fault {
        OmdbFault::KeyRejected => Answer::KeyRejected,
        OmdbFault::QuotaExhausted => Answer::QuotaExhausted,
        OmdbFault::Unusable => Answer::unusable("HTTP status 503"),
        OmdbFault::RetryAfter(seconds) => {
            Answer::Unusable { reason: "HTTP status 429".to_owned(), retry_after: Some(Duration::from_secs(seconds)) }
        }
        OmdbFault::UnknownId => Answer::UnknownId("Incorrect IMDb ID.".to_owned()),
    }
}
