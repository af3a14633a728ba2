//! An endpoint that passes on to another one until it is told to hang or to go.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[derive(Debug, Clone)]
pub(crate) enum Mood {
    /// To this endpoint, such as `http://127.0.0.1:4318`.
    Passes(String),
    /// Takes connections and answers nothing; connections that stand hang, too.
    Hangs,
    /// Closes all connections and takes no more.
    Gone,
}

/// Ends with the runtime that it was bound in.
pub(crate) struct Switch {
    mood: watch::Sender<Mood>,
    endpoint: String,
    connections: Arc<AtomicUsize>,
}

impl Switch {
    /// Hangs until it is told otherwise.
    pub(crate) async fn bind() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let (mood, seen) = watch::channel(Mood::Hangs);
        let connections = Arc::<AtomicUsize>::default();
        tokio::spawn(accept(listener, seen, Arc::clone(&connections)));
        Self { mood, endpoint, connections }
    }

    pub(crate) fn endpoint(&self) -> String {
        self.endpoint.clone()
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.mood.send_replace(mood);
    }

    /// How many connections were taken so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, mut mood: watch::Receiver<Mood>, connections: Arc<AtomicUsize>) {
    // The listener closes when this returns, so that connections are refused.
    while !matches!(*mood.borrow_and_update(), Mood::Gone) {
        tokio::select! {
            connection = listener.accept() => {
                connections.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(connection.unwrap().0, mood.clone()));
            }
            changed = mood.changed() => if changed.is_err() { return },
        }
    }
}

async fn serve(mut client: TcpStream, mut mood: watch::Receiver<Mood>) {
    loop {
        let now = mood.borrow_and_update().clone();
        match now {
            Mood::Gone => return,
            Mood::Hangs => {
                if mood.changed().await.is_err() {
                    return;
                }
            }
            Mood::Passes(endpoint) => {
                let Ok(mut target) = TcpStream::connect(endpoint.trim_start_matches("http://")).await else { return };
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut client, &mut target) => return,
                    // A target that is let go in the middle of an exchange cannot be taken up again.
                    changed = mood.changed() => if changed.is_err() { return },
                }
            }
        }
    }
}
