use std::fs;

use super::*;
use crate::{
    plan::PortPlan,
    sink::{
        Target,
        fixtures::{BAD_LINES, COUNTS, Place, publish, sink, tap, ticket},
    },
    trap::FailedRecord,
    value::RowBuffer,
};

type Counted = (Option<&'static str>, Option<i64>);

const FIRST: [Counted; 2] = [(Some("a"), Some(1)), (None, Some(2))];
const SECOND: [Counted; 1] = [(Some("b"), Some(3))];

fn text(place: &Place) -> String {
    fs::read_to_string(place.path("counts.csv")).unwrap()
}

fn file_tap(place: &Place, mode: Mode) -> FileTap {
    let Target::Address(address) = place.address("file", "counts.csv") else { unreachable!() };
    FileTap::open(&address.parse().unwrap(), SinkShape { port: &COUNTS, mode }).unwrap()
}

fn failure(result: Result<Published, Error>) -> String {
    result.unwrap_err().to_string()
}

fn held(result: Result<Published, Error>) -> String {
    match result {
        Err(Error::Held(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn appending_adds_each_iteration_once() {
    let place = Place::new();
    let target = place.address("file", "counts.csv?header=true");
    let (first, second) = (place.stage(&COUNTS, &FIRST), place.stage(&COUNTS, &SECOND));
    let append = |staged: &Staged, iteration| publish(&target, Mode::Append, &COUNTS, staged, iteration).unwrap();
    assert_eq!(append(&first, 0), Published::Now);
    assert_eq!(append(&first, 0), Published::Before);
    assert_eq!(append(&second, 1), Published::Now);
    assert_eq!(append(&second, 1), Published::Before);
    assert_eq!(text(&place), "ip,count\na,1\n,2\nb,3\n");
}

#[test]
fn replacing_leaves_the_last_iteration_even_without_rows() {
    let place = Place::new();
    let target = place.address("file", "counts.csv");
    let replace = |staged: &Staged, iteration| publish(&target, Mode::Replace, &COUNTS, staged, iteration).unwrap();
    replace(&place.stage(&COUNTS, &FIRST), 0);
    let second = place.stage(&COUNTS, &SECOND);
    assert_eq!(replace(&second, 1), Published::Now);
    assert_eq!(text(&place), "b,3\n");
    assert_eq!(replace(&second, 1), Published::Before);
    assert_eq!(replace(&place.stage(&COUNTS, &[] as &[Counted]), 2), Published::Now);
    assert_eq!(text(&place), "");
}

#[test]
fn a_crash_at_any_point_of_appending_leaves_each_row_once() {
    let place = Place::new();
    let target = place.address("file", "counts.csv");
    let mut tap = file_tap(&place, Mode::Append);
    let append = |staged: &Staged, iteration| publish(&target, Mode::Append, &COUNTS, staged, iteration).unwrap();
    fs::write(place.path("counts.csv"), "old,0\n").unwrap();

    // Iteration 0: after the first sidecar, then after the rows, then in the middle of other rows.
    let (first, second) = (place.stage(&COUNTS, &FIRST), place.stage(&COUNTS, &SECOND));
    let begun = tap.begin_append(&ticket(&COUNTS, 0), None).unwrap();
    assert_eq!((begun.length, begun.last.iteration), (6, None));
    tap.append(&first, begun.length).unwrap();
    tap.append(&first, begun.length).unwrap();
    fs::write(place.path("counts.csv"), "old,0\na,1\n,").unwrap();
    assert_eq!(append(&first, 0), Published::Now);
    assert_eq!(text(&place), "old,0\na,1\n,2\n");

    // Iteration 1: after the rows, before the sidecar.
    let found = tap.ledger(&ticket(&COUNTS, 1)).unwrap();
    let begun = tap.begin_append(&ticket(&COUNTS, 1), found).unwrap();
    tap.append(&second, begun.length).unwrap();
    assert_eq!(append(&second, 1), Published::Now);
    assert_eq!(text(&place), "old,0\na,1\n,2\nb,3\n");
}

#[test]
fn a_crash_at_any_point_of_replacing_leaves_each_row_once() {
    let place = Place::new();
    let target = place.address("file", "counts.csv");
    let mut tap = file_tap(&place, Mode::Replace);
    let (first, second) = (place.stage(&COUNTS, &FIRST), place.stage(&COUNTS, &SECOND));
    publish(&target, Mode::Replace, &COUNTS, &first, 0).unwrap();

    // In the middle of the new file: readers see the old one.
    fs::write(place.path("counts.csv.flow.rows"), "b,").unwrap();
    assert_eq!(text(&place), "a,1\n,2\n");
    // After the new file, before the sidecar.
    tap.replace(&second).unwrap();
    assert_eq!(text(&place), "b,3\n");
    assert_eq!(publish(&target, Mode::Replace, &COUNTS, &second, 1).unwrap(), Published::Now);
    assert_eq!(publish(&target, Mode::Replace, &COUNTS, &second, 1).unwrap(), Published::Before);
    assert_eq!(text(&place), "b,3\n");
    assert!(!place.path("counts.csv.flow.rows").exists());
}

#[test]
fn an_unended_last_line_is_ended_first() {
    let place = Place::new();
    fs::write(place.path("counts.csv"), "old,0").unwrap();
    let staged = place.stage(&COUNTS, &SECOND);
    publish(&place.address("file", "counts.csv"), Mode::Append, &COUNTS, &staged, 0).unwrap();
    assert_eq!(text(&place), "old,0\nb,3\n");
}

#[test]
fn a_file_that_lost_rows_is_held_and_replaced() {
    let place = Place::new();
    let target = place.address("file", "counts.csv");
    let (first, second) = (place.stage(&COUNTS, &FIRST), place.stage(&COUNTS, &SECOND));
    publish(&target, Mode::Append, &COUNTS, &first, 0).unwrap();
    fs::write(place.path("counts.csv"), "a,1\n").unwrap();
    let text_of_error = held(publish(&target, Mode::Append, &COUNTS, &second, 1));
    assert!(text_of_error.contains("it has 4 bytes, published were 7"), "{text_of_error}");
    assert!(text_of_error.contains("take it away whole: then a new one begins"), "{text_of_error}");
    assert_eq!(text(&place), "a,1\n");
    assert_eq!(publish(&target, Mode::Replace, &COUNTS, &second, 1).unwrap(), Published::Now);
    assert_eq!(text(&place), "b,3\n");
}

#[test]
fn a_file_that_was_taken_away_begins_anew() {
    let place = Place::new();
    let target = place.address("file", "counts.csv?header=true");
    let (first, second) = (place.stage(&COUNTS, &FIRST), place.stage(&COUNTS, &SECOND));
    publish(&target, Mode::Append, &COUNTS, &first, 0).unwrap();
    fs::remove_file(place.path("counts.csv")).unwrap();
    assert_eq!(publish(&target, Mode::Append, &COUNTS, &first, 0).unwrap(), Published::Before);

    // A crash after the rows, before the sidecar: the new file is shorter than the old one was.
    let mut tap = file_tap(&place, Mode::Append);
    let found = tap.ledger(&ticket(&COUNTS, 1)).unwrap();
    let begun = tap.begin_append(&ticket(&COUNTS, 1), found).unwrap();
    assert_eq!((begun.length, begun.last.iteration), (0, Some(0)));
    tap.append(&second, begun.length).unwrap();

    assert_eq!(publish(&target, Mode::Append, &COUNTS, &second, 1).unwrap(), Published::Now);
    assert_eq!(publish(&target, Mode::Append, &COUNTS, &second, 1).unwrap(), Published::Before);
    assert_eq!(text(&place), "ip,count\nb,3\n");
}

#[test]
fn a_link_is_written_through() {
    let place = Place::new();
    fs::create_dir(place.path("elsewhere")).unwrap();
    fs::write(place.path("elsewhere/real.csv"), "").unwrap();
    std::os::unix::fs::symlink(place.path("elsewhere/real.csv"), place.path("counts.csv")).unwrap();
    let target = place.address("file", "counts.csv");
    publish(&target, Mode::Replace, &COUNTS, &place.stage(&COUNTS, &SECOND), 0).unwrap();
    assert_eq!(fs::read_to_string(place.path("elsewhere/real.csv")).unwrap(), "b,3\n");
    assert!(place.path("counts.csv").is_symlink());
}

#[test]
fn foreign_and_damaged_ledgers_are_held() {
    let place = Place::new();
    let target = place.address("file", "counts.csv");
    let staged = place.stage(&COUNTS, &FIRST);
    publish(&target, Mode::Append, &COUNTS, &staged, 0).unwrap();
    let again = |ticket: &Ticket| tap(&target, Mode::Append, &COUNTS).publish(&staged, Some(ticket));

    let text_of_error = held(again(&Ticket { epoch: "e2".into(), ..ticket(&COUNTS, 1) }));
    assert!(text_of_error.contains("its epoch is e1") && text_of_error.contains("remove "), "{text_of_error}");
    held(again(&Ticket { hash: "other".into(), ..ticket(&COUNTS, 0) }));
    let other_flow = failure(again(&Ticket { flow: "other".into(), ..ticket(&COUNTS, 1) }));
    assert!(other_flow.contains("its ledger names port `counts` of flow hits"), "{other_flow}");
    assert_eq!(text(&place), "a,1\n,2\n");

    fs::write(place.path("counts.csv.flow"), "{").unwrap();
    let text_of_error = held(again(&ticket(&COUNTS, 1)));
    assert!(text_of_error.contains("the ledger of a file is damaged"), "{text_of_error}");
}

#[test]
fn a_ledger_with_any_bit_flipped_is_held_and_no_row_is_cut_off() {
    let place = Place::new();
    let target = place.address("file", "counts.csv");
    let staged = place.stage(&COUNTS, &FIRST);
    publish(&target, Mode::Append, &COUNTS, &staged, 0).unwrap();
    let ledger = fs::read(place.path("counts.csv.flow")).unwrap();
    // The line end behind the ledger says nothing.
    for bit in 0..8 * (ledger.len() - 1) {
        let mut flipped = ledger.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(place.path("counts.csv.flow"), &flipped).unwrap();
        let again = tap(&target, Mode::Append, &COUNTS).publish(&staged, Some(&ticket(&COUNTS, 1)));
        let text = held(again);
        assert!(text.contains("the ledger of a file is damaged"), "bit {bit}: {text}");
    }
    assert_eq!(text(&place), "a,1\n,2\n");
}

#[test]
fn two_ports_cannot_share_a_file() {
    static OTHER: PortPlan = sink("other", &[], &[]);
    let place = Place::new();
    let target = place.address("file", "counts.csv");
    publish(&target, Mode::Append, &COUNTS, &place.stage(&COUNTS, &FIRST), 0).unwrap();
    let error = tap(&target, Mode::Append, &OTHER).check().unwrap_err();
    assert!(error.to_string().contains("another port publishes to this file"), "{error}");
}

#[test]
fn a_trap_file_keeps_every_byte_of_a_record() {
    let place = Place::new();
    let mut rows = RowBuffer::default();
    let (record, source, shard, position) = (Some(&b"\xff,\"x\"\0"[..]), Some("log"), Some("a.log"), Some("7"));
    FailedRecord { record, source, shard, position, operator: "Each", reason: "no match" }.encode(&mut rows);
    let staged = place.stage_buffer(&BAD_LINES, &rows);
    publish(&place.address("file", "bad.csv"), Mode::Append, &BAD_LINES, &staged, 0).unwrap();
    let written = fs::read(place.path("bad.csv")).unwrap();
    assert_eq!(written, b"\"\xff,\"\"x\"\"\0\",log,a.log,7,Each,no match\n");
}

#[test]
fn checking_changes_nothing() {
    let place = Place::new();
    let target = place.address("file", "counts.csv");
    tap(&target, Mode::Append, &COUNTS).check().unwrap();
    tap(&target, Mode::Append, &COUNTS).check_without_store().unwrap();
    assert!(!place.path("counts.csv").exists() && !place.path("counts.csv.flow").exists());
}

#[test]
fn places_that_cannot_be_written_are_found_by_checking() {
    let place = Place::new();
    let check = |rest: &str| tap(&place.address("file", rest), Mode::Append, &COUNTS).check().unwrap_err();
    let error = check("missing/counts.csv");
    assert!(matches!(error, Error::Target(_)) && error.to_string().contains("make the directory first"), "{error}");
    fs::create_dir(place.path("folder")).unwrap();
    assert!(check("folder").to_string().contains("not a regular file"));
    fs::write(place.path("plain"), "").unwrap();
    assert!(matches!(check("plain/counts.csv"), Error::Target(_)));
    // A directory that not even the administrator may write to.
    let error = tap(&Target::Address("file:/proc/counts.csv".into()), Mode::Append, &COUNTS).check().unwrap_err();
    assert!(matches!(error, Error::Target(_)), "{error}");
}

#[test]
fn a_read_only_directory_is_found_by_checking() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    fs::create_dir(place.path("closed")).unwrap();
    fs::set_permissions(place.path("closed"), fs::Permissions::from_mode(0o555)).unwrap();
    if tempfile::tempfile_in(place.path("closed")).is_ok() {
        return; // The administrator may write anywhere.
    }
    let error = tap(&place.address("file", "closed/x.csv"), Mode::Append, &COUNTS).check().unwrap_err();
    assert!(error.to_string().contains("make file and directory writable"), "{error}");
}

#[test]
fn without_a_store_only_an_empty_target_is_appended_to() {
    let place = Place::new();
    let target = place.address("file", "counts.csv");
    let staged = place.stage(&COUNTS, &SECOND);
    let publish_all = |mode| tap(&target, mode, &COUNTS).publish(&staged, None);
    publish_all(Mode::Append).unwrap();
    assert_eq!(text(&place), "b,3\n");
    let text_of_error = failure(publish_all(Mode::Append));
    assert!(text_of_error.contains("would add them all again"), "{text_of_error}");
    assert!(tap(&target, Mode::Append, &COUNTS).check_without_store().is_err());
    publish_all(Mode::Replace).unwrap();
    publish_all(Mode::Replace).unwrap();
    assert_eq!(text(&place), "b,3\n");
    assert!(!place.path("counts.csv.flow").exists());
}

#[test]
fn without_a_store_a_file_that_a_store_keeps_is_left_alone() {
    let place = Place::new();
    let target = place.address("file", "counts.csv");
    publish(&target, Mode::Replace, &COUNTS, &place.stage(&COUNTS, &FIRST), 0).unwrap();
    let result = tap(&target, Mode::Replace, &COUNTS).publish(&place.stage(&COUNTS, &SECOND), None);
    assert!(failure(result).contains("a flow with a checkpoint publishes to this file"));
    assert_eq!(text(&place), "a,1\n,2\n");
}

#[test]
fn a_run_that_is_publishing_keeps_others_out() {
    let place = Place::new();
    let mut tap = file_tap(&place, Mode::Append);
    tap.lock_wait = Duration::ZERO;
    let _other = tap.lock().unwrap();
    let error = tap.publish(&place.stage(&COUNTS, &FIRST), Some(&ticket(&COUNTS, 0))).unwrap_err();
    assert!(matches!(error, Error::Busy(_)), "{error}");
}

#[test]
fn replacing_keeps_the_permissions_of_the_file() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let target = place.address("file", "counts.csv");
    fs::write(place.path("counts.csv"), "").unwrap();
    fs::set_permissions(place.path("counts.csv"), fs::Permissions::from_mode(0o640)).unwrap();
    publish(&target, Mode::Replace, &COUNTS, &place.stage(&COUNTS, &FIRST), 0).unwrap();
    assert_eq!(fs::metadata(place.path("counts.csv")).unwrap().permissions().mode() & 0o777, 0o640);
}
