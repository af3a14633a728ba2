//! One request to `OMDb` over HTTP.

use std::future::Future;
use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::ImdbId;
use domain::omdb::{Answer, Body, MAX_ANSWER_BYTES};
use function::connections::ConnectionError;
use reqwest::header::{CONTENT_ENCODING, RETRY_AFTER};
use reqwest::{ClientBuilder, Response, Url};
use telemetry::spans::{self, attribute};
use tracing::Span;

use crate::api_key::ApiKey;
use crate::settings::OmdbSettings;

/// How long an idle connection is kept for the next batch.
const KEEP_ALIVE: Duration = Duration::from_mins(1);

/// Something that can be asked for a movie.
pub trait Ask: Send + Sync + 'static {
    /// Asks once.
    fn ask(&self, id: &ImdbId, key: &ApiKey) -> impl Future<Output = Answer> + Send;
}

/// `OMDb` on the internet.
#[derive(Debug, Clone)]
pub struct OmdbHttp {
    client: reqwest::Client,
    base_url: Url,
}

/// The HTTP client cannot be built, which is a fault of the build.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// By reqwest.
    #[error("cannot prepare the HTTP client for OMDb: {0}")]
    Client(#[from] reqwest::Error),
    /// By TLS.
    #[error(transparent)]
    Tls(#[from] ConnectionError),
}

impl OmdbHttp {
    /// A client with these timeouts.
    ///
    /// # Errors
    /// [`HttpError`].
    pub fn new(builder: ClientBuilder, settings: &OmdbSettings) -> Result<Self, HttpError> {
        let client = builder
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.timeout)
            .pool_idle_timeout(KEEP_ALIVE)
            .build()?;
        Ok(Self { client, base_url: settings.base_url.clone() })
    }

    fn url(&self, id: &ImdbId, key: &ApiKey) -> Url {
        let mut url = self.base_url.clone();
        url.query_pairs_mut().append_pair("apikey", key.expose()).append_pair("i", id.as_str());
        url
    }
}

impl Ask for OmdbHttp {
    /// Tells the current span what HTTP knows of the request, but for the address beyond its host: the query has the
    /// key.
    async fn ask(&self, id: &ImdbId, key: &ApiKey) -> Answer {
        let span = Span::current();
        spans::set(&span, attribute::HTTP_REQUEST_METHOD, "GET");
        spans::set(&span, attribute::SERVER_ADDRESS, self.base_url.host_str().unwrap_or_default().to_owned());
        let response = match self.client.get(self.url(id, key)).send().await {
            Ok(response) => response,
            Err(error) => return Answer::unusable(explain(error)),
        };
        let status = response.status().as_u16();
        spans::set(&span, attribute::HTTP_RESPONSE_STATUS_CODE, i64::from(status));
        let retry_after = retry_after(&response, Utc::now());
        match read_body(response).await {
            Ok(bytes) => match Answer::read(status, &body_without_key(&bytes, key), id) {
                Answer::Unusable { reason, .. } => Answer::Unusable { reason, retry_after },
                answer => answer,
            },
            Err(reason) => Answer::Unusable { reason, retry_after },
        }
    }
}

/// An answer that says what was asked for repeats the key.
fn body_without_key(bytes: &[u8], key: &ApiKey) -> Body {
    Body::read(bytes).without(&[key.expose(), &form_urlencoded(key)])
}

/// The key as it stands in the query.
fn form_urlencoded(key: &ApiKey) -> String {
    let mut url = Url::parse("https://localhost/").ok();
    let query = url
        .as_mut()
        .map(|url| url.query_pairs_mut().append_pair("k", key.expose()).finish().query().map(str::to_owned));
    query.flatten().and_then(|query| Some(query.strip_prefix("k=")?.to_owned())).unwrap_or_default()
}

/// Reads no further than [`MAX_ANSWER_BYTES`], and nothing that is packed: it was not asked for, and may be of any size
/// once unpacked.
async fn read_body(mut response: Response) -> Result<Vec<u8>, String> {
    if response.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
        return Err("a packed body, which was not asked for".to_owned());
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(explain)? {
        if body.len() + chunk.len() > MAX_ANSWER_BYTES {
            return Err(format!("more than {MAX_ANSWER_BYTES} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Seconds, or a date as HTTP writes it (<https://www.rfc-editor.org/rfc/rfc9110#name-retry-after>), which is one of mail's.
fn retry_after(response: &Response, now: DateTime<Utc>) -> Option<Duration> {
    let text = response.headers().get(RETRY_AFTER)?.to_str().ok()?;
    let until_date = || (DateTime::parse_from_rfc2822(text).ok()?.to_utc() - now).to_std().ok();
    text.parse().ok().map(Duration::from_secs).or_else(until_date)
}

/// What went wrong, without the address: the key is part of it.
fn explain(error: reqwest::Error) -> String {
    let error = error.without_url();
    let what = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "no connection"
    } else {
        "broken off"
    };
    let mut text = what.to_owned();
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
