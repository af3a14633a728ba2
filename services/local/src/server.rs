//! A small HTTP server on a free loopback port.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::{JoinHandle, JoinSet};

/// How many connections may wait to be taken.
const BACKLOG: u32 = 1024;

/// Serves until it is dropped; its connections end with it.
#[derive(Debug)]
pub(crate) struct Server {
    address: SocketAddr,
    router: Router,
    /// It never listens: it keeps the port for this server while that is stopped. Connections are refused then.
    _reserved: TcpSocket,
    task: Mutex<JoinHandle<()>>,
}

impl Server {
    #[expect(clippy::unused_async, reason = "its sockets need a runtime, which whoever awaits it has")]
    pub(crate) async fn start(router: Router) -> std::io::Result<Self> {
        let reserved = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let address = reserved.local_addr()?;
        let task = Mutex::new(serve(address, router.clone())?);
        Ok(Self { address, router, _reserved: reserved, task })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends it as a crash would: answers are cut off where they are. Its port stays its own.
    pub(crate) async fn stop(&self) {
        self.task().abort();
        while !self.task().is_finished() {
            tokio::task::yield_now().await;
        }
    }

    /// Serves again where it served before; does nothing unless it is stopped.
    pub(crate) fn resume(&self) -> std::io::Result<()> {
        let mut task = self.task();
        if task.is_finished() {
            *task = serve(self.address, self.router.clone())?;
        }
        Ok(())
    }

    fn task(&self) -> MutexGuard<'_, JoinHandle<()>> {
        // The data is whole after any panic: every change to it is one assignment.
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task().abort();
    }
}

/// A socket at this address, which others of ours may share and nobody else.
fn bind(address: SocketAddr) -> std::io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseport(true)?;
    socket.bind(address)?;
    Ok(socket)
}

fn serve(address: SocketAddr, router: Router) -> std::io::Result<JoinHandle<()>> {
    let listener = bind(address)?.listen(BACKLOG)?;
    Ok(tokio::spawn(async move {
        if let Err(error) = accept(listener, router).await {
            eprintln!("the server on {address} ended: {error}");
        }
    }))
}

/// Takes connections. They are tasks of its own, so that they end when it does.
async fn accept(listener: TcpListener, router: Router) -> std::io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let service = TowerToHyperService::new(router.clone());
                // What a connection ends with is its client's to know.
                connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(accepted?.0), service));
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use axum::routing::get;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;
    use tokio::sync::mpsc;

    use super::*;

    async fn ask(address: SocketAddr) -> std::io::Result<String> {
        let mut connection = TcpStream::connect(address).await?;
        connection.write_all(b"GET / HTTP/1.0\r\n\r\n").await?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.map(|_| answer)
    }

    #[tokio::test]
    async fn a_stopped_server_refuses_connections_and_answers_again_at_the_same_address() {
        let server = Server::start(Router::new().route("/", get(|| async { "here" }))).await.unwrap();
        assert!(ask(server.address()).await.unwrap().ends_with("here"));
        server.stop().await;
        assert_eq!(ask(server.address()).await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        server.resume().unwrap();
        assert!(ask(server.address()).await.unwrap().ends_with("here"));
    }

    #[tokio::test]
    async fn the_port_of_a_stopped_server_is_nobody_elses() {
        let server = Server::start(Router::new()).await.unwrap();
        server.stop().await;
        assert_eq!(TcpListener::bind(server.address()).await.unwrap_err().kind(), ErrorKind::AddrInUse);
    }

    #[tokio::test]
    async fn stopping_cuts_off_an_answer_that_is_being_worked_on() {
        let (asked, mut is_asked) = mpsc::channel::<()>(1);
        let hang = move || async move {
            asked.send(()).await.unwrap();
            std::future::pending::<&str>().await
        };
        let server = Server::start(Router::new().route("/", get(hang))).await.unwrap();
        let address = server.address();
        let answer = tokio::spawn(async move { ask(address).await });
        is_asked.recv().await.unwrap();
        server.stop().await;
        assert!(answer.await.unwrap().is_ok_and(|answer| answer.is_empty()), "the connection ends without an answer");
    }
}
