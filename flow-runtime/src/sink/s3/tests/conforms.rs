//! The suite of every sink, on a bucket in memory.

use std::path::Path;

use super::*;
use crate::sink::conformance::{COUNTS, Row, Subject, check};

struct Prefix {
    bucket: Arc<MemoryBucket>,
    folder: tempfile::TempDir,
}

impl Subject for Prefix {
    fn tap(&self, mode: Mode) -> Box<dyn SinkTap> {
        Box::new(tap_of(&self.bucket, &COUNTS, mode, ""))
    }

    fn rows(&self) -> Vec<Row> {
        let row = |line: String| {
            let (ip, count) = line.split_once(',').unwrap();
            (ip.to_owned(), count.parse().unwrap())
        };
        followed(&self.bucket).into_iter().map(row).collect()
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Append, Mode::Replace]
    }

    fn refuse(&mut self, _ip: &str) -> bool {
        self.bucket.lock_ledger(true);
        true
    }

    fn refuse_nothing(&mut self) {
        self.bucket.lock_ledger(false);
    }

    fn lose(&mut self, address: &str) -> bool {
        self.bucket.take_away(address.strip_prefix("s3://warehouse/").unwrap());
        true
    }
}

#[test]
fn a_prefix_of_s3_is_a_sink() {
    check(|| Prefix { bucket: Arc::default(), folder: tempfile::tempdir().unwrap() });
}
