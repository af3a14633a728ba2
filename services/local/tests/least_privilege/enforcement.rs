//! The flow where the local AWS refuses what the functions' roles do not allow.

use local::{Outcome, PATIENCE, Permissions, Pipeline};

use crate::TRIES_ENOUGH;
use crate::flow;

/// One try: what is refused now is refused the next time.
const ONE_TRY: usize = 1;

#[tokio::test]
async fn a_run_completes_where_everything_is_refused_that_no_role_allows() {
    let enforced = Permissions::Enforced { withheld: Vec::new() };
    let pipeline = Pipeline::start(flow::options(enforced, TRIES_ENOUGH)).await.unwrap();
    assert_eq!(flow::fire(&pipeline, &flow::event(&pipeline, 22)).await, Outcome::Completed);
    let refused: Vec<_> = pipeline.recorder().unwrap().calls().into_iter().filter(|call| call.status == 403).collect();
    assert_eq!(refused, []);
}

/// The actions that the local AWS looks at, in the order of the flow, and what the functions then complain of.
const REFUSALS: [(&str, &str); 5] = [
    ("s3:GetObject", "access is denied"),
    ("sns:Publish", "not authorized to perform: sns:Publish"),
    ("ssm:GetParameter", "not authorized to perform: ssm:GetParameter"),
    ("s3:PutObject", "not authorized to perform: s3:PutObject"),
    ("s3:ListBucket", "not authorized to perform: s3:ListBucket"),
];

#[tokio::test]
async fn a_run_without_one_of_its_permissions_fails_with_access_denied() {
    for (action, words) in REFUSALS {
        let enforced = Permissions::Enforced { withheld: vec![action.to_owned()] };
        let pipeline = Pipeline::start(flow::options(enforced, ONE_TRY)).await.unwrap();
        let outcome = flow::fire(&pipeline, &flow::event(&pipeline, 22)).await;
        assert!(matches!(outcome, Outcome::Failed(_)), "the run completed without {action}");
        let told = async |pipeline: &Pipeline| {
            let complaints = pipeline.complaints().await?;
            Ok(complaints.iter().any(|complaint| complaint.contains(words)).then_some(()))
        };
        pipeline.eventually(&format!("{words:?} in the log without {action}"), PATIENCE, told).await.unwrap();
    }
}
