//! `OMDb` over real HTTP: a server on loopback that answers as `OMDb` does, good days and bad.

#![expect(clippy::unwrap_used, reason = "a test that unwraps fails with the line that unwrapped")]

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::RawQuery;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, TimeDelta, Utc};
use domain::ImdbId;
use enricher::api_key::ApiKey;
use enricher::omdb::{Answer, Ask, OmdbHttp};
use enricher::settings::OmdbSettings;
use function::Connections;

const KEY: &str = "canary-key";

/// Starts a server that answers every question like this.
async fn server<F, R>(answer: F) -> SocketAddr
where
    F: Fn(String) -> R + Clone + Send + Sync + 'static,
    R: IntoResponse + Send + 'static,
{
    let handler = move |RawQuery(query): RawQuery| {
        let response = answer(query.unwrap_or_default()).into_response();
        async move { response }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", get(handler))).await });
    address
}

async fn ask(address: SocketAddr) -> Answer {
    let settings = OmdbSettings {
        base_url: format!("http://{address}/").parse().unwrap(),
        connect_timeout: Duration::from_secs(2),
        timeout: Duration::from_secs(2),
        max_attempts: 1,
        daily_limit: 1,
    };
    let omdb = OmdbHttp::new(Connections::http().unwrap(), &settings).unwrap();
    omdb.ask(&ImdbId::parse("tt0111161").unwrap(), &ApiKey::new(KEY)).await
}

fn reason(answer: Answer) -> String {
    match answer {
        Answer::Unusable { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_question_names_the_id_and_the_key() {
    let address = server(|query| {
        assert_eq!(query, "apikey=canary-key&i=tt0111161");
        r#"{"Title":"The Shawshank Redemption","imdbID":"tt0111161","Response":"True"}"#
    })
    .await;
    assert!(matches!(ask(address).await, Answer::Movie(_)));
}

#[tokio::test]
async fn a_rejected_key_is_recognised() {
    let address = server(|_| (StatusCode::UNAUTHORIZED, r#"{"Response":"False","Error":"Invalid API key!"}"#)).await;
    assert_eq!(ask(address).await, Answer::KeyRejected);
}

#[tokio::test]
async fn retry_after_is_read() {
    let address = server(|_| (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, "7")], "")).await;
    let expected = Answer::Unusable { reason: "HTTP status 429".into(), retry_after: Some(Duration::from_secs(7)) };
    assert_eq!(ask(address).await, expected);
}

#[tokio::test]
async fn retry_after_may_be_a_date() {
    let wait = async |date: DateTime<Utc>| {
        let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let address =
            server(move |_| (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, date.clone())], "")).await;
        let Answer::Unusable { retry_after, .. } = ask(address).await else {
            panic!("a busy OMDb is taken for another")
        };
        retry_after
    };
    let in_an_hour = wait(Utc::now() + TimeDelta::hours(1)).await.unwrap();
    assert!((3_500..=3_600).contains(&in_an_hour.as_secs()), "{in_an_hour:?}");
    assert_eq!(wait(Utc::now() - TimeDelta::hours(1)).await, None);
}

#[tokio::test]
async fn an_answer_over_32_kib_is_not_read_to_its_end() {
    let endless = || Body::from_stream(futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>("x".repeat(4096))));
    let address = server(move |_| Response::new(endless())).await;
    assert_eq!(reason(ask(address).await), "more than 32768 bytes");
}

#[tokio::test]
async fn a_packed_answer_is_refused_before_it_is_read() {
    let packed = || [&[0x1f, 0x8b, 8][..], &[0; 20]].concat();
    for encoding in ["gzip", "deflate, gzip", "br", KEY] {
        let address = server(move |_| ([(header::CONTENT_ENCODING, encoding)], packed())).await;
        assert_eq!(reason(ask(address).await), "a packed body, which was not asked for", "{encoding}");
    }
    let untold = reason(ask(server(move |_| packed()).await).await);
    assert!(untold.starts_with("no JSON but: "), "{untold}");
}

#[tokio::test]
async fn nothing_packed_is_asked_for() {
    let handler = |headers: axum::http::HeaderMap| async move { format!("{:?}", headers.get(header::ACCEPT_ENCODING)) };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", get(handler))).await });
    assert_eq!(reason(ask(address).await), "no JSON but: None");
}

#[tokio::test]
async fn a_redirect_is_not_followed_because_it_could_carry_the_key_elsewhere() {
    let address = server(|_| (StatusCode::FOUND, [(header::LOCATION, "http://127.0.0.1:1/")])).await;
    assert_eq!(reason(ask(address).await), "HTTP status 302");
}

#[tokio::test]
async fn a_page_that_repeats_what_was_asked_for_does_not_bring_the_key_into_the_log() {
    let html = server(|query| format!("<html>Blocked: /?{query}</html>")).await;
    assert_eq!(reason(ask(html).await), "no JSON but: <html>Blocked: /?apikey=…&i=tt0111161</html>");
    let json = server(|query| format!(r#"{{"Response":"False","Error":"not found: {query}"}}"#)).await;
    assert_eq!(ask(json).await, Answer::UnknownId("not found: apikey=…&i=tt0111161".into()));
}

#[tokio::test]
async fn no_failure_of_the_connection_shows_the_key() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let refused = reason(ask(closed).await);
    assert!(refused.starts_with("no connection"), "{refused}");
    assert!(!refused.contains(KEY), "{refused}");

    let silent =
        server(|_| Response::new(Body::from_stream(futures_util::stream::pending::<Result<String, std::io::Error>>())))
            .await;
    let timed_out = reason(ask(silent).await);
    assert!(timed_out.starts_with("timed out"), "{timed_out}");
    assert!(!timed_out.contains(KEY), "{timed_out}");
}
