use std::fs;

use rusqlite::types::Value as Stored;

use super::*;
use crate::{
    plan::PortPlan,
    sink::{
        Target,
        fixtures::{BAD_LINES, COUNTS, Place, added, nullable, publish, sink, tap, ticket},
    },
    trap::FailedRecord,
    value::{Date, Decimal, RowBuffer, Type},
};

pub(super) type Counted = (Option<&'static str>, Option<i64>);

pub(super) const FIRST: [Counted; 3] = [(None, Some(1)), (Some("a"), Some(2)), (Some("b"), None)];
pub(super) const SECOND: [Counted; 4] = [(Some("b"), Some(5)), (None, Some(10)), (Some("c"), Some(3)), (None, None)];

pub(super) fn run(place: &Place, sql: &str) {
    Connection::open(place.path("x.db")).unwrap().execute_batch(sql).unwrap();
}

pub(super) fn select(place: &Place, sql: &str) -> Vec<Vec<Stored>> {
    let connection = Connection::open(place.path("x.db")).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let width = statement.column_count();
    let rows = statement.query_map([], |row| (0..width).map(|column| row.get(column)).collect()).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

pub(super) fn text(value: &str) -> Stored {
    Stored::Text(value.to_owned())
}

pub(super) fn int(value: i64) -> Stored {
    Stored::Integer(value)
}

fn sqlite_tap(place: &Place, mode: Mode) -> SqliteTap {
    let Target::Address(address) = place.address("sqlite", "x.db") else { unreachable!() };
    SqliteTap::open(&address.parse().unwrap(), SinkShape { port: &COUNTS, mode }).unwrap()
}

fn held(result: Result<Published, Error>) -> String {
    match result {
        Err(Error::Held(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    }
}

pub(super) fn refused(result: Result<Published, Error>) -> String {
    match result {
        Err(Error::Target(failure)) => failure.to_string(),
        other => panic!("{other:?}"),
    }
}

/// The rows of two iterations in this mode, each published twice.
fn after_two_iterations(mode: Mode) -> Vec<Vec<Stored>> {
    let place = Place::new();
    let target = place.address("sqlite", "x.db");
    for (iteration, staged) in [place.stage(&COUNTS, &FIRST), place.stage(&COUNTS, &SECOND)].iter().enumerate() {
        let publish = || publish(&target, mode, &COUNTS, staged, iteration as u64).unwrap();
        assert_eq!((publish(), publish()), (Published::Now, Published::Before));
    }
    let ledger = select(&place, "SELECT flow, port, epoch, iteration, hash, rows FROM flow_ledger ORDER BY iteration");
    let entry = |iteration: i64, rows: i64| {
        vec![text("hits"), text("counts"), text("e1"), int(iteration), text(&format!("hash of {iteration}")), int(rows)]
    };
    assert_eq!(ledger, [entry(0, 3), entry(1, 4)]);
    select(&place, "SELECT ip, count FROM counts ORDER BY ip, count")
}

#[test]
fn appending_adds_each_iteration_once() {
    let rows = after_two_iterations(Mode::Append);
    assert_eq!(rows.len(), 7);
    assert_eq!(rows[0], [Stored::Null, Stored::Null]);
}

#[test]
fn replacing_leaves_the_last_iteration() {
    let expected = [[Stored::Null, Stored::Null], [Stored::Null, int(10)], [text("b"), int(5)], [text("c"), int(3)]];
    assert_eq!(after_two_iterations(Mode::Replace), expected);
}

#[test]
fn merging_adds_by_key_and_null_is_a_key_and_adds_nothing() {
    let expected = [[Stored::Null, int(11)], [text("a"), int(2)], [text("b"), int(5)], [text("c"), int(3)]];
    assert_eq!(after_two_iterations(Mode::Merge), expected);
}

/// Both have opened the file, which is empty; while one waits for the lock, the other makes the tables.
#[test]
fn who_waited_while_another_published_first_finds_it_in_the_ledger() {
    let place = Place::new();
    let staged = place.stage(&COUNTS, &FIRST);
    let tap = sqlite_tap(&place, Mode::Merge);
    let connection = tap.connect(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).unwrap();
    publish(&place.address("sqlite", "x.db"), Mode::Merge, &COUNTS, &staged, 0).unwrap();
    let transaction = sqlite::begin("sqlite", &connection).unwrap();
    assert_eq!(tap.turn(Some(&transaction), &ticket(&COUNTS, 0)).unwrap(), Turn::Skip);
}

pub(super) static DAILY: PortPlan = sink(
    "daily",
    &[
        nullable("day", Type::Date("%d.%m.%Y")),
        nullable("last", Type::Text),
        nullable("ip", Type::Text),
        added("paid", Type::Decimal(30, 2)),
    ],
    &[2, 0],
);

#[test]
fn keys_of_several_fields_merge_null_safely_and_decimals_exactly() {
    let place = Place::new();
    let target = place.address("sqlite", "x.db");
    let day = Some(Date::from_days(0));
    let paid = |units| Some(Decimal::new(units, 2));
    // More digits than a float has.
    let large = 12_345_678_901_234_567_890_123;
    let first = [(day, Some("x"), None, paid(large)), (None, Some("y"), Some("a"), None), (None, None, None, paid(-5))];
    let second = [(day, None, None, paid(10)), (None, Some("z"), Some("a"), paid(7)), (None, Some("w"), None, None)];
    publish(&target, Mode::Merge, &DAILY, &place.stage(&DAILY, &first), 0).unwrap();
    publish(&target, Mode::Merge, &DAILY, &place.stage(&DAILY, &second), 1).unwrap();
    let expected = [
        [Stored::Null, text("w"), Stored::Null, text("-0.05")],
        [Stored::Null, text("z"), text("a"), text("0.07")],
        [text("1970-01-01"), Stored::Null, Stored::Null, text("123456789012345678901.33")],
    ];
    assert_eq!(select(&place, "SELECT day, last, ip, paid FROM daily ORDER BY day, ip"), expected);
}

#[test]
fn a_table_of_keys_alone_merges_to_a_set() {
    static SEEN: PortPlan = sink("seen", &[nullable("ip", Type::Text)], &[0]);
    let place = Place::new();
    let rows = [(Some("a"),), (None,), (Some("a"),), (None,)];
    publish(&place.address("sqlite", "x.db"), Mode::Merge, &SEEN, &place.stage(&SEEN, &rows), 0).unwrap();
    assert_eq!(select(&place, "SELECT ip FROM seen ORDER BY ip"), [[Stored::Null], [text("a")]]);
}

#[test]
fn a_sum_that_overflows_publishes_nothing() {
    let place = Place::new();
    let target = place.address("sqlite", "x.db");
    publish(&target, Mode::Merge, &COUNTS, &place.stage(&COUNTS, &[("a", i64::MAX), ("b", 1)]), 0).unwrap();
    let staged = place.stage(&COUNTS, &[("b", 1_i64), ("a", 1)]);
    let error = refused(publish(&target, Mode::Merge, &COUNTS, &staged, 1));
    assert!(error.contains("too large"), "{error}");
    assert_eq!(select(&place, "SELECT count FROM counts WHERE ip = 'b'"), [[int(1)]]);
    assert_eq!(select(&place, "SELECT max(iteration) FROM flow_ledger"), [[int(0)]]);
}

#[test]
fn a_key_that_is_there_twice_is_not_merged_into() {
    let place = Place::new();
    run(&place, "CREATE TABLE counts (ip TEXT, count INTEGER); INSERT INTO counts VALUES ('a', 1), ('a', 2)");
    let staged = place.stage(&COUNTS, &[("a", 1_i64)]);
    let error = refused(publish(&place.address("sqlite", "x.db"), Mode::Merge, &COUNTS, &staged, 0));
    assert!(error.contains("several rows of one key"), "{error}");
    assert_eq!(select(&place, "SELECT sum(count) FROM counts"), [[int(3)]]);
}

#[test]
fn what_ledger_and_store_do_not_agree_on_is_held() {
    let place = Place::new();
    let target = place.address("sqlite", "x.db");
    let staged = place.stage(&COUNTS, &FIRST);
    for iteration in 0..3 {
        publish(&target, Mode::Append, &COUNTS, &staged, iteration).unwrap();
    }
    let again = |ticket: &Ticket| held(tap(&target, Mode::Append, &COUNTS).publish(&staged, Some(ticket)));
    let error = again(&Ticket { hash: "other".into(), ..ticket(&COUNTS, 2) });
    assert!(error.contains("iteration 2 was published with another hash"), "{error}");
    let error = again(&Ticket { epoch: "e2".into(), ..ticket(&COUNTS, 3) });
    assert!(error.contains("DELETE FROM flow_ledger WHERE flow = 'hits' AND port = 'counts'"), "{error}");
    let error = again(&ticket(&COUNTS, 1));
    assert!(error.contains("it has iteration 2, the checkpoint store iteration 0"), "{error}");
    let error = again(&ticket(&COUNTS, 9));
    assert!(error.contains("it has iteration 2, the checkpoint store iteration 8"), "{error}");
    assert_eq!(select(&place, "SELECT count(*) FROM counts"), [[int(9)]]);
}

#[test]
fn a_foreign_epoch_is_noticed_even_behind_newer_entries() {
    let place = Place::new();
    let target = place.address("sqlite", "x.db");
    let staged = place.stage(&COUNTS, &FIRST);
    publish(&target, Mode::Append, &COUNTS, &staged, 0).unwrap();
    run(
        &place,
        "INSERT INTO flow_ledger (flow, port, target, epoch, iteration, hash, rows)
         VALUES ('hits', 'counts', 'COUNTS', 'e0', 0, '', 0)",
    );
    let error = held(publish(&target, Mode::Append, &COUNTS, &staged, 1));
    assert!(error.contains("its epoch is e0"), "{error}");
}

#[test]
fn ports_share_a_database_and_keep_their_own_ledgers() {
    let place = Place::new();
    let target = place.address("sqlite", "x.db");
    publish(&target, Mode::Append, &COUNTS, &place.stage(&COUNTS, &FIRST), 0).unwrap();
    let mut rows = RowBuffer::default();
    let (record, source, shard, position) = (Some(&b"\xff"[..]), Some("log"), Some("a.log"), Some("7"));
    FailedRecord { record, source, shard, position, operator: "Each", reason: "no match" }.encode(&mut rows);
    let staged = place.stage_buffer(&BAD_LINES, &rows);
    let ticket = Ticket { iteration: 4, after: None, ..ticket(&BAD_LINES, 0) };
    tap(&target, Mode::Append, &BAD_LINES).publish(&staged, Some(&ticket)).unwrap();
    let trapped = select(&place, "SELECT * FROM bad_lines");
    assert_eq!(trapped[0][0], Stored::Blob(vec![0xff]));
    assert_eq!(trapped[0][3..], [text("7"), text("Each"), text("no match")]);
}

#[test]
fn checking_makes_nothing() {
    let place = Place::new();
    let target = place.address("sqlite", "x.db");
    tap(&target, Mode::Append, &COUNTS).check().unwrap();
    tap(&target, Mode::Append, &COUNTS).check_without_store().unwrap();
    assert!(!place.path("x.db").exists());
}

#[test]
fn files_that_are_no_database_are_found_by_checking() {
    let place = Place::new();
    let check = |rest: &str| {
        let error = tap(&place.address("sqlite", rest), Mode::Append, &COUNTS).check().unwrap_err();
        assert!(matches!(error, Error::Target(_)), "{error}");
        error.to_string()
    };
    fs::write(place.path("plain.db"), "x".repeat(5000)).unwrap();
    assert!(check("plain.db").contains("not a database"));
    fs::create_dir(place.path("folder")).unwrap();
    assert!(check("folder").contains("not a regular file"));
    assert!(check("missing/x.db").contains("make the directory first"));
    let staged = place.stage(&COUNTS, &FIRST);
    let error = refused(publish(&place.address("sqlite", "missing/x.db"), Mode::Append, &COUNTS, &staged, 0));
    assert!(error.contains("the directory must exist"), "{error}");
}

#[test]
fn a_read_only_database_is_found_by_checking() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    run(&place, "CREATE TABLE other (x)");
    fs::set_permissions(place.path("x.db"), fs::Permissions::from_mode(0o444)).unwrap();
    if fs::OpenOptions::new().append(true).open(place.path("x.db")).is_ok() {
        return; // The administrator may write anywhere.
    }
    let error = tap(&place.address("sqlite", "x.db"), Mode::Append, &COUNTS).check().unwrap_err();
    assert!(error.to_string().contains("make file and directory writable"), "{error}");
}

#[test]
fn a_database_that_another_program_writes_to_is_an_error_of_the_target() {
    let place = Place::new();
    run(&place, "CREATE TABLE other (x)");
    let blocker = Connection::open(place.path("x.db")).unwrap();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let Target::Address(address) = place.address("sqlite", "x.db") else { unreachable!() };
    let shape = SinkShape { port: &COUNTS, mode: Mode::Append };
    let mut tap = SqliteTap::open(&address.parse().unwrap(), shape).unwrap();
    tap.busy_wait = Duration::ZERO;
    let staged = place.stage(&COUNTS, &FIRST);
    let error = refused(tap.publish(&staged, Some(&ticket(&COUNTS, 0))));
    assert!(error.contains("locked") && error.contains("another program writes to it"), "{error}");
    blocker.execute_batch("ROLLBACK").unwrap();
    assert_eq!(tap.publish(&staged, Some(&ticket(&COUNTS, 0))).unwrap(), Published::Now);
}

#[test]
fn without_a_store_only_an_empty_table_is_appended_to() {
    let place = Place::new();
    let target = place.address("sqlite", "x.db");
    let staged = place.stage(&COUNTS, &FIRST);
    let publish_all = |mode| tap(&target, mode, &COUNTS).publish(&staged, None);
    publish_all(Mode::Append).unwrap();
    assert!(refused(publish_all(Mode::Append)).contains("would add them all again"));
    assert!(refused(publish_all(Mode::Merge)).contains("would add them all again"));
    assert!(tap(&target, Mode::Append, &COUNTS).check_without_store().is_err());
    publish_all(Mode::Replace).unwrap();
    publish_all(Mode::Replace).unwrap();
    assert_eq!(select(&place, "SELECT count(*) FROM counts"), [[int(3)]]);
    assert!(select(&place, "SELECT name FROM sqlite_schema WHERE name = 'flow_ledger'").is_empty());
}

#[test]
fn a_row_that_the_table_forbids_publishes_nothing() {
    let place = Place::new();
    run(&place, "CREATE TABLE counts (ip TEXT UNIQUE, count INTEGER CHECK (count < 5))");
    let staged = place.stage(&COUNTS, &SECOND);
    let error = refused(publish(&place.address("sqlite", "x.db"), Mode::Append, &COUNTS, &staged, 0));
    assert!(error.contains("CHECK constraint failed"), "{error}");
    assert!(select(&place, "SELECT * FROM counts").is_empty());
}

#[test]
fn a_commit_outlives_a_power_cut_in_any_journal_mode() {
    let place = Place::new();
    run(&place, "CREATE TABLE other (x)");
    let connection = sqlite_tap(&place, Mode::Append).look().unwrap().unwrap();
    let synchronous: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0)).unwrap();
    // EXTRA: the folder is synced too after the rollback journal is removed.
    assert_eq!(synchronous, 3);
}

#[test]
fn another_table_of_the_same_file_is_another_target() {
    let place = Place::new();
    let (counts, other) = (place.address("sqlite", "x.db"), place.address("sqlite", "x.db?table=other"));
    let (first, second) = (place.stage(&COUNTS, &FIRST), place.stage(&COUNTS, &SECOND));
    publish(&counts, Mode::Append, &COUNTS, &first, 0).unwrap();
    let text = held(publish(&other, Mode::Append, &COUNTS, &second, 1));
    assert!(text.contains("it has no iteration, the checkpoint store iteration 0"), "{text}");
    assert!(tap(&other, Mode::Append, &COUNTS).check_ledger(&ticket(&COUNTS, 1)).is_err());
    publish(&place.address("sqlite", "x.db?table=COUNTS"), Mode::Append, &COUNTS, &second, 1).unwrap();
    publish(&other, Mode::Replace, &COUNTS, &first, 2).unwrap();
    assert_eq!(
        select(&place, "SELECT count(*) FROM counts UNION ALL SELECT count(*) FROM other"),
        [[int(7)], [int(3)]]
    );
}

#[test]
fn a_table_that_was_dropped_is_missed_except_by_replace() {
    let place = Place::new();
    let target = place.address("sqlite", "x.db");
    let staged = place.stage(&COUNTS, &FIRST);
    publish(&target, Mode::Append, &COUNTS, &staged, 0).unwrap();
    run(&place, "DROP TABLE counts");
    for iteration in [0, 1] {
        let text = held(publish(&target, Mode::Merge, &COUNTS, &staged, iteration));
        assert!(text.contains("the table is gone") && text.contains("from="), "{text}");
    }
    assert!(tap(&target, Mode::Append, &COUNTS).check_ledger(&ticket(&COUNTS, 1)).is_err());
    for iteration in [0, 1] {
        run(&place, "DROP TABLE IF EXISTS counts");
        assert_eq!(publish(&target, Mode::Replace, &COUNTS, &staged, iteration).unwrap(), Published::Now);
    }
    assert_eq!(select(&place, "SELECT count(*) FROM counts"), [[int(3)]]);
}

#[test]
fn what_the_message_about_a_dropped_table_advises_helps() {
    let place = Place::new();
    let staged = place.stage(&COUNTS, &FIRST);
    publish(&place.address("sqlite", "x.db"), Mode::Append, &COUNTS, &staged, 0).unwrap();
    run(&place, "DROP TABLE counts; DELETE FROM flow_ledger WHERE flow = 'hits' AND port = 'counts'");
    publish(&place.address("sqlite", "x.db?from=1"), Mode::Append, &COUNTS, &staged, 1).unwrap();
    assert_eq!(select(&place, "SELECT count(*) FROM counts"), [[int(3)]]);
}

#[test]
fn a_table_that_a_store_keeps_is_left_alone_by_a_run_without_one() {
    let place = Place::new();
    let target = place.address("sqlite", "x.db");
    let staged = place.stage(&COUNTS, &FIRST);
    publish(&target, Mode::Merge, &COUNTS, &staged, 0).unwrap();
    let trial = || tap(&target, Mode::Replace, &COUNTS);
    let text = refused(trial().publish(&staged, None));
    assert!(text.contains("a flow with a checkpoint publishes to this table") && text.contains("flow hits"), "{text}");
    assert!(trial().check_without_store().is_err());
    let other = place.address("sqlite", "x.db?table=trial");
    tap(&other, Mode::Replace, &COUNTS).publish(&staged, None).unwrap();
}

#[test]
fn a_ledger_of_an_early_version_is_refused_with_what_mends_it() {
    let place = Place::new();
    let target = place.address("sqlite", "x.db");
    publish(&target, Mode::Append, &COUNTS, &place.stage(&COUNTS, &FIRST), 0).unwrap();
    run(
        &place,
        "CREATE TABLE old AS SELECT flow, port, epoch, iteration, hash, rows, published FROM flow_ledger;
         DROP TABLE flow_ledger; ALTER TABLE old RENAME TO flow_ledger",
    );
    let second = place.stage(&COUNTS, &SECOND);
    let error = publish(&target, Mode::Append, &COUNTS, &second, 1).unwrap_err();
    assert!(matches!(error, Error::Target(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("made by an early version of flow"), "{text}");
    run(&place, text.split_once("this table: ").unwrap().1);
    publish(&target, Mode::Append, &COUNTS, &second, 1).unwrap();
    assert_eq!(select(&place, "SELECT count(*) FROM counts"), [[int(7)]]);
}
