//! For the tests of other packages: telemetry that stays in memory and is asked by name. Not for functions.

use std::sync::{Arc, Mutex, PoisonError};

use domain::contract::Service;
use domain::contract::metrics::Metric;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::Temporality;
use opentelemetry_sdk::metrics::data::{
    self, AggregatedMetrics, ExponentialHistogramDataPoint, MetricData, ResourceMetrics, ScopeMetrics, SumDataPoint,
};
pub use opentelemetry_sdk::trace::SpanData;
use serde_json::Value;
use tracing::Level;
use tracing::subscriber::DefaultGuard;

use crate::logs::{self, Output};
use crate::traces::{self, Buffer};
use crate::{Metrics, Settings, Sinks, StartError, Telemetry, assemble};

impl Metrics {
    /// Metrics that go nowhere, and what was recorded with them.
    #[must_use]
    pub fn in_memory(service: Service) -> (Self, Recorded) {
        let metrics = Self::new(service, Resource::builder_empty().build(), Temporality::Cumulative);
        (metrics.clone(), Recorded(metrics))
    }
}

/// What was recorded since the start.
#[derive(Debug)]
pub struct Recorded(Metrics);

impl Recorded {
    /// What was added to the counter.
    ///
    /// # Panics
    /// When nothing was ever added to it, not even zero; the message lists the metrics that are present.
    #[must_use]
    pub fn sum(&self, metric: &Metric) -> u64 {
        self.read(metric, |data| match data {
            AggregatedMetrics::U64(MetricData::Sum(sum)) => Some(sum.data_points().map(SumDataPoint::value).sum()),
            _ => None,
        })
    }

    /// How many durations the histogram holds.
    ///
    /// # Panics
    /// When it holds none; the message lists the metrics that are present.
    #[must_use]
    pub fn measurements(&self, metric: &Metric) -> usize {
        self.read(metric, |data| match data {
            AggregatedMetrics::F64(MetricData::ExponentialHistogram(histogram)) => {
                Some(histogram.data_points().map(ExponentialHistogramDataPoint::count).sum())
            }
            _ => None,
        })
    }

    fn read<T>(&self, metric: &Metric, value: impl Fn(&AggregatedMetrics) -> Option<T>) -> T {
        let collected = self.0.collect();
        let found = present(&collected).find(|present| present.name() == metric.name);
        found.and_then(|found| value(found.data())).unwrap_or_else(|| {
            let names: Vec<_> = present(&collected).map(data::Metric::name).collect();
            panic!("{} was not recorded as asked for; present: {}", metric.name, names.join(", "))
        })
    }
}

fn present(collected: &ResourceMetrics) -> impl Iterator<Item = &data::Metric> {
    collected.scope_metrics().flat_map(ScopeMetrics::metrics)
}

/// Logs and spans of the current thread, kept until this is dropped. Other threads log elsewhere.
#[must_use]
pub struct Captured {
    lines: Lines,
    spans: Arc<Buffer>,
    _guard: DefaultGuard,
}

/// Captures what this thread logs, at every level of our own packages, and the spans it finishes.
pub fn capture(service: Service) -> Captured {
    let lines = Lines::default();
    let spans = Arc::new(Buffer::default());
    let tracer = traces::tracer(Resource::builder_empty().build(), Some(Arc::clone(&spans)));
    let subscriber = logs::subscriber(service, Level::TRACE, lines.output(), Some(tracer));
    Captured { lines, spans, _guard: tracing::subscriber::set_default(subscriber) }
}

/// As [`crate::start`], but for this thread only and with the lines captured. Spans go where the settings send them, so
/// [`Captured::spans`] stays empty.
pub fn start(settings: Settings, sinks: Sinks) -> Result<(Telemetry, Captured), StartError> {
    let lines = Lines::default();
    let (telemetry, subscriber) = assemble(settings, sinks, lines.output())?;
    let guard = tracing::subscriber::set_default(subscriber);
    Ok((telemetry, Captured { lines, spans: Arc::default(), _guard: guard }))
}

impl Captured {
    /// Every line so far.
    ///
    /// # Panics
    /// When a line is not JSON.
    #[must_use]
    pub fn lines(&self) -> Vec<Value> {
        let parse = |line: &String| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        self.raw().iter().map(parse).collect()
    }

    /// The first line with this message.
    ///
    /// # Panics
    /// When there is none; the panic lists the messages that are present.
    #[must_use]
    pub fn line(&self, message: &str) -> Value {
        let lines = self.lines();
        let found = lines.iter().find(|line| line["message"] == message);
        found.cloned().unwrap_or_else(|| {
            let messages: Vec<_> = lines.iter().map(|line| line["message"].to_string()).collect();
            panic!("no line says {message:?}; present: {}", messages.join(", "))
        })
    }

    /// Every line so far, as it was written, its newline included.
    #[must_use]
    pub fn raw(&self) -> Vec<String> {
        self.lines.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The spans that were finished so far, in the order they ended.
    #[must_use]
    pub fn spans(&self) -> Vec<SpanData> {
        self.spans.snapshot()
    }
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn output(&self) -> Output {
        let lines = self.clone();
        Arc::new(move |line| lines.0.lock().unwrap_or_else(PoisonError::into_inner).push(line.to_owned()))
    }
}
