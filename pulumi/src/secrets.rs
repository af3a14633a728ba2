//! The parameter that holds the OMDb API key.

use domain::contract::PROJECT;
use serde_json::json;

use crate::program::Stack;
use crate::resource::{Handle, Key, Parameter};

/// What the program calls the OMDb API key. Not what the stack calls it: under its own name the runtime guesses a value's
/// type and makes a number of a key of digits (pulumi-yaml#561), which no parameter takes, while under another name the
/// declared type counts.
pub(crate) const OMDB_API_KEY_TEXT: &str = "omdbApiKeyText";

/// What a later `pulumi up` leaves as it is. The key is rotated by `aws ssm put-parameter`, of which Pulumi's state knows
/// nothing: the provider writes the whole parameter when anything but its tags changes (`resourceParameterUpdate` in
/// terraform-provider-aws), the value as the state has it, so a new description would bring the old key back. The KMS key
/// is not among them: under one that the stack no longer has nobody could read the parameter.
const LEFT_ALONE: [&str; 3] = ["description", "type", "value"];

pub(crate) fn add(stack: &mut Stack, key: &Handle<Key>) -> Handle<Parameter> {
    let properties = json!({
        "name": format!("/{PROJECT}/{}/omdb-api-key", stack.config.stack),
        "description": "The OMDb API key that the enricher uses",
        "type": "SecureString",
        "keyId": key.arn(),
        "value": format!("${{{OMDB_API_KEY_TEXT}}}"),
    });
    stack.resources.add_with("omdbApiKeyParameter", properties, json!({"ignoreChanges": LEFT_ALONE}))
}
