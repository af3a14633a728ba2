//! A small HTTP/1.1 server on a free loopback port, a thread for each connection, and one kind of request.
//!
//! It stands between the clock and the function that is measured, so it does as little as it can: this program is built
//! without optimizations, and what is built so takes longer in an asynchronous server than a function takes to start.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use bytes::Bytes;

/// A request, read to its end.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: String,
    /// Path and query as they came.
    pub(super) target: String,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// When its first line was read.
    pub(super) at: Instant,
}

impl Request {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// Serves until it is dropped; connections that are open then end with their clients.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl Server {
    pub(super) fn start(answer: impl Fn(&Request) -> Answer + Send + Sync + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let (address, ended) = (listener.local_addr()?, Arc::new(AtomicBool::new(false)));
        let (has_ended, answer) = (Arc::clone(&ended), Arc::new(answer));
        std::thread::Builder::new().name("bench http".to_owned()).spawn(move || {
            for connection in listener.incoming() {
                let Ok(connection) = connection else { continue };
                if has_ended.load(Ordering::Acquire) {
                    return;
                }
                let answer = Arc::clone(&answer);
                // A connection that breaks off is the client's to complain about.
                std::thread::spawn(move || serve(&connection, &*answer));
            }
        })?;
        Ok(Self { address, ended })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Release);
        // Wakes the thread that accepts; if this fails, nothing listens any more.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(connection: &TcpStream, answer: &impl Fn(&Request) -> Answer) -> io::Result<()> {
    connection.set_nodelay(true)?;
    let mut reader = BufReader::with_capacity(64 * 1024, connection);
    while let Some(request) = read_request(&mut reader, connection)? {
        let has_body = request.method != "HEAD";
        write_answer(connection, &answer(&request), has_body)?;
    }
    Ok(())
}

fn read_request(reader: &mut impl BufRead, mut connection: &TcpStream) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let at = Instant::now();
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default().to_owned(), words.next().unwrap_or_default().to_owned());
    let headers = read_headers(reader)?;
    let mut request = Request { method, target, headers, body: Vec::new(), at };
    if request.header("expect").is_some() {
        connection.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    request.body.resize(content_length(&request.headers)?, 0);
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

fn read_headers(reader: &mut impl BufRead) -> io::Result<Vec<(String, String)>> {
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { return Ok(headers) };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// Without a length there is no body: none of the clients here sends one in chunks.
fn content_length(headers: &[(String, String)]) -> io::Result<usize> {
    let length = headers.iter().find(|(name, _)| name == "content-length");
    length.map_or(Ok(0), |(_, length)| length.parse().map_err(io::Error::other))
}

fn write_answer(mut connection: &TcpStream, answer: &Answer, has_body: bool) -> io::Result<()> {
    let Answer { status, headers, body } = answer;
    // One write for small answers, so that they travel in one packet.
    let mut bytes = Vec::with_capacity(512);
    write!(bytes, "HTTP/1.1 {status} -\r\n")?;
    for (name, value) in headers {
        write!(bytes, "{name}: {value}\r\n")?;
    }
    write!(bytes, "content-length: {}\r\n\r\n", body.len())?;
    let body = if has_body { &body[..] } else { &[] };
    if body.len() <= 64 * 1024 {
        bytes.extend_from_slice(body);
        return connection.write_all(&bytes);
    }
    connection.write_all(&bytes)?;
    connection.write_all(body)
}

/// A client that asks again and again on one connection.
#[derive(Debug)]
pub(super) struct Client(BufReader<TcpStream>);

impl Client {
    pub(super) fn connect(address: SocketAddr) -> io::Result<Self> {
        let connection = TcpStream::connect(address)?;
        connection.set_nodelay(true)?;
        Ok(Self(BufReader::new(connection)))
    }

    /// Asks for a target; gives the body.
    pub(super) fn get(&mut self, target: &str) -> io::Result<Vec<u8>> {
        self.0.get_mut().write_all(format!("GET {target} HTTP/1.1\r\nhost: localhost\r\n\r\n").as_bytes())?;
        let mut status = String::new();
        self.0.read_line(&mut status)?;
        let headers = read_headers(&mut self.0)?;
        let mut body = vec![0; content_length(&headers)?];
        self.0.read_exact(&mut body)?;
        if status.split(' ').nth(1) == Some("200") {
            return Ok(body);
        }
        Err(io::Error::other(format!("{} {}", status.trim_end(), String::from_utf8_lossy(&body))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_serves_one_request_after_the_other() {
        let server = Server::start(|request| Answer::new(200, request.target.clone().repeat(20_000))).unwrap();
        let mut client = Client::connect(server.address()).unwrap();
        for target in ["/a", "/b"] {
            assert_eq!(client.get(target).unwrap(), target.repeat(20_000).as_bytes());
        }
    }

    #[test]
    fn a_refusal_is_an_error_of_the_client() {
        let server = Server::start(|_| Answer::new(404, "")).unwrap();
        let error = Client::connect(server.address()).unwrap().get("/").unwrap_err();
        assert!(error.to_string().contains("404"), "{error}");
    }
}
