//! What a stack's things are called, read from the program that makes them.

use domain::contract::{PROJECT, Service};
use pulumi::{Config, Program};

use super::EndpointFault;

/// The names of a stack's queues, functions and log groups. They depend on nothing but the stack's name.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the resources of the Pulumi program, described there")]
pub struct Names {
    pub stack: String,
    pub movies_queue: String,
    pub dead_letters: String,
    pub undelivered: String,
    pub ranker_failures: String,
    pub ranker: String,
    pub enricher: String,
    pub ranker_logs: String,
    pub enricher_logs: String,
}

impl Names {
    /// The names of this stack.
    ///
    /// # Errors
    /// [`EndpointFault::StackName`] for a name that no stack has.
    pub fn of(stack: &str) -> Result<Self, EndpointFault> {
        let config = Config::read(stack, None).map_err(|faults| EndpointFault::StackName {
            stack: stack.to_owned(),
            allowed: faults.faults.into_iter().map(|fault| fault.allowed).collect::<Vec<_>>().join("; "),
        })?;
        let program = pulumi::program(&config);
        Ok(Self {
            stack: stack.to_owned(),
            movies_queue: name_of(&program, "moviesQueue"),
            dead_letters: name_of(&program, "deadLetterQueue"),
            undelivered: name_of(&program, "undeliveredQueue"),
            ranker_failures: name_of(&program, "rankerFailuresQueue"),
            ranker: name_of(&program, "ranker"),
            enricher: name_of(&program, "enricher"),
            ranker_logs: name_of(&program, "rankerLogs"),
            enricher_logs: name_of(&program, "enricherLogs"),
        })
    }

    /// The log group of a service's function.
    #[must_use]
    pub fn log_group(&self, service: Service) -> &str {
        match service {
            Service::Ranker => &self.ranker_logs,
            Service::Enricher => &self.enricher_logs,
        }
    }

    /// The stack that this queue is the dead-letter queue of, if it is one.
    pub(crate) fn stack_of(&self, dead_letter_queue: &str) -> Option<String> {
        let thing = self.dead_letters.strip_prefix(&format!("{PROJECT}-{}", self.stack))?;
        let stack = dead_letter_queue.strip_prefix(&format!("{PROJECT}-"))?.strip_suffix(thing)?;
        Some(stack.to_owned())
    }
}

fn name_of(program: &Program, resource: &str) -> String {
    let found = program.resources().iter().find(|candidate| candidate.name == resource);
    let name = found.and_then(|resource| resource.properties.get("name")?.as_str());
    // A test reads them all; nothing but a change of the program's own names can bring us here.
    name.unwrap_or_else(|| unreachable!("the program has no {resource} with a name")).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_those_of_the_program_with_the_stack_in_them() {
        let names = Names::of("prod").unwrap();
        assert_eq!(names.movies_queue, "movie-pipeline-prod-movies");
        assert_eq!(names.ranker_failures, "movie-pipeline-prod-ranker-failures");
        assert_eq!(names.log_group(Service::Enricher), "/aws/lambda/movie-pipeline-prod-enricher");
    }

    #[test]
    fn a_stack_is_recognised_by_its_dead_letter_queue() {
        let names = Names::of("prod").unwrap();
        assert_eq!(names.stack_of("movie-pipeline-my-dev-movies-dead-letters").as_deref(), Some("my-dev"));
        assert_eq!(names.stack_of("movie-pipeline-dev-movies"), None);
        assert_eq!(names.stack_of("other-dev-movies-dead-letters"), None);
    }
}
