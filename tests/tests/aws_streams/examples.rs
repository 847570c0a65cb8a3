//! The examples on addresses of AWS, in two iterations each, held against what the same files say without flow.

use std::collections::{BTreeMap, HashMap};

use flow_tests::{
    aws::Cloud,
    program::{Ended, Place, Running},
};
use serde_json::{Value, json};

/// Not all of it is text.
const LOG: &[u8] = include_bytes!("../../../examples/data/access.log");
const HOSTS: &str = include_str!("../../../examples/data/hosts.txt");
/// Written by `awk`; `tests/access_log.rs` says how.
const COUNTS: &str = include_str!("../../data/access_log_counts.txt");
const ORDERS: &str = include_str!("../../../examples/data/orders.jsonl");
const PAYMENTS: &str = include_str!("../../../examples/data/payments.csv");
const CLICKS: &str = include_str!("../../../examples/data/clicks.jsonl");
const CAMPAIGNS: &str = include_str!("../../../examples/data/campaigns.jsonl");

/// An example in a folder of its own, its iterations in a table of its own.
struct Example {
    cloud: Cloud,
    place: Place,
    flow: &'static str,
    ports: &'static str,
    table: &'static str,
}

impl Example {
    /// Nothing where the services cannot be installed. Its streams are there, and so is its table.
    fn new(flow: &'static str, table: &'static str, streams: &[&str], ports: &'static str) -> Option<Self> {
        let cloud = Cloud::fast()?;
        streams.iter().for_each(|stream| cloud.streams.create_stream(stream, 2));
        let place = Place::new(env!("CARGO_BIN_EXE_example_flows"));
        cloud.tables.create_table(table, &["partition", "sort"]);
        Some(Self { cloud, place, flow, ports, table })
    }

    fn put(&self, stream: &str, lines: &[&[u8]]) {
        // A partition key has 256 characters at most.
        let key = |nth: usize| ["a", "b", "c", "d", "e"][nth % 5];
        let records: Vec<(&str, &[u8])> = lines.iter().enumerate().map(|(n, line)| (key(n), *line)).collect();
        records.chunks(400).for_each(|some| drop(self.cloud.streams.put_records(stream, some)));
    }

    fn succeed(&self, arguments: &str) -> Ended {
        let given = format!("{arguments} --checkpoint dynamodb://{}", self.table);
        let mut command = self.cloud.on(self.place.command(&given));
        command.env("FLOW_UNDER_TEST", self.flow);
        let ended = Running::start(command).end();
        assert_eq!(ended.code, Some(0), "{ended:?}");
        ended
    }

    /// Runs, which must make this iteration, or find nothing new.
    fn run(&self, says: &str) {
        let ended = self.succeed(&format!("run {}", self.ports));
        assert!(ended.stderr.starts_with(says), "{says}: {ended:?}");
    }

    /// Of an iteration, the first position, the next one, and the number of records, by port and shard.
    fn ranges(&self, iteration: u64) -> BTreeMap<(String, String), (String, String, u64)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let range = |range: &Value| {
            let positions = (text(&range["first"]), text(&range["next"]), range["records"].as_u64().unwrap());
            ((text(&range["port"]), text(&range["shard"])), positions)
        };
        let shown = self.succeed(&format!("iterations {iteration} --json")).json();
        shown["ranges"].as_array().unwrap().iter().map(range).collect()
    }

    /// The rows of the result, each as a text.
    fn rows(&self, query: &str) -> Vec<String> {
        let database = self.place.database("result.db").unwrap();
        let mut rows = database.prepare(query).unwrap();
        let rows = rows.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.is_empty()).collect()
}

fn bytes<'a>(lines: &[&'a str]) -> Vec<&'a [u8]> {
    lines.iter().map(|line| line.as_bytes()).collect()
}

#[test]
fn hits_of_a_stream_by_hosts_of_an_object_are_as_awk_counts_them() {
    let ports = "--log kinesis://example-log --hosts s3://example-hosts/hosts.txt";
    let Some(example) = Example::new("access_log_counts", "example-log", &["example-log"], ports) else { return };
    example.cloud.tables.create_bucket("example-hosts");
    example.cloud.tables.put_object("example-hosts", "hosts.txt", HOSTS);
    let log: Vec<&[u8]> = LOG.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let (before, after) = log.split_at(1_200);
    example.put("example-log", before);
    example.run("iteration 0 done");
    example.put("example-log", after);
    example.run("iteration 1 done");
    example.run("nothing new");
    // Hosts without a hit are counted under null in each iteration, so how often depends on where one ends.
    let expected: Vec<&str> = lines(COUNTS).into_iter().filter(|line| !line.starts_with('|')).collect();
    let counted = "SELECT ip || '|' || count FROM counts WHERE ip IS NOT NULL ORDER BY CAST(ip AS BLOB)";
    assert_eq!(example.rows(counted), expected);
}

#[test]
fn two_streams_share_the_number_of_an_iteration_and_each_has_its_own_boundaries() {
    let ports = "--orders kinesis://example-orders --payments kinesis://example-payments";
    let streams = ["example-orders", "example-payments"];
    let Some(example) = Example::new("two_streams", "example-two", &streams, ports) else { return };
    let (orders, payments) = (lines(ORDERS), lines(PAYMENTS));
    let put = [(&orders[..250], &payments[..150]), (&orders[250..], &payments[150..])];
    let mut before: BTreeMap<(String, String), String> = BTreeMap::new();
    for (iteration, (orders, payments)) in (0..).zip(put) {
        example.put("example-orders", &bytes(orders));
        example.put("example-payments", &bytes(payments));
        example.run(&format!("iteration {iteration} done"));
        let ranges = example.ranges(iteration);
        let records = |of: &str| ranges.iter().filter(|((port, _), _)| port == of).map(|(_, range)| range.2).sum();
        let (found_orders, found_payments): (u64, u64) = (records("orders"), records("payments"));
        assert_eq!((found_orders, found_payments), (orders.len() as u64, payments.len() as u64), "{ranges:?}");
        for (shard, (first, next, _)) in ranges {
            let ended = before.insert(shard.clone(), next);
            assert!(ended.is_none_or(|ended| ended == first), "{shard:?} goes on at {first}");
        }
    }
    example.run("nothing new");
    // Both shards of both.
    assert_eq!(before.len(), 4, "{before:?}");
    let balances = "SELECT \"order\" || ' ' || ordered_cents || ' ' || paid_cents FROM balances ORDER BY \"order\"";
    assert_eq!(example.rows(balances), balances_without_flow());
}

/// What is ordered and paid, by order; lines that are malformed are left out.
fn balances_without_flow() -> Vec<String> {
    let mut balances: BTreeMap<i64, (i64, i64)> = BTreeMap::new();
    let order = |line: &str| -> Option<(i64, i64)> {
        let order: Value = serde_json::from_str(line).ok()?;
        Some((order["id"].as_i64()?, order["total"]["cents"].as_i64()?))
    };
    for (id, cents) in ORDERS.lines().filter_map(order) {
        balances.entry(id).or_default().0 += cents;
    }
    let payment = |line: &str| -> Option<(i64, i64)> {
        let mut columns = line.split(',');
        Some((columns.next()?.parse().ok()?, columns.next()?.parse().ok()?))
    };
    for (order, cents) in PAYMENTS.lines().filter_map(payment) {
        balances.entry(order).or_default().1 += cents;
    }
    balances.iter().map(|(order, (ordered, paid))| format!("{order} {ordered} {paid}")).collect()
}

#[test]
fn clicks_of_a_stream_are_joined_with_the_items_of_a_table() {
    let ports = "--clicks kinesis://example-clicks --campaigns dynamodb://example-campaigns";
    let Some(example) = Example::new("ad_campaigns", "example-ads", &["example-clicks"], ports) else { return };
    let campaigns: Vec<Value> = lines(CAMPAIGNS).into_iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    example.cloud.tables.create_table("example-campaigns", &["key"]);
    for campaign in &campaigns {
        let (id, category) = (campaign["id"].to_string(), &campaign["category"]);
        let item = json!({ "key": { "S": id }, "id": { "N": id }, "category": { "S": category } });
        example.cloud.tables.put_item("example-campaigns", &item);
    }
    let clicks = lines(CLICKS);
    let (before, after) = clicks.split_at(400);
    example.put("example-clicks", &bytes(before));
    example.run("iteration 0 done");
    example.put("example-clicks", &bytes(after));
    example.run("iteration 1 done");
    example.run("nothing new");

    let categories: HashMap<i64, &str> =
        campaigns.iter().map(|it| (it["id"].as_i64().unwrap(), it["category"].as_str().unwrap())).collect();
    let mut expected: BTreeMap<(String, &str), i64> = BTreeMap::new();
    let click = |line: &str| -> Option<(String, &str)> {
        let click: Value = serde_json::from_str(line).ok()?;
        let category = categories.get(&click["ad"]["campaign"].as_i64()?).copied();
        Some((click["site"].as_str()?.to_owned(), category.unwrap_or("none")))
    };
    clicks.iter().filter_map(|line| click(line)).for_each(|key| *expected.entry(key).or_default() += 1);
    let mut expected: Vec<String> =
        expected.iter().map(|((site, category), count)| format!("{site} {category} {count}")).collect();
    let mut found = example.rows("SELECT site || ' ' || ifnull(category, 'none') || ' ' || clicks FROM categories");
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected);
}
