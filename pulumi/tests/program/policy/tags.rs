//! Everything bears the tags and, where it has one, the name of its project and stack.

use domain::contract::PROJECT;
use serde_json::{Value, json};

use super::view::{Seen, View};
use super::{Exception, Finding, Rule, remove};

const TAGGED: Rule = Rule {
    demand: "everything that takes tags bears those of its project and stack",
    reason: "the account's bill and whoever cleans up know a stack by them \
             (https://www.pulumi.com/registry/packages/aws/api-docs/provider/#providerdefaulttags)",
    find: |view| {
        let provider = untagged_provider(view);
        provider.into_iter().chain(view.all().filter_map(|resource| own_way(view, resource))).collect()
    },
    exceptions: &[],
};

const NAMED: Rule = Rule {
    demand: "every name in AWS has the project and the stack in it",
    reason: "a second stack of the account would take the thing for its own, and whoever deploys may touch \
             movie-pipeline-* only",
    find: |view| view.all().filter_map(|resource| misnamed(view, resource)).collect(),
    exceptions: &[Exception {
        at: &["spansIndexing"],
        reason: "X-Ray has one such rule for each account, and this is its name",
        only_if: |rule| rule["name"] == "Default",
    }],
};

/// Names that end with the stack, or go on after a separator; a role's policy has a name within the role only.
fn misnamed(view: &View, resource: Seen) -> Option<Finding> {
    const NAMES: [&str; 7] =
        ["name", "namePrefix", "bucket", "bucketPrefix", "dashboardName", "policyName", "alarmName"];
    let (own, path) = (format!("{PROJECT}-{}", view.stack()?), format!("/{PROJECT}/{}/", view.stack()?));
    let is_own = |name: &str| {
        let rest = name.split_once(&own).map(|(_, rest)| rest);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')) || name.starts_with(&path)
    };
    let mut names = NAMES.iter().filter_map(|property| resource.properties.get(*property)?.as_str());
    let strange = names.find(|name| !name.starts_with("${") && !is_own(name))?;
    let is_named = resource.kind != "aws:iam:RolePolicy";
    is_named.then(|| Finding::new(resource.name, format!("is called {strange}"), resource.properties))
}

/// The default provider passes its tags on to all resources that take some.
fn untagged_provider(view: &View) -> Option<Finding> {
    let Some(provider) = view.default_provider() else {
        return Some(Finding::new("(the program)", "has no default provider", &Value::Null));
    };
    let tags = &provider.properties["defaultTags"]["tags"];
    let what = if tags["project"] != PROJECT {
        "its default tags do not name the project"
    } else if !view.stack().is_some_and(|stack| are_named_for(view, stack)) {
        "its default tags do not name the stack that the queues and topics are named for"
    } else {
        return None;
    };
    Some(Finding::new(provider.name, what, provider.properties))
}

fn are_named_for(view: &View, stack: &str) -> bool {
    let prefix = format!("{PROJECT}-{stack}-");
    let mut named = view.of_kind("aws:sqs:Queue").chain(view.of_kind("aws:sns:Topic"));
    named.all(|resource| resource.properties["name"].as_str().is_some_and(|name| name.starts_with(&prefix)))
}

/// A resource that has another provider, or tags that say something else.
fn own_way(view: &View, resource: Seen) -> Option<Finding> {
    let is_other_provider = resource.kind.starts_with("pulumi:providers:")
        && view.default_provider().is_some_and(|provider| provider.name != resource.name);
    let tags = ["tags", "tagsAll"].iter().filter_map(|name| resource.properties.get(*name));
    let overrides = tags.into_iter().any(|tags| ["project", "stack"].iter().any(|tag| tags.get(*tag).is_some()));
    let what = if is_other_provider || view.option(resource, "provider").is_some() {
        "a provider besides the default one takes resources out of its tags"
    } else if overrides {
        "has a project or stack tag of its own"
    } else if view.option(resource, "ignoreChanges").is_some_and(|names| names.to_string().contains("tags")) {
        "does not take changed tags"
    } else {
        return None;
    };
    Some(Finding::new(resource.name, what, resource.properties))
}

#[test]
fn everything_bears_the_tags() {
    TAGGED.assert_kept();
}

#[test]
fn everything_bears_the_name_of_its_stack() {
    NAMED.assert_kept();
}

#[test]
fn a_name_without_the_stack_is_caught() {
    for (name, property, value) in [
        ("rankerRole", "name", "movie-pipeline-ranker"),
        ("rankerRole", "name", "movie-pipeline-dev2-ranker"),
        ("rankerRole", "namePrefix", "ranker"),
        ("moviesBucket", "bucket", "movies-${accountId}"),
        ("pageAlarm", "alarmName", "page"),
        ("dashboard", "dashboardName", "movie-pipeline"),
        ("omdbApiKeyParameter", "name", "/movie-pipeline/omdb-api-key"),
        ("rankerLogs", "name", "/aws/lambda/ranker"),
    ] {
        NAMED.assert_catches(name, |resources| resources[name]["properties"][property] = json!(value));
    }
}

#[test]
fn what_lacks_the_tags_is_caught() {
    TAGGED.assert_catches("aws", |resources| remove(&mut resources["aws"], "defaultTags"));
    for (tag, value) in [("project", json!("other")), ("stack", json!("other")), ("stack", json!(null))] {
        TAGGED.assert_catches("aws", |resources| resources["aws"]["properties"]["defaultTags"]["tags"][tag] = value);
    }
    TAGGED.assert_catches("(the program)", |resources| {
        resources["aws"].as_object_mut().unwrap().shift_remove("defaultProvider");
    });
    TAGGED.assert_catches("other", |resources| {
        resources["other"] = json!({"type": "pulumi:providers:aws", "properties": {}});
    });
    TAGGED.assert_catches("moviesTopic", |resources| {
        resources["moviesTopic"]["options"] = json!({"provider": "${other}"});
    });
    TAGGED.assert_catches("moviesTopic", |resources| {
        resources["moviesTopic"]["properties"]["tags"] = json!({"stack": "shared"});
    });
    TAGGED.assert_catches("moviesTopic", |resources| {
        resources["moviesTopic"]["options"] = json!({"ignoreChanges": ["tags"]});
    });
}
