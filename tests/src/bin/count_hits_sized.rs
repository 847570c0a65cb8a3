//! The access-log flow after a change that what is sealed does not fit: a sink with one field more, no trap.

use std::process::ExitCode;

use flow_runtime::{Sink, Source, Table};

flow_runtime::flow! {
    /// Hits of every listed host, with the last path.
    pub flow AccessLogCounts {
        source log { data: &str };
        table  hosts: TextDelimited(delimiter = "|") { ip: Option<&str> };
        sink   counts key(ip) { ip: Option<&str> as varchar(100), count: i64 add, size: Option<i64> };

        hits = log
            -> Each(data => RegexParser(r#"^([^ ]*)"#) => ip)
            -> Retain(ip);

        listed = hosts -> Rename(ip => userip);

        HashJoin(hits on ip, listed on userip, RightJoin)
            -> Discard(userip)
            -> GroupBy(ip)
            -> Every(Count => count)
            -> Insert(size: Option<i64> = None)
            -> counts;
    }
}

fn main() -> ExitCode {
    flow_runtime::main(AccessLogCounts {
        log: Source::at("file:access.log"),
        hosts: Table::at("file:hosts.txt"),
        counts: Sink::at("sqlite:counts.db?table=counts").merge(),
    })
}
