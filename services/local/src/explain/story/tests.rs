use domain::contract::Service;
use serde_json::{Value, json};

use super::super::material::{LogLine, StoredObject};
use super::super::show::Shown;
use super::super::span::SpanRecord;
use super::*;

const RUN: &str = "2026-11-22T12-00-00Z";
const RANKING: &str = "0123456789abcdef";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const MOVIES: [&str; 2] = ["tt0000001", "tt0000002"];

fn run() -> Run {
    Run::parse(RUN).unwrap()
}

/// A time of the run, in milliseconds after its event.
fn at(ms: i64) -> DateTime<Utc> {
    run().time() + TimeDelta::milliseconds(ms)
}

fn line(service: Service, ms: i64, level: &str, message: &str, fields: Value) -> LogLine {
    let time = at(ms).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let record = json!({"timestamp": time, "level": level, "message": message, "trace_id": TRACE, "request_id": "r"});
    // CloudWatch has the time of arrival, which is later.
    LogLine::read(service, at(ms + 500).timestamp_millis(), &with(record, fields).to_string())
}

fn movie_line(position: usize, delivery: u32, ms: i64, level: &str, message: &str, fields: Value) -> LogLine {
    let of_movie = json!({"run": RUN, "position": position, "imdb_id": MOVIES[position - 1], "message_id": "m",
                          "receive_count": delivery.to_string()});
    line(Service::Enricher, ms, level, message, with(of_movie, fields))
}

fn with(mut record: Value, fields: Value) -> Value {
    if let (Value::Object(record), Value::Object(fields)) = (&mut record, fields) {
        record.extend(fields);
    }
    record
}

fn published() -> LogLine {
    let counts = json!({"run": RUN, "items": 250, "rejected": 0, "ranked": 2, "duration_ms": 40});
    line(Service::Ranker, 100, "INFO", "the run is published", counts)
}

fn stored_line(position: usize, delivery: u32, ms: i64) -> LogLine {
    movie_line(position, delivery, ms, "INFO", "the movie is stored", json!({"duration_ms": 50}))
}

fn object(name: &str, ms: i64, bytes: u64) -> StoredObject {
    StoredObject { key: format!("runs/{RUN}/{RANKING}/{name}"), bytes, stored: at(ms) }
}

fn span(id: &str, parent: &str, kind: &str, name: &str, ms: i64, attributes: Value) -> Value {
    let nanos = at(ms).timestamp_nanos_opt().unwrap();
    let span = json!({"traceId": TRACE, "spanId": id, "parentSpanId": parent, "name": name, "kind": kind,
                      "startTimeUnixNano": nanos, "endTimeUnixNano": nanos + 4_000_000,
                      "resource": {"attributes": {"service.name": "enricher"}}, "status": {"code": "UNSET"}});
    with(span, Value::from_iter([("attributes", attributes)]))
}

fn failed(mut span: Value, why: &str) -> Value {
    span["status"] = json!({"code": "ERROR", "message": why});
    span
}

/// The second movie's first delivery, which fails after OMDb was asked twice, and its second.
fn redelivered() -> Material {
    let why = "OMDb gave no usable answer in 2 attempts, the last time: HTTP status 503";
    let lines = vec![
        published(),
        stored_line(1, 1, 250),
        movie_line(
            2,
            1,
            215,
            "WARN",
            "OMDb gave no usable answer",
            json!({"attempt": 1, "reason": "HTTP status 503", "delay_ms": 30}),
        ),
        movie_line(
            2,
            1,
            260,
            "ERROR",
            "the record failed; the queue delivers it again",
            json!({"reason": why, "duration_ms": 60}),
        ),
        stored_line(2, 2, 3300),
        line(Service::Enricher, 3400, "INFO", "the run is complete", json!({"run": RUN})),
        line(
            Service::Enricher,
            3410,
            "INFO",
            "the latest list is of this run",
            json!({"run": RUN, "key": "Top10Movies.json"}),
        ),
        line(
            Service::Enricher,
            3420,
            "INFO",
            "the batch is processed",
            json!({"records": 1, "stored": 1, "failed": 0}),
        ),
    ];
    let delivery = |id, count: &str, ms| {
        let fields = json!({"run": RUN, "position": 2, "imdb_id": MOVIES[1], "receive_count": count});
        span(id, "", "CONSUMER", "process movie", ms, fields)
    };
    let get = |id, parent, ms, status| {
        span(id, parent, "CLIENT", "GET OMDb", ms, json!({"imdb_id": MOVIES[1], "http.response.status_code": status}))
    };
    let put =
        json!({"aws.s3.key": format!("runs/{RUN}/{RANKING}/02-tt0000002.json"), "http.response.status_code": 200});
    let mut first = failed(delivery("d1", "1", 200), why);
    first["events"] =
        json!([{"name": "OMDb gave no usable answer", "timeUnixNano": at(215).timestamp_nanos_opt().unwrap()}]);
    let spans = [
        first,
        failed(get("g1", "d1", 210, 503), "HTTP status 503"),
        failed(get("g2", "d1", 250, 503), "HTTP status 503"),
        delivery("d2", "2", 3250),
        get("g3", "d2", 3260, 200),
        span("p2", "d2", "CLIENT", "S3.PutObject", 3290, put),
    ];
    Material {
        lines,
        spans: spans.iter().filter_map(SpanRecord::read).collect(),
        objects: vec![
            object("01-tt0000001.json", 0, 1_200),
            object("02-tt0000002.json", 3000, 1_300),
            StoredObject { key: format!("runs/{RUN}/Top10Movies.json"), bytes: 2_600, stored: at(3000) },
        ],
        ..Material::default()
    }
}

fn told(story: &Story) -> Vec<&str> {
    story.steps.iter().map(|step| step.what.as_str()).collect()
}

#[test]
fn a_movies_story_has_its_failure_its_second_delivery_and_its_object_in_order_each_told_once() {
    let story = Story::tell(&run(), &redelivered()).of_movie(MOVIES[1]);
    assert_eq!(
        told(&story),
        [
            "the run is published: 250 items, 0 rejected, 2 ranked",
            "delivery 1 of its message",
            "GET OMDb failed: HTTP status 503; next try after 30 ms",
            "GET OMDb failed: HTTP status 503",
            "the record failed; the queue delivers it again: OMDb gave no usable answer in 2 attempts, the last time: HTTP status 503",
            "delivery 2 of its message",
            "GET OMDb: 200",
            "S3.PutObject its object: 200",
            "the movie is stored",
            "the run is complete",
            "the latest list is of this run",
        ]
    );
    assert!(story.steps.is_sorted_by_key(|step| step.time));
    let stored = story.steps.iter().find(|step| step.what == "the movie is stored").unwrap();
    assert_eq!(stored.object, Some((format!("runs/{RUN}/{RANKING}/02-tt0000002.json"), 1_300)));
    assert_eq!((story.stored, story.of, story.listed), (2, Some(2), Some(at(3400))));
}

#[test]
fn without_spans_the_lines_tell_the_same_story_and_the_reason_why_there_are_none_is_kept() {
    let no_spans = Some("none: traces are off in this stack".to_owned());
    let material = Material { spans: Vec::new(), no_spans, ..redelivered() };
    let story = Story::tell(&run(), &material).of_movie(MOVIES[1]);
    let told = told(&story);
    assert_eq!(told[1], "delivery 1 of its message");
    assert_eq!(told[2], "OMDb gave no usable answer (try 1): HTTP status 503; next try after 30 ms");
    assert_eq!(told[4..6], ["delivery 2 of its message", "the movie is stored"]);
    assert_eq!(story.steps[4].time, at(3250), "before its end by as much as it took");
    let shown = Shown { story: &story, options: "" }.to_string();
    assert!(shown.contains("spans    none: traces are off in this stack"), "{shown}");
}

#[test]
fn a_run_tells_what_went_well_in_a_line_and_what_did_not_in_full() {
    let story = Story::tell(&run(), &redelivered());
    let shown = Shown { story: &story, options: "" }.to_string();
    assert!(shown.starts_with(&format!("Run {RUN}: complete, 2 of 2 movies stored\n")), "{shown}");
    let of = |id: &str| shown.lines().filter(|line| line.contains(id)).count();
    assert_eq!((of(MOVIES[0]), of(MOVIES[1])), (1, 5), "{shown}");
    let places: Vec<_> = ["+0.200 s", "+0.260 s", "+3.250 s", "+3.300 s", "+0.250 s", "+3.400 s"]
        .map(|at| shown.find(at).unwrap())
        .into();
    assert!(places.is_sorted(), "{shown}");
    assert!(shown.contains("took     3.400 s from its event to its list"), "{shown}");
    assert!(shown.contains(&format!(": {RANKING}/02-tt0000002.json, 1,300 bytes (50 ms)")), "{shown}");
}

fn dead(position: usize, cause: &str) -> DeadLetter {
    DeadLetter {
        id: "m".to_owned(),
        queue: "movies-dead-letters".to_owned(),
        is_event: false,
        run: Some(RUN.to_owned()),
        imdb_id: Some(MOVIES[position - 1].to_owned()),
        position: Some(position),
        of: Some(2),
        cause: cause.to_owned(),
        trace_id: Some(TRACE.to_owned()),
        request_id: None,
    }
}

#[test]
fn a_movie_that_is_missing_is_in_a_failure_queue_or_in_flight_or_nobody_knows() {
    let one_stored = Material { objects: vec![object("01-tt0000001.json", 0, 1)], ..redelivered() };
    let place = |material: &Material| {
        let story = Story::tell(&run(), material);
        assert_eq!(
            story.missing.iter().map(|missing| missing.imdb_id.as_deref()).collect::<Vec<_>>(),
            [Some(MOVIES[1])]
        );
        story.missing[0].whereabouts.clone()
    };
    assert_eq!(place(&one_stored), Whereabouts::Unknown);
    assert_eq!(place(&Material { in_flight: 3, ..one_stored.clone() }), Whereabouts::InFlight(3));
    let dead = dead(2, "OMDb does not know the id");
    let material = Material { dead_letters: vec![dead.clone()], in_flight: 3, ..one_stored };
    assert_eq!(place(&material), Whereabouts::Dead(Box::new(dead)));
}

const NO_REQUESTS: &str = "OMDb's request limit for today is reached";

/// The log of a movie that is hidden at its first delivery.
fn hidden(position: usize, until: &str) -> [LogLine; 2] {
    let why = json!({"reason": NO_REQUESTS, "duration_ms": 10});
    let until = json!({"hidden_until": until});
    [
        movie_line(position, 1, 200, "ERROR", "the record failed; the queue delivers it again", why),
        movie_line(position, 1, 210, "INFO", "the movie is hidden in the queue", until),
    ]
}

fn both_hidden() -> Material {
    let lines = [hidden(1, "2026-11-23T00:02:30Z"), hidden(2, "2026-11-23T00:07:01Z")].concat();
    Material { lines: [vec![published()], lines].concat(), in_flight: 2, read: at(60_000), ..Material::default() }
}

#[test]
fn a_hidden_movie_tells_until_when_and_why_and_movies_of_one_reason_share_a_line() {
    let story = Story::tell(&run(), &both_hidden());
    let until = "2026-11-23T00:07:01Z".parse().unwrap();
    let waiting = Waiting { until, reason: Some(NO_REQUESTS.to_owned()) };
    assert_eq!(story.missing[1].whereabouts, Whereabouts::Hidden(waiting));
    let shown = Shown { story: &story, options: "" };
    let both = "1 tt0000001, 2 tt0000002: hidden in the movies queue until about 2026-11-23 00:02 to 00:07 UTC: ";
    assert!(shown.to_string().contains(&format!("missing  {both}{NO_REQUESTS}\n")), "{shown}");
    let missing = &shown.to_json()["missing"][1];
    assert_eq!((&missing["where"], &missing["cause"]), (&"hidden".into(), &NO_REQUESTS.into()));
    assert_eq!(missing["hidden_until"], "2026-11-23T00:07:01Z");

    let story = story.of_movie(MOVIES[1]);
    let until = "hidden in the movies queue until about 2026-11-23 00:07 UTC: ";
    let shown = Shown { story: &story, options: "" }.to_string();
    assert!(shown.lines().next().unwrap().ends_with(&format!("not stored, {until}{NO_REQUESTS}")), "{shown}");
    assert_eq!(told(&story).last(), Some(&"the movie is hidden in the queue until about 2026-11-23 00:07 UTC"));
}

#[test]
fn a_movie_whose_time_is_over_that_was_delivered_again_or_is_in_no_queue_is_not_called_hidden() {
    let second = |material: &Material| Story::tell(&run(), material).missing[1].whereabouts.clone();
    let over = Material { read: "2026-11-23T00:07:02Z".parse().unwrap(), ..both_hidden() };
    assert_eq!(second(&over), Whereabouts::InFlight(2));
    let mut again = both_hidden();
    again.lines.push(fails_again(2, 1_800_000, "HTTP status 503"));
    assert_eq!(second(&again), Whereabouts::InFlight(2));
    assert_eq!(second(&Material { in_flight: 0, ..both_hidden() }), Whereabouts::Unknown);
}

#[test]
fn a_dead_letter_alone_tells_of_its_run_once_the_log_is_gone() {
    let material = Material { dead_letters: vec![dead(2, "OMDb does not know the id")], ..Material::default() };
    let story = Story::tell(&run(), &material);
    assert_eq!((story.of, story.stored, story.missing.len()), (Some(2), 0, 2));
    assert_eq!(story.trace_ids.iter().collect::<Vec<_>>(), [TRACE]);
    let shown = Shown { story: &story, options: " --stack prod" }.to_string();
    assert!(shown.contains(" 2 tt0000002: in the queue movies-dead-letters: OMDb does not know the id"), "{shown}");
    assert!(shown.contains(&format!("dead-letters redrive --run {RUN} --dry-run --stack prod")), "{shown}");
}

#[test]
fn a_failure_that_no_line_tells_is_told_by_its_span() {
    let material = Material { lines: Vec::new(), ..redelivered() };
    let story = Story::tell(&run(), &material);
    let errors: Vec<_> = story.steps.iter().filter(|step| step.level == Level::Error).map(|step| &step.what).collect();
    let why = "process movie failed: OMDb gave no usable answer in 2 attempts, the last time: HTTP status 503";
    assert!(errors.contains(&&why.to_owned()), "{errors:?}");
}

#[test]
fn an_invocation_that_lambda_ended_is_told() {
    let request = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef";
    let begun = movie_line(1, 1, 200, "WARN", "OMDb gave no usable answer", json!({"request_id": request}));
    let text = format!("{request} Task timed out after 30.00 seconds");
    let ended = LogLine::read(Service::Enricher, at(30_000).timestamp_millis(), &text);
    let material = Material { lines: vec![begun, ended], ..Material::default() };
    let story = Story::tell(&run(), &material);
    let last = story.steps.last().unwrap();
    assert_eq!((last.what.as_str(), last.level), (text.as_str(), Level::Error));
}

#[test]
fn lines_and_spans_of_other_runs_are_left_out() {
    let mut material = redelivered();
    let other = json!({"run": "2026-11-23T12-00-00Z", "trace_id": "other"});
    material.lines.push(line(Service::Enricher, 300, "ERROR", "of another run", other.clone()));
    let mut of_both =
        span("x", "", "CONSUMER", "process movie", 300, json!({"run": "2026-11-23T12-00-00Z", "receive_count": "1"}));
    of_both["traceId"] = json!(TRACE);
    material.spans.extend(SpanRecord::read(&of_both));
    assert_eq!(told(&Story::tell(&run(), &material)), told(&Story::tell(&run(), &redelivered())));
}

#[test]
fn times_count_from_the_first_step_when_the_event_was_long_before() {
    let mut material = redelivered();
    material.lines.retain(|line| line.time >= at(3400));
    material.spans.clear();
    material.lines.iter_mut().for_each(|line| line.time += TimeDelta::hours(6));
    material.objects.clear();
    let story = Story::tell(&run(), &material);
    assert_eq!(story.origin(), at(3400) + TimeDelta::hours(6));
    let shown = Shown { story: &story, options: "" }.to_string();
    assert!(shown.contains("It did not begin with its event") && shown.contains("+0.000 s"), "{shown}");
}

#[test]
fn of_many_lines_alike_the_first_are_told_and_the_rest_counted() {
    let mut material = redelivered();
    let rejected = |index: u64| {
        let fields = json!({"run": RUN, "item_index": index, "reason": "no rating"});
        line(Service::Ranker, 50, "WARN", "an item of the source cannot be ranked", fields)
    };
    material.lines.extend((0..100).map(rejected));
    let story = Story::tell(&run(), &material);
    let shown = Shown { story: &story, options: "" }.to_string();
    assert_eq!(shown.matches("cannot be ranked").count(), 4, "{shown}");
    assert!(shown.contains("97 more: an item of the source cannot be ranked"), "{shown}");
}

fn fails_again(delivery: u32, ms: i64, reason: &str) -> LogLine {
    movie_line(2, delivery, ms, "ERROR", "the record failed", json!({"reason": reason, "duration_ms": 10}))
}

/// What a run's story tells of its second movie.
fn of_second_movie(shown: &str) -> Vec<&str> {
    shown.lines().filter_map(|line| line.split_once("tt0000002  ")).map(|(_, what)| what).collect()
}

#[test]
fn deliveries_that_fail_of_the_same_are_told_once_in_a_runs_story_and_each_in_the_movies() {
    let reasons = ["busy", "busy", "busy", "unknown id", "unknown id"];
    let lines = (1..).zip(reasons).map(|(delivery, why)| fails_again(delivery, 1000 * i64::from(delivery), why));
    let material = Material { lines: std::iter::once(published()).chain(lines).collect(), ..Material::default() };
    let story = Story::tell(&run(), &material);
    let shown = Shown { story: &story, options: "" }.to_string();
    assert_eq!(
        of_second_movie(&shown),
        [
            "delivery 1 of its message",
            "ERROR the record failed: busy (10 ms)",
            "ERROR deliveries 2 to 3 failed of the same",
            "delivery 4 of its message",
            "ERROR the record failed: unknown id (10 ms)",
            "ERROR delivery 5 failed of the same",
        ],
        "{shown}"
    );
    let shown = Shown { story: &story.of_movie(MOVIES[1]), options: "" }.to_string();
    assert_eq!(shown.matches("the record failed: busy").count(), 3, "{shown}");
}

#[test]
fn a_failure_of_the_same_after_a_message_was_sent_again_is_told_anew() {
    let deliveries = [(1, 1000), (2, 2000), (1, 300_000), (2, 301_000)];
    let lines = deliveries.map(|(delivery, ms)| fails_again(delivery, ms, "busy")).to_vec();
    let story = Story::tell(&run(), &Material { lines, ..Material::default() });
    let shown = Shown { story: &story, options: "" }.to_string();
    assert_eq!(
        of_second_movie(&shown),
        [
            "delivery 1 of its message",
            "ERROR the record failed: busy (10 ms)",
            "ERROR delivery 2 failed of the same",
            "delivery 1 of its message, which was sent again",
            "ERROR the record failed: busy (10 ms)",
            "ERROR delivery 2 failed of the same",
        ],
        "{shown}"
    );
}

#[test]
fn a_message_that_was_sent_again_counts_its_deliveries_anew_and_is_told_apart() {
    let lines = vec![fails_again(1, 1000, "busy"), fails_again(2, 2000, "busy"), stored_line(2, 1, 9000)];
    let story = Story::tell(&run(), &Material { lines, ..Material::default() }).of_movie(MOVIES[1]);
    let deliveries: Vec<_> = told(&story).into_iter().filter(|what| what.starts_with("delivery")).collect();
    let again = "delivery 1 of its message, which was sent again";
    assert_eq!(deliveries, ["delivery 1 of its message", "delivery 2 of its message", again]);
}

#[test]
fn what_an_invocation_does_for_all_its_movies_is_no_step_of_the_one_that_it_lies_in() {
    let mut material = redelivered();
    let create = span("create", "", "PRODUCER", "create movie", 90, json!({"imdb_id": MOVIES[1], "position": 2}));
    let invocation = span("i", "create", "SERVER", "enricher", 195, json!({"request_id": "r", "cold_start": "true"}));
    let complete = span("c", "create", "INTERNAL", "complete run", 3390, json!({"run": RUN}));
    let list = span("l", "c", "CLIENT", "S3.ListObjectsV2", 3391, json!({}));
    let key = span("k", "i", "CLIENT", "SSM.GetParameter", 196, json!({}));
    material.spans.extend([create, invocation, complete, list, key].iter().filter_map(SpanRecord::read));
    let story = Story::tell(&run(), &material);
    let of = |what: &str| story.steps.iter().find(|step| step.what.starts_with(what)).unwrap().imdb_id.as_deref();
    assert_eq!(of("create movie"), Some(MOVIES[1]));
    for shared in ["invoked, a cold start", "S3.ListObjectsV2", "SSM.GetParameter"] {
        assert_eq!(of(shared), None, "{shared}");
    }
}

#[test]
fn of_a_large_run_the_movies_that_went_well_are_counted() {
    let objects =
        (1..=1000).map(|position| object(&format!("{position:04}-tt{position:07}.json"), position, 1)).collect();
    let story = Story::tell(&run(), &Material { objects, ..Material::default() });
    let shown = Shown { story: &story, options: "" }.to_string();
    assert!(shown.contains("1000 movies without trouble, the first done at +0.001 s"), "{shown}");
    assert!(shown.lines().count() < 10, "{shown}");
}
