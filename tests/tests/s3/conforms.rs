//! The suite of every sink, on a prefix of a bucket.

use std::path::Path;

use flow_runtime::sink::{
    self, Mode, SinkTap, Target,
    conformance::{self, COUNTS, Row},
};
use flow_tests::{
    aws::run_with_credentials,
    manifests::followed,
    services::{Service, ministack},
};
use tempfile::TempDir;

const BUCKET: &str = "conforms";

struct Prefix {
    service: &'static Service,
    prefix: String,
    options: &'static str,
    folder: TempDir,
}

impl conformance::Subject for Prefix {
    fn tap(&self, mode: Mode) -> Box<dyn SinkTap> {
        let Self { service, prefix, options, .. } = self;
        let address = format!("s3://{BUCKET}/{prefix}?endpoint={}&{options}", service.endpoint());
        sink::open(&Target::Address(address), Some(mode), &COUNTS).unwrap()
    }

    fn rows(&self) -> Vec<Row> {
        let row = |line: String| {
            let (ip, count) = line.split_once(',').unwrap();
            (ip.to_owned(), count.parse().unwrap())
        };
        followed(self.service, BUCKET, &self.prefix).into_iter().map(row).collect()
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn modes(&self) -> &'static [Mode] {
        &[Mode::Append, Mode::Replace]
    }

    fn lose(&mut self, address: &str) -> bool {
        let key = address.strip_prefix("s3://").unwrap().split_once('/').unwrap().1;
        self.service.delete_object(BUCKET, key);
        true
    }
}

#[test]
fn a_prefix_is_a_sink() {
    if ministack().is_some() {
        run_with_credentials("conforms::a_prefix_is_a_sink_indeed");
    }
}

#[test]
#[ignore = "needs credentials"]
fn a_prefix_is_a_sink_indeed() {
    let service = ministack().unwrap();
    service.create_bucket(BUCKET);
    let mut prefixes = 0;
    for options in ["", "partition=ip&compression=none"] {
        conformance::check(|| {
            prefixes += 1;
            let folder = tempfile::tempdir().unwrap();
            Prefix { service, prefix: format!("counts/{prefixes}"), options, folder }
        });
    }
}
