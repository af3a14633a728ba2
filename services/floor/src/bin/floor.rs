//! A function with nothing but its runtime: how early a Rust function can ask for its first event, and how fast the
//! local AWS can hand out batches. `cargo local bench` holds the others against it; it is never deployed to AWS.

use std::convert::Infallible;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    // To an event source mapping: the whole batch is done.
    let answer = |_: LambdaEvent<Value>| async { Ok::<_, Infallible>(json!({"batchItemFailures": []})) };
    lambda_runtime::run(service_fn(answer)).await
}
