use std::path::Path;

use axum::Router;
use axum::http::{StatusCode, header};
use local::Pipeline;
use serde_json::json;
use tokio::net::TcpListener;

use crate::{command, dead_letters, ended_with, failing};

/// An AWS that answers everything with this error, and where it does.
async fn refusing(code: &str, message: &str) -> String {
    let error = json!({"__type": format!("com.amazonaws.sqs#{code}"), "message": message}).to_string();
    let answer = move || {
        let answer = (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], error.clone());
        std::future::ready(answer)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    format!("http://{address}")
}

async fn told(code: &str, message: &str) -> String {
    let endpoint = refusing(code, message).await;
    ended_with(2, &command(&["list", "--endpoint-url", &endpoint]).output().await.unwrap())
}

#[tokio::test]
async fn a_missing_permission_is_named_with_what_was_tried() {
    let told = told("AccessDeniedException", "not authorized to perform: sqs:getqueueurl").await;
    for part in ["do not allow sqs:GetQueueUrl on movie-pipeline-local-movies", "have it granted", "not authorized"] {
        assert!(told.contains(part), "{told}");
    }
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[tokio::test]
async fn credentials_that_are_refused_are_told_from_a_missing_permission() {
    let told = told("InvalidClientTokenId", "The security token included in the request is invalid.").await;
    assert!(told.contains("the credentials of the local AWS cannot be used; sqs:GetQueueUrl on"), "{told}");
    assert!(told.contains("name a profile with --profile"), "{told}");
}

#[tokio::test]
async fn a_profile_that_does_not_exist_is_answered_with_those_that_do() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config");
    let none = told_of_profile("nobody", folder.path()).await;
    let places = format!("there is no profile nobody; none is defined in {} or ", config.display());
    assert!(none.contains(&places), "{none}");
    std::fs::write(config, "[profile staging]\nregion = eu-west-1\n").unwrap();
    std::fs::write(folder.path().join("credentials"), "[dev]\naws_access_key_id = x\n").unwrap();
    let told = told_of_profile("nobody", folder.path()).await;
    assert!(told.contains("there is no profile nobody; there are: dev, staging"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[tokio::test]
async fn a_profile_without_credentials_is_advised_to_log_in() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("config"), "[profile staging]\nregion = eu-west-1\n").unwrap();
    let told = told_of_profile("staging", folder.path()).await;
    assert!(told.contains("the credentials of the profile staging cannot be used"), "{told}");
    assert!(told.contains("Log in again"), "{told}");
}

/// What is told when messages are listed with a profile of the AWS configuration in a folder.
async fn told_of_profile(profile: &str, folder: &Path) -> String {
    let output = command(&["list", "--profile", profile, "--region", "eu-west-1", "--stack", "prod"])
        .env("AWS_CONFIG_FILE", folder.join("config"))
        .env("AWS_SHARED_CREDENTIALS_FILE", folder.join("credentials"))
        // Credentials in the environment must not step in for those of the profile.
        .envs([("AWS_ACCESS_KEY_ID", "x"), ("AWS_SECRET_ACCESS_KEY", "y")])
        .output();
    ended_with(2, &output.await.unwrap())
}

#[tokio::test]
async fn an_endpoint_where_nobody_answers_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let told = ended_with(2, &command(&["list", "--endpoint-url", &endpoint]).output().await.unwrap());
    assert!(told.contains(&format!("{endpoint} does not answer")) && told.contains("refused"), "{told}");
}

#[tokio::test]
async fn a_stack_that_does_not_exist_is_answered_with_those_that_do() {
    let pipeline = Pipeline::start(failing()).await.unwrap();
    let told = ended_with(2, &dead_letters(&pipeline, &["list", "--stack", "prod"]).await);
    assert!(told.contains("no stack prod; there are: local"), "{told}");
}

#[tokio::test]
async fn aws_itself_is_not_asked_before_profile_region_and_stack_are_named() {
    let told = ended_with(2, &command(&["redrive", "--all", "--yes", "--profile", "prod"]).output().await.unwrap());
    assert!(told.contains("(missing: --region and --stack)"), "{told}");
}
