//! What is stored stays: nothing but runs and counts of a day's requests expires, and what is overwritten can be brought back.

use domain::enriched::LATEST_KEY;
use domain::quota::PREFIX as OMDB_REQUESTS;
use serde_json::{Value, json};

use super::view::{Seen, View};
use super::{Finding, Rule, remove_resource};

const KEPT: Rule = Rule {
    demand: "every bucket is versioned, and only runs/ and omdb-requests/ expire",
    reason: "the latest list would be gone a year after its run, or what a mistake overwrites for good \
             (https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html)",
    find: |view| {
        let unversioned = view.of_kind("aws:s3:Bucket").filter(|bucket| !is_versioned(view, *bucket));
        let unversioned = unversioned.map(|bucket| Finding::new(bucket.name, "is not versioned", bucket.properties));
        unversioned.chain(view.of_kind("aws:s3:BucketLifecycleConfiguration").filter_map(expiring)).collect()
    },
    exceptions: &[],
};

/// Where the objects of all runs lie.
const RUNS: &str = "runs/";

fn is_versioned(view: &View, bucket: Seen) -> bool {
    let versionings = view.referring("aws:s3:BucketVersioning", "bucket", bucket);
    versionings.iter().any(|versioning| versioning.properties["versioningConfiguration"]["status"] == "Enabled")
}

fn expiring(lifecycle: Seen) -> Option<Finding> {
    let rules = lifecycle.properties["rules"].as_array()?;
    let wide = rules.iter().find(|rule| expires(rule) && !is_narrow(&rule["filter"]))?;
    Some(Finding::new(lifecycle.name, format!("{} makes more than those expire", wide["id"]), lifecycle.properties))
}

/// Whether objects that nobody replaced or removed go. Replaced versions may, and markers of what was removed.
fn expires(rule: &Value) -> bool {
    ["days", "date"].iter().any(|when| rule["expiration"].get(*when).is_some())
}

fn is_narrow(filter: &Value) -> bool {
    filter["prefix"].as_str().is_some_and(|prefix| prefix.starts_with(RUNS) || prefix.starts_with(OMDB_REQUESTS))
}

#[test]
fn what_is_stored_stays() {
    KEPT.assert_kept();
}

#[test]
fn a_bucket_without_versions_is_caught() {
    KEPT.assert_catches("moviesBucket", |resources| remove_resource(resources, "moviesBucketVersioning"));
    for status in [json!("Suspended"), json!("Disabled"), json!(null)] {
        KEPT.assert_catches("moviesBucket", |resources| {
            resources["moviesBucketVersioning"]["properties"]["versioningConfiguration"]["status"] = status;
        });
    }
    KEPT.assert_catches("moviesBucket", |resources| {
        resources["moviesBucketVersioning"]["properties"]["bucket"] = json!("other");
    });
}

#[test]
fn a_lifecycle_that_makes_the_latest_list_expire_is_caught() {
    let rule = |change: fn(&mut Value)| {
        KEPT.assert_catches("moviesBucketLifecycle", |resources| {
            change(&mut resources["moviesBucketLifecycle"]["properties"]["rules"]);
        });
    };
    for filter in
        [json!({}), json!(null), json!({"prefix": ""}), json!({"prefix": LATEST_KEY}), json!({"tag": {"key": "a"}})]
    {
        KEPT.assert_catches("moviesBucketLifecycle", |resources| {
            resources["moviesBucketLifecycle"]["properties"]["rules"][0]["filter"] = filter;
        });
    }
    rule(|rules| rules[1]["expiration"] = json!({"days": 30}));
    rule(|rules| rules[1]["expiration"]["date"] = json!("2030-01-01T00:00:00Z"));
}
