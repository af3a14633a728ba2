use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use local::Pipeline;
use serde_json::json;
use tokio::net::TcpListener;

use crate::{command, ended_with, explain, failing};

/// An AWS in which the queues may be read, and nothing else.
async fn with_queues_only() -> String {
    let answer = |headers: HeaderMap| async move {
        let answered = |status: StatusCode, body: serde_json::Value| -> Response {
            (status, [(header::CONTENT_TYPE, "application/x-amz-json-1.0")], body.to_string()).into_response()
        };
        match headers.get("x-amz-target").and_then(|target| target.to_str().ok()) {
            Some("AmazonSQS.GetQueueUrl") => answered(StatusCode::OK, json!({"QueueUrl": "http://127.0.0.1/1/q"})),
            Some(target) if target.starts_with("AmazonSQS.") => answered(StatusCode::OK, json!({})),
            _ => {
                let error = json!({"__type": "AccessDeniedException", "message": "not authorized"});
                let mut answer = answered(StatusCode::FORBIDDEN, error);
                answer
                    .headers_mut()
                    .insert("x-amzn-errortype", header::HeaderValue::from_static("AccessDeniedException"));
                answer
            }
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await.unwrap() });
    format!("http://{address}")
}

#[tokio::test]
async fn a_missing_permission_is_named_with_what_was_tried() {
    let endpoint = with_queues_only().await;
    let told = ended_with(2, &command(&["--endpoint-url", &endpoint]).output().await.unwrap());
    let wanted = "do not allow lambda:GetFunctionConfiguration on movie-pipeline-local-enricher";
    assert!(told.contains(wanted) && told.contains("have it granted"), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[tokio::test]
async fn a_stack_that_does_not_exist_is_answered_with_those_that_do() {
    let pipeline = Pipeline::start(failing(1, 1)).await.unwrap();
    let told = ended_with(2, &explain(&pipeline, &["latest", "--stack", "prod"]).await);
    assert!(told.contains("no stack prod; there are: local"), "{told}");
}

#[tokio::test]
async fn the_help_names_every_permission() {
    let help = ended_with(0, &command(&["--help"]).output().await.unwrap());
    for permission in ["logs:FilterLogEvents", "lambda:GetFunctionConfiguration", "s3:ListBucket", "kms:Decrypt"] {
        assert!(help.contains(permission), "{help}");
    }
}
