//! Tables of DynamoDB that sinks fill: the suite of every sink, and flows that make, check, fill and delete them.

use std::path::Path;

use flow_runtime::sink::{
    self, Mode, SinkTap, Target,
    conformance::{self, COUNTS, Row},
};
use flow_tests::{
    aws::run_with_credentials,
    program::hit,
    services::{Service, ministack},
};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::Setting;

struct Items {
    service: &'static Service,
    table: String,
    folder: TempDir,
}

impl conformance::Subject for Items {
    fn tap(&self, mode: Mode) -> Box<dyn SinkTap> {
        let address = format!("dynamodb://{}?endpoint={}", self.table, self.service.endpoint());
        sink::open(&Target::Address(address), Some(mode), &COUNTS).unwrap()
    }

    fn rows(&self) -> Vec<Row> {
        let row = |item: &Value| {
            let text = |name: &str, of: &str| item[name][of].as_str().unwrap().to_owned();
            (text("ip", "S"), text("count", "N").parse().unwrap())
        };
        self.service.items(&self.table).iter().map(row).collect()
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Merge]
    }

    /// What is there is no number.
    fn refuse(&mut self, ip: &str) -> bool {
        self.service.put_item(&self.table, &json!({ "ip": { "S": ip }, "count": { "S": "many" } }));
        true
    }

    fn refuse_nothing(&mut self) {
        let key = json!({ "TableName": self.table, "Key": { "ip": { "S": "c" } } });
        self.service.dynamodb("DeleteItem", &key);
    }

    fn publishes_in_one_step(&self) -> bool {
        false
    }
}

fn make_ledger(service: &Service) {
    // Another test may have made it.
    let _ = service.try_ask(
        "DynamoDB_20120810.CreateTable",
        &json!({
            "TableName": "flow_ledger",
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [
                { "AttributeName": "partition", "AttributeType": "S" }, { "AttributeName": "sort", "AttributeType": "S" }
            ],
            "KeySchema": [{ "AttributeName": "partition", "KeyType": "HASH" }, { "AttributeName": "sort", "KeyType": "RANGE" }],
        }),
    );
    // What is said of others keeps it from being deleted.
    service.put_item("flow_ledger", &json!({ "partition": { "S": "of-others" }, "sort": { "S": "others/counts" } }));
}

#[test]
fn a_table_of_dynamodb_is_a_sink() {
    if ministack().is_some() {
        run_with_credentials("items::a_table_of_dynamodb_is_a_sink_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn a_table_of_dynamodb_is_a_sink_indeed() {
    let service = ministack().unwrap();
    make_ledger(service);
    let mut tables = 0;
    conformance::check(|| {
        tables += 1;
        let table = format!("conforms-{tables}");
        service.create_table(&table, &["ip"]);
        Items { service, table, folder: tempfile::tempdir().unwrap() }
    });
}

/// `{ "ip": "a", "count": "2" }` as `a 2`.
fn counts(setting: &Setting, table: &str) -> Vec<String> {
    let of = |item: &Value| format!("{} {}", item["ip"]["S"].as_str().unwrap(), item["count"]["N"].as_str().unwrap());
    let mut counts: Vec<String> = setting.service.items(table).iter().map(of).collect();
    counts.sort();
    counts
}

#[test]
fn hits_are_counted_in_a_table_that_setup_has_made() {
    let Some(setting) = Setting::new("counted-items") else { return };
    setting.place.write("hosts.txt", "a\nb\n");
    setting.place.write("access.log", format!("{}{}{}", hit("a"), hit("b"), hit("a")));
    let port = "--counts dynamodb://counted-items?mode=merge";
    let missing = setting.run(&format!("run {port}"));
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stderr.contains("there is no such table") && missing.stderr.contains("setup"), "{missing:?}");
    let made = setting.run(&format!("setup {port} --yes"));
    assert_eq!(made.code, Some(0), "{made:?}");
    assert!(made.stderr.contains("not there: create it with the key ip S, paid by request"), "{made:?}");
    for command in ["check", "run"] {
        let ended = setting.run(&format!("{command} {port}"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    assert_eq!(counts(&setting, "counted-items"), ["a 2", "b 1"]);
    setting.place.append("access.log", format!("{}{}", hit("a"), hit("b")));
    assert_eq!(setting.run(&format!("run {port}")).code, Some(0));
    assert_eq!(counts(&setting, "counted-items"), ["a 3", "b 2"]);
    // A listed host without a hit has no name in this flow, and what its sink refuses no trap of this flow takes.
    setting.place.append("access.log", hit("a"));
    let refused = setting.run(&format!("run {port}"));
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("`ip`: it is null, and no key of DynamoDB can be"), "{refused:?}");
    assert_eq!(counts(&setting, "counted-items"), ["a 3", "b 2"]);
}

#[test]
fn a_table_with_another_key_is_refused() {
    let Some(setting) = Setting::new("other-key") else { return };
    make_ledger(setting.service);
    setting.service.create_table("other-key", &["host", "day"]);
    setting.place.write("access.log", hit("a"));
    let refused = setting.run("run --counts dynamodb://other-key?mode=merge");
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("expected ip S, found host S, day S"), "{refused:?}");
    let setup = setting.run("setup --counts dynamodb://other-key?mode=merge --only counts --yes");
    assert!(setup.code == Some(1) && setup.stderr.contains("another key than the sink"), "{setup:?}");
}

#[test]
fn a_table_that_was_made_anew_is_held_until_the_flow_is_forgotten() {
    let Some(setting) = Setting::new("made-anew") else { return };
    setting.place.write("access.log", hit("a"));
    let port = "--counts dynamodb://made-anew?mode=merge";
    assert_eq!(setting.run(&format!("setup {port} --yes")).code, Some(0));
    assert_eq!(setting.run(&format!("run {port}")).code, Some(0));
    setting.service.dynamodb("DeleteTable", &json!({ "TableName": "made-anew" }));
    setting.service.create_table("made-anew", &["ip"]);
    setting.place.append("access.log", hit("a").repeat(2));
    let held = setting.run(&format!("run {port}"));
    assert!(held.code == Some(3) && held.stderr.contains("the table is gone"), "{held:?}");
    let forgotten = setting.run(&format!("forget counts {port} --yes"));
    assert_eq!(forgotten.code, Some(0), "{forgotten:?}");
    let went_on = setting.run(&format!("run {port}&from=1"));
    assert_eq!(went_on.code, Some(0), "{went_on:?}");
    assert_eq!(counts(&setting, "made-anew"), ["a 2"]);
}

#[test]
fn a_table_is_deleted_with_what_its_ledger_says_and_begins_anew() {
    let Some(setting) = Setting::new("torn-down") else { return };
    make_ledger(setting.service);
    setting.place.write("access.log", hit("a"));
    let port = "--counts dynamodb://torn-down?mode=merge --only counts";
    let of_run = "--counts dynamodb://torn-down?mode=merge";
    for round in 0..2 {
        assert_eq!(setting.run(&format!("setup {port} --yes")).code, Some(0));
        let store = format!("--checkpoint sqlite:{round}.db");
        let ended = setting.run(&format!("run {of_run} {store}"));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(counts(&setting, "torn-down"), ["a 1"]);
        let asked = setting.run(&format!("teardown {port}"));
        assert!(
            asked.code == Some(2) && asked.stderr.contains("table `torn-down` (port `counts`): DELETE"),
            "{asked:?}"
        );
        let gone = setting.run(&format!("teardown {port} --yes --json"));
        let done = gone.json();
        let done = done["resources"].as_array().unwrap();
        let done: Vec<&str> = done.iter().map(|resource| resource["done"].as_str().unwrap_or("-")).collect();
        assert_eq!(done, ["deleted", "changed"], "{gone:?}");
    }
    let entries = setting.service.items("flow_ledger");
    assert!(entries.iter().any(|entry| entry["partition"]["S"] == "of-others"));
    assert!(entries.iter().all(|entry| entry["partition"]["S"] != "torn-down"));
}
