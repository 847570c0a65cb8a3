//! The jobs where they are meant to run: from streams into a warehouse and below prefixes.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod archive;
#[path = "../clicks/mod.rs"]
mod clicks;
mod warehouse;

use std::{fs, process::Command};

use flow_services::{CREDENTIALS, Service, kinesis_local, ministack};
use tempfile::TempDir;

/// Services, and the folder in which a job runs.
struct Setting {
    program: &'static str,
    streams: &'static Service,
    others: &'static Service,
    folder: TempDir,
}

impl Setting {
    fn new(program: &'static str) -> Option<Self> {
        Some(Self { program, streams: kinesis_local()?, others: ministack()?, folder: tempfile::tempdir().unwrap() })
    }

    /// Runs the job's program, which must succeed; says what it told.
    fn run(&self, arguments: &str) -> String {
        let mut command = Command::new(self.program);
        command.args(arguments.split(' ')).current_dir(self.folder.path());
        command.env("AWS_ENDPOINT_URL", self.others.endpoint());
        command.env("AWS_ENDPOINT_URL_KINESIS", self.streams.endpoint()).envs(CREDENTIALS);
        let output = command.output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{arguments}: {said}");
        said
    }

    /// Sends lines to a stream.
    fn publish(&self, stream: &str, lines: impl AsRef<[u8]>) {
        fs::write(self.folder.path().join("lines"), lines).unwrap();
        self.run(&format!("publish kinesis://{stream} --from lines"));
    }
}
