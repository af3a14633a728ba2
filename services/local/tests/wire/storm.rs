//! All faults at once.

use local::{Progress, Storm};

#[tokio::test]
async fn ten_runs_at_once_go_through_a_storm_of_every_fault_and_nothing_is_lost_or_wrong() {
    let storm = Storm { runs: 10, movies: 20, seed: 5, progress: Progress::Silent };
    let outcome = storm.rage().await.unwrap();
    assert_eq!(outcome.violations, [], "{outcome}");
    let figures = outcome.figures;
    assert_eq!((figures.movies, figures.restarts, figures.omdb_outages), (200, 1, 3), "{outcome}");
    assert!(figures.enrichers_killed > 0 && figures.rankers_killed > 0, "{outcome}");
    assert!(figures.published > 200 && figures.dead > 0, "{outcome}");
    // Each movie and each list once, latest at least once and once for each run at most.
    assert!((211..=220).contains(&figures.writes), "{outcome}");
}
