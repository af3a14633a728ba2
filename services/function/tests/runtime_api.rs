//! The loop around a handler, as a process of its own, against a Runtime API of ours
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

use std::convert::Infallible;
use std::future::pending;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Path as Segments, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use domain::contract::Service;
use function::Trigger;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

/// Set in the child only.
const IN_CHILD: &str = "FUNCTION_TEST_CHILD";

/// The environment as Lambda and the Pulumi program set it, without telemetry.
const ENVIRONMENT: [(&str, &str); 9] = [
    (IN_CHILD, "1"),
    ("AWS_LAMBDA_FUNCTION_NAME", "movie-pipeline-test-ranker"),
    ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
    ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ("AWS_LAMBDA_LOG_GROUP_NAME", "log-group"),
    ("AWS_LAMBDA_LOG_STREAM_NAME", "log-stream"),
    ("AWS_REGION", "eu-central-1"),
    ("ENVIRONMENT", "test"),
    ("OTEL_SDK_DISABLED", "true"),
];

/// What the function told: the id of the invocation, `response` or `error`, and the body.
type Told = (String, String, Value);

#[derive(Clone)]
struct RuntimeApi {
    events: Arc<Mutex<Vec<Value>>>,
    told: UnboundedSender<Told>,
}

/// The headers of the next event.
fn headers_of(id: &str) -> [(&'static str, String); 3] {
    let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(30);
    [
        ("lambda-runtime-aws-request-id", id.to_owned()),
        ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:123456789012:function:ranker".to_owned()),
    ]
}

/// Hands out the next event; after the last one there is none for ever.
async fn next(State(api): State<RuntimeApi>) -> impl IntoResponse {
    let event = api.events.lock().unwrap().pop();
    let Some(event) = event else { return pending().await };
    (headers_of(event["id"].as_str().unwrap()), event.to_string())
}

async fn take(
    State(api): State<RuntimeApi>,
    Segments((id, kind)): Segments<(String, String)>,
    body: String,
) -> StatusCode {
    api.told.send((id, kind, serde_json::from_str(&body).unwrap())).unwrap();
    StatusCode::ACCEPTED
}

/// The child's work: serves events, of which those that say so panic.
async fn serve() {
    let function = function::start(Service::Ranker, |reader| {
        reader.read(domain::contract::environment::TOP_N, |text| Some(text.to_owned()))
    });
    let handler = |event: Value, _| async move {
        assert!(event["panics"] != true, "a fault of ours over {}", event["id"]);
        Ok::<_, Infallible>(json!("done"))
    };
    function.await.map_err(|error| error.to_string()).unwrap().serve(Trigger::SCHEDULE, handler).await;
}

/// Ends the child whatever becomes of the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_child(test: &str, runtime_api: &str) -> Running {
    let child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env_clear()
        .envs(ENVIRONMENT)
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    Running(child.unwrap())
}

#[tokio::test]
async fn a_panic_fails_its_invocation_with_its_words_and_the_next_event_is_served() {
    if std::env::var_os(IN_CHILD).is_some() {
        return serve().await;
    }
    let (told, mut heard) = unbounded_channel();
    let events = vec![json!({"id": "second"}), json!({"id": "first", "panics": true})];
    let api = RuntimeApi { events: Arc::new(Mutex::new(events)), told };
    let routes = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/{kind}", post(take))
        .with_state(api);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { axum::serve(listener, routes).await });

    let _child = start_child("a_panic_fails_its_invocation_with_its_words_and_the_next_event_is_served", &address);
    let mut hear = async || tokio::time::timeout(Duration::from_secs(30), heard.recv()).await.unwrap().unwrap();
    let (id, kind, error) = hear().await;
    assert_eq!((id.as_str(), kind.as_str()), ("first", "error"));
    assert_eq!(error["errorMessage"], "Lambda panicked: a fault of ours over \"first\"");
    // By the same process: it is not started again.
    assert_eq!(hear().await, ("second".to_owned(), "response".to_owned(), json!("done")));
}

#[tokio::test]
async fn an_answer_that_the_runtime_api_does_not_take_ends_the_process_with_its_reason() {
    if std::env::var_os(IN_CHILD).is_some() {
        return serve().await;
    }
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let test = "an_answer_that_the_runtime_api_does_not_take_ends_the_process_with_its_reason";
    let mut child = start_child(test, &listener.local_addr().unwrap().to_string());
    let mut stdout = tokio::process::ChildStdout::from_std(child.0.stdout.take().unwrap()).unwrap();
    let exchange = async {
        let (connection, _) = listener.accept().await.unwrap();
        // Before there is an event: whoever is done with it finds nobody.
        drop(listener);
        hand_out_one_event(connection).await;
        let mut told = String::new();
        stdout.read_to_string(&mut told).await.unwrap();
        told
    };
    let told = tokio::time::timeout(Duration::from_secs(30), exchange).await.unwrap();
    assert!(told.contains("the Runtime API failed") && told.contains("Connection refused"), "{told}");
}

async fn hand_out_one_event(mut connection: tokio::net::TcpStream) {
    let mut request = [0; 4096];
    assert!(connection.read(&mut request).await.unwrap() > 0);
    let headers = headers_of("first").map(|(name, value)| format!("{name}: {value}\r\n")).concat();
    let head = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n{headers}\r\n{{}}");
    connection.write_all(head.as_bytes()).await.unwrap();
}

#[test]
fn what_ships_is_built_to_unwind() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    let choices: Vec<_> = manifest.lines().filter(|line| line.trim_start().starts_with("panic")).collect();
    assert_eq!(choices, [r#"panic = "unwind""#]);
    let release = manifest.split("\n[profile.release]\n").nth(1).unwrap();
    assert!(release.split("\n[").next().unwrap().contains(choices[0]));
}
