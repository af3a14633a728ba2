//! Reads values one by one and gathers what is wrong with them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use domain::contract::PROJECT;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use super::settings::{self, Allowed, Setting};
use super::{Architecture, Config, ConfigFaults, Fault, OtlpEndpoint, XRAY, checks, provider};

/// The values of a stack and the faults found so far.
pub(super) struct Reader {
    values: BTreeMap<String, Value>,
    faults: Vec<Fault>,
    /// The keys whose value was refused, so that a default stands in for it.
    refused: BTreeSet<String>,
}

impl Reader {
    pub(super) fn new(pulumi_config: Option<&str>) -> Self {
        // serde_json's message may quote the text, which carries the stack's secrets: only the place is told.
        let read = pulumi_config.map_or_else(|| Ok(Values::default()), serde_json::from_str);
        match read {
            Ok(Values { named, refused }) => Self { values: named, faults: refused, refused: BTreeSet::new() },
            Err(error) => Self {
                values: BTreeMap::new(),
                faults: vec![unreadable(&error)],
                refused: settings::ALL.iter().map(|setting| setting.key()).collect(),
            },
        }
    }

    /// The configuration, or what is wrong with it.
    pub(super) fn finish(self, config: Config) -> Result<Config, ConfigFaults> {
        if self.faults.is_empty() {
            return Ok(config);
        }
        let architecture = self.knows(&[settings::ARCHITECTURE]).then_some(config.architecture);
        Err(ConfigFaults { faults: self.faults, architecture })
    }

    /// Whether none of these is a default that stands in for a refused value.
    pub(super) fn knows(&self, settings: &[&Setting]) -> bool {
        settings.iter().all(|setting| !self.refused.contains(&setting.key()))
    }

    /// Notes a value that is not allowed.
    pub(super) fn refuse(&mut self, setting: &Setting, value: &str, allowed: &str) {
        self.fault(setting.key(), value, allowed);
    }

    pub(super) fn fault(&mut self, key: String, value: &str, allowed: &str) {
        self.refused.insert(key.clone());
        self.faults.push(Fault { key, value: Some(value.to_owned()), allowed: allowed.to_owned() });
    }

    /// Notes that something is not allowed whose value may be a secret.
    pub(super) fn silent_fault(&mut self, what: String, allowed: &str) {
        self.faults.push(Fault { key: what, value: None, allowed: allowed.to_owned() });
    }

    /// The value of a key, unchecked. What is no single value is noted without being shown: a list or an object may hold
    /// a secret.
    pub(super) fn take(&mut self, key: &str) -> Option<String> {
        let text = plain(self.values.remove(key)?);
        if text.is_none() {
            self.refused.insert(key.to_owned());
            self.silent_fault(format!("{key} is a list, an object or null"), SINGLE_VALUE);
        }
        text
    }

    /// The value of a key that is no setting of ours. One that is not allowed is noted.
    pub(super) fn checked(&mut self, key: &str, looks_like: &str, is_valid: fn(&str) -> bool) -> Option<String> {
        let value = self.take(key)?;
        if !is_valid(&value) {
            self.fault(key.to_owned(), &value, looks_like);
        }
        Some(value)
    }

    /// The value of a setting. A value that is not allowed is noted, and the default stands in for it.
    pub(super) fn text(&mut self, setting: &Setting) -> String {
        let default = setting.default.unwrap_or_default().to_owned();
        match self.take(&setting.key()) {
            None => default,
            Some(value) if setting.allowed.accepts(&value) => value,
            Some(value) => {
                self.refuse(setting, &value, &setting.allowed.to_string());
                default
            }
        }
    }

    /// Nothing for an empty text.
    pub(super) fn optional_text(&mut self, setting: &Setting) -> Option<String> {
        Some(self.text(setting)).filter(|text| !text.is_empty())
    }

    /// A number or flag.
    #[expect(clippy::expect_used, reason = "`text` only returns what the setting allows, its default included")]
    pub(super) fn value<T: FromStr<Err: fmt::Debug>>(&mut self, setting: &Setting) -> T {
        self.text(setting).parse().expect("an allowed value has the type of its setting")
    }

    pub(super) fn architecture(&mut self) -> Architecture {
        let name = self.text(settings::ARCHITECTURE);
        if name == Architecture::X86_64.name() { Architecture::X86_64 } else { Architecture::Arm64 }
    }

    pub(super) fn otlp_endpoint(&mut self) -> Option<OtlpEndpoint> {
        let text = self.optional_text(settings::OTLP_ENDPOINT)?;
        Some(if text == XRAY { OtlpEndpoint::XRay } else { OtlpEndpoint::Address(text) })
    }

    pub(super) fn stack(&mut self, name: &str) -> String {
        if !checks::is_stack_name(name) {
            let allowed = format!(
                "1 to {} lower-case letters and digits, a letter first: AWS's names are made from it, and with a hyphen \
                 those of one stack could begin as those of another",
                checks::MAX_STACK_NAME_LENGTH
            );
            self.fault("the name of the stack".to_owned(), name, &allowed);
        }
        name.to_owned()
    }
}

/// What Pulumi sends for every key; lists and objects as their JSON.
const SINGLE_VALUE: &str = "a text, a number or a flag";

fn unknown_key(key: &str) -> Fault {
    let known: Vec<_> = settings::ALL.iter().map(|setting| setting.key()).collect();
    Fault { key: format!("{key} is no configuration value"), value: None, allowed: known.join(", ") }
}

fn not_handed_on(key: &str) -> Fault {
    let allowed = format!(
        "{}; say the rest by the profile or the environment, such as AWS_PROFILE or AWS_ACCESS_KEY_ID",
        provider::KEYS.join(", ")
    );
    Fault { key: format!("{key} is not handed on to the provider"), value: None, allowed }
}

fn other_namespace(key: &str) -> Fault {
    let allowed = format!("keys that begin with {PROJECT}:, aws: or pulumi:, as the program needs no other package");
    Fault { key: format!("{key} is read by nothing"), value: None, allowed }
}

fn unreadable(error: &serde_json::Error) -> Fault {
    Fault {
        key: format!("PULUMI_CONFIG cannot be read (line {}, column {})", error.line(), error.column()),
        value: None,
        allowed: format!(r#"a JSON object such as {{"{PROJECT}:topN": "10"}}"#),
    }
}

/// The values of the keys this program names. The others, the secret among them, are skipped while parsing and never
/// held in memory.
#[derive(Default)]
struct Values {
    named: BTreeMap<String, Value>,
    refused: Vec<Fault>,
}

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ValuesVisitor)
    }
}

struct ValuesVisitor;

impl<'de> Visitor<'de> for ValuesVisitor {
    type Value = Values;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object of configuration values")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
        let mut values = Values::default();
        while let Some(key) = map.next_key::<String>()? {
            match meaning(&key) {
                Meaning::Read => drop(values.named.insert(key, map.next_value()?)),
                Meaning::Skipped => drop(map.next_value::<IgnoredAny>()?),
                Meaning::Refused(fault) => {
                    map.next_value::<IgnoredAny>()?;
                    values.refused.push(fault);
                }
            }
        }
        Ok(values)
    }
}

/// What becomes of the value of a key.
enum Meaning {
    Read,
    Skipped,
    Refused(Fault),
}

/// The keys that begin with `pulumi:` are the engine's. No other package reads any: another beginning is a misspelt one.
fn meaning(key: &str) -> Meaning {
    match key.split_once(':') {
        Some((PROJECT, name)) => match settings::find(name) {
            Some(Setting { allowed: Allowed::Secret, .. }) => Meaning::Skipped,
            Some(_) => Meaning::Read,
            None => Meaning::Refused(unknown_key(key)),
        },
        Some(("aws", _)) if provider::KEYS.contains(&key) => Meaning::Read,
        Some(("aws", _)) => Meaning::Refused(not_handed_on(key)),
        Some(("pulumi", _)) => Meaning::Skipped,
        _ => Meaning::Refused(other_namespace(key)),
    }
}

/// Pulumi sends texts; a number or flag written by hand means its text.
pub(super) fn plain(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
