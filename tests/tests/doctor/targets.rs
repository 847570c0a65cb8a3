//! Targets whose ledgers and the store disagree, and go on without what they lack.

use std::fs;

use flow_tests::program::{Place, counted, hit};

use super::{PROGRAM, STORE, cure, diagnosed, paste, place};

/// The store is lost, after one more hit of `b`.
fn lost_store() -> Place {
    let place = place();
    place.append("access.log", hit("b"));
    fs::remove_file(place.path(STORE)).unwrap();
    place
}

/// The database of the counts is lost, and there is one more hit of `b`.
pub(super) fn lost_target() -> Place {
    let place = place();
    fs::remove_file(place.path("counts.db")).unwrap();
    place.append("access.log", hit("b"));
    place
}

/// The table of the counts is dropped, and there is one more hit of `b`.
pub(super) fn dropped_table() -> Place {
    let place = place();
    place.sql("counts.db", "DROP TABLE counts");
    place.append("access.log", hit("b"));
    place
}

/// Of the trapped lines only five bytes are left, and there is one more hit of `b`.
pub(super) fn cut_file() -> Place {
    let place = place();
    let trapped = place.text("bad_lines.csv");
    place.write("bad_lines.csv", &trapped[..5]);
    place.append("access.log", hit("b"));
    place
}

/// The ledger of the trapped lines is damaged, and there is one more hit of `b`.
pub(super) fn damaged_ledger() -> Place {
    let place = place();
    place.write("bad_lines.csv.flow", "{");
    place.append("access.log", hit("b"));
    place
}

#[test]
fn after_a_lost_store_targets_are_emptied_and_filled_anew() {
    let place = lost_store();
    cure(&place, &["foreign-ledger", "foreign-ledger"], 0);
    assert_eq!(place.counts("counts.db"), counted(&[("a", 2), ("b", 2)]));
    assert_eq!(place.text("bad_lines.csv").lines().count(), 1);
}

#[test]
fn after_a_lost_store_rows_are_added_where_that_is_asked_for() {
    let place = lost_store();
    cure(&place, &["foreign-ledger", "foreign-ledger"], 1);
    assert_eq!(place.counts("counts.db"), counted(&[("a", 4), ("b", 3)]));
    assert_eq!(place.text("bad_lines.csv").lines().count(), 2);
}

#[test]
fn a_target_that_lacks_an_iteration_goes_on_without_it() {
    let place = lost_target();
    cure(&place, &["ledger-behind"], 0);
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("b", 1)]));
}

#[test]
fn two_targets_that_lack_an_iteration_go_on_by_one_command() {
    let place = Place::new(PROGRAM);
    place.write("access.log", hit("a") + "bad\n");
    place.write("hosts.txt", "a\n");
    let there = "--bad-lines sqlite:counts.db";
    place.succeed(there);
    fs::remove_file(place.path("counts.db")).unwrap();
    place.append("access.log", hit("a") + "worse\n");
    let read = diagnosed(&place, PROGRAM, there, &["ledger-behind", "ledger-behind"]);
    let ended = paste(&place, &read[1].remedies[0].1[0]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert_eq!(place.counts("counts.db"), counted(&[("a", 1)]));
}

#[test]
fn a_table_that_was_dropped_begins_anew() {
    let place = dropped_table();
    cure(&place, &["table-gone"], 0);
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("b", 1)]));
}

#[test]
fn a_file_that_has_lost_rows_is_taken_away_and_a_new_one_begins() {
    let place = cut_file();
    let cut = place.text("bad_lines.csv");
    place.append("access.log", "worse\n");
    cure(&place, &["file-cut"], 0);
    assert_eq!(place.text("bad_lines.csv.before-1"), cut);
    assert!(place.text("bad_lines.csv").starts_with("worse,log,"));
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 2)]));
}

#[test]
fn a_file_whose_ledger_is_damaged_is_taken_away_and_a_new_one_begins() {
    let place = damaged_ledger();
    let before = place.text("bad_lines.csv");
    place.append("access.log", "worse\n");
    cure(&place, &["ledger-damaged"], 0);
    assert_eq!(place.text("bad_lines.csv.before-1"), before);
    assert!(place.text("bad_lines.csv").starts_with("worse,log,"));
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 2)]));
}
