//! The parameter that holds the OMDb API key.

use domain::contract::PROJECT;
use serde_json::json;

use crate::config::settings::OMDB_API_KEY;
use crate::program::Stack;
use crate::resource::{Handle, Key, Parameter};

pub(crate) fn add(stack: &mut Stack, key: &Handle<Key>) -> Handle<Parameter> {
    let properties = json!({
        "name": format!("/{PROJECT}/{}/omdb-api-key", stack.config.stack),
        "description": "The OMDb API key that the enricher uses",
        "type": "SecureString",
        "keyId": key.arn(),
        // Joined, because the runtime takes a key of digits for a number otherwise (pulumi-yaml#561).
        "value": {"fn::join": ["", [format!("${{{}}}", OMDB_API_KEY.name)]]},
    });
    // The key is rotated by `aws ssm put-parameter`; the next `pulumi up` must not bring the old one back.
    stack.resources.add_with("omdbApiKeyParameter", properties, json!({"ignoreChanges": ["value"]}))
}
