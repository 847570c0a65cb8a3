use super::*;
use crate::{
    plan::PortPlan,
    sink::{
        Target,
        fixtures::{BAD_LINES, COUNTS, Place, added, nullable, publish, sink, tap, ticket},
    },
    trap::FailedRecord,
    value::{RowBuffer, Type},
};

#[derive(Debug, PartialEq)]
struct Count {
    ip: Option<String>,
    count: Option<i64>,
}

impl FromRow for Count {
    fn from_row(row: &mut RowReader<'_>) -> Self {
        Self { ip: Option::<&str>::decode(row).map(str::to_owned), count: Decode::decode(row) }
    }
}

/// The rows of two iterations in this mode, the second published twice.
fn after_two_iterations(mode: Mode) -> Vec<Vec<Option<String>>> {
    let (place, rows) = (Place::new(), MemoryRows::default());
    let target = Target::Memory(rows.clone());
    let first = place.stage(&COUNTS, &[(None, Some(1_i64)), (Some("a"), Some(2)), (Some("b"), None)]);
    let second =
        place.stage(&COUNTS, &[(Some("b"), Some(5_i64)), (None, Some(10)), (Some("c"), Some(3)), (None, None)]);
    assert_eq!(publish(&target, mode, &COUNTS, &first, 0).unwrap(), Published::Now);
    assert_eq!(publish(&target, mode, &COUNTS, &second, 1).unwrap(), Published::Now);
    assert_eq!(publish(&target, mode, &COUNTS, &second, 1).unwrap(), Published::Before);
    rows.values()
}

fn texts(rows: &[[Option<&str>; 2]]) -> Vec<Vec<Option<String>>> {
    rows.iter().map(|row| row.iter().map(|value| value.map(str::to_owned)).collect()).collect()
}

#[test]
fn appending_adds_rows_behind_those_that_are_there() {
    assert_eq!(
        after_two_iterations(Mode::Append),
        texts(&[
            [None, Some("1")],
            [Some("a"), Some("2")],
            [Some("b"), None],
            [Some("b"), Some("5")],
            [None, Some("10")],
            [Some("c"), Some("3")],
            [None, None],
        ])
    );
}

#[test]
fn replacing_leaves_the_last_iteration() {
    assert_eq!(
        after_two_iterations(Mode::Replace),
        texts(&[[Some("b"), Some("5")], [None, Some("10")], [Some("c"), Some("3")], [None, None]])
    );
}

#[test]
fn merging_adds_by_key_and_null_is_a_key_and_adds_nothing() {
    assert_eq!(
        after_two_iterations(Mode::Merge),
        texts(&[[None, Some("11")], [Some("a"), Some("2")], [Some("b"), Some("5")], [Some("c"), Some("3")]])
    );
}

#[test]
fn rows_come_back_as_structs() {
    let (place, rows) = (Place::new(), MemoryRows::default());
    let staged = place.stage(&COUNTS, &[(Some("a"), Some(2_i64)), (None, None)]);
    publish(&Target::Memory(rows.clone()), Mode::Append, &COUNTS, &staged, 0).unwrap();
    let expected = [Count { ip: Some("a".into()), count: Some(2) }, Count { ip: None, count: None }];
    assert_eq!(rows.rows::<Count>(), expected);
    assert_eq!((rows.len(), rows.is_empty()), (2, false));
}

#[test]
fn trapped_records_come_back_with_every_byte() {
    let (place, rows) = (Place::new(), MemoryRows::default());
    let mut buffer = RowBuffer::default();
    let (record, source, shard, position) = (Some(&b"\xff\n"[..]), Some("log"), Some("a.log"), Some("7"));
    FailedRecord { record, source, shard, position, operator: "Each", reason: "no match" }.encode(&mut buffer);
    let row = FailedRecord { record: None, source: None, shard: None, position: None, operator: "Sum", reason: "r" };
    row.encode(&mut buffer);
    let staged = place.stage_buffer(&BAD_LINES, &buffer);
    publish(&Target::Memory(rows.clone()), Mode::Append, &BAD_LINES, &staged, 0).unwrap();
    let trapped = rows.trapped();
    assert_eq!((trapped[0].record.as_slice(), trapped[0].shard.as_deref()), (&b"\xff\n"[..], Some("a.log")));
    assert_eq!((trapped[0].operator.as_str(), trapped[0].reason.as_str()), ("Each", "no match"));
    assert_eq!((trapped[1].record.as_slice(), &trapped[1].position), (&b""[..], &None));
}

#[test]
fn a_sum_that_overflows_changes_nothing() {
    static SMALL: PortPlan = sink("small", &[nullable("ip", Type::Text), added("count", Type::I16)], &[0]);
    let (place, rows) = (Place::new(), MemoryRows::default());
    let target = Target::Memory(rows.clone());
    publish(&target, Mode::Merge, &SMALL, &place.stage(&SMALL, &[("a", i16::MAX), ("b", 1)]), 0).unwrap();
    let staged = place.stage(&SMALL, &[("b", 1_i16), ("a", 1)]);
    let error = publish(&target, Mode::Merge, &SMALL, &staged, 1).unwrap_err();
    assert!(error.to_string().contains("`count`: the sum is too large for an i16"), "{error}");
    assert_eq!(rows.values()[1], [Some("b".to_owned()), Some("1".to_owned())]);
}

#[test]
fn other_rows_for_a_published_iteration_are_held() {
    let (place, rows) = (Place::new(), MemoryRows::default());
    let target = Target::Memory(rows.clone());
    let staged = place.stage(&COUNTS, &[(Some("a"), Some(1_i64))]);
    publish(&target, Mode::Append, &COUNTS, &staged, 0).unwrap();
    let other = Ticket { hash: "another".into(), ..ticket(&COUNTS, 0) };
    let error = tap(&target, Mode::Append, &COUNTS).publish(&staged, Some(&other)).unwrap_err();
    assert!(matches!(error, Error::Held(_)), "{error}");
    assert_eq!(rows.len(), 1);
}

#[test]
fn new_memory_lacks_nothing_whatever_the_store_remembers() {
    let place = Place::new();
    let staged = place.stage(&COUNTS, &[(Some("a"), Some(1_i64))]);
    for mode in [Mode::Append, Mode::Replace, Mode::Merge] {
        let rows = MemoryRows::default();
        let target = Target::Memory(rows.clone());
        tap(&target, mode, &COUNTS).check_ledger(&ticket(&COUNTS, 7)).unwrap();
        assert_eq!(publish(&target, mode, &COUNTS, &staged, 7).unwrap(), Published::Now);
        assert_eq!(publish(&target, mode, &COUNTS, &staged, 7).unwrap(), Published::Before);
        assert_eq!(rows.len(), 1);
    }
}
