//! What becomes of rows that are there, mode by mode.

use flow_runtime::{
    plan::{FieldPlan, PortPlan},
    sink::{Mode, Published},
    value::{Date, Decimal, Type},
};

use super::place::{COUNTS, FIRST, Place, SECOND, added, nullable, refused, sink, tap, ticket};

const ROWS: &str = "SELECT ip, count FROM counts ORDER BY ip NULLS FIRST, count NULLS FIRST";

/// The rows of two iterations in this mode, each published twice.
fn after_two_iterations(place: &Place, mode: Mode) -> String {
    for (iteration, staged) in [place.stage(&COUNTS, &FIRST), place.stage(&COUNTS, &SECOND)].iter().enumerate() {
        let ticket = ticket(&COUNTS, iteration as u64);
        let publish = || place.tap(mode, &COUNTS).publish(staged, Some(&ticket)).unwrap();
        assert_eq!((publish(), publish()), (Published::Now, Published::Before));
    }
    let ledger =
        place.ask("SELECT flow, port, target, epoch, iteration, hash, rows FROM flow_ledger ORDER BY iteration");
    assert_eq!(ledger, "hits|counts|counts|e1|0|hash of 0|3\nhits|counts|counts|e1|1|hash of 1|4");
    assert_eq!(place.ask("SELECT count(*) FROM flow_ledger WHERE published > now() - interval '1 hour'"), "2");
    place.ask(ROWS)
}

#[test]
fn appending_adds_each_iteration_once() {
    let Some(place) = Place::new("appending") else { return };
    assert_eq!(after_two_iterations(&place, Mode::Append), "∅|∅\n∅|1\n∅|10\na|2\nb|∅\nb|5\nc|3");
}

#[test]
fn replacing_leaves_the_last_iteration() {
    let Some(place) = Place::new("replacing") else { return };
    assert_eq!(after_two_iterations(&place, Mode::Replace), "∅|∅\n∅|10\nb|5\nc|3");
}

#[test]
fn merging_adds_by_key_and_null_is_a_key_and_adds_nothing() {
    let Some(place) = Place::new("merging") else { return };
    assert_eq!(after_two_iterations(&place, Mode::Merge), "∅|11\na|2\nb|5\nc|3");
}

static DAILY: PortPlan = sink(
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
    let Some(place) = Place::new("keys") else { return };
    let day = Some(Date::from_days(0));
    let paid = |units| Some(Decimal::new(units, 2));
    // More digits than a float has.
    let large = 12_345_678_901_234_567_890_123;
    let first = [(day, Some("x"), None, paid(large)), (None, Some("y"), Some("a"), None), (None, None, None, paid(-5))];
    let second = [
        (day, None, None, paid(10)),
        (None, Some("z"), Some("a"), paid(7)),
        (None, Some("w"), None, None),
        (day, Some("new"), Some("a"), paid(1)),
        (day, Some("newer"), Some("a"), paid(2)),
    ];
    place.publish(Mode::Merge, &DAILY, &first, 0).unwrap();
    place.publish(Mode::Merge, &DAILY, &second, 1).unwrap();
    let rows = place.ask("SELECT day, last, ip, paid FROM daily ORDER BY day NULLS FIRST, ip NULLS FIRST");
    let expected = "∅|w|∅|-0.05\n∅|z|a|0.07\n1970-01-01|∅|∅|123456789012345678901.33\n1970-01-01|newer|a|0.03";
    assert_eq!(rows, expected);
}

#[test]
fn a_table_of_keys_alone_merges_to_a_set() {
    static SEEN: PortPlan = sink("seen", &[nullable("ip", Type::Text)], &[0]);
    let Some(place) = Place::new("seen") else { return };
    place.publish(Mode::Merge, &SEEN, &[(Some("a"),), (None,), (Some("a"),), (None,)], 0).unwrap();
    place.publish(Mode::Merge, &SEEN, &[(Some("b"),), (None,)], 1).unwrap();
    assert_eq!(place.ask("SELECT ip FROM seen ORDER BY ip NULLS FIRST"), "∅\na\nb");
}

#[test]
fn sums_of_every_kind_of_number_keep_their_type() {
    static SUMS: PortPlan = sink(
        "sums",
        &[
            FieldPlan { nullable: false, ..nullable("id", Type::I32) },
            added("small", Type::I16),
            added("real", Type::F32),
            added("float", Type::F64),
        ],
        &[0],
    );
    let Some(place) = Place::new("sums") else { return };
    let rows = [(1_i32, 30_000_i16, 0.5_f32, 0.25_f64), (1, 2_000, 0.5, f64::NAN), (2, 1, 1.0, 2.5)];
    place.publish(Mode::Merge, &SUMS, &rows, 0).unwrap();
    place.publish(Mode::Merge, &SUMS, &[(2_i32, -3_i16, 0.5_f32, 2.5_f64)], 1).unwrap();
    assert_eq!(place.ask("SELECT * FROM sums ORDER BY id"), "1|32000|1|NaN\n2|-2|1.5|5");
    let error = refused(place.publish(Mode::Merge, &SUMS, &[(1_i32, 1_000_i16, 0.0_f32, 0.0_f64)], 2));
    assert!(error.contains("cannot merge the rows") && error.contains("smallint out of range"), "{error}");
    assert_eq!(place.ask("SELECT small FROM sums WHERE id = 1; SELECT max(iteration) FROM flow_ledger"), "32000\n1");
}

#[test]
fn an_iteration_without_rows_is_an_iteration() {
    let Some(place) = Place::new("empty") else { return };
    let none: [(Option<&str>, Option<i64>); 0] = [];
    for mode in [Mode::Append, Mode::Replace, Mode::Merge] {
        place.run("DROP TABLE IF EXISTS counts, flow_ledger");
        place.publish(mode, &COUNTS, &FIRST, 0).unwrap();
        assert_eq!(place.publish(mode, &COUNTS, &none, 1).unwrap(), Published::Now);
        let left = if mode == Mode::Replace { "0" } else { "3" };
        assert_eq!(place.ask("SELECT count(*) FROM counts"), left, "{mode:?}");
    }
}

#[test]
fn many_rows_go_in_pieces() {
    let Some(place) = Place::new("many") else { return };
    let rows: Vec<_> = (0..20_000_i64).map(|number| (Some("x".repeat((number % 50) as usize)), Some(number))).collect();
    let rows: Vec<_> = rows.iter().map(|(ip, number)| (ip.as_deref(), *number)).collect();
    place.publish(Mode::Append, &COUNTS, &rows, 0).unwrap();
    assert_eq!(place.ask("SELECT count(*), sum(count), sum(length(ip)) FROM counts"), "20000|199990000|490000");
    place.run("TRUNCATE counts");
    place.publish(Mode::Merge, &COUNTS, &rows, 1).unwrap();
    assert_eq!(place.ask("SELECT count(*), sum(count) FROM counts"), "50|199990000");
}

#[test]
fn replacing_shows_the_old_or_the_new_and_never_nothing() {
    let Some(place) = Place::new("swap") else { return };
    place.publish(Mode::Replace, &COUNTS, &FIRST, 0).unwrap();
    place.run(
        "CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NEW; END'; \
         CREATE TRIGGER gate BEFORE INSERT ON counts FOR EACH ROW EXECUTE FUNCTION gate()",
    );
    let mut gate = place.server.session();
    gate.ask("SELECT pg_advisory_lock(7)");
    let mut reader = place.server.session();
    let count = "SELECT count(*) FROM swap.counts";
    assert_eq!(reader.ask(&format!("SET lock_timeout = '1s'; BEGIN ISOLATION LEVEL REPEATABLE READ; {count}")), "3");
    let staged = place.stage(&COUNTS, &SECOND);
    // A load that readers shut out fails soon.
    let address = place.address("counts") + "&statement_timeout=10s";
    std::thread::scope(|scope| {
        let load = scope.spawn(|| tap(&address, Mode::Replace, &COUNTS).publish(&staged, Some(&ticket(&COUNTS, 1))));
        place.server.await_waiting(1, "COPY \"swap\"");
        assert_eq!(place.ask(&format!("SET lock_timeout = '1s'; {count}")), "3", "while it is being replaced");
        gate.ask("SELECT pg_advisory_unlock(7)");
        assert_eq!(load.join().unwrap().unwrap(), Published::Now);
    });
    assert_eq!(reader.ask(count), "3", "a reader goes on with what it began to read");
    assert_eq!(reader.ask(&format!("COMMIT; {count}")), "4");
}
