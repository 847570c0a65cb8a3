//! Tables of several pages as an input of a flow that keeps its iterations: read whole, each item once, and known again
//! whatever the order of its items.

use std::fmt::Write as _;

use flow_tests::{
    program::{Ended, Place, Running},
    services::{CREDENTIALS, Proxy, Service, ministack},
};
use serde_json::{Value, json};

/// So many items of so many bytes: a page has a megabyte.
const ITEMS: usize = 120;
const ITEM_BYTES: usize = 30_000;
const PAGES_MIN: u64 = 4;

/// A click on each campaign of a table, counted by category.
struct Clicked {
    place: Place,
    table: &'static str,
    service: &'static Service,
    proxy: Proxy,
}

impl Clicked {
    fn new(table: &'static str) -> Option<Self> {
        let service = ministack()?;
        service.create_table(table, &["key"]);
        (0..ITEMS).for_each(|id| put(service, table, id, &format!("c{}", id % 5)));
        let place = Place::new(env!("CARGO_BIN_EXE_example_flows"));
        let mut clicks = String::new();
        (0..ITEMS).for_each(|id| writeln!(clicks, "{}", json!({ "site": "s", "ad": { "campaign": id } })).unwrap());
        place.write("clicks", clicks);
        Some(Self { place, table, service, proxy: Proxy::before(service, &[]) })
    }

    /// The command with the table read in so many segments.
    fn succeed(&self, command: &str, segments: usize) -> Ended {
        let ports = format!("--clicks file:clicks --campaigns dynamodb://{}?segments={segments}", self.table);
        let mut command = self.place.command(&format!("{command} {ports}"));
        command.envs(CREDENTIALS).env("AWS_ENDPOINT_URL", self.proxy.endpoint());
        command.env("FLOW_UNDER_TEST", "ad_campaigns");
        let ended = Running::start(command).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    }
}

fn put(service: &Service, table: &str, id: usize, category: &str) {
    let (id, padding) = (id.to_string(), "x".repeat(ITEM_BYTES));
    let item = json!({
        "key": { "S": id }, "id": { "N": id }, "category": { "S": category }, "padding": { "S": padding },
    });
    service.put_item(table, &item);
}

#[test]
fn every_page_of_every_segment_is_read_and_each_item_once() {
    let Some(clicked) = Clicked::new("wide-table") else { return };
    for segments in [1, 3] {
        clicked.proxy.obey(&[]);
        let target = format!("by-{segments}.csv");
        let given = format!("run --checkpoint none --categories file:{target}?header=false&mode=replace");
        let ended = clicked.succeed(&given, segments);
        let scans = clicked.proxy.calls()["dynamodb.scan"];
        assert!(scans >= PAGES_MIN && scans > segments as u64 + 1, "{scans} scans of {segments} segments");
        let mut rows: Vec<String> = clicked.place.text(&target).lines().map(str::to_owned).collect();
        rows.sort_unstable();
        // One that was left out would be a click on no category, and one that came twice would be two clicks.
        let expected: Vec<String> = (0..5).map(|category| format!("s,c{category},{}", ITEMS / 5)).collect();
        assert_eq!(rows, expected, "{ended:?}");
    }
}

#[test]
fn a_table_is_the_same_in_whatever_order_its_items_come_and_another_one_when_one_of_them_is() {
    let Some(clicked) = Clicked::new("same-table") else { return };
    assert_ne!(order(clicked.service, clicked.table, 1), order(clicked.service, clicked.table, 7));
    clicked.succeed("run", 1);
    let replayed = |segments| {
        let again = "replay 0 --json --categories file:again.csv?mode=replace";
        clicked.succeed(again, segments).json()["replayed"][0].take()
    };
    for segments in [1, 7] {
        let same = &replayed(segments)["tables"][0];
        assert_eq!((&same["records"], &same["same"]), (&json!(ITEMS), &json!(true)), "{same}");
    }
    put(clicked.service, clicked.table, 7, "another category");
    let changed = replayed(7);
    let (table, output) = (&changed["tables"][0], &changed["outputs"][0]);
    assert_eq!((&table["records"], &table["same"]), (&json!(ITEMS), &json!(false)), "{changed}");
    assert_eq!((&output["port"], &output["same"]), (&json!("categories"), &json!(false)), "{changed}");
}

/// The keys in the order in which they come by so many segments, one after the other.
fn order(service: &Service, table: &str, segments: usize) -> Vec<Value> {
    let mut keys = Vec::new();
    for segment in 0..segments {
        let mut start = Value::Null;
        loop {
            let mut request = json!({ "TableName": table, "Segment": segment, "TotalSegments": segments });
            if !start.is_null() {
                request["ExclusiveStartKey"] = start;
            }
            let mut page = service.dynamodb("Scan", &request);
            keys.extend(page["Items"].as_array().unwrap().iter().map(|item| item["key"].clone()));
            start = page["LastEvaluatedKey"].take();
            if start.is_null() {
                break;
            }
        }
    }
    assert_eq!(keys.len(), ITEMS);
    keys
}
