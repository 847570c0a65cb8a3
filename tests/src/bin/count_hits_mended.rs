//! The access-log flow after a change: lines of any form count for their first word, so nothing is trapped any more that
//! has one.

use std::process::ExitCode;

use flow_runtime::{Sink, Source, Table, Trap};

flow_runtime::flow! {
    /// Hits of every listed host, whatever the rest of the line.
    pub flow AccessLogCounts {
        source log { data: &str };
        table  hosts: TextDelimited(delimiter = "|") { ip: Option<&str> };
        sink   counts key(ip) { ip: Option<&str> as varchar(100), count: i64 add };
        trap   bad_lines for hits;

        hits = log
            -> Assert(NotNull)
            -> Each(data => RegexParser(r#"^(\S+)"#) => ip)
            -> Retain(ip);

        listed = hosts -> Rename(ip => userip);

        HashJoin(hits on ip, listed on userip, RightJoin)
            -> Discard(userip)
            -> GroupBy(ip)
            -> Every(Count => count)
            -> counts;
    }
}

fn main() -> ExitCode {
    flow_runtime::main(AccessLogCounts {
        log: Source::at("file:access.log"),
        hosts: Table::at("file:hosts.txt"),
        counts: Sink::at("sqlite:counts.db?table=counts").merge(),
        bad_lines: Trap::at("file:bad_lines.csv"),
    })
}
