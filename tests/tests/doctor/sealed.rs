//! Iterations that are sealed and cannot be published as the flow is now.

use flow_tests::program::{Place, counted, hit};

use super::{PROGRAM, diagnosed, paste, place};

/// Has iteration 1 sealed, with another hit of `b` and a bad line, and not loaded.
pub(super) fn sealed() -> Place {
    let place = place();
    place.append("access.log", hit("b") + "worse\n");
    place.seal("");
    place
}

/// Both iterations are there, once.
pub(super) fn both(place: &Place) {
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 2)]));
    assert_eq!(place.text("bad_lines.csv").lines().count(), 2);
}

/// The one remedy publishes what was sealed, and the flow as it was before is well.
fn cure_as_before(place: &Place, arguments: &str, causes: &[&str], before: &str) {
    let read = diagnosed(place, PROGRAM, arguments, causes);
    let ended = paste(place, &read[0].remedies[0].1[0]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let ended = place.run(&format!("doctor {before}"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn rows_for_another_address_go_where_they_were_to_go() {
    let place = sealed();
    cure_as_before(&place, "--counts sqlite:other.db?table=counts", &["other-address"], "");
    both(&place);
}

#[test]
fn rows_for_another_mode_are_published_as_they_were_to_be() {
    let place = sealed();
    cure_as_before(&place, "--counts sqlite:counts.db?table=counts&mode=append", &["other-mode"], "");
    both(&place);
}

#[test]
fn trapped_rows_for_another_address_go_where_they_were_to_go() {
    let place = Place::new(PROGRAM);
    place.write("access.log", hit("a") + "bad\n");
    place.write("hosts.txt", "a\n");
    place.seal("--bad-lines file:here.csv?delimiter=;");
    let there = "--bad-lines file:there.csv?delimiter=;";
    cure_as_before(&place, there, &["other-address"], "--bad-lines file:here.csv?delimiter=;");
    assert!(place.text("here.csv").starts_with("bad;log;"), "{}", place.text("here.csv"));
    assert_eq!(place.counts("counts.db"), counted(&[("a", 1)]));
}
