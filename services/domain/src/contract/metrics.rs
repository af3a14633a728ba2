//! The custom metrics: the functions emit them, alarms watch them, the dashboard charts them.

use super::Service;

/// The CloudWatch namespace of all custom metrics.
pub const NAMESPACE: &str = "MoviePipeline";

/// The dimension that holds the stack, from the variable `ENVIRONMENT`.
pub const ENVIRONMENT_DIMENSION: &str = "Environment";

/// The dimension that holds the service, see [`Service::name`].
pub const SERVICE_DIMENSION: &str = "Service";

/// What one metric counts or measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// A time in milliseconds.
    Milliseconds,
}

impl Unit {
    /// The unit in UCUM, as OpenTelemetry wants it (<https://ucum.org/ucum>).
    #[must_use]
    pub const fn ucum(self) -> &'static str {
        match self {
            Self::Count => "{item}",
            Self::Milliseconds => "ms",
        }
    }

    /// The unit as CloudWatch writes it
    /// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricDatum.html>).
    #[must_use]
    pub const fn cloudwatch(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
        }
    }
}

/// How values of a metric are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Added up. Every invocation reports it, if only as zero, so that an alarm on it has data.
    Counter,
    /// Kept as a distribution, so that percentiles can be asked for.
    Histogram,
}

/// One custom metric.
#[derive(Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name in CloudWatch and in OpenTelemetry.
    pub name: &'static str,
    /// How its values add up.
    pub kind: Kind,
    /// What they are counted in.
    pub unit: Unit,
    /// Who emits it.
    pub services: &'static [Service],
    /// What it says.
    pub meaning: &'static str,
}

impl Metric {
    /// Whether this service emits it.
    #[must_use]
    pub fn is_of(&self, service: Service) -> bool {
        self.services.contains(&service)
    }
}

macro_rules! metrics {
    ($($ident:ident = $name:literal, $kind:ident, $unit:ident, [$($service:ident),+], $meaning:literal;)*) => {
        $(
            #[doc = $meaning]
            pub const $ident: &Metric = &Metric {
                name: $name,
                kind: Kind::$kind,
                unit: Unit::$unit,
                services: &[$(Service::$service),+],
                meaning: $meaning,
            };
        )*

        /// Every custom metric.
        pub const ALL: &[&Metric] = &[$($ident),*];
    };
}

metrics! {
    SOURCE_ITEMS = "SourceItems", Counter, Count, [Ranker],
        "Items of the source list, rejected ones included.";
    SOURCE_ITEMS_REJECTED = "SourceItemsRejected", Counter, Count, [Ranker],
        "Items of the source list that could not be ranked; the log has each one's index and reason.";
    MOVIES_RANKED = "MoviesRanked", Counter, Count, [Ranker],
        "Movies ranked and accepted by the topic.";
    MOVIES_ENRICHED = "MoviesEnriched", Counter, Count, [Enricher],
        "Movies enriched and stored; one that was stored already does not count again.";
    ENRICHMENT_FAILURES = "EnrichmentFailures", Counter, Count, [Enricher],
        "Queue records that failed and went back to the queue, or to the dead-letter queue after the last receive.";
    RUNS_COMPLETED = "RunsCompleted", Counter, Count, [Enricher],
        "Runs whose last movie arrived and whose list was assembled.";
    OMDB_REQUESTS = "OmdbRequests", Counter, Count, [Enricher],
        "Requests sent to OMDb, repeated ones included: what the daily quota counts.";
    OMDB_DURATION = "OmdbDuration", Histogram, Milliseconds, [Enricher],
        "Time from sending a request to OMDb to having its whole answer, or to giving up on it.";
    OMDB_AUTH_REJECTED = "OmdbAuthRejected", Counter, Count, [Enricher],
        "Batches that stopped asking OMDb because it rejects the API key, also after it was fetched again.";
    OMDB_QUOTA_EXHAUSTED = "OmdbQuotaExhausted", Counter, Count, [Enricher],
        "Batches that stopped asking OMDb because the day's requests are used up.";
    TELEMETRY_DROPPED = "TelemetryDropped", Counter, Count, [Ranker, Enricher],
        "Spans and metric values that could not be delivered, reported with the next delivery that succeeds.";
    RUN_DURATION = "RunDuration", Histogram, Milliseconds, [Enricher],
        "Time from the moment that names a run, which is its event's, to its assembled list; once a run.";
}

/// By this metric somebody opens a maintenance window: 1 with the dimension [`ENVIRONMENT_DIMENSION`] alone. It is not one
/// of [`ALL`], since no service reports it.
pub const MAINTENANCE_METRIC: &str = "Maintenance";

/// The metric of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Metric> {
    ALL.iter().copied().find(|metric| metric.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_metrics_share_a_name() {
        for metric in ALL {
            assert_eq!(find(metric.name), Some(*metric));
        }
    }
}
