//! The proxy does what it is told to a call, and nothing else.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{
    io::{self, ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use flow_services::{
    Calls, Fault, Proxy, Rule, Service,
    ask::{Answer, http},
    kinesalite, ministack,
};
use serde_json::{Value, json};

fn call(proxy: &Proxy, target: &str, request: &Value) -> io::Result<Answer> {
    let headers = format!("X-Amz-Target: {target}\r\nContent-Type: application/x-amz-json-1.1\r\n");
    http(proxy.port(), "POST", "/", &headers, request.to_string().as_bytes())
}

fn put(proxy: &Proxy, table: &str, id: &str) -> io::Result<Answer> {
    let request = json!({ "TableName": table, "Item": { "id": { "S": id } } });
    call(proxy, "DynamoDB_20120810.PutItem", &request)
}

fn ids(service: &Service, table: &str) -> Vec<String> {
    let mut ids: Vec<String> =
        service.items(table).iter().map(|item| item["id"]["S"].as_str().unwrap().to_owned()).collect();
    ids.sort();
    ids
}

#[test]
fn a_call_that_is_not_meant_passes() {
    let Some(service) = ministack() else { return };
    service.create_table("passes", &["id"]);
    let proxy = Proxy::before(service, &[Rule::nth("dynamodb.put_item", 2, Fault::Throttled)]);
    assert_eq!(put(&proxy, "passes", "a").unwrap().status, 200);
    let throttled = put(&proxy, "passes", "b").unwrap();
    assert_eq!(throttled.status, 400);
    assert!(throttled.text().contains("ThrottlingException"), "{throttled:?}");
    assert_eq!(put(&proxy, "passes", "c").unwrap().status, 200);
    assert_eq!(ids(service, "passes"), ["a", "c"]);
    let struck: Vec<String> = proxy.struck().iter().map(ToString::to_string).collect();
    assert_eq!(struck, ["dynamodb.put_item#2 Throttled"]);
    assert_eq!(proxy.calls()["dynamodb.put_item"], 3);
}

#[test]
fn a_reset_comes_before_the_service_is_asked_or_after_it_answered() {
    let Some(service) = ministack() else { return };
    service.create_table("reset", &["id"]);
    let rules = [Fault::ResetBefore, Fault::ResetAfter];
    let rules = [1, 2].map(|call| Rule::nth("*", call, rules[call as usize - 1]));
    let proxy = Proxy::before(service, &rules);
    for id in ["before", "after"] {
        assert_eq!(put(&proxy, "reset", id).unwrap_err().kind(), ErrorKind::ConnectionReset, "{id}");
    }
    assert_eq!(ids(service, "reset"), ["after"]);
}

#[test]
fn a_stalled_answer_does_not_come_or_not_to_its_end() {
    let Some(service) = ministack() else { return };
    service.create_bucket("stalled");
    service.put_object("stalled", "key", "0123456789");
    let proxy = Proxy::before(service, &[]);
    for (fault, begins) in [(Fault::Stalled, false), (Fault::StalledBody, true)] {
        proxy.obey(&[Rule { operation: "s3.get_object", calls: Calls::All, fault }]);
        let mut stream = TcpStream::connect(("127.0.0.1", proxy.port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.write_all(b"GET /stalled/key HTTP/1.1\r\nHost: here\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        while begins && !answer.ends_with(b"01234") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            answer.extend(byte);
        }
        stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
        let error = stream.read_to_end(&mut answer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        let answer = String::from_utf8(answer).unwrap();
        assert_eq!(answer.ends_with("\r\n\r\n01234"), begins, "{answer}");
        assert_eq!(answer.is_empty(), !begins, "{answer}");
    }
}

#[test]
fn a_truncated_body_is_shorter_than_it_says() {
    let Some(service) = ministack() else { return };
    service.create_bucket("truncated");
    service.put_object("truncated", "key", "0123456789");
    let proxy = Proxy::before(service, &[Rule::first("s3.get_object", 1, Fault::TruncatedBody)]);
    let get = || http(proxy.port(), "GET", "/truncated/key", "", b"");
    assert_eq!(get().unwrap_err().kind(), ErrorKind::UnexpectedEof);
    assert_eq!(get().unwrap().body, b"0123456789");
}

#[test]
fn failed_entries_are_not_put_and_the_others_are() {
    let Some(service) = kinesalite() else { return };
    service.create_stream("failing", 1);
    let proxy = Proxy::before(service, &[Rule::nth("kinesis.put_records", 1, Fault::FailedEntries)]);
    let records: Vec<Value> =
        ["MA==", "MQ==", "Mg=="].iter().map(|data| json!({ "PartitionKey": "k", "Data": data })).collect();
    let request = json!({ "StreamName": "failing", "Records": records });
    let answer = call(&proxy, "Kinesis_20131202.PutRecords", &request).unwrap();
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(answer["FailedRecordCount"], 2, "{answer}");
    assert!(answer["Records"][1]["SequenceNumber"].is_string(), "{answer}");
    assert_eq!(service.records("failing", "shardId-000000000000"), [b"1"]);
}

#[test]
fn each_service_refuses_in_its_own_words() {
    let (Some(ministack), Some(kinesalite)) = (ministack(), kinesalite()) else { return };
    for (fault, status, kinesis, s3) in [
        (Fault::Throttled, 400, "ProvisionedThroughputExceededException", "<Code>SlowDown</Code>"),
        (Fault::InternalError, 500, "InternalFailure", "<Code>InternalError</Code>"),
        (Fault::ExpiredCredentials, 400, "ExpiredTokenException", "<Code>ExpiredToken</Code>"),
        (Fault::Unavailable, 503, "Service Unavailable", "Service Unavailable"),
    ] {
        let rules = [Rule { operation: "*", calls: Calls::All, fault }];
        let proxy = Proxy::before(kinesalite, &rules);
        let answer = call(&proxy, "Kinesis_20131202.GetRecords", &json!({})).unwrap();
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.text().contains(kinesis), "{answer:?}");
        let answer = http(Proxy::before(ministack, &rules).port(), "GET", "/bucket/key", "", b"").unwrap();
        assert!(answer.text().contains(s3), "{answer:?}");
        let answer = http(Proxy::before(ministack, &rules).port(), "HEAD", "/bucket/key", "", b"").unwrap();
        assert!(answer.status >= 400 && answer.body.is_empty(), "{answer:?}");
    }
}
