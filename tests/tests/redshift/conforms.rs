//! The suite of every sink, on a table.

use std::path::Path;

use flow_runtime::sink::{
    self, Mode, SinkTap, Target,
    conformance::{self, COUNTS, Row},
};
use flow_tests::{
    aws::run_with_credentials,
    services::{ministack, redshift::Redshift},
};
use tempfile::TempDir;

struct Table {
    warehouse: &'static Redshift,
    table: String,
    folder: TempDir,
}

impl conformance::Subject for Table {
    fn tap(&self, mode: Mode) -> Box<dyn SinkTap> {
        let (endpoint, table) = (ministack().unwrap().endpoint(), &self.table);
        let rest = format!(
            "table={table}&staging=s3://conforms/{table}&role=default&endpoint={endpoint}&sslmode=disable&statement_timeout=5s"
        );
        sink::open(&Target::Address(self.warehouse.address(&rest)), Some(mode), &COUNTS).unwrap()
    }

    fn rows(&self) -> Vec<Row> {
        let Self { warehouse, table, .. } = self;
        if warehouse.ask(&format!("SELECT count(*) FROM pg_class WHERE relname = '{table}'")) == "0" {
            return Vec::new();
        }
        let row = |line: &str| {
            let (ip, count) = line.split_once('|').unwrap();
            (ip.to_owned(), count.parse().unwrap())
        };
        warehouse.ask(&format!("SELECT ip, count FROM {table}")).lines().map(row).collect()
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn lose(&mut self, address: &str) -> bool {
        let key = address.strip_prefix("s3://").unwrap().split_once('/').unwrap().1;
        ministack().unwrap().delete_object("conforms", key);
        true
    }
}

#[test]
fn a_table_is_a_sink() {
    if flow_tests::services::redshift().is_some() {
        run_with_credentials("conforms::a_table_is_a_sink_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn a_table_is_a_sink_indeed() {
    let warehouse = flow_tests::services::redshift().unwrap();
    ministack().unwrap().create_bucket("conforms");
    let mut tables = 0;
    conformance::check(|| {
        tables += 1;
        let folder = tempfile::tempdir().unwrap();
        Table { warehouse, table: format!("conforms_{tables}"), folder }
    });
}
