//! Of a row that COPY refuses, the record is named that that row was made of: whoever loads it, and however many pieces, shards and
//! workers there were.

use std::{fmt::Write as _, fs, path::PathBuf};

use flow_runtime::{
    Error, Sink, Source, Trap,
    driver::{self, Checkpoint, Options},
    flow,
    sink::Mode,
};
use flow_tests::{
    aws::run_with_credentials,
    postgres::server,
    services::{
        kinesis_local, ministack,
        redshift::{Fault, Redshift, Rule},
    },
};
use tempfile::TempDir;

use super::flows::Job;

flow! {
    /// Orders as they come, but for those of nothing.
    pub flow Orders {
        source orders: TextDelimited(delimiter = ",") { item: &str, amount: i64 };
        sink   kept { item: &str as varchar(30), amount: i64 };
        trap   bad;

        orders -> Filter(amount > 0) -> kept;
    }
}

/// Runs a test of this file where there is something to run it against.
fn with_credentials(test: &str) {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials(&format!("positions::{test}"));
    }
}

fn warehouse() -> &'static Redshift {
    flow_tests::services::redshift().unwrap()
}

/// Orders that go to a table which takes some of them only, as this server can be told and Redshift cannot.
struct Shop {
    folder: TempDir,
    table: &'static str,
    source: String,
}

impl Shop {
    fn new(table: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        ministack().unwrap().create_bucket(&bucket(table));
        warehouse().run(&format!("CREATE TABLE {table} (item varchar(30) NOT NULL, amount bigint NOT NULL)"));
        let database = warehouse().database();
        let _ = server().unwrap().ask_in(database, &format!("ALTER TABLE {table} ADD CHECK (item <> 'cursed')"));
        let source = format!("file:{}", folder.path().join("*.log").display());
        Self { folder, table, source }
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, warehouse: &Redshift) -> Result<(), Error> {
        let Self { table, folder, source } = self;
        let (bucket, endpoint) = (bucket(table), ministack().unwrap().endpoint());
        let rest = format!("table={table}&staging=s3://{bucket}/rows&role=default&endpoint={endpoint}&sslmode=disable");
        let flow = Orders {
            orders: Source::at(source.clone()),
            kept: Sink { mode: Some(Mode::Append), ..Sink::at(warehouse.address(&rest)) },
            bad: Trap::at(format!("file:{}", folder.path().join("bad.csv").display())),
        };
        driver::run(&flow, &self.options()).map(drop)
    }

    fn options(&self) -> Options {
        let mut options = flow_tests::options(4);
        options.checkpoint = Checkpoint::Sqlite(self.folder.path().join("flow.db"));
        options
    }

    fn refused(&self, warehouse: &Redshift) -> String {
        let error = self.run(warehouse).unwrap_err();
        assert!(matches!(error, Error::Target(_)), "{error}");
        let rows = warehouse.ask(&format!("SELECT count(*) FROM {}", self.table));
        assert_eq!(rows, "0", "{error}");
        error.to_string()
    }

    /// Deletes what tells of which records rows were made.
    fn forget_origins(&self) {
        let (storage, bucket) = (ministack().unwrap(), bucket(self.table));
        let listed = storage.http("GET", &format!("/{bucket}?list-type=2"), "", b"").text();
        let keys = listed.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
        let mut origins = keys.map(|(key, _)| key).filter(|key| key.ends_with("/rows.origins.zst"));
        storage.delete_object(&bucket, origins.next().unwrap());
        assert_eq!(origins.next(), None);
    }
}

fn bucket(table: &str) -> String {
    format!("orders-{}", table.replace('_', "-"))
}

/// Lines of several pieces, some of which become no rows; and where the cursed one is.
fn orders(lines: usize, cursed: usize) -> (String, usize) {
    let (mut text, mut position) = (String::new(), 0);
    for line in 0..lines {
        if line == cursed {
            position = text.len();
            text += "cursed,1\n";
        }
        let _ = match line % 13 {
            3 => writeln!(text, "item-{line},0"),
            5 => writeln!(text, "item-{line},none"),
            8 => writeln!(text, "an item with a name of more than thirty letters {line},1"),
            _ => writeln!(text, "item-{line},{line}"),
        };
    }
    (text, position)
}

#[test]
fn the_position_of_a_refused_record_is_told_whoever_loads_it() {
    with_credentials("the_position_of_a_refused_record_is_told_whoever_loads_it_indeed");
}

#[test]
#[ignore = "needs credentials"]
fn the_position_of_a_refused_record_is_told_whoever_loads_it_indeed() {
    let shop = Shop::new("cursed_file");
    let (text, position) = orders(60_000, 45_678);
    assert!(text.len() > 1 << 20, "pieces are smaller");
    fs::write(shop.log("a.log"), orders(20_000, 20_000).0).unwrap();
    fs::write(shop.log("b.log"), &text).unwrap();
    let door = warehouse().broken(&[Rule::nth("lock", 1, Fault::ErrorAfter)]);
    let said = shop.run(&door).unwrap_err().to_string();
    assert!(said.contains("cannot lock the ledger") && !said.contains("made of"), "{said}");

    // Another run has read nothing of it.
    let exact = format!(
        "that row was made of the record of port `orders`, {}, position {position};",
        shop.log("b.log").display()
    );
    for _ in 0..2 {
        let said = shop.refused(&door);
        assert!(said.contains("(error 1200)") && said.contains("line ends, row ") && said.contains(&exact), "{said}");
    }

    fs::remove_file(shop.log("b.log")).unwrap();
    let said = shop.refused(&door);
    let (record, rest) =
        said.split_once("that row was made of record ").unwrap().1.split_once(" from position ").unwrap();
    let from: usize = rest.split_once(" on of port `orders`").unwrap().0.parse().unwrap();
    assert!(from > 0, "{said}");
    assert_eq!(text[from..].lines().nth(record.parse::<usize>().unwrap() - 1), Some("cursed,1"), "{said}");

    shop.forget_origins();
    let said = shop.refused(&door);
    let range = format!("{}, positions 0 to {}", shop.log("b.log").display(), text.len());
    assert!(said.contains("that row was made of records of port `orders`, ") && said.contains(&range), "{said}");
}

#[test]
fn the_sequence_number_of_a_refused_record_is_told() {
    if kinesis_local().is_some() {
        with_credentials("the_sequence_number_of_a_refused_record_is_told_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn the_sequence_number_of_a_refused_record_is_told_indeed() {
    let (streams, mut shop) = (kinesis_local().unwrap(), Shop::new("cursed_stream"));
    streams.create_stream("cursed-orders", 2);
    shop.source = format!("kinesis://cursed-orders?start=oldest&reads=50&endpoint={}", streams.endpoint());
    let mut cursed = None;
    for batch in 0..4 {
        let line = |n: usize| match (batch, n % 7) {
            (2, _) if n == 77 => "cursed,1".to_owned(),
            (_, 3) => format!("item-{n},0"),
            (_, 5) => format!("item-{n},none"),
            _ => format!("item-{n},{}", n + 1),
        };
        let lines: Vec<(String, String)> = (0..150).map(|n| (format!("{batch}-{n}"), line(n))).collect();
        let records: Vec<(&str, &[u8])> = lines.iter().map(|(key, line)| (key.as_str(), line.as_bytes())).collect();
        let put = streams.put_records("cursed-orders", &records);
        let at = lines.iter().position(|(_, line)| line == "cursed,1");
        cursed = cursed.or(at.and_then(|at| put.into_iter().nth(at)));
    }
    let cursed = cursed.unwrap();
    let exact = format!(
        "that row was made of the record of port `orders`, cursed-orders/{}, position {};",
        cursed.shard, cursed.sequence_number
    );
    for _ in 0..2 {
        let said = shop.refused(warehouse());
        assert!(said.contains(&exact), "{exact} {said}");
    }
}

#[test]
fn of_a_refused_row_of_a_group_the_ranges_are_told() {
    with_credentials("of_a_refused_row_of_a_group_the_ranges_are_told_indeed");
}

#[test]
#[ignore = "needs credentials"]
fn of_a_refused_row_of_a_group_the_ranges_are_told_indeed() {
    let mut job = Job::new("cursed_groups");
    job.grow(20);
    driver::run(&job.flow(warehouse(), Mode::Append), &job.options()).unwrap();
    let alter = "ALTER TABLE cursed_groups ADD CHECK (requests < 100)";
    let _ = server().unwrap().ask_in(warehouse().database(), alter);
    job.grow(2000);
    let error = driver::run(&job.flow(warehouse(), Mode::Append), &job.options()).unwrap_err().to_string();
    let (_, said) = error.split_once("that row was made of records of port `requests`, ").unwrap();
    assert!(said.contains("requests.csv, positions ") && said.contains(" to "), "{error}");
}
