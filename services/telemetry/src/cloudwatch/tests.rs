//! The conversion, held against what the SDK collected.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::contract::metrics::{MOVIES_ENRICHED, OMDB_DURATION, RUNS_COMPLETED};
use opentelemetry::metrics::MeterProvider;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{SdkMeterProvider, Temporality, data};
use proptest::prelude::*;

use super::*;
use crate::metrics::{Metrics, Reader, exponential_histograms};

fn enricher() -> Metrics {
    Metrics::new(Service::Enricher, Resource::builder_empty().build(), Temporality::Delta)
}

fn converted(metrics: &Metrics) -> BTreeMap<String, MetricDatum> {
    let data = convert(&metrics.collect(), &dimensions(Service::Enricher, "dev"));
    data.into_iter().map(|datum| (datum.metric_name().unwrap().to_owned(), datum)).collect()
}

/// The one histogram point of what was collected.
fn with_histogram<T>(collected: &ResourceMetrics, look: impl Fn(&ExponentialHistogramDataPoint<f64>) -> T) -> T {
    let metric = collected.scope_metrics().flat_map(data::ScopeMetrics::metrics).next().unwrap();
    let AggregatedMetrics::F64(MetricData::ExponentialHistogram(histogram)) = metric.data() else {
        panic!("{} is no exponential histogram", metric.name());
    };
    look(histogram.data_points().next().unwrap())
}

#[test]
fn a_counter_becomes_one_value_with_its_unit_and_both_dimensions() {
    let metrics = enricher();
    metrics.count(MOVIES_ENRICHED, 4);
    metrics.count(MOVIES_ENRICHED, 6);
    let datum = &converted(&metrics)["MoviesEnriched"];
    assert_eq!(datum.value(), Some(10.0));
    assert_eq!(datum.unit(), Some(&StandardUnit::Count));
    let dimensions: Vec<_> = datum.dimensions().iter().map(|d| (d.name().unwrap(), d.value().unwrap())).collect();
    assert_eq!(dimensions, [("Environment", "dev"), ("Service", "enricher")]);
    assert!(datum.timestamp().is_some());
}

#[test]
fn what_was_read_once_is_not_read_again() {
    let metrics = enricher();
    metrics.count(RUNS_COMPLETED, 1);
    assert_eq!(converted(&metrics).len(), 1);
    assert!(converted(&metrics).is_empty());
}

#[test]
fn untouched_counters_read_zero_and_an_untouched_histogram_is_left_out() {
    let metrics = enricher();
    metrics.touch_counters();
    let data = converted(&metrics);
    let of_the_enricher = metrics::ALL.iter().filter(|metric| metric.is_of(Service::Enricher));
    for metric in of_the_enricher {
        match metric.kind {
            metrics::Kind::Counter => assert_eq!(data[metric.name].value(), Some(0.0), "{}", metric.name),
            metrics::Kind::Histogram => assert!(!data.contains_key(metric.name), "{}", metric.name),
        }
    }
}

#[test]
fn equal_durations_keep_their_exact_value() {
    let metrics = enricher();
    for _ in 0..3 {
        metrics.measure(OMDB_DURATION, Duration::from_millis(120));
    }
    let datum = &converted(&metrics)["OmdbDuration"];
    assert_eq!((datum.values(), datum.counts()), (&[120.0][..], &[3.0][..]));
    assert_eq!(datum.unit(), Some(&StandardUnit::Milliseconds));
    assert_eq!(datum.value(), None);
}

#[test]
fn a_dense_range_of_durations_fits_one_datum() {
    let metrics = enricher();
    for us in 0..20_000 {
        metrics.measure(OMDB_DURATION, Duration::from_micros(us));
    }
    let data = convert(&metrics.collect(), &[]);
    assert_eq!(data.len(), 1);
    assert!((75..=VALUES_PER_DATUM).contains(&data[0].values().len()), "{}", data[0].values().len());
    assert_eq!(data[0].values()[0].to_bits(), 0.0_f64.to_bits());
}

proptest! {
    #[test]
    fn no_measurement_is_lost_and_every_value_lies_in_its_bucket(
        durations_us in prop::collection::vec(0_u64..100_000_000, 1..400)
    ) {
        let metrics = enricher();
        for us in &durations_us {
            metrics.measure(OMDB_DURATION, Duration::from_micros(*us));
        }
        let collected = metrics.collect();
        let data = convert(&collected, &[]);
        prop_assert_eq!(data.len(), 1);
        prop_assert!(data[0].values().len() <= VALUES_PER_DATUM);
        prop_assert!(data[0].values().is_sorted());
        prop_assert_eq!(counts(&data[0]).sum::<u64>(), durations_us.len() as u64);

        let (min, max) = with_histogram(&collected, |point| (point.min().unwrap(), point.max().unwrap()));
        for value in data[0].values() {
            prop_assert!(value.is_finite() && (min..=max).contains(value), "{} not in {}..={}", value, min, max);
        }
        let expected = with_histogram(&collected, bounds_and_counts);
        prop_assert_eq!(expected.len(), data[0].values().len());
        let kept = data[0].values().iter().zip(counts(&data[0]));
        for ((lower, upper, count), (value, counted)) in expected.into_iter().zip(kept) {
            prop_assert!(lower <= *value && *value <= upper, "{} not in {}..={}", value, lower, upper);
            prop_assert_eq!(count, counted);
        }
    }

    #[test]
    fn a_percentile_is_off_by_less_than_five_percent(
        mut durations_us in prop::collection::vec(1_000_u64..60_000_000, 1..400), share in 0.0..1.0_f64
    ) {
        let metrics = enricher();
        for us in &durations_us {
            metrics.measure(OMDB_DURATION, Duration::from_micros(*us));
        }
        durations_us.sort_unstable();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a length is an index")]
        let index = (share * float(durations_us.len() as u64)) as usize;
        let exact = float(durations_us[index]) / 1_000.0;
        let kept = nth(&convert(&metrics.collect(), &[])[0], index);
        prop_assert!((kept / exact - 1.0).abs() < 0.05, "{} instead of {}", kept, exact);
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts are small whole numbers")]
fn counts(datum: &MetricDatum) -> impl Iterator<Item = u64> {
    datum.counts().iter().map(|count| *count as u64)
}

/// Lower bound, upper bound and count of each bucket that holds something, in ascending order. Rounding may move a
/// measurement by a hair, so bounds are as wide as a double is exact.
fn bounds_and_counts(point: &ExponentialHistogramDataPoint<f64>) -> Vec<(f64, f64, u64)> {
    let base = (-f64::from(point.scale())).exp2().exp2();
    let zero = (0.0, 0.0, point.zero_count());
    let positive = (point.positive_bucket().offset()..).zip(point.positive_bucket().counts());
    let positive = positive.map(|(i, count)| (base.powi(i) * (1.0 - 1e-9), base.powi(i + 1) * (1.0 + 1e-9), count));
    std::iter::once(zero).chain(positive).filter(|(_, _, count)| *count > 0).collect()
}

/// The value at this place when all are laid out in order.
fn nth(datum: &MetricDatum, index: usize) -> f64 {
    let mut left = float(index as u64);
    for (value, count) in datum.values().iter().zip(datum.counts()) {
        if left < *count {
            return *value;
        }
        left -= count;
    }
    panic!("there is no value at {index}")
}

#[test]
fn negative_values_are_kept_too_and_infinite_ones_are_not() {
    let reader = Reader::new(Temporality::Delta);
    let provider = SdkMeterProvider::builder().with_reader(reader.clone()).with_view(exponential_histograms).build();
    let histogram = provider.meter("test").f64_histogram("Difference").build();
    for value in [-8.0, -8.0, 0.0, 2.0, f64::NAN, f64::INFINITY] {
        histogram.record(value, &[]);
    }
    let mut collected = ResourceMetrics::default();
    reader.collect(&mut collected).unwrap();
    let data = convert(&collected, &[]);
    assert_eq!(data[0].counts(), [2.0, 1.0, 1.0]);
    assert_eq!(data[0].unit(), Some(&StandardUnit::None));
    let [negative, zero, positive] = data[0].values() else { panic!("{:?}", data[0].values()) };
    assert!((-8.0..=-7.99).contains(negative), "{negative}");
    assert!(zero.abs() < f64::EPSILON, "{zero}");
    assert!((1.99..=2.0).contains(positive), "{positive}");
}
