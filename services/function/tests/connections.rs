//! Whom the functions talk to: nobody whose certificate is of an unknown authority, and no proxy.
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::retry::RetryConfig;
use domain::contract::Service;
use function::Connections;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::Acceptor;
use rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, Stream};

/// The variables that name proxies (<https://docs.rs/reqwest/latest/reqwest/#proxies>).
const PROXY_VARIABLES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy"];

/// Set in the child only: where the server is that it is to ask.
const ASK: &str = "FUNCTION_TEST_ASK";

/// What Lambda sets, so that AWS's clients have a region and credentials.
const LAMBDA: [(&str, &str); 3] =
    [("AWS_REGION", "eu-central-1"), ("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret")];

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

/// A server whose certificate for `localhost` nobody has heard of.
fn unknown_server() -> (SocketAddr, CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![certificate.clone()], key.into()).unwrap();
    let (config, listener) = (Arc::new(config), TcpListener::bind("127.0.0.1:0").unwrap());
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            let mut tls = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = Stream::new(&mut tls, &mut connection);
            // Whoever does not trust it goes away here.
            if stream.read(&mut [0; 4096]).is_ok() {
                let _ = stream.write_all(ANSWER);
            }
        }
    });
    (address, certificate)
}

/// What a client offers to speak, as its first message tells whoever it trusts or not.
fn offered_by(client: reqwest::ClientBuilder) -> Vec<Vec<u8>> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let asking = tokio::spawn(async move { client.build().unwrap().get(url).send().await });
    let (mut connection, _) = listener.accept().unwrap();
    let mut acceptor = Acceptor::default();
    let accepted = loop {
        acceptor.read_tls(&mut connection).unwrap();
        if let Some(accepted) = acceptor.accept().unwrap() {
            break accepted;
        }
    };
    let offered = accepted.client_hello().alpn().unwrap().map(<[u8]>::to_vec).collect();
    asking.abort();
    offered
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_is_offered_before_http_1() {
    let offered = tokio::task::spawn_blocking(|| offered_by(Connections::http().unwrap())).await.unwrap();
    assert_eq!(offered, [b"h2".to_vec(), b"http/1.1".to_vec()]);
}

/// A server that accepts and never says anything, not even who it is.
fn mute_server() -> (SocketAddr, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (listener.local_addr().unwrap(), listener)
}

#[tokio::test(start_paused = true)]
async fn a_connection_to_aws_that_does_not_come_about_is_given_up_after_two_seconds() {
    let (address, _listening) = mute_server();
    let begun = tokio::time::Instant::now();
    let reason = ask_aws(&format!("https://localhost:{}/", address.port())).await.unwrap_err();
    assert!(reason.contains("HTTP connect timeout occurred after 2s"), "{reason}");
    assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn all_clients_of_aws_share_their_connections() {
    let (address, connections) = counting_server();
    let aws = Connections::new(Service::Enricher).await.unwrap().aws;
    for _ in 0..2 {
        let _ = ask_aws_of(&aws, &format!("http://{address}/")).await;
    }
    assert_eq!(connections.load(Ordering::Relaxed), 1);
}

/// A server in clear that counts its connections, and answers on each as often as it is asked.
fn counting_server() -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, connections) = (listener.local_addr().unwrap(), Arc::<AtomicUsize>::default());
    let count = Arc::clone(&connections);
    thread::spawn(move || {
        for mut connection in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::Relaxed);
            thread::spawn(move || {
                // The questions are small, and none is sent before the last one has its answer.
                while connection.read(&mut [0; 16 * 1024]).is_ok_and(|bytes| bytes > 0) {
                    let _ = connection.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
                }
            });
        }
    });
    (address, connections)
}

/// Asks as OMDb and collectors are asked.
async fn ask(url: &str) -> Result<(), String> {
    let client = Connections::http().unwrap().build().unwrap();
    client.get(url).send().await.map(|_| ()).map_err(|error| telemetry::reasons(&error))
}

/// Asks as AWS is asked. What comes back is no answer of CloudWatch: only whether it was asked matters.
async fn ask_aws(url: &str) -> Result<(), String> {
    ask_aws_of(&Connections::new(Service::Enricher).await.unwrap().aws, url).await
}

/// The same by a new client.
async fn ask_aws_of(aws: &SdkConfig, url: &str) -> Result<(), String> {
    let config = aws_sdk_cloudwatch::config::Builder::from(aws)
        .credentials_provider(aws_sdk_cloudwatch::config::Credentials::new("id", "secret", None, None, "test"))
        .region(aws_sdk_cloudwatch::config::Region::new("eu-central-1"))
        .endpoint_url(url)
        .retry_config(RetryConfig::disabled())
        .build();
    let asked = Client::from_conf(config).put_metric_data().namespace("MoviePipeline").send().await;
    asked.map(|_| ()).map_err(|error| telemetry::reasons(&error))
}

#[tokio::test]
async fn a_server_of_an_unknown_authority_is_told_nothing() {
    let (address, certificate) = unknown_server();
    let url = format!("https://localhost:{}/", address.port());
    for refused in [ask(&url).await, ask_aws(&url).await] {
        let reason = refused.unwrap_err();
        assert!(reason.contains("invalid peer certificate: UnknownIssuer"), "{reason}");
    }

    // Nothing but that is wrong with it: whoever trusts it gets its answer.
    let mut roots = RootCertStore::empty();
    roots.add(certificate).unwrap();
    assert_eq!(trusting(roots).build().unwrap().get(&url).send().await.unwrap().status(), 200);
}

/// Another client than the functions', which trusts these.
fn trusting(roots: RootCertStore) -> reqwest::ClientBuilder {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    reqwest::Client::builder()
        .tls_backend_preconfigured(config.with_root_certificates(roots).with_no_client_auth())
        .no_proxy()
        .timeout(Duration::from_secs(10))
}

#[tokio::test]
async fn a_proxy_that_the_environment_names_hears_nothing() {
    if let Ok(url) = std::env::var(ASK) {
        ask(&url).await.unwrap();
        let _ = ask_aws(&url).await;
        return;
    }
    let ((server, asked), (proxy, heard)) = (counting_server(), counting_server());
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["a_proxy_that_the_environment_names_hears_nothing", "--exact"])
        .env_clear()
        .envs(LAMBDA)
        .envs(PROXY_VARIABLES.map(|name| (name, format!("http://{proxy}"))))
        .env(ASK, format!("http://{server}/"))
        .stdin(Stdio::null())
        .output();
    let ended = child.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stdout));
    assert_eq!((asked.load(Ordering::Relaxed), heard.load(Ordering::Relaxed)), (2, 0));
    let by_proxy = trusting(RootCertStore::empty()).proxy(reqwest::Proxy::all(format!("http://{proxy}")).unwrap());
    by_proxy.build().unwrap().get(format!("http://{server}/")).send().await.unwrap();
    assert_eq!(heard.load(Ordering::Relaxed), 1, "the proxy is one that would have heard");
}
