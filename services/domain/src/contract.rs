//! The names that services, infrastructure, dashboard and tests share. Each is defined here and nowhere else.

pub mod environment;
pub mod logs;
pub mod metrics;

/// The name of the project, as Pulumi, tags and trace attributes show it.
pub const PROJECT: &str = "movie-pipeline";

/// The functions of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Service {
    /// Source → topic.
    Ranker,
    /// Queue → bucket.
    Enricher,
}

impl Service {
    /// All of them, in the order of the flow.
    pub const ALL: [Self; 2] = [Self::Ranker, Self::Enricher];

    /// The name: of the package, of the binary, of the `Service` dimension and of `service.name`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ranker => "ranker",
            Self::Enricher => "enricher",
        }
    }

    /// Every variable the service reads from its environment.
    #[must_use]
    pub fn variables(self) -> Vec<&'static environment::Variable> {
        let own = match self {
            Self::Ranker => environment::RANKER,
            Self::Enricher => environment::ENRICHER,
        };
        environment::COMMON.iter().chain(own).copied().collect()
    }
}
