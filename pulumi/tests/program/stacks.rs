//! The stacks of the repository: their files, and that they live beside each other.

use std::collections::BTreeSet;

use domain::contract::PROJECT;
use pulumi::config::settings::{self, Setting};
use pulumi::resource::Resource;
use pulumi::{Config, Program, program};
use serde_json::{Value, json};

use crate::common::{STACKS, each_text, programs, repository, shipped_stack, stack_file, stack_program, stack_values};

/// What a stack file tells even where it is the default: what whoever deploys will want to change.
const TOLD: [&Setting; 20] = [
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
    settings::OMDB_DAILY_LIMIT,
    settings::LOG_RETENTION_DAYS,
    settings::LOG_LEVEL,
    settings::ALARM_EMAIL,
    settings::RUNBOOK_URL,
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
fn the_shipped_stacks_tell_what_is_worth_changing() {
    for stack in STACKS {
        for setting in TOLD {
            assert!(shipped_stack(stack).contains_key(&setting.key()), "{stack} does not tell {}", setting.key());
        }
    }
}

/// Their owner may have changed them, so only that they are valid is asked.
#[test]
fn the_stack_files_as_they_lie_here_are_valid_and_hold_no_secret_unless_encrypted() {
    for stack in STACKS {
        assert_valid(stack, &stack_file(stack));
    }
}

#[track_caller]
fn assert_valid(stack: &str, file: &str) {
    let values = stack_values(file);
    assert!(!values.contains_key(&settings::OMDB_API_KEY.key()), "{stack}: pulumi config set --secret omdbApiKey");
    let read = Config::read(stack, Some(&Value::Object(values).to_string()));
    assert!(read.is_ok(), "{stack}: {}", read.unwrap_err());
}

#[test]
fn what_the_cli_writes_into_a_stack_file_is_no_fault() {
    let file = r#"
secretsprovider: awskms://alias/deployer
encryptedkey: AQICAHg=
encryptionsalt: v1:abc=:v1:def:ghi==
environment:
  - team
config:
  aws:region: eu-west-1
  aws:allowedAccountIds:
    - "123456789012"
    - 210987654321
  aws:assumeRoles:
    - roleArn: arn:aws:iam::123456789012:role/deployer
      externalId:
        secure: v1:abc=
  movie-pipeline:alarmEmail: you@example.com
  movie-pipeline:topN: 25
  movie-pipeline:schedule: 'rate(1 day)'
  movie-pipeline:omdbApiKey:
    secure: v1:abc=
  movie-pipeline:protectResources: false
  pulumi:disable-default-providers:
    - random
"#;
    assert_valid("staging", file);
    assert_eq!(stack_values(file)["aws:allowedAccountIds"], r#"["123456789012",210987654321]"#);
    assert_eq!(stack_values(file)["movie-pipeline:topN"], "25");
    for empty in ["", "config: {}\n", "encryptionsalt: v1:abc=\n"] {
        assert_valid("staging", empty);
    }
}

#[test]
#[should_panic(expected = "movie-pipeline:topN is \"0\"; allowed: ")]
fn a_value_in_a_stack_file_that_is_not_allowed_is_a_fault() {
    assert_valid("staging", "config:\n  movie-pipeline:topN: 0\n");
}

#[test]
#[should_panic(expected = "pulumi config set --secret omdbApiKey")]
fn a_secret_in_a_stack_file_that_is_not_encrypted_is_a_fault() {
    assert_valid("staging", "config:\n  movie-pipeline:omdbApiKey: 90217345\n");
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
        let told = ["name", "bucket", "dashboardName", "policyName", "alarmName"]
            .map(|key| resource.properties.get(key).cloned());
        let names = told.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_owned));
        names.filter(|name| !name.starts_with("${")).map(move |name| (kind, name))
    };
    resources.flat_map(names_of).collect()
}

#[test]
fn no_two_stacks_share_a_name_in_aws_even_if_the_name_of_one_begins_as_that_of_the_other() {
    let program_of = |stack: &str| program(&Config::read(stack, None).unwrap());
    let mut pairs = vec![(stack_program("dev"), stack_program("prod"))];
    pairs.extend(["dev2", "devmovies", "devalarms"].map(|other| (program_of("dev"), program_of(other))));
    for (one, other) in pairs {
        let (names, others) = (physical_names(&one), physical_names(&other));
        assert!(names.len() > 15 && names.len() == others.len(), "{names:?}");
        let shared: Vec<_> = names.intersection(&others).collect();
        assert!(shared.is_empty(), "{} and {} share {shared:?}", one.stack(), other.stack());
    }
}

/// Stack names have no hyphen, so nothing of another stack begins with `movie-pipeline-dev-`.
#[test]
fn a_pattern_in_a_policy_means_things_of_this_stack_alone() {
    let mut patterns = 0;
    for (name, program) in programs() {
        let stack = if ["prod", "all options"].contains(&name) { "prod" } else { "dev" };
        each_text(&program["resources"], &mut |text| {
            if let Some((before, _)) = text.split_once('*').filter(|_| text.contains(PROJECT)) {
                patterns += 1;
                assert!(before.contains(&format!("{PROJECT}-{stack}-")), "{name}: {text}");
            }
        });
    }
    assert!(patterns > 0, "the test does not see the alarms that may reach their topic");
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
