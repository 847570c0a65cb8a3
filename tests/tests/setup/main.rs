//! `setup` and `teardown` as their users run them: what is made, what is left, what is said before.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod iam;

use std::process::Command;

use flow_services::{CREDENTIALS, Service, kinesalite, kinesis_local, ministack, redshift};
use flow_tests::program::{Ended, Place, Running};
use serde_json::{Value, json};

const PROGRAM: &str = env!("CARGO_BIN_EXE_count_hits");

/// The services, and the addresses of a flow that is on them.
struct Cloud {
    kinesis: &'static Service,
    others: &'static Service,
    place: Place,
}

impl Cloud {
    fn new() -> Option<Self> {
        Some(Self { kinesis: kinesalite()?, others: ministack()?, place: Place::new(PROGRAM) })
    }

    fn run(&self, arguments: &str) -> Ended {
        Running::start(self.command(arguments)).end()
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = self.place.command(arguments);
        command.envs(CREDENTIALS).env("AWS_CONFIG_FILE", "none").env("AWS_SHARED_CREDENTIALS_FILE", "none");
        command.env("AWS_ENDPOINT_URL", self.others.endpoint());
        command.env("AWS_ENDPOINT_URL_KINESIS", self.kinesis.endpoint());
        command
    }

    fn is_stream(&self, stream: &str) -> bool {
        let answer = self.kinesis.try_ask("Kinesis_20131202.DescribeStreamSummary", &json!({ "StreamName": stream }));
        answer.is_ok()
    }

    fn is_table(&self, table: &str) -> bool {
        self.others.try_ask("DynamoDB_20120810.DescribeTable", &json!({ "TableName": table })).is_ok()
    }

    fn is_bucket(&self, bucket: &str) -> bool {
        self.others.http("HEAD", &format!("/{bucket}"), "", b"").status == 200
    }
}

fn done(ended: &Ended) -> Vec<String> {
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let json: Value = ended.json();
    let text = |resource: &Value| {
        let word = |name: &str| resource[name].as_str().unwrap_or("-").to_owned();
        [word("what"), word("name"), word("was"), word("done")].join(" ")
    };
    json["resources"].as_array().unwrap().iter().map(text).collect()
}

#[test]
fn setup_makes_what_is_missing_and_teardown_deletes_it() {
    let Some(cloud) = Cloud::new() else { return };
    let ports = "--log kinesis://made --hosts s3://made-hosts/2015/hosts.txt --checkpoint dynamodb://made-iterations";
    let made = cloud.run(&format!("setup {ports} --shards 2 --yes --json"));
    let expected = [
        "stream made missing created",
        "bucket made-hosts missing created",
        "checkpoint made-iterations missing created",
    ];
    assert_eq!(done(&made), expected);
    assert!(cloud.is_stream("made") && cloud.is_bucket("made-hosts") && cloud.is_table("made-iterations"));
    assert_eq!(cloud.kinesis.shards("made").len(), 2);

    let again = cloud.run(&format!("setup {ports} --json"));
    let expected = ["stream made there -", "bucket made-hosts there -", "checkpoint made-iterations there -"];
    assert_eq!(done(&again), expected, "nothing is asked where nothing is done");
    let said = cloud.run(&format!("setup {ports}")).stderr;
    assert!(said.contains("stream `made` (port `log`): there (2 shards, records of 24 h)"), "{said}");

    let gone = cloud.run(&format!("teardown {ports} --yes --json"));
    let expected =
        ["stream made there deleted", "bucket made-hosts there deleted", "checkpoint made-iterations there deleted"];
    assert_eq!(done(&gone), expected);
    assert!(!cloud.is_stream("made") && !cloud.is_bucket("made-hosts") && !cloud.is_table("made-iterations"));
    let expected = ["stream made missing -", "bucket made-hosts missing -", "checkpoint made-iterations missing -"];
    assert_eq!(done(&cloud.run(&format!("teardown {ports} --json"))), expected);
    assert!(cloud.place.names().is_empty(), "{:?}", cloud.place.names());
}

#[test]
fn a_consumer_is_registered_and_forgotten_before_its_stream() {
    // Hardly anybody else uses this service here: it loses deregistrations when it has much to do.
    let (Some(cloud), Some(kinesis)) = (Cloud::new(), kinesis_local()) else { return };
    let cloud = Cloud { kinesis, ..cloud };
    let port = "--log kinesis://pushed?consumer=counts --only log";
    let asked = cloud.run(&format!("setup {port}"));
    assert_eq!(asked.code, Some(2), "{asked:?}");
    let expected = "consumer `pushed/counts` (port `log`): not there: register it, as one of 20";
    assert!(asked.stderr.contains(expected), "{asked:?}");
    let made = done(&cloud.run(&format!("setup {port} --shards 1 --yes --json")));
    assert_eq!(made, ["stream pushed missing created", "consumer pushed/counts missing created"]);
    let again = done(&cloud.run(&format!("setup {port} --json")));
    assert_eq!(again, ["stream pushed there -", "consumer pushed/counts there -"]);

    cloud.place.write("hosts.txt", "a\n");
    kinesis.put_records("pushed", &[("a", flow_tests::program::hit("a").as_bytes())]);
    let ports = "--log kinesis://pushed?consumer=counts --hosts file:hosts.txt --counts sqlite:counts.db --bad-lines file:bad.csv";
    let granted = iam::granted(&cloud, "run", ports);
    // These find out about holes, and of a service whether there is something new.
    let of_reading = ["kinesis:GetRecords", "kinesis:GetShardIterator"].map(str::to_owned);
    assert_eq!(iam::called(&cloud, &["run"], ports), &granted - &of_reading.into());

    let gone = done(&cloud.run(&format!("teardown {port} --yes --json")));
    assert_eq!(gone, ["stream pushed there deleted", "consumer pushed/counts there deleted"]);
    let gone = done(&cloud.run(&format!("teardown {port} --json")));
    assert_eq!(gone, ["stream pushed missing -", "consumer pushed/counts missing -"]);
}

#[test]
fn a_stream_whose_shards_nobody_counts_is_made_on_demand() {
    // kinesalite knows no such streams.
    let (Some(cloud), Some(kinesis)) = (Cloud::new(), kinesis_local()) else { return };
    let cloud = Cloud { kinesis, ..cloud };
    let ports = "--log kinesis://on-demand --hosts file:hosts.txt";
    let made = cloud.run(&format!("setup {ports} --yes"));
    assert!(made.code == Some(0) && made.stderr.contains("create it, on demand"), "{made:?}");
    let described = kinesis.kinesis("DescribeStreamSummary", &json!({ "StreamName": "on-demand" }));
    assert_eq!(described["StreamDescriptionSummary"]["StreamModeDetails"]["StreamMode"], "ON_DEMAND", "{described}");
    let there = cloud.run(&format!("setup {ports} --shards 2 --yes")).stderr;
    assert!(there.contains("stream `on-demand` (port `log`): there (on demand, 4 shards"), "{there}");
    assert_eq!(done(&cloud.run(&format!("teardown {ports} --yes --json"))), ["stream on-demand there deleted"]);
    assert!(!cloud.is_stream("on-demand"));
}

#[test]
fn nothing_is_done_that_nobody_has_confirmed() {
    let Some(cloud) = Cloud::new() else { return };
    let refused = cloud.run("setup --log kinesis://asked --hosts file:hosts.txt");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("stream `asked` (port `log`): not there: create it, on demand"), "{refused:?}");
    assert!(refused.stderr.contains("nothing was changed; give --yes"), "{refused:?}");
    assert!(!cloud.is_stream("asked"));

    cloud.kinesis.create_stream("asked", 1);
    let refused = cloud.run("teardown --log kinesis://asked --hosts file:hosts.txt");
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("DELETE, with all its records (1 shard, records of 24 h)"), "{refused:?}");
    assert!(cloud.is_stream("asked"));
}

#[test]
fn teardown_leaves_what_others_have_filled_and_what_was_not_named() {
    let Some(cloud) = Cloud::new() else { return };
    cloud.kinesis.create_stream("kept", 1);
    cloud.others.create_bucket("filled");
    cloud.others.put_object("filled", "hosts.txt", "a\n");
    let ports = "--log kinesis://kept --hosts s3://filled/hosts.txt";
    let left = cloud.run(&format!("teardown {ports} --only hosts --yes --json"));
    assert_eq!(done(&left), ["bucket filled there -"]);
    assert!(cloud.is_stream("kept"));
    assert_eq!(cloud.others.object("filled", "hosts.txt"), b"a\n");

    let unknown = cloud.run(&format!("teardown {ports} --only host --yes"));
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert!(unknown.stderr.contains("--only takes log, hosts, counts, bad_lines, checkpoint"), "{unknown:?}");
}

#[test]
fn tables_that_ports_read_are_neither_made_nor_deleted() {
    let Some(cloud) = Cloud::new() else { return };
    let ports = "--log file:access.log --hosts dynamodb://campaigns-of-others";
    let missing = cloud.run(&format!("setup {ports} --yes"));
    assert_eq!(missing.code, Some(1), "{missing:?}");
    assert!(missing.stderr.contains("is its owner's to make"), "{missing:?}");
    cloud.others.create_table("campaigns-of-others", &["id"]);
    assert_eq!(done(&cloud.run(&format!("setup {ports} --yes --json"))), ["table campaigns-of-others there -"]);
    assert_eq!(done(&cloud.run(&format!("teardown {ports} --yes --json"))), ["table campaigns-of-others there -"]);
    assert!(cloud.is_table("campaigns-of-others"));
}

#[test]
fn a_table_of_somebody_else_is_not_taken_for_that_of_iterations() {
    let Some(cloud) = Cloud::new() else { return };
    cloud.others.create_table("orders", &["order"]);
    for command in ["setup", "teardown"] {
        let refused = cloud.run(&format!("{command} --checkpoint dynamodb://orders --only checkpoint --yes"));
        assert_eq!(refused.code, Some(1), "{refused:?}");
        assert!(refused.stderr.contains("another key than iterations are kept by"), "{refused:?}");
    }
    assert!(cloud.is_table("orders"));
}

#[test]
fn the_bucket_in_which_rows_are_staged_is_made_and_deleted() {
    let (Some(cloud), Some(warehouse)) = (Cloud::new(), redshift()) else { return };
    let counts = warehouse.address("table=staged&role=default&sslmode=disable&staging=s3://staged/rows");
    let made = done(&cloud.run(&format!("setup --only counts --counts {counts} --yes --json")));
    assert!(made.contains(&"bucket staged missing created".to_owned()), "{made:?}");
    assert!(cloud.is_bucket("staged"));
    let gone = done(&cloud.run(&format!("teardown --only counts --counts {counts} --yes --json")));
    assert!(gone.contains(&"bucket staged there deleted".to_owned()), "{gone:?}");
    assert!(!cloud.is_bucket("staged"));
}

#[test]
fn a_sink_that_cannot_be_is_refused_before_anything_is_made() {
    let Some(cloud) = Cloud::new() else { return };
    let refused = |ports: &str, said: &str| {
        for command in ["setup", "teardown"] {
            let ended = cloud.run(&format!("{command} --log kinesis://made-for-nothing {ports} --yes"));
            assert_eq!(ended.code, Some(2), "{ended:?}");
            assert!(ended.stderr.contains(said), "{ended:?}");
        }
    };
    refused("--bad-lines dynamodb://bad-lines", "cannot be a trap");
    refused("--counts dynamodb://flow_ledger?mode=merge", "no name of a table");
    let both = "--hosts dynamodb://both-ways --counts dynamodb://both-ways?mode=merge";
    refused(both, "port `counts` would write to what port `hosts` reads");
    assert!(!cloud.is_stream("made-for-nothing") && !cloud.is_table("both-ways"));
}

#[test]
fn a_table_that_this_flow_alone_has_not_loaded_is_left_alone() {
    let Some(cloud) = Cloud::new() else { return };
    let ports = "--counts dynamodb://loaded-by-others?mode=merge";
    let made = cloud.run(&format!("setup {ports} --yes"));
    assert_eq!(made.code, Some(0), "{made:?}");
    cloud.others.put_item("loaded-by-others", &json!({ "ip": { "S": "a" } }));
    let stays = |said: &str| {
        let left = cloud.run(&format!("teardown {ports} --yes"));
        assert_eq!(left.code, Some(0), "{left:?}");
        assert!(left.stderr.contains(said) || left.stdout.contains(said), "{left:?}");
        assert_eq!(cloud.others.items("loaded-by-others").len(), 1);
    };
    stays("no ledger says that this flow has loaded them");
    let last = r#"{"generation":1,"table":null,"last":{"epoch":"e","iteration":0,"hash":"h"},"loading":null}"#;
    let entry = json!({
        "partition": { "S": "loaded-by-others" }, "sort": { "S": "orders/totals" },
        "version": { "N": "1" }, "body": { "S": last },
    });
    cloud.others.put_item("flow_ledger", &entry);
    stays("port `totals` of flow orders has loaded it, too");
    let entries = cloud.others.items("flow_ledger");
    assert!(entries.iter().any(|entry| entry["sort"]["S"] == "orders/totals"), "{entries:?}");
}
