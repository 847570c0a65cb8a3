//! Objects of S3 and tables of DynamoDB as inputs, against a service that stands in for both.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod conforms;
mod faults;
mod held;
mod inputs;
mod items;
mod objects;
mod outputs;
mod parts;
mod tables;

use std::{io::Write as _, process::Command};

use flate2::{Compression, write::GzEncoder};
use flow_tests::{
    program::{Ended, Place, Running, hit},
    services::{CREDENTIALS, Service, ministack},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_count_hits");

/// A folder with a list of one host, a bucket for the log, and the program.
struct Setting {
    place: Place,
    bucket: &'static str,
    service: &'static Service,
    /// Where the program calls.
    endpoint: String,
}

impl Setting {
    /// Nothing where the service cannot be installed. Every test has a bucket of its own.
    fn new(bucket: &'static str) -> Option<Self> {
        let service = ministack()?;
        service.create_bucket(bucket);
        Some(Self { place: Self::folder(), bucket, service, endpoint: service.endpoint() })
    }

    fn folder() -> Place {
        let place = Place::new(PROGRAM);
        place.write("hosts.txt", "a\n");
        place
    }

    /// Puts hits of the listed host into an object.
    fn put(&self, key: &str, hits: usize) {
        self.service.put_object(self.bucket, key, hit("a").repeat(hits));
    }

    fn run(&self, arguments: &str) -> Ended {
        Running::start(self.command(arguments)).end()
    }

    fn command(&self, arguments: &str) -> Command {
        let mut command = self.place.command(arguments);
        command.envs(CREDENTIALS).env("AWS_ENDPOINT_URL", &self.endpoint);
        command
    }

    /// Runs an iteration over `key`, which must succeed; how many hits were counted in all.
    fn count(&self, key: &str, options: &str) -> i64 {
        let ended = self.run(&format!("run --log s3://{}/{key} {options}", self.bucket));
        assert_eq!(ended.code, Some(0), "{ended:?}");
        self.counted()
    }

    fn counted(&self) -> i64 {
        match self.place.counts("counts.db").as_slice() {
            [] => 0,
            [(Some(host), count)] if host == "a" => *count,
            other => panic!("{other:?}"),
        }
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(text.as_bytes()).unwrap();
    gzip.finish().unwrap()
}
