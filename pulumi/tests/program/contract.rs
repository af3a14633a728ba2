//! The program and what the services and the build rely on.

use std::collections::BTreeSet;

use domain::contract::environment::OTEL_EXPORTER_OTLP_ENDPOINT;
use domain::contract::{PROJECT, Service};
use pulumi::program::AWS_PROVIDER_VERSION;
use pulumi::resource::Resource;
use pulumi::{Config, Program};
use serde_json::{Value, json};

use crate::common::{all_options_program, default_program, each_text, programs, references};

fn resource<'a>(program: &'a Program, name: &str) -> &'a Resource {
    program.resources().iter().find(|resource| resource.name == name).unwrap()
}

fn of_kind<'a>(program: &'a Program, kind: &str) -> Vec<&'a Resource> {
    program.resources().iter().filter(|resource| resource.kind == kind).collect()
}

#[test]
fn each_function_is_told_exactly_the_variables_that_its_service_reads() {
    for program in [default_program(), all_options_program()] {
        for service in Service::ALL {
            let set = resource(&program, service.name()).properties["environment"]["variables"].as_object().unwrap();
            let read: Vec<_> = service.variables().iter().map(|variable| variable.name).collect();
            assert_eq!(set.keys().collect::<Vec<_>>(), read, "{}", service.name());
        }
    }
}

#[test]
fn every_value_of_the_configuration_reaches_the_program() {
    let (default, other) = (default_program().to_json(), all_options_program().to_json());
    let variables = |program: &Value| {
        let of = |name: &str| {
            program["resources"][name]["properties"]["environment"]["variables"].as_object().unwrap().clone()
        };
        Service::ALL.map(|service| of(service.name()))
    };
    // Those that no setting governs.
    let fixed = [
        "OTEL_SDK_DISABLED",
        "TELEMETRY_FLUSH_TIMEOUT_MS",
        "TOPIC_ARN",
        "MOVIES_BUCKET",
        "MOVIES_QUEUE_URL",
        "KMS_KEY_ARN",
    ];
    for (default, other) in variables(&default).iter().zip(&variables(&other)) {
        for (name, value) in default {
            assert_eq!(
                value == &other[name],
                fixed.contains(&name.as_str()) || name == "OMDB_API_KEY_PARAMETER",
                "{name}"
            );
        }
    }
}

#[test]
fn the_archives_are_named_where_the_build_puts_them() {
    let program = default_program();
    for service in Service::ALL {
        let code = &resource(&program, service.name()).properties["code"];
        assert_eq!(code, &json!({"fn::fileArchive": format!("../target/lambda/{}/bootstrap.zip", service.name())}));
    }
}

#[test]
fn no_two_resources_share_a_name() {
    let program = all_options_program();
    let names: BTreeSet<_> = program.resources().iter().map(|resource| resource.name).collect();
    assert_eq!(names.len(), program.resources().len());
}

#[test]
fn every_reference_means_something_in_the_program() {
    for (_, program) in programs() {
        let mut seen = 0;
        each_text(&program, &mut |text| {
            for reference in references(text) {
                seen += 1;
                let root = reference.split('.').next().unwrap();
                let is_known =
                    ["config", "variables", "resources"].iter().any(|part| program[*part].get(root).is_some());
                assert!(is_known || root == "pulumi", "{reference} in {text}");
            }
        });
        assert!(seen > 50, "only {seen} references found: the test does not see them");
    }
}

#[test]
fn everything_that_has_a_name_in_aws_bears_project_and_stack() {
    let program = all_options_program();
    for resource in program.resources() {
        let named =
            ["name", "bucket", "dashboardName"].iter().filter_map(|key| resource.properties.get(*key)?.as_str());
        // A role's policy is named within its role, and X-Ray's only rule by AWS.
        let is_ours = !["aws:iam:RolePolicy", "aws:xray:IndexingRule"].contains(&resource.kind);
        for name in named.filter(|name| !name.starts_with("${") && is_ours) {
            assert!(name.contains(&format!("{PROJECT}-prod")) || name.contains(&format!("{PROJECT}/prod")), "{name}");
        }
    }
    let tags = &resource(&program, "aws").properties["defaultTags"]["tags"];
    assert_eq!(tags, &json!({"project": PROJECT, "stack": "prod"}));
}

#[test]
fn every_resource_gets_the_pinned_provider_as_the_stack_says_to_reach_aws() {
    let provider = |program: &Program| program.to_json()["resources"]["aws"].clone();
    let (default, other) = (provider(&default_program()), provider(&all_options_program()));
    assert_eq!(
        (&default["defaultProvider"], &default["options"]["version"]),
        (&json!(true), &json!(AWS_PROVIDER_VERSION))
    );
    let role = json!({
        "roleArn": "arn:aws:iam::123456789012:role/deployer",
        "externalId": {"fn::secret": "movies $$ deployer"},
        "sessionName": "movies",
        "duration": "1h",
    });
    let told = json!({
        "region": "eu-west-1",
        "profile": "work $$",
        "allowedAccountIds": ["123456789012"],
        "assumeRoles": [role],
    });
    for (name, value) in told.as_object().unwrap() {
        assert_eq!((default["properties"].get(name), &other["properties"][name]), (None, value), "{name}");
    }
}

#[test]
fn a_movie_stays_hidden_for_six_times_as_long_as_the_enricher_may_take() {
    for program in [default_program(), all_options_program()] {
        let timeout = resource(&program, "enricher").properties["timeout"].as_u64().unwrap();
        let window =
            resource(&program, "enricherSource").properties["maximumBatchingWindowInSeconds"].as_u64().unwrap();
        let hidden = resource(&program, "moviesQueue").properties["visibilityTimeoutSeconds"].as_u64().unwrap();
        assert_eq!(hidden, 6 * timeout + window);
    }
}

#[test]
fn concurrency_is_reserved_unless_the_account_cannot_spare_it() {
    let reserved = |program: &Program, service: Service| {
        resource(program, service.name()).properties.get("reservedConcurrentExecutions").cloned()
    };
    assert_eq!(Service::ALL.map(|service| reserved(&default_program(), service)), [Some(json!(1)), Some(json!(2))]);
    assert_eq!(Service::ALL.map(|service| reserved(&all_options_program(), service)), [None, None]);
}

#[test]
fn the_api_key_comes_from_the_engine() {
    let program = default_program();
    assert_eq!(resource(&program, "omdbApiKeyParameter").properties["value"], json!("${omdbApiKeyText}"));
}

/// The provider writes the value of its state along with any other property that changes. Of those that can change, all
/// are left alone but the KMS key: a new name is a new parameter.
#[test]
fn nothing_that_a_deployment_changes_brings_a_rotated_api_key_back() {
    for program in [default_program(), all_options_program()] {
        let parameter = resource(&program, "omdbApiKeyParameter");
        let left_alone: BTreeSet<_> =
            parameter.options["ignoreChanges"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let told: BTreeSet<_> = parameter.properties.keys().map(String::as_str).collect();
        let written: Vec<_> = told.difference(&left_alone).copied().collect();
        assert_eq!(written, ["keyId", "name"]);
        assert!(left_alone.is_subset(&told), "Pulumi ignores changes of what the program tells only");
    }
}

#[test]
fn an_email_address_subscribes_to_the_alarms() {
    let subscribed = |program: &Program| {
        let subscriptions = of_kind(program, "aws:sns:TopicSubscription").into_iter();
        subscriptions.filter(|subscription| subscription.properties["protocol"] == "email").count()
    };
    assert_eq!((subscribed(&default_program()), subscribed(&all_options_program())), (0, 1));
}

/// The alarms on the number of messages in a queue that should be empty.
fn alarms_on_failures(program: &Program) -> Vec<&Resource> {
    let queues = of_kind(program, "aws:sqs:Queue").into_iter().filter(|queue| queue.name != "moviesQueue");
    let watched: Vec<_> = queues.map(|queue| json!({"QueueName": format!("${{{}.name}}", queue.name)})).collect();
    let alarms = of_kind(program, "aws:cloudwatch:MetricAlarm").into_iter();
    let visible = |alarm: &&Resource| {
        let told = ["metricName", "dimensions"].map(|name| alarm.properties.get(name));
        told[0].is_some_and(|metric| metric == "ApproximateNumberOfMessagesVisible")
            && told[1].is_some_and(|dimensions| watched.contains(dimensions))
    };
    // The other one tells when somebody has left them for days.
    let at_once = |alarm: &&Resource| alarm.properties["period"] == 60;
    let alarms: Vec<_> = alarms.filter(visible).filter(at_once).collect();
    assert_eq!(alarms.len(), watched.len(), "each queue for failures has one");
    alarms
}

#[test]
fn every_queue_for_failures_has_an_alarm_that_goes_off_at_the_threshold_of_the_stack() {
    for (program, threshold) in [(default_program(), 1), (all_options_program(), 3)] {
        for alarm in alarms_on_failures(&program) {
            assert_eq!(alarm.properties["threshold"], threshold, "{}", alarm.name);
        }
    }
}

#[test]
fn traces_go_where_the_stack_says_and_only_x_ray_needs_a_permission() {
    let with = |endpoint: &str| {
        let values = json!({"movie-pipeline:otlpEndpoint": endpoint}).to_string();
        let program = pulumi::program(&Config::read("dev", Some(&values)).unwrap());
        let told = |service: Service| {
            let function = resource(&program, service.name());
            function.properties["environment"]["variables"][OTEL_EXPORTER_OTLP_ENDPOINT.name].clone()
        };
        let policies = of_kind(&program, "aws:iam:RolePolicy").into_iter();
        let may_send = policies.filter(|policy| json!(policy.properties).to_string().contains("xray:PutTraceSegments"));
        (Service::ALL.map(told), may_send.count())
    };
    assert_eq!(with(""), (["", ""].map(Value::from), 0));
    let address = "https://collector.example:4318";
    assert_eq!(with(address), ([address; 2].map(Value::from), 0));
    assert_eq!(with("xray"), (["https://xray.${region}.amazonaws.com"; 2].map(Value::from), 2));
}

#[test]
fn a_stack_changes_the_account_only_when_told_to_and_leaves_it_so() {
    let names = ["spansLogPolicy", "spansDestination", "spansIndexing"];
    for (name, program) in programs() {
        let added = names.map(|name| program["resources"].get(name));
        let expected = (name == "all options").then_some(&json!(true));
        assert_eq!(added.map(|added| added.map(|added| &added["options"]["retainOnDelete"])), [expected; 3], "{name}");
    }
}
