//! The dashboard, from `dashboards/movie-pipeline.json`. The file is a CloudWatch dashboard body whose texts may hold
//! `${resource.attribute}`, with the names of this program
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>).

use domain::contract::PROJECT;
use serde_json::{Value, json};

use crate::policy::to_json;
use crate::program::Stack;
use crate::resource::{Dashboard, Handle};

const BODY: &str = include_str!("../../dashboards/movie-pipeline.json");

pub(crate) fn add(stack: &mut Stack) -> Handle<Dashboard> {
    let name = format!("{PROJECT}-{}", stack.config.stack);
    stack.resources.add("dashboard", json!({"dashboardName": name, "dashboardBody": to_json(&body())}))
}

#[expect(clippy::expect_used, reason = "the file is part of this binary, and every test that makes a program reads it")]
fn body() -> Value {
    serde_json::from_str(BODY).expect("dashboards/movie-pipeline.json is JSON")
}
