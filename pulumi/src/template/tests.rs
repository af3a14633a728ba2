use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::expression::Scope;
use super::{SecureParameter, TranslateError, cloudformation};
use crate::config::Config;
use crate::program::{Program, program};
use crate::resource::literal;

fn default_program() -> Program {
    program(&Config::read("dev", None).unwrap())
}

fn body() -> Value {
    cloudformation(&default_program()).unwrap().body
}

/// The program with one resource changed, and what the translation says to it.
fn translate_with(name: &str, change: impl FnOnce(&mut Map<String, Value>, &mut Map<String, Value>)) -> TranslateError {
    let mut program = default_program();
    let resource = program.resources.iter_mut().find(|resource| resource.name == name).unwrap();
    change(&mut resource.properties, &mut resource.options);
    cloudformation(&program).unwrap_err()
}

#[test]
fn every_resource_stands_in_the_template_by_itself_or_as_a_part() {
    let body = body();
    let resources = body["Resources"].as_object().unwrap();
    let parts = ["aws", "omdbApiKeyParameter", "rankerPolicy", "enricherPolicy", "scheduleTarget"];
    for resource in default_program().resources() {
        let mut id = resource.name.to_owned();
        id[..1].make_ascii_uppercase();
        let is_part =
            parts.contains(&resource.name) || resource.name.starts_with("moviesBucket") && id != "MoviesBucketPolicy";
        assert_eq!(resources.contains_key(&id), !is_part || id == "MoviesBucket", "{id}");
    }
}

#[test]
fn the_parts_of_a_bucket_become_its_properties() {
    let bucket = body()["Resources"]["MoviesBucket"]["Properties"].clone();
    assert_eq!(bucket["BucketName"], json!({"Fn::Sub": "movie-pipeline-dev-movies-${AWS::AccountId}"}));
    assert_eq!(bucket["VersioningConfiguration"], json!({"Status": "Enabled"}));
    let rule = &bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0];
    let by_default = json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}});
    assert_eq!(rule, &json!({"ServerSideEncryptionByDefault": by_default, "BucketKeyEnabled": true}));
    assert_eq!(bucket["PublicAccessBlockConfiguration"].as_object().unwrap().len(), 4);
    let expiry = json!({"Id": "runs-expire", "Status": "Enabled", "Prefix": "runs/", "ExpirationInDays": 365});
    assert_eq!(bucket["LifecycleConfiguration"]["Rules"][0], expiry);
}

#[test]
fn a_role_carries_its_policy_and_a_rule_its_target() {
    let body = body();
    let role = &body["Resources"]["RankerRole"]["Properties"];
    assert_eq!(role["Policies"][0]["PolicyName"], "ranker");
    assert_eq!(role["Policies"][0]["PolicyDocument"]["Statement"][0]["Sid"], "ReadSource");
    let target = &body["Resources"]["Schedule"]["Properties"]["Targets"][0];
    assert_eq!(target["Arn"], json!({"Fn::GetAtt": ["Ranker", "Arn"]}));
    assert_eq!(target["DeadLetterConfig"], json!({"Arn": {"Fn::GetAtt": ["RankerFailuresQueue", "Arn"]}}));
}

#[test]
fn the_code_of_a_function_lies_in_the_bucket_that_the_parameter_names() {
    let body = body();
    let code = json!({"S3Bucket": {"Ref": "CodeBucket"}, "S3Key": "enricher.zip"});
    assert_eq!(body["Resources"]["Enricher"]["Properties"]["Code"], code);
    assert_eq!(body["Parameters"]["CodeBucket"]["Type"], "String");
}

#[test]
fn outputs_keep_their_names() {
    let body = body();
    let names: Vec<_> = body["Outputs"].as_object().unwrap().keys().collect();
    assert_eq!(names, default_program().outputs().keys().collect::<Vec<_>>());
    assert_eq!(body["Outputs"]["omdbApiKeyParameter"]["Value"], "/movie-pipeline/dev/omdb-api-key");
}

#[test]
fn a_secure_parameter_is_left_out_and_told_with_the_output_that_names_its_key() {
    let template = cloudformation(&default_program()).unwrap();
    let expected = SecureParameter {
        name: "/movie-pipeline/dev/omdb-api-key".to_owned(),
        description: "The OMDb API key that the enricher uses".to_owned(),
        kms_key_output: "kmsKeyArn".to_owned(),
    };
    assert_eq!(template.secure_parameters, [expected]);
    assert!(!template.body.to_string().contains("AWS::SSM::Parameter"));
}

#[test]
fn the_dashboard_is_a_text_whose_references_cloudformation_fills_in() {
    let dashboard = body()["Resources"]["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"].clone();
    let dashboard: Value = serde_json::from_str(dashboard.as_str().unwrap()).unwrap();
    let first = |kind: &str| {
        let mut widgets = dashboard["widgets"].as_array().unwrap().iter();
        widgets.find(|widget| widget["type"] == kind).unwrap()["properties"].clone()
    };
    assert_eq!(first("alarm")["alarms"][0], "${PageAlarm.Arn}");
    assert_eq!(first("metric")["region"], "${AWS::Region}");
    assert!(first("log")["query"].as_str().unwrap().starts_with("SOURCE '${RankerLogs}'"));
    // A dollar sign of an address.
    assert!(first("text")["markdown"].as_str().unwrap().contains("log-group/$252Faws$252Flambda$252F${Ranker}"));
}

#[test]
fn an_alarm_on_metric_math_has_its_metrics_one_by_one() {
    let alarm = body()["Resources"]["QueueStallsAlarm"]["Properties"].clone();
    assert_eq!(alarm["Metrics"][0]["ReturnData"], true);
    let metric = json!({
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateAgeOfOldestMessage",
        "Dimensions": [{"Name": "QueueName", "Value": {"Fn::GetAtt": ["MoviesQueue", "QueueName"]}}],
    });
    let age = json!({"Id": "age", "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Maximum"}});
    assert_eq!(alarm["Metrics"][1], age);
}

#[test]
fn a_composite_alarm_names_its_alarms_and_what_keeps_it_quiet() {
    let alarm = body()["Resources"]["PageAlarm"].clone();
    assert_eq!(
        (&alarm["Type"], &alarm["Properties"]["AlarmName"]),
        (&json!("AWS::CloudWatch::CompositeAlarm"), &json!("movie-pipeline-dev-page"))
    );
    let rule = alarm["Properties"]["AlarmRule"]["Fn::Sub"].as_str().unwrap();
    assert!(rule.starts_with(r#"ALARM("${RunLateAlarm}") OR ALARM("${DeadLettersAlarm}") OR "#), "{rule}");
    let suppressor =
        ["", "WaitPeriod", "ExtensionPeriod"].map(|part| &alarm["Properties"][format!("ActionsSuppressor{part}")]);
    assert_eq!(suppressor, [&json!({"Ref": "MaintenanceAlarm"}), &json!(60), &json!(360)]);
}

#[test]
fn every_resource_that_takes_tags_has_those_of_the_provider() {
    let body = body();
    let tags = json!([{"Key": "project", "Value": "movie-pipeline"}, {"Key": "stack", "Value": "dev"}]);
    let tagged =
        body["Resources"].as_object().unwrap().values().filter(|resource| resource["Properties"]["Tags"] == tags);
    assert!(tagged.count() > 15);
}

/// What a template refers to, by `Ref`, `Fn::GetAtt`, `Fn::Sub` and `DependsOn`.
fn referred(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| referred(item, into)),
        Value::Object(object) => object.iter().for_each(|(name, value)| match (name.as_str(), value) {
            ("Ref", Value::String(id)) => drop(into.insert(id.clone())),
            ("Fn::GetAtt", value) => drop(into.insert(value[0].as_str().unwrap().to_owned())),
            ("Fn::Sub", Value::String(text)) => {
                let ids = text.split("${").skip(1).map(|rest| rest.split(['}', '.']).next().unwrap());
                into.extend(ids.filter(|id| !id.starts_with('!')).map(str::to_owned));
            }
            ("DependsOn", Value::Array(ids)) => into.extend(ids.iter().map(|id| id.as_str().unwrap().to_owned())),
            (_, value) => referred(value, into),
        }),
        _ => {}
    }
}

#[test]
fn everything_the_template_refers_to_stands_in_it() {
    let body = body();
    let mut ids = BTreeSet::new();
    referred(&body, &mut ids);
    assert!(ids.len() > 15, "{ids:?}");
    let stands = |id: &str| {
        id.starts_with("AWS::") || ["Resources", "Parameters"].iter().any(|part| body[*part].get(id).is_some())
    };
    let missing: Vec<_> = ids.iter().filter(|id| !stands(id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn nothing_of_pulumi_is_left_in_the_template() {
    let text = body().to_string();
    assert!(!text.contains("fn::") && !text.contains("pulumi."));
}

#[test]
fn what_pulumi_retains_cloudformation_retains_and_what_holds_data_says_so_either_way() {
    for (protect, policy) in [("true", "Retain"), ("false", "Delete")] {
        let values = json!({"movie-pipeline:protectResources": protect}).to_string();
        let body = cloudformation(&program(&Config::read("dev", Some(&values)).unwrap())).unwrap().body;
        let policies =
            |resource: &Value| ["DeletionPolicy", "UpdateReplacePolicy"].map(|name| resource.get(name).cloned());
        for id in ["Key", "MoviesBucket", "MoviesQueue", "DeadLetterQueue", "RankerLogs"] {
            assert_eq!(policies(&body["Resources"][id]), [Some(json!(policy)), Some(json!(policy))], "{id}");
        }
        assert_eq!(policies(&body["Resources"]["MoviesTopic"]), [None, None]);
    }
}

#[test]
fn a_renamed_resource_keeps_its_first_name_here() {
    let mut program = default_program();
    let bucket = program.resources.iter_mut().find(|resource| resource.name == "moviesBucket").unwrap();
    bucket.options.insert("aliases".to_owned(), json!([{"name": "bucket"}, {"name": "store"}]));
    let body = cloudformation(&program).unwrap().body;
    assert_eq!(body["Resources"]["Bucket"]["Properties"]["VersioningConfiguration"], json!({"Status": "Enabled"}));
    assert_eq!(body["Resources"]["MoviesBucketPolicy"]["Properties"]["Bucket"], json!({"Ref": "Bucket"}));
    assert_eq!(body["Outputs"]["moviesBucket"]["Value"], json!({"Ref": "Bucket"}));
    assert!(body["Resources"].get("MoviesBucket").is_none());
}

#[test]
fn transaction_search_is_one_resource_that_waits_for_the_policy_of_its_logs() {
    let values = json!({"movie-pipeline:otlpEndpoint": "xray", "movie-pipeline:transactionSearch": "true"});
    let mut program = program(&Config::read("dev", Some(&values.to_string())).unwrap());
    let body = cloudformation(&program).unwrap().body;
    let search = json!({
        "Type": "AWS::XRay::TransactionSearchConfig",
        "Properties": {"IndexingPercentage": 1},
        "DependsOn": ["SpansLogPolicy"],
        "DeletionPolicy": "Retain",
        "UpdateReplacePolicy": "Retain",
    });
    assert_eq!(body["Resources"]["SpansDestination"], search);
    assert!(body["Resources"].get("SpansIndexing").is_none());
    let policy = body["Resources"]["SpansLogPolicy"]["Properties"]["PolicyDocument"]["Fn::Sub"].as_str().unwrap();
    let policy: Value = serde_json::from_str(policy).unwrap();
    assert_eq!(policy["Statement"][0]["Condition"]["StringEquals"]["aws:SourceAccount"], "${AWS::AccountId}");

    // The type always means this destination.
    let destination = program.resources.iter_mut().find(|resource| resource.name == "spansDestination").unwrap();
    destination.properties["destination"] = json!("XRay");
    let error = cloudformation(&program).unwrap_err().to_string();
    assert_eq!(error, "spansDestination: the property destination should be CloudWatchLogs");
}

#[test]
fn an_unknown_type_is_an_error_that_names_it() {
    let mut program = default_program();
    program.resources[1].kind = "aws:kms:Grant";
    let error = cloudformation(&program).unwrap_err().to_string();
    assert_eq!(error, "key: there is no CloudFormation form of the type aws:kms:Grant");
}

#[test]
fn an_unknown_property_is_an_error_that_names_it_wherever_it_stands() {
    let of = |name, change: fn(&mut Map<String, Value>)| {
        translate_with(name, |properties, _| change(properties)).to_string()
    };
    let whole = of("moviesQueue", |properties| drop(properties.insert("fifoQueue".to_owned(), json!(true))));
    assert_eq!(whole, "moviesQueue: there is no CloudFormation form of the property fifoQueue");
    let nested = of("ranker", |properties| properties["loggingConfig"]["logStream"] = json!("x"));
    assert_eq!(nested, "ranker: there is no CloudFormation form of the property loggingConfig.logStream");
    let part = of("moviesBucketVersioning", |properties| drop(properties.insert("mfa".to_owned(), json!("x"))));
    assert_eq!(part, "moviesBucketVersioning: there is no CloudFormation form of the property mfa");
    let in_list = of("moviesBucketLifecycle", |properties| properties["rules"][0]["transitions"] = json!([]));
    assert_eq!(in_list, "moviesBucketLifecycle: there is no CloudFormation form of the property rules.transitions");
    let left_out = of("omdbApiKeyParameter", |properties| drop(properties.insert("tier".to_owned(), json!("x"))));
    assert_eq!(left_out, "omdbApiKeyParameter: there is no CloudFormation form of the property tier");
    let function = of("moviesQueue", |properties| properties["name"] = json!({"fn::join": ["", ["a"]]}));
    assert_eq!(function, "moviesQueue: there is no CloudFormation form of the property name.fn::join");
}

#[test]
fn a_value_of_another_form_is_an_error_that_names_it() {
    let error = translate_with("moviesQueuePolicy", |properties, _| properties["policy"] = json!("{}"));
    assert_eq!(error.to_string(), "moviesQueuePolicy: the property policy should be fn::toJSON");
}

#[test]
fn an_unknown_reference_is_an_error_that_names_it() {
    for reference in ["moviesTopic.owner", "nobody.arn", "nobody", "moviesTopic"] {
        let error =
            translate_with("moviesQueue", |properties, _| properties["name"] = json!(format!("${{{reference}}}")));
        assert_eq!(
            error.to_string(),
            format!("moviesQueue: there is no CloudFormation form of the reference ${{{reference}}}")
        );
    }
}

#[test]
fn an_unknown_option_is_an_error_that_names_it() {
    for name in ["moviesQueue", "rankerPolicy", "aws", "omdbApiKeyParameter"] {
        let error = translate_with(name, |_, options| drop(options.insert("import".to_owned(), json!("x"))));
        assert_eq!(error.to_string(), format!("{name}: there is no CloudFormation form of the option import"));
    }
}

#[test]
fn a_secure_parameter_whose_key_nobody_tells_is_an_error() {
    let mut program = default_program();
    program.outputs.shift_remove("kmsKeyArn");
    let error = cloudformation(&program).unwrap_err();
    assert_eq!(error, TranslateError::KeyOutput { resource: "omdbApiKeyParameter".to_owned() });
}

proptest! {
    #[test]
    fn a_literal_text_stays_as_it_is(text in r"[$\{\}a!.]{0,12}|.*") {
        let scope = Scope { stack: "dev", resources: std::collections::BTreeMap::new() };
        prop_assert_eq!(scope.text("anything", &literal(&text)).unwrap(), Value::String(text));
    }
}
