//! A whole flow into PostgreSQL, iteration by iteration, against what `awk` makes of the same lines.

use std::{fmt::Write as _, fs, process::Command};

use flow_runtime::{
    Sink, Source, Trap,
    driver::{self, Checkpoint},
    flow,
};
use flow_tests::postgres::{Cut, Proxy, When};

use super::place::Place;

flow! {
    /// Requests and bytes of every host.
    pub flow Traffic {
        source requests: TextDelimited(delimiter = ",") { host: Option<&str>, bytes: i64 };
        sink   traffic key(host) { host: Option<&str> as varchar(100), requests: i64 add, bytes: Option<i64> add };
        trap   bad for requests;

        requests -> GroupBy(host) -> Every(Count => requests) -> Every(bytes => Sum => bytes) -> traffic;
    }
}

/// Hosts in the order of their bytes, none first.
const AWK: &str = r#"$2 ~ /^[0-9]+$/ { n[$1]++; b[$1] += $2 } END { for (h in n) print h "|" n[h] "|" b[h] }"#;

#[test]
fn a_growing_log_is_counted_exactly_whatever_connections_are_lost() {
    let Some(place) = Place::new("traffic") else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("requests.csv");
    let mut random = fastrand::Rng::with_seed(15);
    let mut lines = String::new();
    for cuts in
        [&[][..], &[(When::Commit, Cut::After)], &[(When::Commit, Cut::Before), (When::Nth(9), Cut::After)], &[]]
    {
        for _ in 0..500 {
            let host = ["", "a", "b", "c"][random.usize(..4)];
            let bytes = if random.u8(..10) == 0 { "-".to_owned() } else { random.u16(..).to_string() };
            let _ = writeln!(lines, "{host},{bytes}");
        }
        fs::write(&log, &lines).unwrap();
        let proxy = Proxy::start(place.server.port(), cuts);
        let flow = Traffic {
            requests: Source::at(format!("file:{}", log.display())),
            traffic: Sink::at(place.address_by(proxy.port(), "traffic")).merge(),
            bad: Trap::at(place.address("bad")),
        };
        let mut options = flow_tests::options(2);
        options.checkpoint = Checkpoint::Sqlite(folder.path().join("flow.db"));
        driver::run(&flow, &options).unwrap();
        // Run once more, with nothing new.
        driver::run(&flow, &options).unwrap();

        let awk = Command::new("awk").args(["-F,", AWK]).arg(&log).output().unwrap();
        let mut expected: Vec<String> = String::from_utf8(awk.stdout).unwrap().lines().map(str::to_owned).collect();
        expected.sort();
        let found = place.ask("SELECT coalesce(host, ''), requests, bytes FROM traffic");
        let mut found: Vec<&str> = found.lines().collect();
        found.sort_unstable();
        assert_eq!(found, expected);
        let bad = lines.lines().filter(|line| line.ends_with('-')).count();
        assert_eq!(place.ask("SELECT count(*), count(DISTINCT position) FROM bad"), format!("{bad}|{bad}"));
    }
}

flow! {
    /// Names and sizes, as they were sent.
    pub flow Sent {
        source lines { line: &str };
        sink sent { name: &str as varchar(5), size: i64 as integer };
        trap bad;
        lines
            -> Each(line => RegexParser("^(.*),(.*)$") => name, size: i64)
            -> Each(name => polite => REPLACE)
            -> sent;
    }
}

fn polite(name: &str) -> Result<&str, String> {
    if name.starts_with('!') { Err(format!("`{name}` is no name")) } else { Ok(name) }
}

#[test]
fn rows_that_a_column_cannot_hold_are_trapped_and_all_others_are_loaded() {
    let Some(place) = Place::new("sent") else { return };
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("sent.csv");
    fs::write(&log, "äöüß!,1\nabcdef,2\na\0b,3\nabc,2147483648\nabcde    ,4\n!\0\u{7},5\n🦀🦀🦀🦀🦀,-2147483648\n")
        .unwrap();
    let flow = Sent {
        lines: Source::at(format!("file:{}", log.display())),
        sent: Sink::at(place.address("sent")),
        bad: Trap::at(place.address("bad")),
    };
    let mut options = flow_tests::options(2);
    options.checkpoint = Checkpoint::Sqlite(folder.path().join("flow.db"));
    driver::run(&flow, &options).unwrap();
    assert_eq!(place.ask("SELECT * FROM sent ORDER BY size"), "🦀🦀🦀🦀🦀|-2147483648\näöüß!|1\nabcde|4");
    let reasons = "`name`: 6 characters do not fit varchar(5)\n\
                   `name`: it holds U+0000 at byte 1, which PostgreSQL takes in no text\n\
                   `size`: 2147483648 does not fit integer\n\
                   `name`: `!\\u{0}\\u{7}` is no name";
    assert_eq!(place.ask("SELECT reason FROM bad ORDER BY position::bigint"), reasons);
    assert_eq!(place.ask("SELECT operator FROM bad WHERE reason LIKE '%integer'"), "sink sent");

    // Read again without a target, the same rows come out: what the sealed one refuses is refused again.
    let unbound = Sent { sent: Sink::unbound(), bad: Trap::unbound(), ..flow };
    let replayed = driver::replay(&unbound, &options, 0, &[]).unwrap();
    assert!(replayed.outputs.len() == 2 && replayed.outputs.iter().all(|output| output.is_same), "{replayed:?}");
}
