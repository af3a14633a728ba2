//! The sinks that tests of other packages ask.

use std::time::Duration;

use domain::contract::Service;
use domain::contract::metrics::{MOVIES_ENRICHED, OMDB_DURATION, RUNS_COMPLETED, SOURCE_ITEMS};
use telemetry::{Metrics, testing};

#[test]
fn recorded_metrics_add_up_over_several_questions() {
    let (metrics, recorded) = Metrics::in_memory(Service::Enricher);
    metrics.count(MOVIES_ENRICHED, 2);
    assert_eq!(recorded.sum(MOVIES_ENRICHED), 2);
    metrics.clone().count(MOVIES_ENRICHED, 3);
    metrics.measure(OMDB_DURATION, Duration::from_millis(5));
    assert_eq!(recorded.sum(MOVIES_ENRICHED), 5);
    assert_eq!(recorded.measurements(OMDB_DURATION), 1);
}

#[test]
#[should_panic(expected = "RunsCompleted was not recorded as asked for; present: MoviesEnriched")]
fn asking_for_an_absent_metric_lists_those_present() {
    let (metrics, recorded) = Metrics::in_memory(Service::Enricher);
    metrics.count(MOVIES_ENRICHED, 1);
    let _ = recorded.sum(RUNS_COMPLETED);
}

#[test]
#[should_panic(expected = "SourceItems is not a counter of this service")]
fn counting_for_another_service_is_a_mistake_that_tests_show() {
    Metrics::in_memory(Service::Enricher).0.count(SOURCE_ITEMS, 1);
}

#[test]
#[should_panic(expected = "no line says \"absent\"; present: \"present\"")]
fn asking_for_an_absent_line_lists_those_present() {
    let captured = testing::capture(Service::Enricher);
    tracing::warn!("present");
    let _ = captured.line("absent");
}
