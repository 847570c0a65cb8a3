//! Bad input, given to the program by its users: it is told clearly or trapped; nothing is lost and nothing doubled.

use std::{fs, os::unix::fs::symlink, os::unix::net::UnixListener};

use flow_tests::program::{Place, Running, counted, hit};

const PROGRAM: &str = env!("CARGO_BIN_EXE_count_hits");

/// A folder with a log of `a`, `b`, `a` and a list of `a`, `b`, `c`.
fn place() -> Place {
    let place = Place::new(PROGRAM);
    place.write("access.log", hit("a") + &hit("b") + &hit("a"));
    place.write("hosts.txt", "a\nb\nc\n");
    place
}

/// What [`place`] holds comes to this.
fn whole() -> Vec<(Option<String>, i64)> {
    counted(&[("-", 1), ("a", 2), ("b", 1)])
}

/// Runs that must fail, each with its exit code and with what its message must say; nothing may come of them.
fn refuses(place: &Place, runs: &[(&str, i32, &[&str])]) {
    for (arguments, code, says) in runs {
        let text = place.refused(arguments, *code);
        for part in *says {
            assert!(text.contains(part), "{arguments}: {part:?} is not in {text}");
        }
        assert_eq!(place.counts("counts.db"), [], "{arguments}");
    }
}

#[test]
fn what_cannot_be_read_is_named_with_its_port_and_cause() {
    let place = place();
    fs::create_dir(place.path("folder")).unwrap();
    symlink("nowhere", place.path("dangling")).unwrap();
    let _socket = UnixListener::bind(place.path("socket")).unwrap();
    let cases: [(&str, &[&str]); 9] = [
        ("missing", &["missing", "No such file", "relative paths begin in "]),
        ("folder", &["folder", "a directory cannot be read", "file:folder/*"]),
        ("dangling", &["dangling", "No such file", "it is a link to nowhere"]),
        ("socket", &["socket", "not a regular file"]),
        ("access.log/x", &["access.log/x", "Not a directory"]),
        ("/proc/self/mem", &["/proc/self/mem", "Input/output error"]),
        ("/proc/self/status", &["/proc/self/status", "does not tell its length", "copy"]),
        ("*.xyz", &["*.xyz", "no file matches"]),
        ("//access.log", &["//access.log", "No such file"]),
    ];
    for (path, says) in cases {
        for port in ["log", "hosts"] {
            let port_named = format!("port `{port}`");
            refuses(&place, &[(&format!("--{port} file:{path}"), 1, &[&[port_named.as_str()], says].concat())]);
        }
    }
    refuses(&place, &[("--log file:*[", 2, &["port `log`", "malformed", "`[[]`"])]);
    place.succeed("");
    assert_eq!(place.counts("counts.db"), whole());
}

#[test]
fn bad_addresses_are_wrong_options() {
    let form = "`tap:path?option=value`";
    refuses(
        &place(),
        &[
            ("--log access.log", 2, &["port `log`", "`access.log`", form]),
            ("--log=", 2, &["port `log`", "names no tap", form]),
            ("--log ://x", 2, &["port `log`", "names no tap"]),
            ("--log file:", 2, &["port `log`", "names no file"]),
            ("--log kafka:topic", 2, &["port `log`", "no tap `kafka`", "file"]),
            ("--log sqlite:x.db", 2, &["port `log`", "no tap `sqlite` to read from"]),
            ("--log memory:", 2, &["port `log`", "in memory"]),
            ("--log file:access.log?follow=yes", 2, &["port `log`", "unknown option `follow`", "takes: compression"]),
            ("--log file:access.log?follow", 2, &["port `log`", "an option has no value"]),
            ("--counts counts.db", 2, &["port `counts`", "names no tap"]),
            ("--counts sqlite:", 2, &["port `counts`", "names no file"]),
            ("--counts sqlite:x.db?tabel=t", 2, &["port `counts`", "unknown option `tabel`", "mode, table"]),
            ("--counts sqlite:x.db?table=a&table=b", 2, &["port `counts`", "given twice"]),
            ("--counts sqlite:x.db?table=", 2, &["port `counts`", "name of a table"]),
            ("--counts sqlite:x.db?table=sqlite_x", 2, &["port `counts`", "`sqlite_x` cannot be the name"]),
            ("--counts sqlite:x.db?mode=upsert", 2, &["port `counts`", "append, replace or merge"]),
            ("--counts file:x.csv", 2, &["port `counts`", "cannot be merged into"]),
            ("--counts file:x.csv?mode=append&header=perhaps", 2, &["port `counts`", "header=true"]),
            ("--counts snowflake://host/db?table=t", 2, &["port `counts`", "no tap `snowflake`", "sqlite:"]),
            ("--counts stdin:", 2, &["port `counts`", "can only be read"]),
            ("--counts stdout:x", 2, &["port `counts`", "no path"]),
            ("--bad-lines file:x?mode=replace", 2, &["port `bad_lines`", "a trap is always appended to"]),
        ],
    );
}

#[test]
fn ports_do_not_lie_on_one_another() {
    let place = place();
    symlink("access.log", place.path("link")).unwrap();
    refuses(
        &place,
        &[
            ("--counts file:access.log?mode=append", 2, &["port `counts` would write to what port `log` reads"]),
            ("--bad-lines file:link", 2, &["port `bad_lines` would write to what port `log` reads"]),
            ("--counts sqlite:./hosts.txt", 2, &["port `counts` would write to what port `hosts` reads"]),
            ("--log file:*s*", 2, &["port `log` would read the checkpoint store"]),
            ("--log file:*.csv", 2, &["port `bad_lines` would write to what port `log` reads"]),
            ("--bad-lines file:counts.db", 2, &["ports `counts` and `bad_lines` write to the same place"]),
            ("--counts sqlite:access_log_counts.flow.db", 2, &["port `counts` would write to the checkpoint store"]),
            ("--checkpoint sqlite:counts.db", 2, &["port `counts` would write to the checkpoint store"]),
        ],
    );
    assert_eq!(place.names(), ["access.log", "hosts.txt", "link"]);
    place.succeed("--bad-lines sqlite:counts.db?table=bad");
    assert_eq!(place.counts("counts.db"), whole());
}

#[test]
fn an_empty_log_is_no_log_line() {
    let place = place();
    place.write("access.log", "");
    place.succeed("");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 3)]));
    assert!(place.succeed("").stderr.starts_with("nothing new"));
    place.append("access.log", hit("a"));
    place.succeed("");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 5), ("a", 1)]));
}

#[test]
fn an_empty_list_of_hosts_counts_nothing() {
    let place = place();
    place.write("hosts.txt", "");
    place.succeed("");
    assert_eq!(place.counts("counts.db"), []);
}

#[test]
fn a_line_without_an_end_waits_for_it_and_is_counted_once() {
    let place = place();
    let line = hit("b");
    let (begun, rest) = line.split_at(20);
    place.write("access.log", hit("a") + begun);
    place.write("hosts.txt", "a\nb"); // A table's last line is taken as it is.
    place.succeed("");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 1)]));
    assert!(place.succeed("").stderr.starts_with("nothing new"));

    place.append("access.log", rest.trim_end());
    assert!(place.succeed("").stderr.starts_with("nothing new"));
    place.append("access.log", "\n");
    place.succeed("");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 2), ("a", 1), ("b", 1)]));
    assert!(place.succeed("").stderr.starts_with("nothing new"));
    assert_eq!(place.text("bad_lines.csv"), "");
}

#[test]
fn without_a_store_a_line_without_an_end_is_taken() {
    let place = place();
    place.write("access.log", hit("a") + hit("b").trim_end());
    place.succeed("--checkpoint none");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 1), ("b", 1)]));
}

#[test]
fn windows_line_ends_are_line_ends() {
    let place = place();
    place.write("access.log", place.text("access.log").replace('\n', "\r\n"));
    place.write("hosts.txt", "a\r\nb\r\nc\r\n");
    place.succeed("");
    assert_eq!(place.counts("counts.db"), whole());
    assert_eq!(place.text("bad_lines.csv"), "");
}

#[test]
fn what_is_no_log_line_is_trapped_with_its_position_and_reason() {
    let place = place();
    let bad: [(&[u8], &str, &str); 4] = [
        (b"no log line", "RegexParser", "the pattern does not match"),
        (b"caf\xe9 - -", "source log", "not UTF-8 at byte 3 of the record"),
        (b"\0\0\0", "RegexParser", "the pattern does not match"),
        (b"", "RegexParser", "the pattern does not match"),
    ];
    let mut positions = Vec::new();
    for (record, ..) in bad {
        positions.push(fs::metadata(place.path("access.log")).unwrap().len());
        place.append("access.log", [record, b"\n", hit("b").as_bytes()].concat());
    }
    place.succeed("--bad-lines sqlite:bad.db");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 5)]));

    let database = place.database("bad.db").unwrap();
    let mut rows = database.prepare("SELECT record, source, shard, position, operator, reason FROM bad_lines").unwrap();
    let mut rows = rows.query([]).unwrap();
    for ((record, operator, reason), position) in bad.into_iter().zip(positions) {
        let row = rows.next().unwrap().unwrap();
        let text = |column: usize| row.get::<_, String>(column).unwrap();
        assert_eq!(row.get::<_, Vec<u8>>(0).unwrap(), record);
        assert_eq!([text(1), text(2), text(3)], ["log", "access.log", &position.to_string()]);
        assert!(text(4).contains(operator) && text(5).starts_with(reason), "{} {}", text(4), text(5));
    }
    assert!(rows.next().unwrap().is_none());
}

#[test]
fn a_line_of_100_mb_is_trapped_in_bounded_memory_and_its_neighbours_are_counted() {
    const LENGTH: usize = 100_000_000;
    let place = place();
    place.append("access.log", vec![b'x'; LENGTH]);
    place.append("access.log", "\n".to_owned() + &hit("b"));
    // In kB: several times the line, for buffers grow by doubling.
    let ended = Running::start(place.command_after("ulimit -v 1000000", "--workers 2 --json")).end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 2)]));
    let trapped = fs::read(place.path("bad_lines.csv")).unwrap();
    assert_eq!(trapped.iter().take_while(|byte| **byte == b'x').count(), LENGTH);
}

#[test]
fn a_bad_row_of_a_table_without_a_trap_is_named_by_its_position() {
    for (hosts, position, says) in [
        (&b"a\nb|c\nd\n"[..], 2, "expected 1 column, found 2; it is `b|c`"),
        (b"a\nb\nc|\n", 4, "expected 1 column, found 2; it is `c|`"),
        (b"a\n\xff\n", 2, "not UTF-8 at byte 0 of the record"),
    ] {
        let place = place();
        place.write("hosts.txt", hosts);
        let position = format!("port `hosts`, hosts.txt, position {position}");
        refuses(&place, &[("", 1, &[&position, says, "`trap bad_lines for hosts;`"])]);
        assert_eq!(place.text("bad_lines.csv"), "");

        // Mended, all is read that was not read then.
        place.write("hosts.txt", "a\nb\nc\n");
        place.succeed("");
        assert_eq!(place.counts("counts.db"), whole());
    }
}
