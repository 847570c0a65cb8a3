//! The suite of every sink, on a table.

use std::path::Path;

use flow_runtime::sink::{
    Mode, SinkTap,
    conformance::{self, COUNTS, Row},
};
use flow_tests::postgres::{Server, server};
use tempfile::TempDir;

use super::place::tap;

struct Table {
    server: &'static Server,
    schema: String,
    folder: TempDir,
}

impl conformance::Subject for Table {
    fn tap(&self, mode: Mode) -> Box<dyn SinkTap> {
        tap(&self.server.address(&format!("table={}.counts", self.schema)), mode, &COUNTS)
    }

    fn rows(&self) -> Vec<Row> {
        let Self { server, schema, .. } = self;
        if server.ask(&format!("SELECT to_regclass('{schema}.counts') IS NULL")) == "t" {
            return Vec::new();
        }
        let row = |line: &str| {
            let (ip, count) = line.split_once('|').unwrap();
            (ip.to_owned(), count.parse().unwrap())
        };
        server.ask(&format!("SELECT ip, count FROM {schema}.counts")).lines().map(row).collect()
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn refuse(&mut self, ip: &str) -> bool {
        let Self { server, schema, .. } = self;
        server.run(&format!("ALTER TABLE {schema}.counts ADD CONSTRAINT refuse CHECK (ip <> '{ip}')"));
        true
    }

    fn refuse_nothing(&mut self) {
        self.server.run(&format!("ALTER TABLE {}.counts DROP CONSTRAINT refuse", self.schema));
    }
}

#[test]
fn a_table_is_a_sink() {
    let Some(server) = server() else { return };
    let mut schemas = 0;
    conformance::check(|| {
        schemas += 1;
        let schema = format!("conforms_{schemas}");
        server.run(&format!("CREATE SCHEMA {schema}"));
        Table { server, schema, folder: tempfile::tempdir().unwrap() }
    });
}
