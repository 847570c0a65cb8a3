//! What is not retried, and why.

use std::fs;

use flow_tests::program::hit;

use super::{MENDED, broken, mended, place, retried};

/// What the mended program refuses.
fn refused(place: &flow_tests::program::Place, arguments: &str, code: i32) -> String {
    mended(place, &format!("retry-trap {arguments}")).refusal(code)
}

#[test]
fn retried_rows_do_not_replace_others() {
    let place = place("");
    let text = refused(&place, "bad_lines --counts sqlite:other.db?mode=replace", 2);
    assert!(text.contains("the retried rows would replace all that is there (port `counts`"), "{text}");
}

#[test]
fn a_trap_that_is_none_is_told_with_those_that_there_are() {
    let text = refused(&place(""), "hosts", 2);
    assert!(text.contains("the flow has no trap `hosts`") && text.contains("it has: bad_lines"), "{text}");
}

#[test]
fn without_a_store_nothing_is_retried() {
    let text = refused(&place(""), "bad_lines --checkpoint none", 2);
    assert!(text.contains("nobody knows what was retried before"), "{text}");
}

#[test]
fn a_trap_that_shows_its_records_cannot_be_read_back() {
    let text = refused(&place(""), "bad_lines --bad-lines stdout:", 2);
    assert!(text.contains("cannot be read back") && text.contains("from a file:, s3: or sqlite: trap"), "{text}");
}

#[test]
fn a_new_file_in_the_place_of_a_retried_one_is_held_until_all_of_it_is_asked_for() {
    let place = place("");
    assert_eq!(retried(&place, ""), [3, 2, 1]);
    fs::remove_file(place.path("bad_lines.csv")).unwrap();
    place.append("access.log", broken("a"));
    place.succeed("");
    let text = refused(&place, "bad_lines", 3);
    assert!(text.contains("the trap is not what it was when it was last retried"), "{text}");
    assert_eq!(retried(&place, "--from-start"), [1, 1, 0]);
    assert_eq!(retried(&place, ""), [0, 0, 0]);
}

#[test]
fn a_table_that_was_emptied_and_filled_again_is_held_until_all_of_it_is_asked_for() {
    let trap = "--bad-lines sqlite:bad.db";
    let place = place(trap);
    assert_eq!(retried(&place, trap), [3, 2, 1]);
    place.sql("bad.db", "DELETE FROM bad_lines");
    assert_eq!(retried(&place, trap), [0, 0, 0]);
    place.append("access.log", broken("a"));
    place.succeed(trap);
    let text = refused(&place, &format!("bad_lines {trap}"), 3);
    assert!(text.contains("row 3 is not the one that was retried"), "{text}");
    assert_eq!(retried(&place, &format!("--from-start {trap}")), [1, 1, 0]);
}

#[test]
fn a_run_under_way_is_waited_for_by_nobody() {
    let place = place("");
    let other = rusqlite::Connection::open(place.path("counts.db")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    place.append("access.log", hit("a"));
    let run = flow_tests::program::Running::start(place.command(""));
    flow_tests::program::until("the iteration is sealed", || {
        let states = place.database(super::STORE)?;
        states.query_row("SELECT 1 FROM iterations WHERE state = 'sealed'", [], |_| Ok(())).ok()
    });
    let text = refused(&place, "bad_lines", 4);
    assert!(text.contains("another run of `access_log_counts` is under way"), "{text}");
    drop((run, other, MENDED));
}
