//! Counts the hits of every listed host: a web server's log and a list of hosts in, a table of counts out.
//!
//! `cargo run --bin access_log_counts` runs it on the sample data, from any folder; the table, the lines it had to put
//! aside and its memory of what it has read come to lie in the working directory.

use std::process::ExitCode;

use flow_runtime::{Sink, Source, Table, Trap, flow};

flow! {
    /// Hits of every listed host.
    pub flow AccessLogCounts {
        source log { data: &str };                                  // read on from iteration to iteration; one field: the record as text
        table  hosts: TextDelimited(delimiter = "|") { ip: Option<&str> };   // read whole in every iteration
        sink   counts key(ip) { ip: Option<&str> as varchar(100), count: i64 add };
        trap   bad_lines for hits;

        hits = log
            -> Assert(NotNull)
            -> Each(data => RegexParser(r#"^([^ ]*) \S+ \S+ \[([\w:/]+\s[+\-]\d{4})\] "(.+?)" (\d{3}) ([^ ]*).*$"#)
                    => ip, time, request, response, size)
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
        log: Source::at(concat!("file:", env!("CARGO_MANIFEST_DIR"), "/data/access.log")),
        hosts: Table::at(concat!("file:", env!("CARGO_MANIFEST_DIR"), "/data/hosts.txt")),
        counts: Sink::at("sqlite:access_log_counts.db?table=counts").merge(),
        bad_lines: Trap::at("file:bad_lines.csv"),
    })
}
