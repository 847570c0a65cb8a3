//! Flows to whose consumer a stream is pushed, by enhanced fan-out.

use std::collections::BTreeSet;

use flow_tests::{
    program::{Ended, Running, until},
    services::{Fault, Proxy, Rule},
};

use super::*;

/// A stream of so many shards with a consumer, which `setup` makes.
fn pushed(stream: &'static str, shards: usize) -> Option<Streamed> {
    let test = Streamed { read: "consumer=counts", ..Streamed::new(kinesis_local(), stream, shards)? };
    let ended = end(&test, "setup --yes --json --only log");
    assert_eq!(ended.code, Some(0), "{ended:?}");
    Some(test)
}

fn end(test: &Streamed, options: &str) -> Ended {
    Running::start(test.run(options)).end()
}

/// The calls by which a command gets records, each once.
fn calls_for_records(test: &Streamed, command: &str, effects: &str) -> BTreeSet<String> {
    let mut command = test.run(command);
    command.env("FLOW_EFFECTS", test.place.path(effects));
    let ended = Running::start(command).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let effects = test.place.text(effects);
    let names = effects.lines().filter_map(|line| line.split_once('#')).map(|(name, _)| name.to_owned());
    names.filter(|name| ["get_records", "subscribe", "next_event"].iter().any(|part| name.contains(part))).collect()
}

#[test]
fn a_stream_is_pushed_through_a_split_and_each_record_comes_once() {
    let Some(test) = pushed("pushed", 2) else { return };
    test.put(30);
    test.run_through("");
    assert_eq!(test.counts(), counted(&[("h1", 30), ("h2", 30)]));
    test.put(10);
    test.service.split_shard("pushed", "shardId-000000000000");
    test.put(20);
    test.run_through("");
    assert_eq!(test.counts(), counted(&[("h1", 60), ("h2", 60)]));
}

#[test]
fn what_is_pushed_is_not_read() {
    let Some(test) = pushed("not-read", 1) else { return };
    test.put(5);
    let pushed = ["kinesis.next_event", "kinesis.subscribe_to_shard"].map(str::to_owned);
    assert_eq!(calls_for_records(&test, "run", "effects"), pushed.into());
    assert_eq!(test.counts(), counted(&[("h1", 5), ("h2", 5)]));
}

#[test]
fn a_dry_run_and_a_replay_leave_the_subscriptions_to_who_reads_for_good() {
    let Some(test) = pushed("left-alone", 1) else { return };
    test.put(5);
    test.run_through("");
    test.put(5);
    let read = BTreeSet::from(["kinesis.get_records".to_owned()]);
    assert_eq!(calls_for_records(&test, "run --dry-run", "dry"), read);
    assert_eq!(calls_for_records(&test, "replay 0 --counts sqlite:again.db?table=counts", "again"), read);
    assert_eq!(test.place.counts("again.db"), counted(&[("h1", 5), ("h2", 5)]));
}

#[test]
fn an_iteration_that_was_pushed_is_read_again_as_it_was_either_way() {
    let Some(mut test) = pushed("again", 2) else { return };
    test.put(10);
    test.run_through("");
    test.put(7);
    test.run_through("");
    for (read, target) in [("consumer=counts", "pushed.db"), ("reads=50", "read.db")] {
        test.read = read;
        let ended = end(&test, &format!("replay 1 --counts sqlite:{target}?table=counts"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(test.place.counts(target), counted(&[("h1", 7), ("h2", 7)]));
    }
}

#[test]
fn iterations_of_any_size_are_pushed_each_record_once() {
    let Some(test) = pushed("pushed-bounded", 1) else { return };
    test.put(20);
    test.run_through("--max-records 15");
    assert_eq!(test.counts(), counted(&[("h1", 20), ("h2", 20)]));
}

/// Longer than from one event to the next.
const PATIENCE_MS: &str = "2500";

/// Has each call of this operation that comes first go wrong in each way.
fn whatever_goes_wrong(stream: &'static str, operation: &'static str) {
    let Some(mut test) = pushed(stream, 1) else { return };
    let is_possible = |fault: &Fault| !matches!(fault, Fault::ExpiredIterator | Fault::FailedEntries);
    for (count, fault) in (1..).map(|nth| 5 * nth).zip(Fault::ALL.into_iter().filter(is_possible)) {
        test.put(5);
        let proxy = Proxy::before(test.service, &[Rule::nth(operation, 1, fault)]);
        test.endpoint = proxy.endpoint();
        let run = || {
            let mut command = test.run("run");
            command.env("FLOW_PATIENCE_MS", PATIENCE_MS);
            Running::start(command).end()
        };
        let mut ended = run();
        if fault == Fault::ExpiredCredentials {
            assert!(ended.code == Some(1) && ended.stderr.contains("ExpiredToken"), "{ended:?}");
            ended = run();
        }
        assert_eq!(ended.code, Some(0), "{fault:?} {ended:?}");
        assert_eq!(proxy.struck().len(), 1, "{fault:?}");
        assert_eq!(test.counts(), counted(&[("h1", count), ("h2", count)]), "{fault:?}");
    }
}

#[test]
fn whatever_goes_wrong_with_a_subscription_nothing_is_lost_or_doubled() {
    whatever_goes_wrong("gone-wrong", "kinesis.subscribe_to_shard");
}

#[test]
fn whatever_goes_wrong_with_a_look_at_the_consumer_nothing_is_lost_or_doubled() {
    whatever_goes_wrong("looked-at", "kinesis.describe_stream_consumer");
}

#[test]
fn a_subscription_that_is_cut_or_falls_silent_after_an_event_goes_on_where_it_was() {
    let Some(mut test) = pushed("cut", 1) else { return };
    for (count, fault, effects) in [(10, Fault::TruncatedBody, "cut"), (20, Fault::StalledBody, "silent")] {
        test.put(5);
        let proxy = Proxy::before(test.service, &[Rule::nth("kinesis.subscribe_to_shard", 1, fault)]);
        test.endpoint = proxy.endpoint();
        let mut command = test.run("run --no-data-timeout 2m --max-records 20");
        command.env("FLOW_PATIENCE_MS", PATIENCE_MS).env("FLOW_EFFECTS", test.place.path(effects));
        let running = Running::start(command);
        until("it has subscribed again", || {
            let effects = test.place.text(effects);
            let mut left = effects.lines().skip_while(|effect| !effect.starts_with("kinesis.subscribe_to_shard#2"));
            left.any(|effect| effect.starts_with("kinesis.next_event")).then_some(())
        });
        test.put(5);
        let ended = running.end();
        assert_eq!(ended.code, Some(0), "{fault:?} {ended:?}");
        // What came twice would be in the way of what came last.
        test.run_through("");
        assert_eq!(test.counts(), counted(&[("h1", count), ("h2", count)]), "{fault:?}");
    }
}

#[test]
fn a_service_has_its_stream_pushed_and_looks_for_more_without() {
    let Some(test) = pushed("followed", 1) else { return };
    let mut command = test.run("run --follow");
    command.env("FLOW_EFFECTS", test.place.path("effects"));
    test.put(5);
    let running = Running::start(command);
    for count in [5, 10, 15] {
        until("it is counted", || (test.counts() == counted(&[("h1", count), ("h2", count)])).then_some(()));
        test.put(5);
    }
    running.signal("TERM");
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let effects = test.place.text("effects");
    let calls = |name: &str| effects.lines().filter(|effect| effect.starts_with(name)).count();
    assert!(calls("kinesis.subscribe_to_shard") >= 3 && calls("kinesis.get_records") > 0, "{effects}");
}

#[test]
fn a_consumer_that_is_not_there_is_told_with_what_to_do() {
    let Some(test) = Streamed::new(kinesis_local(), "no-consumer", 1) else { return };
    let test = Streamed { read: "consumer=counts", ..test };
    for command in ["run", "check"] {
        let refused = end(&test, command);
        assert_eq!(refused.code, Some(1), "{refused:?}");
        let said = refused.stdout + &refused.stderr;
        assert!(said.contains("the stream has no consumer `counts`") && said.contains("`setup`"), "{said}");
    }
}
