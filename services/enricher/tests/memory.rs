//! How much memory the enricher takes when others make it take much: what is allocated at once, counted.
#![expect(clippy::unwrap_used, reason = "tests; helpers outside of test functions too")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use domain::enriched::{LATEST_KEY, run_list_key};
use domain::message::MAX_MESSAGE_BYTES;
use domain::omdb::MAX_ANSWER_BYTES;
use domain::ranking::MAX_TOP_N;
use domain::{ImdbId, RankingId, Run};
use enricher::api_key::ApiKey;
use enricher::bucket::{Bucket, BucketError, Condition, Found, Head, Object, Put};
use enricher::completion::{Completion, Known, assemble_if_complete, move_latest};
use enricher::omdb::{Answer, Ask, OmdbHttp};
use enricher::settings::OmdbSettings;
use function::Connections;
use peak_alloc::PeakAlloc;
use tokio::sync::Mutex;

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// Held by each test from its first line on, since all threads are counted together.
static RUNNING: Mutex<()> = Mutex::const_new(());

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// The most bytes that `work` had allocated at once.
async fn peak_of<T>(work: impl Future<Output = T>) -> (T, usize) {
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    let result = work.await;
    (result, ALLOCATOR.peak_usage() - before)
}

/// Answers each request with these headers and zeros without end, in pieces of memory of its own.
fn endless(headers: &'static str) -> SocketAddr {
    static ZEROS: [u8; 4096] = [0; 4096];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let _ = connection.read(&mut [0; 4096]);
            let _ = connection.write_all(format!("HTTP/1.1 200 OK\r\n{headers}\r\n").as_bytes());
            while connection.write_all(&ZEROS).is_ok() {}
        }
    });
    address
}

fn client(address: SocketAddr) -> OmdbHttp {
    let settings = OmdbSettings {
        base_url: format!("http://{address}/").parse().unwrap(),
        connect_timeout: Duration::from_secs(10),
        timeout: Duration::from_secs(10),
        max_attempts: 1,
        daily_limit: 1,
    };
    OmdbHttp::new(Connections::http().unwrap(), &settings).unwrap()
}

#[tokio::test]
async fn an_answer_without_end_packed_or_not_takes_little_memory() {
    let _alone = RUNNING.lock().await;
    let cases = [
        ("Content-Encoding: gzip\r\n", "a packed body, which was not asked for"),
        ("Content-Length: 209715200\r\n", "more than 32768 bytes"),
        ("", "more than 32768 bytes"),
    ];
    let (id, key) = (ImdbId::parse("tt0111161").unwrap(), ApiKey::new("c0ffee42"));
    for (headers, reason) in cases {
        let omdb = client(endless(headers));
        let (answer, peak) = peak_of(omdb.ask(&id, &key)).await;
        assert_eq!(answer, Answer::unusable(reason), "{headers}");
        assert!(peak <= MIB, "{headers}: {peak} bytes");
    }
}

/// A bucket that holds the largest run there can be, without holding its bytes.
struct LargestRun {
    run: Run,
    ranking: RankingId,
}

const LARGEST_RECORD: usize = MAX_MESSAGE_BYTES + MAX_ANSWER_BYTES;

impl Bucket for LargestRun {
    async fn head(&self, _: &str) -> Result<Option<Head>, BucketError> {
        Ok(None)
    }

    async fn get(&self, key: &str) -> Result<Vec<u8>, BucketError> {
        let is_list = key == run_list_key(&self.run);
        Ok(vec![b'x'; if is_list { MAX_TOP_N * LARGEST_RECORD } else { LARGEST_RECORD }])
    }

    async fn find(&self, _: &str) -> Result<Option<Found>, BucketError> {
        Ok(None)
    }

    async fn list(&self, prefix: &str) -> Result<Vec<String>, BucketError> {
        let ranking = &self.ranking;
        Ok((1..=MAX_TOP_N).map(|position| format!("{prefix}{ranking}/{position:04}-tt{position:07}.json")).collect())
    }

    /// Sends a copy, as S3's client does.
    async fn put(&self, object: Object<'_>, _: &Condition) -> Result<Put, BucketError> {
        let sent = object.body.to_vec();
        assert!(sent.len() > MAX_TOP_N * LARGEST_RECORD || object.key != LATEST_KEY);
        Ok(Put::Stored)
    }
}

#[tokio::test]
async fn the_largest_run_is_completed_within_half_of_the_functions_memory() {
    let _alone = RUNNING.lock().await;
    let run = Run::parse("2026-11-22T12-00-00Z").unwrap();
    let ranking = RankingId::parse("0123456789abcdef").unwrap();
    let bucket = LargestRun { run: run.clone(), ranking: ranking.clone() };
    let complete = async {
        let assembled = assemble_if_complete(&bucket, &run, &ranking, MAX_TOP_N, Known::default()).await.unwrap();
        let Completion::Assembled { list } = assembled else { panic!("{assembled:?}") };
        let bytes = list.len();
        move_latest(&bucket, &run, Some(list)).await.unwrap();
        bytes
    };
    let (list_bytes, peak) = peak_of(complete).await;
    assert!(list_bytes > MAX_TOP_N * LARGEST_RECORD);
    assert!(peak <= 2 * list_bytes + MIB, "{peak} bytes");
    assert!(peak <= 128 * MIB, "{peak} bytes");
}
