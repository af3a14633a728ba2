//! A proxy between the functions and the local AWS that keeps what they ask for.
//!
//! The functions' endpoint is this proxy, the harness's own clients go straight to the local AWS, so what is kept is
//! what the functions do, and nothing else. For the same reason it is the place where AWS can be made to fail.

mod fault;
mod request;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use anyhow::Context;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::contract::Service;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

pub use fault::{AwsFault, Operation};
pub use request::AwsRequest;

use crate::leaks::Heard;
use crate::server::Server;

/// The most bytes of a body. The largest that a function sends is an assembled list of 1,000 movies, about 5 MB.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// One call of a function, with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The service that its user agent names; nothing when it names none of ours.
    pub caller: Option<Service>,
    /// What was asked.
    pub request: AwsRequest,
    /// The status of the answer.
    pub status: u16,
}

/// A running proxy; it ends when this is dropped.
#[derive(Debug)]
pub struct Recorder {
    server: Server,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// The port of the local AWS, which is started after the proxy, since it is told the proxy's.
    upstream: OnceLock<u16>,
    calls: Mutex<Vec<Call>>,
    faults: fault::Faults,
    heard: Heard,
}

impl Recorder {
    /// Starts one that forwards every request as it came.
    pub(crate) async fn start(heard: &Heard) -> std::io::Result<Self> {
        let shared = Arc::new(Shared { heard: heard.clone(), ..Shared::default() });
        let router = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        Ok(Self { server: Server::start(router).await?, shared })
    }

    /// From now on, requests go to this port. It is told once; a second port is ignored.
    pub(crate) fn forward_to(&self, port: u16) {
        self.shared.upstream.get_or_init(|| port);
    }

    /// Where it answers.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// From now on, such calls fail: the next `times`, or all of them. A fault of the same operation is replaced.
    pub fn fail(&self, operation: Operation, fault: AwsFault, times: Option<usize>) {
        self.shared.faults.set(operation, fault, times);
    }

    /// All calls so far, in the order of their answers.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls().clone()
    }
}

impl Shared {
    fn calls(&self) -> MutexGuard<'_, Vec<Call>> {
        // The data is whole after any panic: every change to it is one push.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return (StatusCode::BAD_REQUEST, "the request's body was cut off or is too long").into_response();
    };
    shared.heard.keep("a call of a function to AWS", format!("{} {} {:?}", head.method, head.uri, head.headers));
    shared.heard.keep("the body of a function's call to AWS", body.clone());
    let (caller, request) = (caller_of(&head.headers), AwsRequest::read(&head, &body));
    let refused = match shared.faults.of(&request) {
        Some(fault) => fault.take_place().await,
        None => None,
    };
    let response = match refused {
        Some(response) => response,
        None => forward(&shared, head, Body::from(body)).await.unwrap_or_else(unreachable_upstream),
    };
    shared.calls().push(Call { caller, request, status: response.status().as_u16() });
    response
}

#[expect(clippy::needless_pass_by_value, reason = "`unwrap_or_else` gives it away")]
fn unreachable_upstream(error: anyhow::Error) -> Response {
    (StatusCode::BAD_GATEWAY, format!("{error:#}")).into_response()
}

/// A connection for each request: nothing is kept between them that could change one.
async fn forward(shared: &Shared, head: Parts, body: Body) -> anyhow::Result<Response> {
    let port = *shared.upstream.get().context("the local AWS does not run yet")?;
    let stream = TcpStream::connect(("127.0.0.1", port)).await.context("the local AWS cannot be reached")?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    // What the connection ends with is told to the one who sends as well.
    tokio::spawn(connection);
    let response = sender.send_request(Request::from_parts(head, body)).await?;
    Ok(response.map(Body::new))
}

/// The service whose name the SDK puts into the user agent
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-appid.html>).
fn caller_of(headers: &HeaderMap) -> Option<Service> {
    let agents = ["x-amz-user-agent", "user-agent"].into_iter().filter_map(|name| headers.get(name)?.to_str().ok());
    let app = agents.flat_map(str::split_whitespace).find_map(|part| part.strip_prefix("app/"))?;
    Service::ALL.into_iter().find(|service| service.name() == app)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use axum::routing::any;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    /// Says what reached it.
    async fn echo(request: Request) -> Response {
        let (head, body) = request.into_parts();
        let body = to_bytes(body, MAX_BODY_BYTES).await.unwrap();
        let seen = format!("{} {} {:?} {body:?}", head.method, head.uri, head.headers);
        (StatusCode::IM_A_TEAPOT, [("x-kept", "yes")], seen).into_response()
    }

    /// Sends text through a proxy before an echo, and gives what came back.
    async fn exchange(request: &str) -> (String, Vec<Call>) {
        let upstream = Server::start(Router::new().fallback(any(echo))).await.unwrap();
        let recorder = Recorder::start(&Heard::default()).await.unwrap();
        recorder.forward_to(upstream.address().port());
        let mut connection = TcpStream::connect(recorder.server.address()).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        (answer, recorder.calls())
    }

    const PUT: &str = "PUT /a%20b/../c?x-id=PutObject HTTP/1.1\r\nHost: bucket.example\r\nConnection: close\r\n\
                       User-Agent: aws-sdk-rust/1 app/ranker\r\nContent-Length: 4\r\n\r\nbody";

    #[tokio::test]
    async fn a_request_arrives_as_it_was_sent_and_its_answer_as_it_was_given() {
        let (answer, calls) = exchange(PUT).await;
        let headers = r#"{"host": "bucket.example", "connection": "close", "user-agent": "aws-sdk-rust/1 app/ranker", "content-length": "4"}"#;
        let seen = format!(r#"PUT /a%20b/../c?x-id=PutObject {headers} b"body""#);
        assert!(
            answer.starts_with("HTTP/1.1 418") && answer.contains("x-kept: yes") && answer.ends_with(&seen),
            "{answer}"
        );
        assert_eq!((calls[0].caller, calls[0].status), (Some(Service::Ranker), 418));
    }

    #[tokio::test]
    async fn a_call_that_finds_no_local_aws_fails_by_name_and_is_kept() {
        let recorder = Recorder::start(&Heard::default()).await.unwrap();
        let mut connection = TcpStream::connect(recorder.server.address()).await.unwrap();
        connection.write_all(PUT.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 502") && answer.ends_with("does not run yet"), "{answer}");
        assert_eq!(recorder.calls()[0].status, 502);
    }

    #[test]
    fn only_our_own_names_are_callers() {
        let caller = |agent: &'static str| {
            caller_of(&HeaderMap::from_iter([("user-agent".parse().unwrap(), HeaderValue::from_static(agent))]))
        };
        assert_eq!(caller("aws-sdk-rust/1.3 os/linux app/enricher"), Some(Service::Enricher));
        assert_eq!(caller("aws-sdk-rust/1.3 app/somebody"), None);
        assert_eq!(caller("aws-cli/2"), None);
    }
}
