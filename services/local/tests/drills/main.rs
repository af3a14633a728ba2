//! What the person on call is told: of each fault what they need to know, of quiet days nothing.

use local::{DRILLS, Drill, GoodRun, Matrix, quiet_days, run_drills};

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
    let good = GoodRun::record().await.unwrap();
    assert_eq!(quiet_days(&good, 30, None).unwrap(), Vec::<String>::new());
    let alarms = quiet_days(&good, 30, Some(17)).unwrap();
    assert!(alarms.iter().all(|alarm| alarm.contains("run-late") || alarm.contains("page")), "{alarms:?}");
    assert_eq!(alarms.len(), 2, "{alarms:?}");
}
