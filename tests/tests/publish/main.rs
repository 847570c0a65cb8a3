//! `publish` as its users run it, against services that others have written: every line is in the stream as often as it is
//! said to be, whatever the service refuses.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod credentials;
mod logs;

use std::{
    collections::HashMap,
    io::Write as _,
    process::{Command, Stdio},
};

use flow_services::{CREDENTIALS, Fault, Proxy, Rule, Service, kinesalite};
use flow_tests::program::{Ended, Place, Running};
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_count_hits");

/// The command line in a folder of its own, with credentials and nothing else of AWS in the environment.
fn command(place: &Place, arguments: &str) -> Command {
    let mut command = place.command(arguments);
    command.env("AWS_CONFIG_FILE", place.path("config")).env("AWS_SHARED_CREDENTIALS_FILE", place.path("credentials"));
    command.envs(CREDENTIALS);
    command
}

fn publish(place: &Place, arguments: &str) -> Ended {
    Running::start(command(place, &format!("publish {arguments} --json"))).end()
}

/// What the stream holds, how often.
fn held(service: &Service, stream: &str) -> HashMap<String, usize> {
    let mut held = HashMap::new();
    for shard in service.shards(stream) {
        for record in service.records(stream, &shard.id) {
            *held.entry(String::from_utf8(record).unwrap()).or_default() += 1;
        }
    }
    held
}

fn lines(count: usize) -> String {
    (0..count).map(|number| format!("host{} line {number}\n", number % 50)).collect()
}

fn counts(ended: &Ended, names: [&str; 5]) -> [u64; 5] {
    let json: Value = ended.json();
    names.map(|name| json[name].as_u64().unwrap())
}

const TOTALS: [&str; 5] = ["read", "sent", "failed", "retried", "maybe_twice"];

#[test]
fn the_lines_of_a_file_are_in_the_stream_once_and_those_of_a_key_in_order() {
    let Some(service) = kinesalite() else { return };
    service.create_stream("lines", 3);
    let place = Place::new(PROGRAM);
    place.write("access.log", lines(2_345));
    let address = format!("kinesis://lines?endpoint={}", service.endpoint());
    let ended = publish(&place, &format!("{address} --from access.log --partition-key word:1"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(counts(&ended, TOTALS), [2_345, 2_345, 0, 0, 0]);
    let mut number = 0;
    for shard in service.shards("lines") {
        let mut last: HashMap<String, usize> = HashMap::new();
        for record in service.records("lines", &shard.id) {
            let record = String::from_utf8(record).unwrap();
            let (host, line) = record.split_once(" line ").unwrap();
            let line = line.parse().unwrap();
            assert!(last.insert(host.to_owned(), line).is_none_or(|before| before < line), "{record}");
            number += 1;
        }
    }
    assert_eq!((number, held(service, "lines").len()), (2_345, 2_345));
    assert!(place.names().iter().all(|name| name == "access.log"), "nothing is left behind");
}

/// A fault of a request, and for each of its records: whether it is retried, may be there twice, and is there twice.
const FAULTS: [(Fault, u64, u64, usize); 9] = [
    (Fault::Throttled, 2, 0, 0),
    // Every other one.
    (Fault::FailedEntries, 1, 0, 0),
    (Fault::InternalError, 2, 2, 0),
    (Fault::Unavailable, 2, 2, 0),
    (Fault::ResetBefore, 2, 2, 0),
    (Fault::ResetAfter, 2, 2, 2),
    (Fault::TruncatedBody, 2, 2, 2),
    (Fault::Stalled, 2, 2, 2),
    (Fault::StalledBody, 2, 2, 2),
];

/// What a request of 1,200 lines takes, in order.
const REQUESTS: [u64; 3] = [500, 500, 200];

#[test]
fn what_the_service_refuses_is_sent_again_and_a_lost_answer_is_told() {
    let Some(service) = kinesalite() else { return };
    let place = Place::new(PROGRAM);
    place.write("access.log", lines(1_200));
    for (number, (fault, retried, maybe_twice, twice)) in FAULTS.into_iter().enumerate() {
        for (call, records) in (1..).zip(REQUESTS) {
            let stream = format!("refusing-{number}-{call}");
            service.create_stream(&stream, 2);
            let proxy = Proxy::before(service, &[Rule::nth("kinesis.put_records", call, fault)]);
            let arguments =
                format!("publish kinesis://{stream}?endpoint={} --from access.log --json", proxy.endpoint());
            let mut command = command(&place, &arguments);
            command.env("FLOW_PATIENCE_MS", "1000");
            let ended = Running::start(command).end();
            assert_eq!((ended.code, proxy.struck().len()), (Some(0), 1), "{fault:?} {call}: {ended:?}");
            let of = |half: u64| half * records / 2;
            let expected = [1_200, 1_200, 0, of(retried), of(maybe_twice)];
            assert_eq!(counts(&ended, TOTALS), expected, "{fault:?} {call}");
            let held = held(service, &stream);
            let expected = (1_200, 1_200 + twice * records as usize / 2);
            assert_eq!((held.len(), held.values().sum::<usize>()), expected, "{fault:?} {call}");
        }
    }
}

#[test]
fn credentials_that_expire_in_the_middle_end_it_and_what_was_sent_is_told() {
    let Some(service) = kinesalite() else { return };
    service.create_stream("expiring", 1);
    let place = Place::new(PROGRAM);
    place.write("access.log", lines(1_200));
    let proxy = Proxy::before(service, &[Rule::nth("kinesis.put_records", 2, Fault::ExpiredCredentials)]);
    let ended = publish(&place, &format!("kinesis://expiring?endpoint={} --from access.log", proxy.endpoint()));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let [read, sent, failed, retried, maybe_twice] = counts(&ended, TOTALS);
    assert_eq!((sent, retried, maybe_twice), (500, 0, 0), "{ended:?}");
    assert!(read == sent + failed && failed >= 500, "{ended:?}");
    assert_eq!(held(service, "expiring").len(), 500);
}

#[test]
fn what_cannot_be_sent_is_counted_and_the_exit_code_says_so() {
    let Some(service) = kinesalite() else { return };
    let place = Place::new(PROGRAM);
    place.write("access.log", lines(10));
    let ended = publish(&place, &format!("kinesis://nobody?endpoint={} --from access.log", service.endpoint()));
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(counts(&ended, TOTALS), [10, 0, 10, 0, 0]);
    assert!(ended.stderr.contains("cannot write to the stream (kinesis://nobody?endpoint="), "{ended:?}");
    assert!(ended.stderr.contains("`setup` makes what a flow needs"), "{ended:?}");

    for (arguments, says) in [
        ("kinesis:lines --from access.log", "kinesis://STREAM"),
        ("kinesis://lines?start=latest --from access.log", "takes: endpoint, profile, region, role"),
        ("s3://lines --from access.log", "not the address of a stream"),
        ("kinesis://lines --from missing.log", "check --from"),
        ("kinesis://lines --from access.log --rate fast", "write it as 500/s"),
    ] {
        let ended = publish(&place, arguments);
        assert!(ended.code != Some(0) && ended.stderr.contains(says), "{arguments}: {ended:?}");
    }
}

#[test]
fn standard_input_and_made_up_lines_are_published_too() {
    let Some(service) = kinesalite() else { return };
    service.create_stream("inputs", 1);
    let place = Place::new(PROGRAM);
    let address = format!("kinesis://inputs?endpoint={}", service.endpoint());
    let mut command = command(&place, &format!("publish {address} --from - --json"));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"a\r\nb\n\nc").unwrap();
    drop(stdin);
    assert!(child.wait().unwrap().success());
    assert_eq!(
        service.records("inputs", "shardId-000000000000"),
        [b"a".to_vec(), b"b".to_vec(), vec![], b"c".to_vec()]
    );

    let ended = publish(&place, &format!("{address} --from generated:7 --records 250 --rate 2000/s --aggregate"));
    assert_eq!(counts(&ended, TOTALS), [250, 250, 0, 0, 0]);
    let records = service.records("inputs", "shardId-000000000000");
    assert!(records[4..].iter().all(|record| record.starts_with(b"\xf3\x89\x9a\xc2")), "{}", records.len());
    assert_eq!(ended.json()["stream_records"].as_u64(), Some(records.len() as u64 - 4));
}
