//! The services start, do what they are there for, and end.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{
    io::{BufRead as _, BufReader},
    net::TcpStream,
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use flow_services::{Service, kinesalite, kinesis_local, ministack, postgres};
use serde_json::json;

/// Puts records into a stream whose first shard is split, then merged again.
fn reshard(service: &Service, stream: &str) {
    service.create_stream(stream, 1);
    let first = service.put_records(stream, &[("a", b"1"), ("b", b"2")]);
    assert_eq!(first[0].shard, "shardId-000000000000");
    service.split_shard(stream, "shardId-000000000000");
    let keys: Vec<String> = (0..20).map(|n| n.to_string()).collect();
    let records: Vec<(&str, &[u8])> = keys.iter().map(|key| (key.as_str(), key.as_bytes())).collect();
    let second = service.put_records(stream, &records);
    service.merge_shards(stream, "shardId-000000000001", "shardId-000000000002");
    let third = service.put_records(stream, &[("c", b"3")]);

    let shards = service.shards(stream);
    let parents: Vec<usize> = shards.iter().map(|shard| shard.parents.len()).collect();
    assert_eq!(parents, [0, 1, 1, 2], "{shards:?}");
    assert_eq!(shards.iter().map(|shard| shard.is_closed).collect::<Vec<_>>(), [true, true, true, false]);
    assert_eq!(service.records(stream, "shardId-000000000000"), [b"1", b"2"]);
    for (put, key) in second.iter().zip(&keys) {
        assert!(service.records(stream, &put.shard).contains(&key.clone().into_bytes()), "{put:?} {key}");
    }
    assert_eq!(service.records(stream, &third[0].shard), [b"3"]);
}

#[test]
fn kinesis_local_keeps_what_is_in_shards_that_are_split_and_merged() {
    let Some(service) = kinesis_local() else { return };
    reshard(service, "local");
}

#[test]
fn kinesalite_keeps_what_is_in_shards_that_are_split_and_merged() {
    let Some(service) = kinesalite() else { return };
    reshard(service, "fast");
}

#[test]
fn ministack_has_tables_with_conditions() {
    let Some(service) = ministack() else { return };
    service.create_table("table", &["id", "part"]);
    service.put_item("table", &json!({ "id": { "S": "a" }, "part": { "S": "b" }, "n": { "N": "1" } }));
    let again = json!({
        "TableName": "table",
        "Item": { "id": { "S": "a" }, "part": { "S": "b" } },
        "ConditionExpression": "attribute_not_exists(id)",
    });
    let said = service.try_ask("DynamoDB_20120810.PutItem", &again).unwrap_err();
    assert!(said.contains("ConditionalCheckFailedException"), "{said}");
    assert_eq!(service.items("table")[0]["n"]["N"], "1");
}

#[test]
fn ministack_has_buckets_with_versions() {
    let Some(service) = ministack() else { return };
    service.create_bucket("bucket");
    service.keep_versions("bucket");
    service.put_object("bucket", "a/b%20c", "one");
    service.put_object("bucket", "a/b%20c", "two");
    assert_eq!(service.object("bucket", "a/b%20c"), b"two");
    let versions = service.http("GET", "/bucket?versions", "", b"").text();
    assert_eq!(versions.matches("<VersionId>").count(), 2, "{versions}");
    assert_eq!(service.http("PUT", "/bucket/a/b%20c", "If-None-Match: *\r\n", b"three").status, 412);
}

/// Starts what people start to play, and says which ports it named, so many of them: it goes on after it.
fn local_aws(wanted: usize) -> (Child, Vec<u16>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_local-aws"));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let (lines, said) = mpsc::channel();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    thread::spawn(move || stdout.lines().map(Result::unwrap).try_for_each(|line| lines.send(line)));
    let mut ports: Vec<u16> = Vec::new();
    while ports.len() < wanted {
        let line = said.recv_timeout(Duration::from_secs(120)).unwrap_or_else(|_| panic!("no more than {ports:?}"));
        let digits =
            line.split_once("127.0.0.1:").and_then(|(_, rest)| rest.split(|c: char| !c.is_ascii_digit()).next());
        ports.extend(digits.and_then(|digits| digits.parse::<u16>().ok()));
        ports.dedup();
    }
    (child, ports)
}

fn await_silence(ports: &[u16]) {
    let deadline = Instant::now() + Duration::from_secs(120);
    while ports.iter().any(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()) {
        assert!(Instant::now() < deadline, "a service outlives the process that started it");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn services_end_with_the_process_that_started_them_even_if_it_is_killed() {
    if kinesalite().is_none() || ministack().is_none() {
        return;
    }
    let (mut child, ports) = local_aws(3 + usize::from(postgres::find().is_some()));
    assert!(ports.iter().all(|port| TcpStream::connect(("127.0.0.1", *port)).is_ok()), "{ports:?}");
    child.kill().unwrap();
    child.wait().unwrap();
    await_silence(&ports);
}
