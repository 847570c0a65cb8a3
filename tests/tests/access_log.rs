//! The access-log job on the sample data, against a table that another program worked out.
//!
//! `tests/data/access_log_counts.txt` was written, in the repository's root, by
//!
//! ```sh
//! LC_ALL=C awk '
//!     NR == FNR { listed[$1]++; next }
//!     /\351/    { next }                       # é in Latin-1: not UTF-8
//!     /^[^ ]* [^ \t]+ [^ \t]+ \[[A-Za-z0-9_:\/]+[ \t][-+][0-9][0-9][0-9][0-9]\] ".+" [0-9][0-9][0-9] / && $1 in listed {
//!         hits[$1] += listed[$1]               # a host that is listed twice counts twice
//!     }
//!     END {
//!         for (host in listed) if (host in hits) print host "|" hits[host]; else silent += listed[host]
//!         print "|" silent                     # a right join: hosts without a hit have no ip
//!     }
//! ' examples/data/hosts.txt examples/data/access.log | LC_ALL=C sort -t '|' -k 1,1 > tests/data/access_log_counts.txt
//! ```

#![expect(clippy::unwrap_used, reason = "a test may")]

use access_log_counts::OwnedCountsRow;
use flow_runtime::{MemoryRows, Sink, Source, Table, Trap, driver::Outcome, flow};
use flow_tests::WORKERS;

const EXPECTED: &str = include_str!("../data/access_log_counts.txt");
const LOG: &[u8] = include_bytes!("../../examples/data/access.log");

flow! {
    /// Hits of every listed host.
    pub flow AccessLogCounts {
        source log { data: &str };
        table  hosts: TextDelimited(delimiter = "|") { ip: Option<&str> };
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

/// Runs the flow on the sample, all of it, into memory.
fn run(workers: usize) -> (Outcome, MemoryRows, MemoryRows) {
    let (counts, bad_lines) = (MemoryRows::default(), MemoryRows::default());
    let flow = AccessLogCounts {
        log: Source::at(concat!("file:", env!("CARGO_MANIFEST_DIR"), "/../examples/data/access.log")),
        hosts: Table::at(concat!("file:", env!("CARGO_MANIFEST_DIR"), "/../examples/data/hosts.txt")),
        counts: Sink::memory(&counts).replace(),
        bad_lines: Trap::memory(&bad_lines),
    };
    let outcome = flow_tests::run(&flow, workers).unwrap();
    (outcome, counts, bad_lines)
}

#[test]
fn any_number_of_workers_counts_the_sample_as_awk_does() {
    for workers in WORKERS {
        let (_, counts, _) = run(workers);
        let rows: Vec<OwnedCountsRow> = counts.rows();
        let text: String =
            rows.iter().map(|row| format!("{}|{}\n", row.ip.as_deref().unwrap_or_default(), row.count)).collect();
        assert_eq!(text, EXPECTED, "{workers} workers");
    }
}

#[test]
fn what_is_no_log_line_is_trapped_whole_where_it_stood_and_with_its_reason() {
    let (_, _, bad_lines) = run(2);
    let mut trapped = bad_lines.trapped();
    trapped.sort_by_key(|row| row.position.as_deref().unwrap().parse::<usize>().unwrap());
    assert_eq!(trapped.len(), 14);

    for row in &trapped {
        let position: usize = row.position.as_deref().unwrap().parse().unwrap();
        let line = LOG[position..].split(|&byte| byte == b'\n').next().unwrap();
        assert_eq!(row.record, line);
        assert_eq!(row.source.as_deref(), Some("log"));
        assert!(row.shard.as_deref().unwrap().ends_with("access.log"));
    }
    let (decoding, parsing): (Vec<_>, Vec<_>) = trapped.iter().partition(|row| row.record.contains(&0xe9));
    assert!(decoding.len() >= 2 && decoding.iter().all(|row| row.reason.starts_with("not UTF-8 at byte ")));
    assert!(parsing.iter().all(|row| row.reason == "the pattern does not match"));
}

#[test]
fn the_outcome_counts_what_was_read_written_and_trapped() {
    let (outcome, counts, bad_lines) = run(2);
    let rows: Vec<u64> = outcome.ports.iter().map(|port| port.rows).collect();
    assert_eq!(rows, [2_000, 40, counts.len() as u64, bad_lines.len() as u64]);
    assert_eq!(outcome.ports[0].bytes, LOG.len() as u64);
}
