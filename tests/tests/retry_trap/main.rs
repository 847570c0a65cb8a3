//! `retry-trap`: a mended flow takes what a trap has, each record once, whatever dies on the way.

#![expect(clippy::unwrap_used, reason = "a test may")]

mod deaths;
mod refusals;
mod replaying;

use std::process::Command;

use flow_tests::program::{Ended, Place, Running, counted, hit};

/// Traps what is no line of a log.
const STRICT: &str = env!("CARGO_BIN_EXE_count_hits");
/// The same flow, mended: the first word of a line is its host, whatever comes behind it.
const MENDED: &str = env!("CARGO_BIN_EXE_count_hits_mended");
const STORE: &str = "access_log_counts.flow.db";

/// A line that is trapped, and that the mended flow takes for a hit of `host`.
fn broken(host: &str) -> String {
    format!("{host} and then nothing that a log has\n")
}

/// A line that no flow here can take.
const HOPELESS: &str = " begins with a blank, \"and\" has quotes;\n";

/// Where the strict flow has run: two hits are counted, three lines are trapped, one of them hopeless.
fn place(trap: &str) -> Place {
    let place = Place::new(STRICT);
    place.write("access.log", hit("a") + &broken("a") + HOPELESS + &hit("b") + &broken("b"));
    place.write("hosts.txt", "a\nb\n");
    place.succeed(trap);
    assert_eq!(place.counts("counts.db"), counted(&[("a", 1), ("b", 1)]));
    place
}

/// Runs the mended program.
fn mended(place: &Place, arguments: &str) -> Ended {
    Running::start(command(place, arguments)).end()
}

fn command(place: &Place, arguments: &str) -> Command {
    let mut command = Command::new(MENDED);
    command.args(arguments.split_whitespace()).current_dir(place.folder());
    command
}

/// Retries, and returns what was read, fixed, and failed again.
fn retried(place: &Place, arguments: &str) -> [u64; 3] {
    let ended = mended(place, &format!("retry-trap bad-lines --json {arguments}"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let object = ended.json();
    ["read", "fixed", "failed_again"].map(|count| object[count].as_u64().unwrap())
}

/// The trapped records in the file of the trap: each with where it first stood.
fn trapped(place: &Place) -> Vec<String> {
    let text = place.text("bad_lines.csv");
    text.lines().map(|line| line.split(",\"Each(").next().unwrap().to_owned()).collect()
}

#[test]
fn what_a_mended_flow_can_take_is_taken_once_and_the_rest_is_trapped_again() {
    let place = place("");
    let before = trapped(&place);
    assert_eq!((before.len(), retried(&place, "")), (3, [3, 2, 1]));
    assert_eq!(place.counts("counts.db"), counted(&[("a", 2), ("b", 2)]));
    // Where it first stood, and why it was refused now.
    let after = trapped(&place);
    assert_eq!((after.len(), &after[3]), (4, &before[1]));
    assert!(after[3].ends_with(&format!(",log,access.log,{}", hit("a").len() + broken("a").len())), "{}", after[3]);
    assert!(place.text("bad_lines.csv").lines().nth(3).unwrap().contains(r"^(\S+)"), "{}", place.text("bad_lines.csv"));
}

#[test]
fn what_failed_again_waits_for_a_later_retry() {
    let place = place("");
    assert_eq!(retried(&place, ""), [3, 2, 1]);
    assert_eq!(retried(&place, ""), [1, 0, 1]);
    let counts = place.counts("counts.db");
    assert!(counts.contains(&(Some("a".to_owned()), 2)) && counts.contains(&(Some("b".to_owned()), 2)), "{counts:?}");
    assert_eq!(trapped(&place).len(), 5);
}

#[test]
fn when_all_is_fixed_a_second_retry_does_nothing() {
    let place = Place::new(STRICT);
    place.write("access.log", hit("a") + &broken("a"));
    place.write("hosts.txt", "a\n");
    place.succeed("");
    let told = mended(&place, "retry-trap bad_lines");
    assert_eq!(told.code, Some(0), "{told:?}");
    assert!(told.stderr.starts_with("iteration 1 done: bad_lines retried\n"), "{told:?}");
    let told = mended(&place, "retry-trap bad_lines");
    assert_eq!((told.code, told.stderr.as_str()), (Some(0), "nothing to retry in bad_lines\n"));
    assert_eq!(place.counts("counts.db"), counted(&[("a", 2)]));
    assert!(place.succeed("iterations").stdout.contains("retried trap file:bad_lines.csv"));
}

#[test]
fn sources_are_not_read_and_go_on_where_they_were() {
    let place = place("");
    place.append("access.log", hit("b"));
    assert_eq!(retried(&place, ""), [3, 2, 1]);
    assert_eq!(place.counts("counts.db"), counted(&[("a", 2), ("b", 2)]));
    place.succeed("");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 3)]));
    assert!(place.succeed("").stderr.starts_with("nothing new"));
}

#[test]
fn records_that_are_trapped_meanwhile_are_retried_too() {
    for trap in ["", "--bad-lines sqlite:bad.db"] {
        let place = place(trap);
        assert_eq!(retried(&place, trap), [3, 2, 1], "{trap}");
        place.append("access.log", broken("a") + &broken("a"));
        place.succeed(trap);
        assert_eq!(retried(&place, trap), [3, 2, 1], "{trap}: the one that failed, and two new ones");
        assert!(
            place.counts("counts.db").contains(&(Some("a".to_owned()), 4)),
            "{trap}: {:?}",
            place.counts("counts.db")
        );
        assert_eq!(retried(&place, trap), [1, 0, 1], "{trap}");
    }
}

#[test]
fn a_trap_in_a_table_is_retried_and_may_be_tidied_of_what_was() {
    let trap = "--bad-lines sqlite:bad.db";
    let place = place(trap);
    assert_eq!(retried(&place, trap), [3, 2, 1]);
    assert_eq!(place.counts("counts.db"), counted(&[("a", 2), ("b", 2)]));
    let rows = "SELECT source || ' ' || shard || ' ' || position FROM bad_lines WHERE rowid IN (2, 4)";
    let database = place.database("bad.db").unwrap();
    let mut statement = database.prepare(rows).unwrap();
    let rows: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(rows[0], rows[1], "where it first stood");
    place.sql("bad.db", "DELETE FROM bad_lines WHERE rowid <= 3");
    assert_eq!(retried(&place, trap), [1, 0, 1]);
}

#[test]
fn a_dry_run_tells_and_changes_nothing() {
    let place = place("");
    let (names, store, counts, trap) = (
        place.names(),
        std::fs::read(place.path(STORE)).unwrap(),
        place.counts("counts.db"),
        place.text("bad_lines.csv"),
    );
    assert_eq!(retried(&place, "--dry-run"), [3, 2, 1]);
    assert_eq!((place.names(), place.counts("counts.db"), place.text("bad_lines.csv")), (names, counts, trap));
    assert_eq!(std::fs::read(place.path(STORE)).unwrap(), store);
    assert_eq!(retried(&place, ""), [3, 2, 1]);
}

#[test]
fn a_trap_that_has_nothing_is_no_error() {
    let place = Place::new(STRICT);
    place.write("access.log", hit("a"));
    place.write("hosts.txt", "a\n");
    for trap in ["", "--bad-lines sqlite:bad.db"] {
        assert_eq!(retried(&place, trap), [0, 0, 0]);
    }
}
