//! What the enricher says of a request that failed: the key is part of its address.

use std::net::SocketAddr;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use domain::ImdbId;
use domain::contract::Service;
use enricher::api_key::{ApiKey, KeyStore, SsmKeyStore};
use enricher::omdb::{Ask, OmdbHttp};
use enricher::settings::OmdbSettings;
use function::Connections;
use local::{OMDB_STAND_IN_KEY as KEY, assert_no_canary};
use serde_json::json;
use telemetry::testing::capture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tracing::Instrument;

/// What a server does with a connection once it has read the request: writes this, and closes it unless it hangs.
struct Behaviour {
    answer: Vec<u8>,
    hangs: bool,
}

async fn server(behaviour: Behaviour) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = connection.read(&mut request).await;
            let _ = connection.write_all(&behaviour.answer).await;
            if behaviour.hangs {
                std::future::pending::<()>().await;
            }
        }
    });
    address
}

/// Asks there, and gives everything that is said about it: the answer, the log, the spans, the client itself.
async fn said_of(base_url: &str) -> String {
    let captured = capture(Service::Enricher);
    let settings = OmdbSettings {
        base_url: base_url.parse().unwrap(),
        connect_timeout: Duration::from_secs(1),
        timeout: Duration::from_secs(1),
        max_attempts: 1,
        daily_limit: 1_000,
    };
    let omdb = OmdbHttp::new(Connections::http().unwrap(), &settings).unwrap();
    let key = ApiKey::new(KEY);
    let span = tracing::info_span!(target: "enricher", "ask");
    let answer = omdb.ask(&ImdbId::parse("tt0111161").unwrap(), &key).instrument(span).await;
    let name = answer.name();
    tracing::error!(target: "enricher", reason = answer.fault(), "{name}");
    format!("{answer:?} {omdb:?} {key:?} {:?} {:?}", captured.raw(), captured.spans())
}

#[tokio::test]
async fn no_failure_of_http_shows_the_address_or_the_key() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let silent = server(Behaviour { answer: Vec::new(), hangs: true }).await;
    let plain = server(Behaviour { answer: b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), hangs: false }).await;
    let elsewhere = format!("HTTP/1.1 302 Found\r\nLocation: http://{closed}/?apikey=x\r\nContent-Length: 0\r\n\r\n");
    let elsewhere = server(Behaviour { answer: elsewhere.into_bytes(), hangs: false }).await;
    let no_http = server(Behaviour { answer: b"220 ready\r\n".to_vec(), hangs: false }).await;
    let cut = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"Title\":".to_vec();
    let cut = server(Behaviour { answer: cut, hangs: false }).await;
    for (base_url, expected) in [
        (format!("http://{closed}/"), "no connection"),
        (format!("http://{silent}/"), "timed out"),
        (format!("https://{plain}/"), "no connection"),
        (format!("http://{elsewhere}/"), "HTTP status 302"),
        (format!("http://{no_http}/"), "broken off"),
        (format!("http://{cut}/"), "broken off"),
    ] {
        let said = said_of(&base_url).await;
        assert!(said.contains(expected), "{base_url}: {said}");
        assert!(!said.contains("apikey") && !said.contains("tt0111161"), "{base_url}: {said}");
        assert_no_canary(&base_url, said.as_bytes());
    }
}

/// The key comes from SSM: an answer that its client cannot read holds it.
#[tokio::test]
async fn an_answer_of_ssm_that_cannot_be_read_is_not_shown() {
    let whole = json!({"Parameter": {"Name": "/key", "Value": KEY}}).to_string();
    for body in [whole.trim_end_matches('}').to_owned(), whole.replace(r#""Parameter":{"#, r#""Parameter":[{"#)] {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let address = server(Behaviour { answer: answer.into_bytes(), hangs: false }).await;
        let captured = capture(Service::Enricher);
        let span = tracing::info_span!(target: "enricher", "fetch");
        let keys = SsmKeyStore::new(&configuration(address), "/key");
        let error = keys.fetch().instrument(span).await.unwrap_err();
        assert!(error.to_string().contains("/key: "), "{error}");
        tracing::error!(target: "enricher", reason = %error, "{error:?}");
        assert_no_canary(&body, format!("{:?} {:?}", captured.raw(), captured.spans()).as_bytes());
    }
}

fn configuration(address: SocketAddr) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::from_static("eu-central-1"))
        .endpoint_url(format!("http://{address}"))
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("a", "b", None, None, "test")))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build()
}

/// As OMDb gets it, and as it may understand it.
#[tokio::test]
async fn no_answer_that_repeats_the_key_brings_it_into_what_is_said() {
    let in_the_address = "canary0OmdbKey0Begins%2B%2F%3D%7E%3F%3E%2541%26%22%5C%24%27ends0OmdbKey0Canary";
    for text in [KEY, in_the_address] {
        for body in [format!("<p>{text}</p>"), json!({"Response": "False", "Error": text}).to_string()] {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let address = server(Behaviour { answer: answer.into_bytes(), hangs: false }).await;
            assert_no_canary(&body, said_of(&format!("http://{address}/")).await.as_bytes());
        }
    }
}
