use proptest::{collection::vec, prelude::*};

use super::*;

fn lineage(records: &[usize]) -> Lineage {
    let mut lineage = Lineage::default();
    records.iter().for_each(|record| lineage.note(*record));
    lineage
}

fn line(rows: u64, of: Option<(&str, &Lineage)>) -> String {
    let piece = of.map(|(from, lineage)| PieceOrigin {
        port: "log".into(),
        shard: "shard-0".into(),
        from: from.to_owned().into(),
        to: "99".into(),
        lineage: Some(Cow::Borrowed(lineage)).filter(|lineage| lineage.rows() == rows),
    });
    serde_json::to_string(&Origin { rows, piece }).unwrap() + "\n"
}

/// The beginning of the piece that a row was made of, and the record's index in it.
fn told(lines: &str, row: u64) -> Option<(String, Option<u64>)> {
    match made_of(lines.as_bytes(), row) {
        MadeOf::Record { piece, index } => Some((piece.from.to_string(), index)),
        MadeOf::Records => None,
    }
}

proptest! {
    #[test]
    fn each_row_has_the_record_that_was_noted(records in vec(0..50_usize, 0..100)) {
        let noted = lineage(&records);
        prop_assert_eq!(noted.rows(), records.len() as u64);
        let text = serde_json::to_string(&noted).unwrap();
        let read: Lineage = serde_json::from_str(&text).unwrap();
        for (row, record) in records.iter().enumerate() {
            prop_assert_eq!(read.record(row as u64), Some(*record as u64));
        }
        prop_assert_eq!(read.record(records.len() as u64), None);
    }
}

#[test]
fn records_one_after_the_other_are_one_run() {
    let mut noted = lineage(&(3..100_000).collect::<Vec<_>>());
    assert_eq!(serde_json::to_string(&noted).unwrap(), "[[3,99997]]");
    noted.clear();
    noted.note(0);
    assert_eq!(noted, lineage(&[0]));
}

#[test]
fn what_would_be_long_is_known_not_to_be_whole() {
    let mut noted = lineage(&vec![7; RUNS_MAX]);
    assert_eq!(noted.rows(), RUNS_MAX as u64);
    // As if it went on.
    [7, 8, 9].into_iter().for_each(|record| noted.note(record));
    assert!(noted.rows() < RUNS_MAX as u64 + 3);
    noted.clear();
    noted.note(7);
    assert_eq!((noted.rows(), noted.record(0)), (1, Some(7)));
}

#[test]
fn a_row_is_found_in_its_piece() {
    let (first, second) = (lineage(&[0, 2, 3]), lineage(&[7, 7]));
    let lines = line(3, Some(("0", &first))) + &line(2, Some(("40", &second))) + &line(4, None);
    let of = |from: &str, index| Some((from.to_owned(), Some(index)));
    let found: Vec<_> = (1..=5).map(|row| told(&lines, row)).collect();
    assert_eq!(found, [of("0", 0), of("0", 2), of("0", 3), of("40", 7), of("40", 7)]);
    assert_eq!((told(&lines, 6), told(&lines, 10)), (None, None));
}

#[test]
fn what_was_not_noted_or_is_damaged_is_not_made_up() {
    let none = Lineage::default();
    let lines = line(3, Some(("0", &none)));
    assert_eq!(told(&lines, 2), Some(("0".to_owned(), None)));
    assert_eq!(told(&lines[..lines.len() / 2], 2), None);
    assert_eq!(told("", 1), None);
    assert_eq!(told(&lines, 0), Some(("0".to_owned(), None)));
}
