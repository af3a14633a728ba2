//! The configuration of a stack, as the Pulumi program reads it.

use pulumi::{Config, program, template};
use serde_json::Value;

/// The key whose value nobody may see.
const SECRET: &str = "movie-pipeline:omdbApiKey";

/// What a secret begins with that is looked for; it stands in nothing of ours.
const CANARY: &str = "c4nary";

/// Reads a configuration and makes the program of what is taken.
///
/// # Panics
/// When the same text is read in two ways, a secret is shown, nothing is said to be wrong with what is refused, or what
/// is taken makes no program or one that CloudFormation's template cannot be made of.
pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let read = Config::read("dev", Some(text));
    assert_eq!(Config::read("dev", Some(text)), read, "read twice");
    let shown = match &read {
        Ok(config) => written(config),
        Err(faults) => {
            assert!(!faults.faults.is_empty());
            faults.to_string()
        }
    };
    assert!(!has_secret(text) || !shown.contains(CANARY), "{shown}");
}

fn written(config: &Config) -> String {
    let program = program(config);
    if let Err(error) = template::cloudformation(&program) {
        panic!("no template: {error}");
    }
    program.to_json().to_string()
}

/// Whether there is a secret, and it stands nowhere but where it should.
fn has_secret(text: &str) -> bool {
    let config: Option<Value> = serde_json::from_str(text).ok();
    let secret = config.as_ref().and_then(|config| config.get(SECRET)?.as_str());
    secret.is_some_and(|secret| secret.starts_with(CANARY)) && text.matches(CANARY).count() == 1
}
