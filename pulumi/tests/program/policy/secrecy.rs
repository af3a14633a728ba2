//! The OMDb key stands where the enricher reads it, and nowhere else.

use serde_json::{Value, json};

use super::view::{Seen, View};
use super::{Finding, Rule};
use crate::common::{each_text, programs, references};

const KEY_STAYS: Rule = Rule {
    demand: "the OMDb key stands in the parameter's value alone",
    reason: "whoever may look at a function, an alarm or an output would read it; and a key that is rotated in the \
             parameter would live on there",
    find: |view| view.all().filter_map(|resource| telling(view, resource)).collect(),
    exceptions: &[],
};

/// What the program calls the key.
const KEY: &str = "omdbApiKeyText";
const PARAMETER: &str = "aws:ssm:Parameter";

fn telling(view: &View, resource: Seen) -> Option<Finding> {
    let is_its_place = resource.kind == PARAMETER && resource.properties["type"] == "SecureString";
    let mut properties = resource.properties.clone();
    if is_its_place && properties["value"] == format!("${{{KEY}}}") {
        properties["value"].take();
    }
    let tells = tells_key(&properties, |name| view.named(name).is_some_and(|named| named.kind == PARAMETER));
    tells.then(|| Finding::new(resource.name, "tells the OMDb key", resource.properties))
}

/// Whether one of the texts refers to the key, or to more of a parameter than its name and ARN.
fn tells_key(value: &Value, is_parameter: impl Fn(&str) -> bool) -> bool {
    let mut tells = false;
    each_text(value, &mut |text| {
        for reference in references(text) {
            let (name, attribute) = reference.split_once(['.', '[']).unwrap_or((reference, ""));
            tells |= name == KEY || is_parameter(name) && !["name", "arn"].contains(&attribute);
        }
    });
    tells
}

#[test]
fn the_key_stands_in_the_parameter_alone() {
    KEY_STAYS.assert_kept();
    for (configuration, program) in programs() {
        let is_parameter = |name: &str| program["resources"][name]["type"] == PARAMETER;
        for part in ["outputs", "variables"] {
            assert!(!tells_key(&program[part], is_parameter), "{configuration}: {part}");
        }
        assert!(program["config"].get(KEY).is_some(), "{KEY} is no longer what the program calls the key");
    }
}

#[test]
fn a_key_that_stands_elsewhere_is_caught() {
    let tells = json!({"a": ["omdb?apikey=${omdbApiKeyText}"]});
    assert!(tells_key(&tells, |_| false) && !tells_key(&json!("$${omdbApiKeyText}"), |_| false));
    for text in ["${omdbApiKeyText}", "key ${omdbApiKeyText}", "${omdbApiKeyParameter.value}", "${omdbApiKeyParameter}"]
    {
        KEY_STAYS.assert_catches("enricher", |resources| {
            resources["enricher"]["properties"]["environment"]["variables"]["OMDB_API_KEY_PARAMETER"] = json!(text);
        });
        for name in ["enricher", "omdbApiKeyParameter", "deadLettersAlarm"] {
            KEY_STAYS.assert_catches(name, |resources| resources[name]["properties"]["description"] = json!(text));
        }
    }
    for (property, value) in [("type", "String"), ("value", "key=${omdbApiKeyText}")] {
        KEY_STAYS.assert_catches("omdbApiKeyParameter", |resources| {
            resources["omdbApiKeyParameter"]["properties"][property] = json!(value);
        });
    }
}
