//! The stacks of the repository: their files, and that they live beside each other.

use std::collections::BTreeSet;

use domain::contract::PROJECT;
use pulumi::config::settings::{self, Setting};
use pulumi::resource::Resource;
use pulumi::{Config, Program, program};
use serde_json::json;

use crate::common::{STACKS, repository, stack_file, stack_program};

/// What a stack file tells even where it is the default: what whoever deploys will want to change.
const TOLD: [&Setting; 18] = [
    settings::SCHEDULE,
    settings::TOP_N,
    settings::SOURCE_BUCKET,
    settings::SOURCE_KEY,
    settings::SOURCE_REGION,
    settings::ARCHITECTURE,
    settings::RANKER_MEMORY_MB,
    settings::RANKER_TIMEOUT_SECONDS,
    settings::ENRICHER_MEMORY_MB,
    settings::ENRICHER_TIMEOUT_SECONDS,
    settings::OMDB_CONNECT_TIMEOUT_MS,
    settings::OMDB_TIMEOUT_MS,
    settings::OMDB_MAX_ATTEMPTS,
    settings::LOG_RETENTION_DAYS,
    settings::LOG_LEVEL,
    settings::ALARM_EMAIL,
    settings::FAILED_MESSAGES_ALARM_THRESHOLD,
    settings::PROTECT_RESOURCES,
];

#[test]
fn the_stack_files_lie_where_the_project_says() {
    let project = std::fs::read_to_string(repository("Pulumi.yaml")).unwrap();
    assert!(project.contains("\nstackConfigDir: .stacks\n"));
    for stack in STACKS {
        assert!(repository(&format!(".stacks/Pulumi.{stack}.yaml")).is_file(), "{stack}");
    }
}

#[test]
fn the_stack_files_tell_what_is_worth_changing_and_no_secret_unless_encrypted() {
    for stack in STACKS {
        let values = stack_file(stack);
        for setting in TOLD {
            assert!(values.contains_key(&setting.key()), "{stack} does not tell {}", setting.key());
        }
        assert!(!values.contains_key(&settings::OMDB_API_KEY.key()), "{stack}: pulumi config set --secret omdbApiKey");
    }
}

#[test]
fn prod_keeps_what_cannot_be_made_again_and_dev_does_not() {
    let keeps = |program: &Program| -> BTreeSet<bool> {
        let stateful = program.resources().iter().filter_map(|resource| resource.options.get("protect"));
        stateful.map(|protect| protect.as_bool().unwrap()).collect()
    };
    assert_eq!(STACKS.map(|stack| keeps(&stack_program(stack))), [[false].into(), [true].into()]);
    let protected = stack_program("prod");
    let protected: Vec<_> = protected.resources().iter().filter(|kept| kept.options.contains_key("protect")).collect();
    for name in ["key", "omdbApiKeyParameter", "moviesBucket", "moviesQueue", "deadLetterQueue", "undeliveredQueue"] {
        assert!(protected.iter().any(|resource| resource.name == name), "{name}");
    }
}

/// What a program's things are called in AWS, with the kind: two queues may not share a name, a queue and a topic may.
fn physical_names(program: &Program) -> BTreeSet<(&'static str, String)> {
    // The name of a role's policy is known within the role only.
    let resources = program.resources().iter().filter(|resource| resource.kind != "aws:iam:RolePolicy");
    let names_of = |resource: &Resource| {
        let kind = resource.kind;
        let told = ["name", "bucket", "dashboardName", "policyName"].map(|key| resource.properties.get(key).cloned());
        let names = told.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned));
        names.filter(|name| !name.starts_with("${")).map(move |name| (kind, name))
    };
    resources.flat_map(names_of).collect()
}

#[test]
fn no_two_stacks_share_a_name_in_aws_even_if_one_stack_is_named_like_a_thing_of_the_other() {
    let program_of = |stack: &str| program(&Config::read(stack, None).unwrap());
    let mut pairs = vec![(stack_program("dev"), stack_program("prod"))];
    pairs.extend(["dev-2", "dev-movies", "dev-alarms"].map(|other| (program_of("dev"), program_of(other))));
    for (one, other) in pairs {
        let (names, others) = (physical_names(&one), physical_names(&other));
        assert!(names.len() > 15 && names.len() == others.len(), "{names:?}");
        let shared: Vec<_> = names.intersection(&others).collect();
        assert!(shared.is_empty(), "{} and {} share {shared:?}", one.stack(), other.stack());
    }
}

#[test]
fn everything_bears_the_tags_of_its_project_and_stack() {
    for stack in STACKS {
        let program = stack_program(stack);
        let provider = &program.resources()[0];
        assert_eq!(provider.properties["defaultTags"], json!({"tags": {"project": PROJECT, "stack": stack}}));
        assert_eq!(program.to_json()["resources"][provider.name]["defaultProvider"], true);
        // Another provider, or tags of its own, would take a resource out of these.
        for resource in program.resources().iter().skip(1) {
            assert!(!resource.options.contains_key("provider") && !resource.properties.contains_key("tags"));
        }
    }
}
