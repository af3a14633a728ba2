//! The six examples of "Suppressing composite alarm actions"
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm_Suppression.html>): a wait
//! period of 2 and an extension period of 3 time units. The unit here is a minute, and t0 is noon.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

#[expect(dead_code, reason = "each test file uses its part of it")]
mod common;

use alarms::{Actions, Evaluator, Event, MetricStore, State, SuppressedBy};
use common::{MINUTE_S, at, composite_alarm, evaluator, metric_alarm};
use serde_json::json;

/// A page on `broken`, suppressed by `maintenance`. Both are set by hand and keep their state: no data, `ignore`.
struct Scene {
    evaluator: Evaluator,
}

impl Scene {
    /// At t0 everything is OK.
    fn new() -> Self {
        let by_hand = json!({"treatMissingData": "ignore"});
        let suppressor = json!({"alarm": "maintenance", "waitPeriod": 120, "extensionPeriod": 180});
        let mut evaluator = evaluator(&[
            metric_alarm("broken", by_hand.clone()),
            metric_alarm("maintenance", by_hand),
            composite_alarm("page", "ALARM(broken)", json!({"actionsSuppressor": suppressor})),
        ]);
        for name in ["broken", "maintenance"] {
            evaluator.set_state(name, State::Ok, "by hand", at(-600)).unwrap();
        }
        for minute in -10..=0 {
            evaluator.tick(at(minute * MINUTE_S), &MetricStore::default());
        }
        Self { evaluator }
    }

    /// What the page does at this minute when these alarms are set first.
    fn at(&mut self, minute: i64, states: &[(&str, State)]) -> Vec<Event> {
        let now = at(minute * MINUTE_S);
        let mut events = Vec::new();
        for (name, state) in states {
            events.extend(self.evaluator.set_state(name, *state, "by hand", now).unwrap());
        }
        events.extend(self.evaluator.tick(now, &MetricStore::default()));
        events.retain(|event| event.alarm() == "page");
        events
    }

    /// The minutes from one to another, in which nothing may happen.
    fn quiet(&mut self, minutes: std::ops::RangeInclusive<i64>) {
        for minute in minutes {
            assert_eq!(self.at(minute, &[]), [], "t{minute}");
        }
    }

    fn suppressed_by(&self) -> Option<SuppressedBy> {
        self.evaluator.suppressed_by("page")
    }
}

const BROKEN: (&str, State) = ("broken", State::Alarm);
const MENDED: (&str, State) = ("broken", State::Ok);
const MAINTENANCE: (&str, State) = ("maintenance", State::Alarm);
const MAINTENANCE_OVER: (&str, State) = ("maintenance", State::Ok);

fn assert_withheld(events: &[Event], expected: SuppressedBy) {
    let [Event::StateChanged { actions: Actions::Suppressed { by, .. }, .. }] = events else {
        panic!("not one suppressed change: {events:?}")
    };
    assert_eq!(*by, expected);
}

fn assert_resumed(events: &[Event], expected: State, action: &str) {
    let [Event::ActionsResumed { state, actions, .. }] = events else { panic!("not one resumption: {events:?}") };
    assert_eq!((*state, actions.as_slice()), (expected, &[action.to_owned()][..]));
}

#[test]
fn example_1_actions_are_taken_after_the_wait_period() {
    let mut scene = Scene::new();
    scene.quiet(1..=1);
    assert_withheld(&scene.at(2, &[BROKEN]), SuppressedBy::WaitPeriod);
    scene.quiet(3..=3);
    assert_resumed(&scene.at(4, &[]), State::Alarm, "arn:page");
    scene.quiet(5..=20);
}

#[test]
fn example_2_the_suppressor_takes_over_before_the_wait_period_ends() {
    let mut scene = Scene::new();
    assert_withheld(&scene.at(2, &[BROKEN]), SuppressedBy::WaitPeriod);
    scene.at(3, &[MAINTENANCE]);
    assert_eq!(scene.suppressed_by(), Some(SuppressedBy::Alarm));
    scene.quiet(4..=20);
}

#[test]
fn example_3_a_change_during_the_wait_period_starts_a_new_one() {
    let mut scene = Scene::new();
    assert_withheld(&scene.at(2, &[BROKEN]), SuppressedBy::WaitPeriod);
    assert_withheld(&scene.at(3, &[MENDED]), SuppressedBy::WaitPeriod);
    scene.quiet(4..=4);
    assert_resumed(&scene.at(5, &[]), State::Ok, "arn:page-ok");
}

#[test]
fn example_4_a_suppressor_that_is_in_alarm_already_holds_actions_back() {
    let mut scene = Scene::new();
    scene.at(1, &[MAINTENANCE]);
    assert_withheld(&scene.at(2, &[BROKEN]), SuppressedBy::Alarm);
    scene.quiet(3..=20);
}

#[test]
fn example_5_actions_are_taken_after_the_extension_period() {
    let mut scene = Scene::new();
    assert_withheld(&scene.at(2, &[BROKEN]), SuppressedBy::WaitPeriod);
    scene.at(3, &[MAINTENANCE]);
    scene.quiet(4..=5);
    scene.at(6, &[MAINTENANCE_OVER]);
    assert_eq!(scene.suppressed_by(), Some(SuppressedBy::ExtensionPeriod));
    scene.quiet(7..=8);
    assert_resumed(&scene.at(9, &[]), State::Alarm, "arn:page");
}

#[test]
fn example_6_a_change_during_the_extension_period_starts_a_wait_period() {
    let mut scene = Scene::new();
    assert_withheld(&scene.at(2, &[BROKEN]), SuppressedBy::WaitPeriod);
    scene.at(3, &[MAINTENANCE]);
    scene.at(6, &[MAINTENANCE_OVER]);
    assert_withheld(&scene.at(7, &[MENDED]), SuppressedBy::WaitPeriod);
    scene.quiet(8..=8);
    assert_resumed(&scene.at(9, &[]), State::Ok, "arn:page-ok");
}

#[test]
fn a_maintenance_in_which_nothing_happened_tells_nobody_anything() {
    let mut scene = Scene::new();
    scene.at(1, &[MAINTENANCE]);
    scene.at(5, &[MAINTENANCE_OVER]);
    scene.quiet(6..=30);
}

#[test]
fn a_suppressor_that_comes_back_during_the_extension_period_holds_on() {
    let mut scene = Scene::new();
    scene.at(1, &[MAINTENANCE]);
    assert_withheld(&scene.at(2, &[BROKEN]), SuppressedBy::Alarm);
    scene.at(3, &[MAINTENANCE_OVER]);
    scene.at(4, &[MAINTENANCE]);
    scene.quiet(5..=20);
    scene.at(21, &[MAINTENANCE_OVER]);
    scene.quiet(22..=23);
    assert_resumed(&scene.at(24, &[]), State::Alarm, "arn:page");
}
