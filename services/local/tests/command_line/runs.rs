use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::{file, local, text};

fn sample() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/Top250Movies.json");
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

/// The ids of the ten best films of a list: by rating, then by the source's rank.
fn ten_best(list: &Value) -> Vec<&str> {
    let number = |item: &Value, field: &str| item[field].as_str().unwrap().parse::<f64>().unwrap();
    let mut items: Vec<_> = list["items"].as_array().unwrap().iter().collect();
    items.sort_by(|a, b| {
        let by_rating = number(b, "imDbRating").total_cmp(&number(a, "imDbRating"));
        by_rating.then(number(a, "rank").total_cmp(&number(b, "rank")))
    });
    items[..10].iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[test]
fn a_run_puts_the_ten_best_films_enriched_into_the_bucket_and_says_so_in_one_json_object() {
    let output = local(&["run", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_str(&text(&output.stdout)).unwrap();

    let list = sample();
    let expected = ten_best(&list);
    let run = report["run"].as_str().unwrap();
    let movies = report["movies"].as_array().unwrap();
    for (index, (movie, id)) in movies.iter().zip(&expected).enumerate() {
        let position = index + 1;
        assert_eq!(movie["position"], position);
        assert_eq!(movie["id"], *id);
        let key = movie["key"].as_str().unwrap();
        assert!(
            key.starts_with(&format!("runs/{run}/")) && key.ends_with(&format!("/{position:02}-{id}.json")),
            "{key}"
        );
        assert!(!movie["title"].as_str().unwrap().is_empty());
    }
    let counts =
        ["source_items", "rejected", "ranked", "enriched", "dead_lettered", "traces"].map(|name| &report[name]);
    assert_eq!(movies.len(), 10);
    assert_eq!(counts[..5], [250, 0, 10, 10, 0].map(Value::from).each_ref());
    assert!(counts[5].as_u64().unwrap() >= 1);
    assert!(report["duration_ms"].as_u64().unwrap() > 0);
    assert_eq!(report["latest_key"], "Top10Movies.json");

    let items = report["latest"]["items"].as_array().unwrap();
    assert_eq!(items.iter().map(|item| item["id"].as_str().unwrap()).collect::<Vec<_>>(), expected);
    for item in items {
        let source = list["items"].as_array().unwrap().iter().find(|source| source["id"] == item["id"]).unwrap();
        assert!(source.as_object().unwrap().iter().all(|(field, value)| &item[field] == value), "{item}");
        assert_eq!(item["imdbID"], item["id"]);
        assert_eq!(item["Response"], "True");
    }
    let metrics = &report["metrics"];
    let counted =
        ["SourceItems", "MoviesRanked", "MoviesEnriched", "RunsCompleted", "OmdbRequests", "EnrichmentFailures"];
    assert_eq!(counted.map(|name| &metrics[name]), [250, 10, 10, 1, 10, 0].map(Value::from).each_ref());
}

#[test]
fn a_run_that_is_asked_for_three_of_a_soured_list_takes_the_three_best_and_counts_the_rejected() {
    let film = |id: &str, rating: &str| json!({"id": id, "title": id, "rank": "1", "imDbRating": rating});
    let items = [
        film("tt0000001", "7"),
        film("tt0000002", ""),
        film("tt0000003", "9"),
        film("tt0000004", "8"),
        film("tt0000005", "6"),
    ];
    let (_folder, path) = file("soured.json", json!({"items": items, "errorMessage": ""}).to_string());
    let output = local(&["--source", path.to_str().unwrap(), "--top", "3", "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    let ids: Vec<_> = report["movies"].as_array().unwrap().iter().map(|movie| movie["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["tt0000003", "tt0000004", "tt0000001"]);
    assert_eq!(
        [&report["source_items"], &report["rejected"], &report["ranked"]],
        [5, 1, 3].map(Value::from).each_ref()
    );
}

#[test]
fn a_source_that_is_json_but_no_list_fails_the_run_with_its_reason_and_exit_code_1() {
    let (_folder, path) = file("broken.json", r#"{"items":[],"errorMessage":"Invalid API Key"}"#);
    let output = local(&["--source", path.to_str().unwrap(), "--json"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    let report: Value = serde_json::from_str(&text(&output.stdout)).unwrap();
    assert!(report["failure"].to_string().contains("Invalid API Key"), "{report}");
    assert_eq!(report["movies"], json!([]));
    assert_eq!(report["latest"], Value::Null);
}

#[test]
fn without_json_a_person_gets_a_table() {
    let output = local(&[]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(table.contains("The Shawshank Redemption  ") && table.contains("01-tt0111161.json"), "{table}");
    assert!(table.contains("250 source items, 0 rejected, 10 ranked, 10 enriched, 0 dead-lettered"), "{table}");
}
