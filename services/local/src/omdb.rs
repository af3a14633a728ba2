//! A stand-in for OMDb on this machine: its real shapes, its real failures.
//!
//! What it answers about a film comes from the source list that it is given. OMDb's behaviour: <https://www.omdbapi.com/>.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get};
use bytes::Bytes;
use chrono::Utc;
use domain::quota::Day;
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::leaks::Heard;
use crate::server::Server;

/// The key that the stand-in takes: a canary, for which every pipeline is searched when it ends. Its two ends are found
/// however they are written, and what is between them looks different in every encoding, so that whoever hides it has
/// to know them all.
pub const KEY: &str = "canary0OmdbKey0Begins+/=~?>%41&\"\\$'ends0OmdbKey0Canary";

/// What can go wrong with OMDb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OmdbFault {
    /// An answer of this status with a short text.
    Status(u16),
    /// 429, with the seconds of `Retry-After`.
    TooManyRequests {
        /// Seconds until OMDb wants to be asked again.
        retry_after_s: u64,
    },
    /// 200 with an HTML page, as seen under load.
    HtmlPage,
    /// 200 with an HTML page that shows what was asked for, the key included, as pages do that block somebody.
    PageWithRequest,
    /// The right answer, late.
    Delay(Duration),
    /// JSON of more than 1 MiB, which is more than is read.
    OversizedBody,
    /// The id is not known: 200 with `"Response":"False"`.
    UnknownId,
    /// 401, the day's requests are used up.
    QuotaExhausted,
    /// 401, the key is not valid.
    InvalidKey,
    /// The connection breaks in the middle of the answer.
    CutConnection,
}

/// Where everything that asks it is answered from.
#[derive(Debug, Clone)]
struct Shared {
    counters: Arc<Mutex<Counters>>,
    heard: Heard,
}

/// A running stand-in; it ends when this is dropped.
#[derive(Debug)]
pub struct OmdbStandIn {
    server: Server,
    state: Arc<Mutex<Counters>>,
}

#[derive(Debug, Default)]
struct Counters {
    films: HashMap<String, Value>,
    requests: HashMap<String, usize>,
    /// By the day on which they arrived.
    by_day: BTreeMap<Day, usize>,
    faults: HashMap<String, OmdbFault>,
    fault_for_all: Option<OmdbFault>,
}

impl Counters {
    fn heal(&mut self) {
        self.faults.clear();
        self.fault_for_all = None;
    }
}

impl OmdbStandIn {
    /// Starts a stand-in that knows the films of this source list; of a list that cannot be read, none.
    pub(crate) async fn start(source: &[u8], heard: &Heard) -> std::io::Result<Self> {
        let state = Arc::new(Mutex::new(Counters { films: films_of(source), ..Counters::default() }));
        let shared = Shared { counters: Arc::clone(&state), heard: heard.clone() };
        let router = Router::new().route("/", get(answer)).route("/faults", delete(heal)).with_state(shared);
        Ok(Self { server: Server::start(router).await?, state })
    }

    /// Where it answers.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/", self.server.address())
    }

    /// From now on, this goes wrong for one film.
    pub fn fail(&self, imdb_id: &str, fault: OmdbFault) {
        lock(&self.state).faults.insert(imdb_id.to_owned(), fault);
    }

    /// From now on, this goes wrong for every film without a fault of its own.
    pub fn fail_all(&self, fault: OmdbFault) {
        lock(&self.state).fault_for_all = Some(fault);
    }

    /// All is well again.
    pub fn heal(&self) {
        lock(&self.state).heal();
    }

    /// Ends it as a crash would: answers are cut off where they are, connections are refused from then on.
    pub async fn kill(&self) {
        self.server.stop().await;
    }

    /// Brings it back at the same address, with what it knew.
    ///
    /// # Errors
    /// The system gives it no socket.
    pub fn revive(&self) -> std::io::Result<()> {
        self.server.resume()
    }

    /// What it answers when all is well, by IMDb id.
    pub(crate) fn films(&self) -> HashMap<String, Value> {
        lock(&self.state).films.clone()
    }

    /// How often one film was asked for.
    #[must_use]
    pub fn requests(&self, imdb_id: &str) -> usize {
        lock(&self.state).requests.get(imdb_id).copied().unwrap_or_default()
    }

    /// How often any film was asked for.
    #[must_use]
    pub fn total_requests(&self) -> usize {
        lock(&self.state).requests.values().sum()
    }

    /// How many requests arrived on each day of UTC.
    pub(crate) fn requests_by_day(&self) -> BTreeMap<Day, usize> {
        lock(&self.state).by_day.clone()
    }
}

fn lock(state: &Mutex<Counters>) -> MutexGuard<'_, Counters> {
    // The data is whole after any panic: every change to it is one assignment.
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Deserialize)]
struct Question {
    i: Option<String>,
    apikey: Option<String>,
}

/// For those who have the stand-in in another process: `cargo local up` tells them of it.
async fn heal(State(shared): State<Shared>) -> &'static str {
    lock(&shared.counters).heal();
    "OMDb is well again.\n"
}

async fn answer(State(shared): State<Shared>, Query(question): Query<Question>, uri: Uri, head: HeaderMap) -> Response {
    shared.heard.keep("a request to OMDb", format!("{} {head:?}", without_key(&uri)));
    let id = question.i.unwrap_or_default();
    let (film, fault) = {
        let mut state = lock(&shared.counters);
        *state.requests.entry(id.clone()).or_default() += 1;
        *state.by_day.entry(Day::of(Utc::now())).or_default() += 1;
        (state.films.get(&id).cloned(), state.faults.get(&id).copied().or(state.fault_for_all))
    };
    if question.apikey.as_deref() != Some(KEY) {
        return refuse("Invalid API key!");
    }
    match fault {
        Some(OmdbFault::Delay(delay)) => tokio::time::sleep(delay).await,
        Some(OmdbFault::PageWithRequest) => {
            return axum::response::Html(format!("<!DOCTYPE html><p>Blocked: {uri}</p>")).into_response();
        }
        Some(fault) => return faulty(fault),
        None => {}
    }
    film.map_or_else(unknown, |film| json_answer(StatusCode::OK, &film))
}

/// An address without the value of `apikey`, which is where OMDb wants the key.
fn without_key(uri: &Uri) -> String {
    let fields = uri.query().unwrap_or_default().split('&').filter(|field| !field.starts_with("apikey="));
    format!("{}?{}", uri.path(), fields.collect::<Vec<_>>().join("&"))
}

fn faulty(fault: OmdbFault) -> Response {
    match fault {
        OmdbFault::Status(status) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            (status, status.canonical_reason().unwrap_or_default()).into_response()
        }
        OmdbFault::TooManyRequests { retry_after_s } => {
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, retry_after_s.to_string())]).into_response()
        }
        OmdbFault::HtmlPage => {
            axum::response::Html("<!DOCTYPE html><title>Service temporarily busy</title>").into_response()
        }
        OmdbFault::OversizedBody => {
            json_answer(StatusCode::OK, &json!({"Response": "True", "Plot": "x".repeat(1024 * 1024)}))
        }
        OmdbFault::QuotaExhausted => refuse("Request limit reached!"),
        OmdbFault::InvalidKey => refuse("Invalid API key!"),
        OmdbFault::CutConnection => cut_off(),
        OmdbFault::UnknownId | OmdbFault::Delay(_) | OmdbFault::PageWithRequest => unknown(),
    }
}

fn refuse(error: &str) -> Response {
    json_answer(StatusCode::UNAUTHORIZED, &json!({"Response": "False", "Error": error}))
}

fn unknown() -> Response {
    json_answer(StatusCode::OK, &json!({"Response": "False", "Error": "Incorrect IMDb ID."}))
}

fn cut_off() -> Response {
    let parts = [Ok(Bytes::from_static(b"{\"Title\":\"The")), Err(std::io::Error::other("cut on purpose"))];
    ([(header::CONTENT_TYPE, JSON)], Body::from_stream(stream::iter(parts))).into_response()
}

const JSON: &str = "application/json; charset=utf-8";

fn json_answer(status: StatusCode, answer: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, JSON)], answer.to_string()).into_response()
}

/// OMDb's answers, by IMDb id.
fn films_of(source: &[u8]) -> HashMap<String, Value> {
    #[derive(Deserialize)]
    struct List {
        items: Vec<Value>,
    }
    let items = serde_json::from_slice(source).map(|List { items }| items).unwrap_or_default();
    items.iter().filter_map(|item| Some((item.get("id")?.as_str()?.to_owned(), film_of(item)))).collect()
}

/// OMDb's answer for one film: what the source knows in OMDb's words, `N/A` for the rest, as OMDb itself does.
fn film_of(item: &Value) -> Value {
    let text = |name: &str| item.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).unwrap_or("N/A");
    let (directors, actors) = text("crew").split_once(" (dir.), ").unwrap_or(("N/A", text("crew")));
    let rating = text("imDbRating");
    json!({
        "Title": text("title"), "Year": text("year"), "Rated": "N/A", "Released": "N/A", "Runtime": "N/A",
        "Genre": "N/A", "Director": directors, "Writer": "N/A", "Actors": actors, "Plot": "N/A", "Language": "N/A",
        "Country": "N/A", "Awards": "N/A", "Poster": text("image"),
        "Ratings": [{"Source": "Internet Movie Database", "Value": format!("{rating}/10")}],
        "Metascore": "N/A", "imdbRating": rating, "imdbVotes": with_thousands(text("imDbRatingCount")),
        "imdbID": text("id"), "Type": "movie", "DVD": "N/A", "BoxOffice": "N/A", "Production": "N/A",
        "Website": "N/A", "Response": "True",
    })
}

/// `2738028` as OMDb writes it: `2,738,028`.
fn with_thousands(number: &str) -> String {
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return number.to_owned();
    }
    let digits = number.chars().enumerate();
    digits.fold(String::new(), |mut written, (index, digit)| {
        if index > 0 && (number.len() - index).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
        written
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_film_of_the_source_is_told_in_omdbs_words() {
        let source = json!({"items": [{
            "id": "tt0111161", "title": "The Shawshank Redemption", "year": "1994", "image": "",
            "crew": "Frank Darabont (dir.), Tim Robbins, Morgan Freeman", "imDbRating": "9.2", "imDbRatingCount": "2738028",
        }]});
        let films = films_of(source.to_string().as_bytes());
        let film = &films["tt0111161"];
        assert_eq!(film["Director"], "Frank Darabont");
        assert_eq!(film["Actors"], "Tim Robbins, Morgan Freeman");
        assert_eq!(film["imdbVotes"], "2,738,028");
        assert_eq!(film["Poster"], "N/A");
        assert_eq!(film["Ratings"][0]["Value"], "9.2/10");
    }

    #[test]
    fn a_source_that_is_no_list_has_no_films() {
        assert!(films_of(b"<html>").is_empty());
        assert!(films_of(b"{}").is_empty());
    }
}
