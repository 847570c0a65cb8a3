//! The access-log flow as a program, for tests that run it as its users do.

use std::process::ExitCode;

use flow_runtime::{Sink, Source, Table, Trap};

#[path = "../../flows/access_log_counts.rs"]
mod access_log_counts;

fn main() -> ExitCode {
    flow_runtime::main(access_log_counts::AccessLogCounts {
        log: Source::at("file:access.log"),
        hosts: Table::at("file:hosts.txt"),
        counts: Sink::at("sqlite:counts.db?table=counts").merge(),
        bad_lines: Trap::at("file:bad_lines.csv"),
    })
}
