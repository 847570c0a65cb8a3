//! Tests of `health.rs`: which state a service is in, whether that is good, and what a probe makes of it.

use super::*;

fn facts(activity: Activity, phase: Phase) -> Facts {
    let status = Status { activity, iteration: Some(3), ..Status::default() };
    Facts { status, phase, is_draining: false, is_stuck: false, now_us: 60_000_000 }
}

fn trouble(kind: &str) -> Option<Trouble> {
    Some(serde_json::from_value(serde_json::json!({"kind": kind, "message": "it failed", "help": "do this"})).unwrap())
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_second(seconds).unwrap()
}

#[test]
fn the_state_says_what_the_service_is_at() {
    for (activity, phase, expected) in [
        (Activity::Starting, Phase::Reading, State::Starting),
        (Activity::Idle, Phase::Done, State::Idle),
        (Activity::Working, Phase::Reading, State::Reading),
        (Activity::Working, Phase::Sealing, State::Loading),
        (Activity::Working, Phase::Loading, State::Loading),
        (Activity::Ended, Phase::Done, State::Stopped),
    ] {
        assert_eq!(state(&facts(activity, phase)), expected);
    }
    let failing = |activity| {
        let mut facts = facts(activity, Phase::Reading);
        facts.status.failures = 1;
        state(&facts)
    };
    assert_eq!([failing(Activity::Retrying), failing(Activity::Working)], [State::Failing; 2]);
    let working = facts(Activity::Working, Phase::Reading);
    assert_eq!(state(&Facts { is_draining: true, ..working.clone() }), State::Draining);
    assert_eq!(state(&Facts { is_draining: true, is_stuck: true, ..working }), State::Stuck);
}

#[test]
fn an_end_by_an_error_that_needs_a_person_is_held() {
    let mut facts = facts(Activity::Ended, Phase::Reading);
    facts.status.trouble = trouble("held");
    assert_eq!(state(&facts), State::Held);
    facts.status.trouble = trouble("record");
    assert_eq!(state(&facts), State::Stopped);
}

#[test]
fn held_stuck_and_stopped_are_bad_and_so_are_failures_that_go_on() {
    for (state, failures, good) in [
        (State::Starting, 0, true),
        (State::Idle, 0, true),
        (State::Reading, 0, true),
        (State::Draining, 0, true),
        (State::Failing, FAILURES_BAD - 1, true),
        (State::Failing, FAILURES_BAD, false),
        (State::Draining, FAILURES_BAD, false),
        (State::Held, 0, false),
        (State::Stuck, 0, false),
        (State::Stopped, 0, false),
    ] {
        assert_eq!(is_good(state, failures), good, "{state:?} {failures}");
    }
}

#[test]
fn the_document_has_its_times_as_text_and_reads_back() {
    let mut facts = facts(Activity::Working, Phase::Reading);
    facts.status.behind_since_us = Some(57_500_000);
    let health = Health::new("counts", State::Reading, 50_000_000, &facts);
    let text = health.to_json();
    let object: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&object["state"], &object["good"], &object["iteration"]), (&"reading".into(), &true.into(), &3.into()));
    assert_eq!((&object["since"], &object["lag_seconds"]), (&"1970-01-01T00:00:50Z".into(), &2.5.into()));
    assert_eq!(object["valid_until"], "1970-01-01T00:01:30Z");
    assert_eq!(serde_json::from_str::<Health>(&text).unwrap(), health);
}

#[test]
fn a_probe_believes_a_document_until_it_is_stale() {
    let health = Health::new("counts", State::Idle, 0, &facts(Activity::Idle, Phase::Done));
    assert_eq!(
        health.verdict(seconds(90)),
        (true, "counts is idle since 1970-01-01T00:00:00Z, iteration 3".to_owned())
    );
    let (good, line) = health.verdict(seconds(91));
    assert!(!good && line.starts_with("counts has not been heard of since 1970-01-01T00:01:00Z: pid "), "{line}");
}

#[test]
fn a_probe_tells_why_a_service_is_held_however_long_ago_it_ended() {
    let mut facts = facts(Activity::Ended, Phase::Reading);
    facts.status.trouble = trouble("held");
    let (good, line) = Health::new("counts", State::Held, 0, &facts).verdict(seconds(1_000_000));
    assert!(!good && line == "counts is held since 1970-01-01T00:00:00Z, iteration 3: it failed; do this", "{line}");
}
