//! The instruments of a service, on an OpenTelemetry meter that is read when the invocation is over.

use std::sync::{Arc, Weak};
use std::time::Duration;

use domain::contract::Service;
use domain::contract::metrics::{self, Kind, Metric};
use opentelemetry::metrics::{Counter, Histogram, Meter, MeterProvider};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::ResourceMetrics;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{
    Aggregation, Instrument, InstrumentKind, ManualReader, Pipeline, SdkMeterProvider, Stream, Temporality,
};

/// How many buckets a histogram may have: with the one for zero they fill the 150 values that a `PutMetricData` call
/// takes of one metric. Durations from 1 ms to 60 s then lie in buckets 9 % wide, so a percentile is off by less than
/// 5 %; a smaller spread is kept more exactly.
const HISTOGRAM_BUCKETS: u32 = 149;

/// The finest resolution of an exponential histogram, from which it coarsens as values spread
/// (<https://opentelemetry.io/docs/specs/otel/metrics/sdk/#base2-exponential-bucket-histogram-aggregation>).
const FINEST_SCALE: i8 = 20;

/// Counts and measures for one service. A clone shares the instruments.
#[derive(Debug, Clone)]
pub struct Metrics {
    /// Absent when the SDK is disabled.
    instruments: Option<Arc<Instruments>>,
}

#[derive(Debug)]
struct Instruments {
    counters: Vec<(&'static Metric, Counter<u64>)>,
    histograms: Vec<(&'static Metric, Histogram<f64>)>,
    reader: Reader,
    /// Instruments stop counting when their provider is dropped.
    _provider: SdkMeterProvider,
}

impl Metrics {
    pub(crate) fn new(service: Service, resource: Resource, temporality: Temporality) -> Self {
        let reader = Reader::new(temporality);
        let provider = SdkMeterProvider::builder()
            .with_resource(resource)
            .with_reader(reader.clone())
            .with_view(exponential_histograms)
            .build();
        let meter = provider.meter(domain::contract::PROJECT);
        let of = |kind| metrics::ALL.iter().copied().filter(move |metric| metric.is_of(service) && metric.kind == kind);
        let counters = of(Kind::Counter).map(|metric| (metric, counter(&meter, metric))).collect();
        let histograms = of(Kind::Histogram).map(|metric| (metric, histogram(&meter, metric))).collect();
        Self { instruments: Some(Arc::new(Instruments { counters, histograms, reader, _provider: provider })) }
    }

    pub(crate) fn disabled() -> Self {
        Self { instruments: None }
    }

    /// Adds to a counter of this service. A metric that is not one is a mistake of the caller: it panics in debug
    /// builds and is logged in release builds.
    pub fn count(&self, metric: &'static Metric, by: u64) {
        let Some(instruments) = &self.instruments else { return };
        match find(&instruments.counters, metric) {
            Some(counter) => counter.add(by, &[]),
            None => refuse(metric, "counter"),
        }
    }

    /// Adds one duration to a histogram of this service, in milliseconds. Mistakes are treated as by
    /// [`count`](Self::count).
    pub fn measure(&self, metric: &'static Metric, value: Duration) {
        let Some(instruments) = &self.instruments else { return };
        match find(&instruments.histograms, metric) {
            Some(histogram) => histogram.record(value.as_secs_f64() * 1_000.0, &[]),
            None => refuse(metric, "histogram"),
        }
    }

    /// Adds zero to every counter: one that nothing was added to since it was last read would report nothing, and an
    /// alarm on it would lack data.
    pub(crate) fn touch_counters(&self) {
        for (_, counter) in self.instruments.iter().flat_map(|instruments| &instruments.counters) {
            counter.add(0, &[]);
        }
    }

    /// What the instruments hold; with delta temporality, what they took in since they were last read.
    pub(crate) fn collect(&self) -> ResourceMetrics {
        let mut collected = ResourceMetrics::default();
        if let Some(instruments) = &self.instruments
            && let Err(error) = instruments.reader.collect(&mut collected)
        {
            tracing::error!(reason = %error, "metrics could not be read");
        }
        collected
    }
}

fn counter(meter: &Meter, metric: &'static Metric) -> Counter<u64> {
    meter.u64_counter(metric.name).with_unit(metric.unit.ucum()).with_description(metric.meaning).build()
}

fn histogram(meter: &Meter, metric: &'static Metric) -> Histogram<f64> {
    meter.f64_histogram(metric.name).with_unit(metric.unit.ucum()).with_description(metric.meaning).build()
}

/// A histogram with fixed bounds could only give CloudWatch a minimum, maximum, sum and count; this one gives it values
/// to take percentiles of.
pub(crate) fn exponential_histograms(instrument: &Instrument) -> Option<Stream> {
    if instrument.kind() != InstrumentKind::Histogram {
        return None;
    }
    let aggregation = Aggregation::Base2ExponentialHistogram {
        max_size: HISTOGRAM_BUCKETS,
        max_scale: FINEST_SCALE,
        record_min_max: true,
    };
    Stream::builder().with_aggregation(aggregation).build().ok()
}

fn find<'a, T>(instruments: &'a [(&'static Metric, T)], metric: &Metric) -> Option<&'a T> {
    instruments.iter().find(|(of, _)| of.name == metric.name).map(|(_, instrument)| instrument)
}

fn refuse(metric: &Metric, kind: &str) {
    tracing::error!(reason = format!("{} is not a {kind} of this service", metric.name), "a metric was not recorded");
    debug_assert!(false, "{} is not a {kind} of this service", metric.name);
}

/// The provider wants to own its reader and we want to read from it, so both hold the same one.
#[derive(Debug, Clone)]
pub(crate) struct Reader(Arc<ManualReader>);

impl Reader {
    pub(crate) fn new(temporality: Temporality) -> Self {
        Self(Arc::new(ManualReader::builder().with_temporality(temporality).build()))
    }
}

impl MetricReader for Reader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}
