//! What the person on call is told: of each fault what they need to know, of quiet days nothing.
#![expect(clippy::unwrap_used, reason = "tests; a helper outside of test functions too")]

use local::{DRILLS, Drill, GoodRun, Matrix, quiet_days, run_drills, run_miswired};
use serde_json::{Value, json};

/// The matrix of faults and alarms. Every alarm goes off in some drill, so one that is miswired or watches a metric that
/// nobody reports is missing here.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_fault_sets_off_exactly_its_alarms_and_they_are_told() {
    let drills: Vec<&'static Drill> = DRILLS.iter().collect();
    let drills = run_drills(&drills, |_| {}).await.unwrap();
    let matrix = Matrix { drills };
    assert!(matrix.is_as_expected(), "{matrix}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_quiet_days_set_off_nothing_and_a_day_without_a_run_does() {
    let runs = GoodRun::record_each_shape().await.unwrap();
    assert!(runs.len() > 5, "{} shapes of a good day", runs.len());
    let alarms = quiet_days(&runs, 30, None).unwrap();
    assert!(alarms.is_empty(), "{alarms:?}");
    let alarms = quiet_days(&runs, 30, Some(17)).unwrap();
    assert_eq!(alarms.keys().collect::<Vec<_>>(), ["page", "run-late"], "{alarms:?}");
}

/// The price of one mail for one fault: a composite alarm acts on changes of its own state only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_fault_while_page_stands_sends_no_mail_and_the_first_mail_tells_how_to_see_it() {
    let findings = run_drills(&[Drill::find("second-fault").unwrap()], |_| {}).await.unwrap();
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert!(finding.is_as_expected(), "{finding}");
    let [told] = &finding.told[..] else { panic!("{finding}") };
    assert_eq!(
        (told.alarm.as_str(), told.state.as_str(), &told.causes[..]),
        ("page", "ALARM", &["dead-letters".to_owned()][..])
    );
    assert_eq!(finding.silent, ["run-late", "omdb-key-rejected"]);
    let command = "aws cloudwatch describe-alarms --state-value ALARM --alarm-name-prefix movie-pipeline-local-\n";
    assert!(told.text.contains("later causes send no mail") && told.text.contains(command), "{}", told.text);
}

/// The run completes when the next day has requests, twelve hours late. The alarm on late runs counts from the run of the
/// day before and goes off all the same; then everything is over and told to be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn movies_that_wait_for_the_next_day_complete_their_run_then_and_end_its_alarms() {
    let findings = run_drills(&[Drill::find("omdb-quota").unwrap()], |_| {}).await.unwrap();
    let [finding] = &findings[..] else { panic!("{findings:?}") };
    assert!(finding.is_as_expected(), "{finding}");
    let over_after_hours = |alarm: &str| {
        let alarmed = finding.alarms.iter().find(|alarmed| alarmed.alarm == alarm).unwrap();
        alarmed.over_after_minutes.unwrap() / 60
    };
    assert!((12..=13).contains(&over_after_hours("run-late")), "{finding}");
    assert!((24..=26).contains(&over_after_hours("omdb-quota")), "{finding}");
    let told: Vec<_> = finding.told.iter().map(|told| (told.alarm.as_str(), told.state.as_str())).collect();
    assert_eq!(told, [("page", "ALARM"), ("page", "OK")], "{finding}");
}

/// What a drill finds missing when its alarms are miswired.
async fn missing(drill: &str, miswire: fn(&mut Value)) -> Vec<String> {
    run_miswired(Drill::find(drill).unwrap(), miswire).await.unwrap().missing
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alarm_that_is_miswired_is_missing() {
    let metric = missing("source-shrunk", |alarm| replace(alarm, "/metricName", "SourceItems", "SourceItem"));
    let value = missing("source-shrunk", |alarm| replace(alarm, "/dimensions/Service", "ranker", "enricher"));
    let name = missing("source-shrunk", |alarm| rename(alarm, "Service", "service"));
    let action = missing("source-shrunk", |alarm| drop(alarm.as_object_mut().unwrap().remove("alarmActions")));
    let (metric, value, name, action) = tokio::join!(metric, value, name, action);
    assert_eq!([metric, value, name], [(); 3].map(|()| ["source-shrank", "a ticket"]));
    assert_eq!(action, ["a ticket"]);
}

fn replace(alarm: &mut Value, pointer: &str, from: &str, to: &str) {
    if let Some(value) = alarm.pointer_mut(pointer).filter(|value| value.as_str() == Some(from)) {
        *value = json!(to);
    }
}

fn rename(alarm: &mut Value, from: &str, to: &str) {
    let Some(dimensions) = alarm.get_mut("dimensions").and_then(Value::as_object_mut) else { return };
    if let Some(value) = dimensions.remove(from) {
        dimensions.insert(to.to_owned(), value);
    }
}
