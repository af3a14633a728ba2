//! Rules that the emitted program keeps in every configuration. Each tells what breaks it and why that matters. For each
//! rule breakages are seeded and must be caught by that rule; what it lets pass all the same stands beside it as an
//! exception with its reason, and an exception that nothing needs any more is a fault.

mod alarms;
mod arns;
mod bucket;
mod deliveries;
mod encryption;
mod evaluation;
mod exceptions;
mod functions;
mod intact;
mod key;
mod loss;
mod ours;
mod principals;
mod queues;
mod reach;
mod roles;
mod secrecy;
mod single;
mod tags;
mod transport;
mod view;
mod wildcards;

use serde_json::Value;

use crate::common::{all_options_program, default_program, programs};
pub(crate) use alarms::{metric_fault, watched};
use view::View;

/// What the program must keep.
struct Rule {
    /// What must hold.
    demand: &'static str,
    /// What happens otherwise.
    reason: &'static str,
    find: fn(&View) -> Vec<Finding>,
    exceptions: &'static [Exception],
}

/// Something that breaks a rule.
struct Finding {
    /// The resource, or one statement of its policy as `resource/statement`.
    at: String,
    what: String,
    /// What an exception looks at: the statement, or the properties of the resource.
    subject: Value,
}

impl Finding {
    fn new(at: impl Into<String>, what: impl Into<String>, subject: &Value) -> Self {
        Self { at: at.into(), what: what.into(), subject: subject.clone() }
    }
}

/// Findings that are let pass.
struct Exception {
    at: &'static [&'static str],
    reason: &'static str,
    /// What must be the case for the exception to hold.
    only_if: fn(&Value) -> bool,
}

impl Exception {
    fn excuses(&self, finding: &Finding) -> bool {
        self.at.contains(&finding.at.as_str()) && (self.only_if)(&finding.subject)
    }
}

impl Rule {
    /// What breaks the rule in one program, exceptions taken out.
    fn broken_in(&self, program: &Value) -> Vec<Finding> {
        let excused = |finding: &Finding| self.exceptions.iter().any(|exception| exception.excuses(finding));
        (self.find)(&View::new(program)).into_iter().filter(|finding| !excused(finding)).collect()
    }

    /// The exceptions that none of the programs needs.
    fn idle_exceptions(&self, programs: &[(&str, Value)]) -> Vec<String> {
        let findings: Vec<_> = programs.iter().flat_map(|(_, program)| (self.find)(&View::new(program))).collect();
        let is_needed = |exception: &Exception, at: &str| {
            findings.iter().any(|finding| finding.at == at && exception.excuses(finding))
        };
        let all = self.exceptions.iter().flat_map(|exception| exception.at.iter().map(move |at| (exception, *at)));
        let idle = all.filter(|(exception, at)| !is_needed(exception, at));
        idle.map(|(exception, at)| format!("{at} ({})", exception.reason)).collect()
    }

    /// The rule is kept, in every configuration.
    #[track_caller]
    fn assert_kept(&self) {
        let programs = programs();
        for (configuration, program) in &programs {
            let broken: Vec<_> =
                self.broken_in(program).iter().map(|found| format!("\n  {}: {}", found.at, found.what)).collect();
            let Self { demand, reason, .. } = self;
            assert!(broken.is_empty(), "{configuration}: {demand}, because {reason}:{}", broken.concat());
        }
        let idle = self.idle_exceptions(&programs);
        assert!(idle.is_empty(), "{}: remove these exceptions, nothing needs them: {idle:?}", self.demand);
    }

    /// A change to the resources of the default program breaks the rule there, and nowhere else.
    #[track_caller]
    fn assert_catches(&self, at: &str, change: impl FnOnce(&mut Value)) {
        self.assert_catches_in(default_program().to_json(), at, change);
    }

    /// The same in the program with every option set.
    #[track_caller]
    fn assert_catches_with_all_options(&self, at: &str, change: impl FnOnce(&mut Value)) {
        self.assert_catches_in(all_options_program().to_json(), at, change);
    }

    #[track_caller]
    fn assert_catches_in(&self, mut program: Value, at: &str, change: impl FnOnce(&mut Value)) {
        assert!(self.broken_in(&program).is_empty(), "{} is broken before", self.demand);
        change(&mut program["resources"]);
        let caught: Vec<_> = self.broken_in(&program).into_iter().map(|finding| finding.at).collect();
        assert!(!caught.is_empty() && caught.iter().all(|caught| caught == at), "{}: {caught:?}", self.demand);
    }
}

/// Takes a property or option away.
fn remove(resource: &mut Value, name: &str) {
    assert!(resource["properties"].as_object_mut().unwrap().shift_remove(name).is_some(), "there is no {name}");
}

/// Takes a resource away.
fn remove_resource(resources: &mut Value, name: &str) {
    assert!(resources.as_object_mut().unwrap().shift_remove(name).is_some(), "there is no {name}");
}

/// Takes a statement out of a resource's policy.
fn remove_statement(resources: &mut Value, name: &str, sid: &str) {
    let statements = resources[name]["properties"]["policy"]["fn::toJSON"]["Statement"].as_array_mut().unwrap();
    let before = statements.len();
    statements.retain(|statement| statement["Sid"] != sid);
    assert_eq!(statements.len() + 1, before, "{name} has not exactly one {sid}");
}

/// The statement of this name in a policy.
fn statement<'a>(policy: &'a mut Value, sid: &str) -> &'a mut Value {
    let statements = policy["fn::toJSON"]["Statement"].as_array_mut().unwrap();
    statements.iter_mut().find(|statement| statement["Sid"] == sid).unwrap()
}
