//! Everything read again, into empty targets: what is left when nobody can say any more what is in a target.

use std::fs;

use flow_tests::program::{Place, counted, hit};

use super::{PROGRAM, STORE, cure_by, diagnosed, place, targets};

/// The last remedy gives what a first run of all would give.
fn reads_all_again(place: &Place, arguments: &str, cause: &str, counts: &[(&str, i64)]) {
    let nth = diagnosed(place, PROGRAM, arguments, &[cause])[0].remedies.len() - 1;
    cure_by(place, PROGRAM, arguments, &[cause], nth);
    assert_eq!(place.counts("counts.db"), counted(counts));
    assert_eq!(place.text("bad_lines.csv").lines().count(), 1);
    place.append("access.log", hit("a"));
    place.succeed(arguments);
    assert!(place.counts("counts.db").contains(&(Some("a".to_owned()), counts[0].1 + 1)));
}

#[test]
fn after_a_store_of_yesterday() {
    let place = place();
    fs::copy(place.path(STORE), place.path("yesterday.db")).unwrap();
    place.append("access.log", hit("b"));
    place.succeed("");
    reads_all_again(&place, "--checkpoint sqlite:yesterday.db", "ledger-ahead", &[("a", 2), ("b", 2)]);
}

#[test]
fn after_two_copies_of_a_store_have_loaded_one_iteration() {
    let place = place();
    fs::copy(place.path(STORE), place.path("copy.db")).unwrap();
    place.sql("counts.db", "CREATE TRIGGER no BEFORE UPDATE ON counts BEGIN SELECT RAISE(ABORT, 'not now'); END");
    place.append("access.log", hit("b"));
    assert_eq!(place.run("").code, Some(1), "sealed, not loaded");
    place.sql("counts.db", "DROP TRIGGER no");
    place.append("access.log", hit("a"));
    place.succeed("--checkpoint sqlite:copy.db");
    reads_all_again(&place, "", "other-rows", &[("a", 3), ("b", 2)]);
}

#[test]
fn after_a_lost_target() {
    reads_all_again(&targets::lost_target(), "", "ledger-behind", &[("a", 2), ("b", 2)]);
}

#[test]
fn after_a_dropped_table() {
    reads_all_again(&targets::dropped_table(), "", "table-gone", &[("a", 2), ("b", 2)]);
}

#[test]
fn after_a_cut_file() {
    reads_all_again(&targets::cut_file(), "", "file-cut", &[("a", 2), ("b", 2)]);
}

#[test]
fn after_a_damaged_ledger() {
    reads_all_again(&targets::damaged_ledger(), "", "ledger-damaged", &[("a", 2), ("b", 2)]);
}
