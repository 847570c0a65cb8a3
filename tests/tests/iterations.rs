//! Run after run of a program over growing, moving and changing files: each line counts once.

use std::fs;

use flow_tests::program::{Counted, Place, Running, counted, hit, until};

const PROGRAM: &str = env!("CARGO_BIN_EXE_count_hits");
const STORE: &str = "access_log_counts.flow.db";

/// A folder with a log of `a`, `b`, `a` and a list of `a`, `b`.
fn place() -> Place {
    let place = Place::new(PROGRAM);
    place.write("access.log", hit("a") + &hit("b") + &hit("a"));
    place.write("hosts.txt", "a\nb\n");
    place
}

/// Hosts that have hits: how often the others have none is told anew in every iteration.
fn hosts(place: &Place) -> Vec<Counted> {
    place.counts("counts.db").into_iter().filter(|(host, _)| host.is_some()).collect()
}

#[test]
fn what_was_read_is_not_read_again_and_what_is_new_is_added() {
    let place = place();
    let first = place.succeed("").stderr;
    assert!(first.starts_with("iteration 0 done in ") && first.contains("5 records read"), "{first}");
    for _ in 0..2 {
        let again = place.succeed("").stderr;
        assert!(again.starts_with("nothing new: no source has another record, nothing was published"), "{again}");
    }
    place.append("access.log", hit("b") + "bad\n");
    let next = place.succeed("").stderr;
    assert!(next.starts_with("iteration 1 done in ") && next.contains("4 records read"), "{next}");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 2)]));
}

#[test]
fn a_renamed_file_keeps_its_position_and_a_new_one_begins() {
    let place = place();
    place.succeed("--log file:*.log*");
    place.append("access.log", hit("a"));
    fs::rename(place.path("access.log"), place.path("access.log.1")).unwrap();
    place.write("access.log", hit("b"));
    place.succeed("--log file:*.log*");
    assert_eq!(hosts(&place), counted(&[("a", 3), ("b", 2)]));
    // A copy is another file.
    fs::copy(place.path("access.log"), place.path("copy.log")).unwrap();
    place.succeed("--log file:*.log*");
    assert_eq!(hosts(&place), counted(&[("a", 3), ("b", 3)]));
    assert!(place.succeed("--log file:*.log*").stderr.starts_with("nothing new"));
}

#[test]
fn a_file_that_shrank_or_changed_is_held_until_it_is_itself_again() {
    let place = place();
    let whole = place.text("access.log");
    place.succeed("");
    for (other, says) in [
        (whole[..whole.len() - 10].to_owned(), "the file has shrunk"),
        (String::new(), "the file has shrunk"),
        (whole.replace("a - -", "c - -"), "the file is not what it was"),
    ] {
        place.write("access.log", &other);
        let text = place.refused("", 3);
        let (was, is) = (whole.len(), other.len());
        assert!(text.contains(says) && text.contains("port `log`, access.log"), "{text}");
        assert!(text.contains(&format!("it was read to byte {was}, now it has {is} bytes")), "{text}");
        assert!(text.contains("restore the file") && text.contains("--accept-gap"), "{text}");
        let listed = place.succeed("iterations").stdout;
        assert!(listed.contains(" held ") && listed.contains(says), "{listed}");
    }
    place.write("access.log", whole + &hit("b"));
    place.succeed("");
    assert_eq!(hosts(&place), counted(&[("a", 2), ("b", 2)]));
}

#[test]
fn what_is_new_in_a_file_that_was_emptied_can_be_moved_to_a_new_one() {
    let place = place();
    place.succeed("--log file:*.log");
    place.write("access.log", hit("b"));
    place.refused("--log file:*.log", 3);
    fs::copy(place.path("access.log"), place.path("new.log")).unwrap();
    fs::rename(place.path("access.log"), place.path("away")).unwrap();
    place.succeed("--log file:*.log");
    assert_eq!(hosts(&place), counted(&[("a", 2), ("b", 2)]));
}

#[test]
fn bounds_cut_exactly_and_all_runs_together_read_the_whole() {
    let line = |n: usize| if n % 100 == 7 { format!("bad {n}\n") } else { hit(["a", "b"][n % 2]) };
    let files: [String; 2] = [0..400, 400..997].map(|lines| lines.map(line).collect());
    let log = files.concat();
    for (bounds, records_max, bytes_max) in [
        ("--max-records 100", 100, usize::MAX),
        ("--max-records 1_000", 1_000, usize::MAX),
        ("--max-bytes 5kB --workers 7", usize::MAX, 5_000),
        ("--max-records 90 --max-bytes 5kB --workers 1", 90, 5_000),
    ] {
        let place = Place::new(PROGRAM);
        place.write("hosts.txt", "a\nb\n");
        place.write("access.log", &files[0]);
        place.write("second.log", &files[1]);
        let mut unread = log.as_str();
        let mut iteration = 0;
        loop {
            let outcome = place.succeed(&format!("--log file:*.log --json {bounds}")).json();
            if outcome["outcome"] == "nothing_new" {
                break;
            }
            assert_eq!(outcome["iteration"], iteration, "{bounds}");
            iteration += 1;
            let (mut records, mut bytes) = (0, 0);
            for line in unread.split_inclusive('\n') {
                if records == records_max || bytes >= bytes_max {
                    break;
                }
                (records, bytes) = (records + 1, bytes + line.len());
            }
            assert_eq!((&outcome["ports"][0]["rows"], &outcome["ports"][0]["bytes"]), (&records.into(), &bytes.into()));
            unread = &unread[bytes..];
        }
        assert_eq!(unread, "", "{bounds}");
        assert_eq!(hosts(&place), counted(&[("a", 499), ("b", 488)]), "{bounds}");
        assert_eq!(place.text("bad_lines.csv").lines().count(), 10, "{bounds}");
    }
}

#[test]
fn a_time_bound_cuts_somewhere_and_all_runs_together_read_the_whole() {
    let place = place();
    place.write("access.log", (hit("a") + &hit("b")).repeat(40_000));
    let mut iterations = 0;
    while place.succeed("--iteration-timeout 1ms --json").json()["outcome"] == "done" {
        iterations += 1;
    }
    assert!(iterations > 0);
    assert_eq!(hosts(&place), counted(&[("a", 40_000), ("b", 40_000)]));
}

#[test]
fn any_number_of_workers_gives_the_same_tables_and_traps() {
    let log: String =
        (0..60_000).map(|n| if n % 50 == 3 { format!("bad {n}\n") } else { hit(&format!("h{}", n % 97)) }).collect();
    let listed: String = (0..50).map(|n| format!("h{}\n", n * 3 % 110)).collect();
    let mut expected = None;
    for workers in [1, 2, 7] {
        let place = Place::new(PROGRAM);
        place.write("access.log", &log);
        place.write("hosts.txt", &listed);
        place.succeed(&format!("--workers {workers} --max-records 45_001"));
        place.succeed(&format!("--workers {workers}"));
        let found = (place.counts("counts.db"), place.text("bad_lines.csv"));
        assert_eq!(found.1.lines().count(), 1_200);
        assert_eq!(expected.get_or_insert_with(|| found.clone()), &found, "{workers} workers");
    }
}

#[test]
fn a_second_run_is_told_who_holds_the_flow_and_the_first_goes_on() {
    let place = place();
    // The first run waits for the target.
    let target = rusqlite::Connection::open(place.path("counts.db")).unwrap();
    target.execute_batch("CREATE TABLE theirs (x); BEGIN IMMEDIATE").unwrap();
    let first = Running::start(place.command(""));
    let owner = format!("pid {}", first.id());
    until("the first run has the lock", || {
        (place.text(&format!("{STORE}.access_log_counts.lock")) == owner).then_some(())
    });
    let text = place.refused("", 4);
    assert!(text.contains("another run of `access_log_counts` is under way") && text.contains(&owner), "{text}");
    let outcome = place.run("--json").json();
    assert_eq!((&outcome["exit_code"], &outcome["error"]["kind"]), (&4.into(), &"busy".into()));
    target.execute_batch("COMMIT").unwrap();
    assert_eq!(first.end().code, Some(0));
    assert_eq!(hosts(&place), counted(&[("a", 2), ("b", 1)]));
    assert!(place.succeed("").stderr.starts_with("nothing new"));
}

#[test]
fn without_a_store_all_is_read_each_time_and_never_added_twice() {
    let place = place();
    place.append("access.log", "bad\n");
    let replace = "--checkpoint none --counts sqlite:counts.db?mode=replace --bad-lines stdout:";
    for _ in 0..2 {
        let ended = place.succeed(replace);
        assert!(ended.stderr.starts_with("all done in "), "{ended:?}");
        assert_eq!(place.counts("counts.db"), counted(&[("a", 2), ("b", 1)]));
    }
    assert_eq!(place.names(), ["access.log", "counts.db", "hosts.txt"]);
    for mode in ["append", "merge"] {
        let text = place.refused(&format!("--checkpoint none --counts sqlite:counts.db?mode={mode}"), 1);
        assert!(text.contains("port `counts`") && text.contains("would add them all again"), "{text}");
    }
    let into_file = "--checkpoint none --counts sqlite:counts.db?mode=replace --bad-lines file:bad.csv";
    place.succeed(into_file);
    let text = place.refused(into_file, 1);
    assert!(text.contains("port `bad_lines`") && text.contains("give the trap an empty target"), "{text}");
    assert_eq!(place.text("bad.csv").lines().count(), 1);
    assert_eq!(place.counts("counts.db"), counted(&[("a", 2), ("b", 1)]));

    let outcome = place.succeed("--checkpoint none --counts stdout: --json --max-records 2").json();
    assert_eq!((&outcome["iteration"], &outcome["ports"][0]["rows"]), (&serde_json::Value::Null, &2.into()));
}

#[test]
fn each_mode_answers_another_question() {
    for (mode, expected) in [
        ("append", counted(&[("-", 1), ("a", 2), ("b", 1), ("b", 1)])),
        ("replace", counted(&[("-", 1), ("b", 1)])),
        ("merge", counted(&[("-", 1), ("a", 2), ("b", 2)])),
    ] {
        let place = place();
        let options = format!("--counts sqlite:counts.db?mode={mode}");
        place.succeed(&options);
        place.append("access.log", hit("b"));
        place.succeed(&options);
        place.succeed(&options);
        assert_eq!(place.counts("counts.db"), expected, "{mode}");
    }
}
