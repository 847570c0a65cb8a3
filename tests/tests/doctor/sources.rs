//! Sources that are not what was read of them.

use flow_tests::program::{Place, counted, hit};

use super::{STORE, cure, place};

/// What the store notes of the last iteration.
fn note(place: &Place) -> String {
    let note = "SELECT note FROM iterations ORDER BY iteration DESC LIMIT 1";
    place.database(STORE).unwrap().query_row(note, [], |row| row.get(0)).unwrap()
}

#[test]
fn a_log_that_was_emptied_and_written_anew_is_read_from_its_beginning() {
    let place = place();
    let length = place.text("access.log").len();
    place.write("access.log", hit("b"));
    cure(&place, &["source-shrunk"], 0);
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 2), ("b", 2)]));
    assert_eq!(note(&place), format!("gap accepted in access.log: it was read to {length}, and goes on at 0"));
    place.append("access.log", hit("a"));
    place.succeed("");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 2), ("a", 3), ("b", 2)]));
}

#[test]
fn a_log_that_was_cut_is_read_on_from_its_end() {
    let place = place();
    let length = place.text("access.log").len();
    place.write("access.log", hit("a") + &hit("b"));
    cure(&place, &["source-shrunk"], 1);
    assert_eq!(place.counts("counts.db"), counted(&[("a", 2), ("b", 1)]));
    let end = 2 * hit("a").len();
    assert!(note(&place).ends_with(&format!("it was read to {length}, and goes on at {end}")), "{}", note(&place));
    place.append("access.log", hit("a"));
    place.succeed("");
    assert_eq!(place.counts("counts.db"), counted(&[("-", 1), ("a", 3), ("b", 1)]));
}

#[test]
fn a_log_with_other_lines_is_read_from_its_beginning_or_its_end() {
    for (nth, expected) in [(0, &[("-", 1), ("a", 2), ("b", 8)][..]), (1, &[("a", 2), ("b", 1)])] {
        let place = place();
        place.write("access.log", hit("b").repeat(7));
        cure(&place, &["source-changed"], nth);
        assert_eq!(place.counts("counts.db"), counted(expected), "{nth}");
        place.append("access.log", hit("b"));
        place.succeed("");
        let b = expected.iter().find(|(host, _)| *host == "b").unwrap().1 + 1;
        assert!(place.counts("counts.db").contains(&(Some("b".to_owned()), b)), "{nth}");
    }
}

#[test]
fn of_several_files_each_goes_on_where_it_must() {
    let place = Place::new(super::PROGRAM);
    place.write("hosts.txt", "a\nb\n");
    place.write("a.log", hit("a").repeat(3));
    place.write("b.log", hit("b").repeat(3));
    place.succeed("--log file:*.log");
    place.append("a.log", hit("a"));
    place.write("b.log", hit("b"));
    super::cure_by(&place, super::PROGRAM, "--log file:*.log", &["source-shrunk"], 0);
    assert_eq!(place.counts("counts.db"), counted(&[("a", 4), ("b", 4)]));
}
