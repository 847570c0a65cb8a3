//! `run --dry-run`: shows what a run would publish, and leaves no trace.

#![expect(clippy::unwrap_used, reason = "a test may")]

use std::{collections::BTreeMap, fs, path::Path, time::SystemTime};

use flow_tests::program::{Place, Running, counted, hit, until};

/// A folder with one listed host and a log.
fn place(log: &str) -> Place {
    let place = Place::new(env!("CARGO_BIN_EXE_count_hits"));
    place.write("hosts.txt", "a\n");
    place.write("access.log", log);
    place
}

type Snapshot = BTreeMap<String, (Vec<u8>, SystemTime)>;

/// Every file below the folder: bytes and time of the last change.
fn snapshot(folder: &Path) -> Snapshot {
    let mut files = Snapshot::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.insert(path.display().to_string(), (Vec::new(), SystemTime::UNIX_EPOCH));
            files.extend(snapshot(&path));
        } else {
            let changed = fs::metadata(&path).unwrap().modified().unwrap();
            files.insert(path.display().to_string(), (fs::read(&path).unwrap(), changed));
        }
    }
    files
}

#[test]
fn it_shows_rows_and_trapped_records_and_leaves_no_trace() {
    let place = place(&(hit("a") + &hit("a") + "no hit\n"));
    for round in 0..2 {
        let before = snapshot(place.folder());
        let shown = place.succeed("--dry-run").stderr;
        assert_eq!(snapshot(place.folder()), before);
        for part in [
            &*format!("dry run of what would be iteration {round} in "),
            "nothing was published\n",
            "  read  log ",
            "GroupBy(ip) ",
            "\ncounts: 1 row would be merged into sqlite:counts.db?table=counts\n  ip  count\n  a       2\n",
            "\nbad_lines: 1 record trapped\n",
            "the pattern does not match  no hit\n",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        place.succeed("");
        place.append("access.log", hit("a") + &hit("a") + "no hit\n");
    }
    assert_eq!(place.counts("counts.db"), counted(&[("a", 4)]));
}

#[test]
fn without_bounds_it_reads_a_thousand_records() {
    let place = place(&hit("a").repeat(1_500));
    let json = place.succeed("--dry-run --json").json();
    assert_eq!((&json["outcome"], &json["is_bounded"]), (&"dry_run".into(), &true.into()));
    assert_eq!(json["ports"][2]["first_rows"], serde_json::json!([["a", "1000"]]));
    let json = place.succeed("--dry-run --json --max-bytes 1GB").json();
    assert_eq!((&json["ports"][0]["rows"], &json["is_bounded"]), (&1_500.into(), &false.into()));
}

#[test]
fn it_says_when_nothing_is_new() {
    let place = place(&hit("a"));
    place.succeed("");
    let before = snapshot(place.folder());
    let shown = place.succeed("--dry-run").stderr;
    assert!(shown.starts_with("dry run: no source has another record, nothing would be published"), "{shown}");
    assert_eq!(snapshot(place.folder()), before);
}

#[test]
fn it_works_while_another_run_is_under_way() {
    let place = place(&hit("a"));
    let service = Running::start(place.command("--follow --poll-interval 1h --health-file health.json"));
    until("it waits", || place.text("health.json").contains(r#""state":"idle""#).then_some(()));
    place.append("access.log", hit("a"));
    let shown = place.succeed("--dry-run").stderr;
    assert!(shown.starts_with("dry run of what would be iteration 1 "), "{shown}");
    assert_eq!(place.counts("counts.db"), counted(&[("a", 1)]));
    service.signal("TERM");
    assert_eq!(service.end().code, Some(0));
}

#[test]
fn it_fails_as_a_run_would_and_leaves_no_trace_either() {
    let place = place(&hit("a"));
    place.succeed("");
    place.write("access.log", "cut\n");
    let before = snapshot(place.folder());
    let refusal = place.refused("--dry-run", 3);
    assert!(refusal.contains("access.log"), "{refusal}");
    assert!(place.run("--dry-run --follow").stderr.contains("cannot be used with"));
    assert_eq!(snapshot(place.folder()), before);
}
