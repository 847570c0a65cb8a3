//! The suite of every sink, on a table in memory.

use std::path::Path;

use super::*;
use crate::sink::conformance::{COUNTS, Row, Subject, check};

struct Items {
    table: Arc<MemoryTable>,
    folder: tempfile::TempDir,
}

impl Subject for Items {
    fn tap(&self, _mode: Mode) -> Box<dyn SinkTap> {
        Box::new(tap(&self.table, &COUNTS))
    }

    fn rows(&self) -> Vec<Row> {
        let row = |item: String| {
            let (count, ip) = item.strip_prefix("count=").unwrap().split_once(" ip=").unwrap();
            (ip.to_owned(), count.parse().unwrap())
        };
        self.table.seen().into_iter().map(row).collect()
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Merge]
    }

    fn refuse(&mut self, ip: &str) -> bool {
        self.table.refuse(Some(ip));
        true
    }

    fn refuse_nothing(&mut self) {
        self.table.refuse(None);
    }

    fn publishes_in_one_step(&self) -> bool {
        false
    }
}

#[test]
fn a_table_of_dynamodb_is_a_sink() {
    check(|| Items { table: table(&COUNTS), folder: tempfile::tempdir().unwrap() });
}
