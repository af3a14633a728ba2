//! What a run came to: for people a table, for programs one JSON object.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use domain::Run;
use domain::contract::metrics;
use domain::enriched::{LATEST_KEY, MovieKey, read_movie_key, run_prefix};
use serde::Serialize;
use serde_json::Value;

use crate::outcome::Outcome;
use crate::pipeline::Pipeline;

/// A run, as read back from the bucket, the queues and CloudWatch.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The run's name.
    pub run: Run,
    /// Items of the source list.
    pub source_items: u64,
    /// How many of them could not be ranked.
    pub rejected: u64,
    /// Movies ranked and published.
    pub ranked: u64,
    /// Movies enriched and stored.
    pub enriched: u64,
    /// Messages in the dead-letter queue.
    pub dead_lettered: usize,
    /// The stored movies in order of position.
    pub movies: Vec<StoredMovie>,
    /// The key of the latest list.
    pub latest_key: &'static str,
    /// The latest list; `null` when there is none.
    pub latest: Value,
    /// The counters by name.
    pub metrics: BTreeMap<&'static str, u64>,
    /// How many different traces arrived.
    pub traces: usize,
    /// From firing the schedule to the end of the run, in milliseconds.
    pub duration_ms: u128,
    /// Why the run did not complete; absent when it did.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failure: Vec<String>,
}

/// One stored movie.
#[derive(Debug, Clone, Serialize)]
pub struct StoredMovie {
    /// Its place in the run, from 1.
    pub position: usize,
    /// Its IMDb id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Where it lies.
    pub key: String,
    #[serde(skip)]
    year: String,
    #[serde(skip)]
    rating: String,
}

impl Report {
    /// Reads everything back.
    pub async fn read(pipeline: &Pipeline, run: &Run, outcome: Outcome, took: Duration) -> anyhow::Result<Self> {
        let state = pipeline.state(run).await?;
        let count = |metric| state.counted(metric) as u64;
        let failure = if let Outcome::Failed(reasons) = outcome { reasons } else { Vec::new() };
        Ok(Self {
            run: run.clone(),
            source_items: count(metrics::SOURCE_ITEMS),
            rejected: count(metrics::SOURCE_ITEMS_REJECTED),
            ranked: count(metrics::MOVIES_RANKED),
            enriched: count(metrics::MOVIES_ENRICHED),
            dead_lettered: state.dead_letters,
            movies: read_movies(pipeline, run).await?,
            latest_key: LATEST_KEY,
            latest: pipeline.read_json(LATEST_KEY).await?.unwrap_or_default(),
            metrics: state.counts(),
            traces: pipeline.traces().trace_count(),
            duration_ms: took.as_millis(),
            failure,
        })
    }

    /// Whether the run completed.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.failure.is_empty()
    }
}

async fn read_movies(pipeline: &Pipeline, run: &Run) -> anyhow::Result<Vec<StoredMovie>> {
    let mut movies = Vec::new();
    for key in pipeline.objects(&run_prefix(run)).await? {
        if let Some(MovieKey { position, id, .. }) = read_movie_key(run, &key) {
            let record = pipeline.read_json(&key).await?.unwrap_or_default();
            let text = |name: &str| record.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (title, year, rating) = (text("title"), text("year"), text("imDbRating"));
            movies.push(StoredMovie { position, id: id.to_string(), title, key, year, rating });
        }
    }
    movies.sort_by_key(|movie| movie.position);
    Ok(movies)
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nRun {}\n", self.run)?;
        self.write_movies(f)?;
        writeln!(
            f,
            "{} source items, {} rejected, {} ranked, {} enriched, {} dead-lettered, {} trace(s), {:.1} s",
            self.source_items,
            self.rejected,
            self.ranked,
            self.enriched,
            self.dead_lettered,
            self.traces,
            Duration::from_millis(u64::try_from(self.duration_ms).unwrap_or(u64::MAX)).as_secs_f64(),
        )?;
        let metrics: Vec<_> = self.metrics.iter().map(|(name, sum)| format!("{name} {sum}")).collect();
        writeln!(f, "Metrics: {}", metrics.join(", "))?;
        self.write_end(f)
    }
}

impl Report {
    fn write_movies(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let width = self.movies.iter().map(|movie| movie.title.chars().count()).max().unwrap_or_default();
        for StoredMovie { position, title, year, rating, key, .. } in &self.movies {
            writeln!(f, "{position:>4}  {title:<width$}  {year:>4}  {rating:>4}  {key}")?;
        }
        if self.movies.is_empty() { Ok(()) } else { writeln!(f) }
    }

    fn write_end(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.is_complete() {
            return write!(f, "The run completed; the newest list lies at {}.", self.latest_key);
        }
        write!(f, "The run did not complete:")?;
        self.failure.iter().try_for_each(|reason| write!(f, "\n  {reason}"))
    }
}
