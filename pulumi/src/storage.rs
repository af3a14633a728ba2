//! The private bucket.

use domain::quota::PREFIX as OMDB_REQUESTS;
use serde_json::{Value, json};

use crate::policy::{document, tls_only};
use crate::program::{ACCOUNT_ID, Stack};
use crate::resource::{
    Bucket, BucketEncryption, BucketLifecycle, BucketPolicy, BucketPublicAccessBlock, BucketVersioning, Handle, Key,
};

/// Where the objects of all runs lie, see `domain::enriched`.
pub(crate) const RUNS: &str = "runs/";

/// An upload that was cut off is of no use to anyone, yet it is paid for until it is aborted.
const ABORT_UPLOAD_AFTER_DAYS: u32 = 7;

/// A day's count of requests to OMDb matters on that day alone. A week, for whoever asks who used them up.
const OMDB_REQUESTS_RETENTION_DAYS: u32 = 7;

pub(crate) fn add(stack: &mut Stack, key: &Handle<Key>) -> Handle<Bucket> {
    // Bucket names are shared by all accounts of the world, hence the account.
    let name = format!("{}-{ACCOUNT_ID}", stack.name("movies"));
    // Pulumi can only remove an empty bucket, so an unprotected one is emptied first.
    let properties = json!({"bucket": name, "forceDestroy": !stack.config.protect_resources});
    let bucket = stack.resources.add::<Bucket>("moviesBucket", properties);
    let versioning = add_versioning(stack, &bucket);
    add_encryption(stack, &bucket, key);
    let access_block = add_public_access_block(stack, &bucket);
    add_lifecycle(stack, &bucket, &versioning);
    add_policy(stack, &bucket, &access_block);
    bucket
}

fn add_versioning(stack: &mut Stack, bucket: &Handle<Bucket>) -> Handle<BucketVersioning> {
    let properties = json!({"bucket": bucket.name(), "versioningConfiguration": {"status": "Enabled"}});
    stack.resources.add("moviesBucketVersioning", properties)
}

fn add_encryption(stack: &mut Stack, bucket: &Handle<Bucket>, key: &Handle<Key>) {
    let rule = json!({
        "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key.arn()},
        // One request to KMS for many objects instead of one for each.
        "bucketKeyEnabled": true,
    });
    let properties = json!({"bucket": bucket.name(), "rules": [rule]});
    stack.resources.add::<BucketEncryption>("moviesBucketEncryption", properties);
}

fn add_public_access_block(stack: &mut Stack, bucket: &Handle<Bucket>) -> Handle<BucketPublicAccessBlock> {
    let properties = json!({
        "bucket": bucket.name(),
        "blockPublicAcls": true,
        "blockPublicPolicy": true,
        "ignorePublicAcls": true,
        "restrictPublicBuckets": true,
    });
    stack.resources.add("moviesBucketPublicAccessBlock", properties)
}

fn add_policy(stack: &mut Stack, bucket: &Handle<Bucket>, access_block: &Handle<BucketPublicAccessBlock>) {
    let everything = [bucket.arn().to_string(), format!("{}/*", bucket.arn())];
    let properties = json!({"bucket": bucket.name(), "policy": document([tls_only("s3:*", everything)])});
    // S3 refuses to change both at the same time.
    let options = json!({"dependsOn": [access_block.itself()]});
    stack.resources.add_with::<BucketPolicy>("moviesBucketPolicy", properties, options);
}

fn add_lifecycle(stack: &mut Stack, bucket: &Handle<Bucket>, versioning: &Handle<BucketVersioning>) {
    let properties = json!({"bucket": bucket.name(), "rules": lifecycle_rules(stack)});
    // Rules about noncurrent versions mean nothing before there are versions.
    let options = json!({"dependsOn": [versioning.itself()]});
    stack.resources.add_with::<BucketLifecycle>("moviesBucketLifecycle", properties, options);
}

fn lifecycle_rules(stack: &Stack) -> Value {
    json!([
        {
            "id": "runs-expire",
            "status": "Enabled",
            "filter": {"prefix": RUNS},
            "expiration": {"days": stack.config.run_retention_days},
        },
        {
            "id": "leftovers-go",
            "status": "Enabled",
            "filter": {},
            "expiration": {"expiredObjectDeleteMarker": true},
            "noncurrentVersionExpiration": {"noncurrentDays": stack.config.noncurrent_version_retention_days},
            "abortIncompleteMultipartUpload": {"daysAfterInitiation": ABORT_UPLOAD_AFTER_DAYS},
        },
        {
            "id": "omdb-requests-expire",
            "status": "Enabled",
            "filter": {"prefix": OMDB_REQUESTS},
            "expiration": {"days": OMDB_REQUESTS_RETENTION_DAYS},
        },
    ])
}

#[cfg(test)]
mod tests {
    use domain::MovieMessage;
    use domain::enriched::{movie_key, run_prefix};
    use serde_json::json;

    use super::*;

    #[test]
    fn the_objects_of_a_run_lie_where_the_policies_and_the_lifecycle_expect_them() {
        let body = json!({
            "schema_version": 1, "run": "2026-11-22T12-00-00Z", "ranking": "0123456789abcdef",
            "position": 1, "of": 1, "movie": {"id": "tt0111161", "title": "The Shawshank Redemption", "imDbRating": "9.2"},
        });
        let message = MovieMessage::parse(&body.to_string()).unwrap();
        assert!(run_prefix(&message.run).starts_with(RUNS));
        assert!(movie_key(&message).starts_with(RUNS));
    }
}
