//! Columns come out as they went in, and malformed records say what is wrong.

use proptest::prelude::*;

use super::Delimited;
use crate::flow::{Reason, Record};

const BARE: Delimited = Delimited { delimiter: "|", quote: None, columns: 3, strict: true };
const QUOTED: Delimited = Delimited { quote: Some(b'"'), ..BARE };
const LOOSE: Delimited = Delimited { strict: false, ..QUOTED };
const WIDE: Delimited = Delimited { delimiter: "::", ..QUOTED };

/// All columns of a record, as text.
fn split(scheme: Delimited, record: &[u8]) -> Result<Vec<Option<String>>, Reason> {
    let mut columns = scheme.columns(&Record::new(0, record));
    let mut unquoted = String::from("left from the record before");
    let taken = (0..scheme.columns)
        .map(|_| columns.text(&mut unquoted).map(|text| text.map(str::to_owned)))
        .collect::<Result<_, _>>()?;
    columns.end()?;
    Ok(taken)
}

fn texts(scheme: Delimited, record: &str) -> Vec<String> {
    split(scheme, record.as_bytes()).unwrap().into_iter().map(Option::unwrap).collect()
}

fn reason(scheme: Delimited, record: &[u8]) -> String {
    let mut columns = scheme.columns(&Record::new(0, record));
    let taken = (0..scheme.columns).try_for_each(|_| columns.skip_text());
    taken.and_then(|()| columns.end()).unwrap_err().to_string()
}

#[test]
fn columns_lie_between_delimiters_even_empty_ones() {
    assert_eq!(texts(BARE, "a|b|c"), ["a", "b", "c"]);
    assert_eq!(texts(BARE, "||"), ["", "", ""]);
    assert_eq!(texts(BARE, "\"a\"|ü|"), ["\"a\"", "ü", ""]);
    assert_eq!(texts(WIDE, "a::b:c::\"::\""), ["a", "b:c", "::"]);
}

#[test]
fn quotes_keep_delimiters_and_are_stripped_and_doubled_ones_become_one() {
    assert_eq!(texts(QUOTED, "\"a|b\"|\"say \"\"hi\"\"\"|\"\""), ["a|b", "say \"hi\"", ""]);
    assert_eq!(texts(QUOTED, r#"a"b|"""|"|c"#), [r#"a"b"#, r#""|"#, "c"]);
}

#[test]
fn a_wrong_number_of_columns_is_counted() {
    assert_eq!(reason(BARE, b"a|b"), "expected 3 columns, found 2");
    assert_eq!(reason(BARE, b""), "expected 3 columns, found 1");
    assert_eq!(reason(BARE, b"a|b|c|d|"), "expected 3 columns, found 5");
    assert_eq!(reason(Delimited { columns: 1, ..BARE }, b"a|b"), "expected 1 column, found 2");
}

#[test]
fn where_the_scheme_is_not_strict_missing_columns_are_null_and_further_ones_ignored() {
    let row = split(LOOSE, b"a").unwrap();
    assert_eq!(row, [Some("a".to_owned()), None, None]);
    assert_eq!(texts(LOOSE, "a|b|c|\"d"), ["a", "b", "c"]);
}

#[test]
fn misplaced_quotes_are_refused_with_their_place() {
    assert_eq!(reason(QUOTED, b"a|\"b|c"), "the quote at byte 2 of the record is not closed");
    assert_eq!(reason(QUOTED, b"a|\"b\"\"|c"), "the quote at byte 2 of the record is not closed");
    assert_eq!(reason(QUOTED, b"a|\"b\"x|c"), "text after the closing quote at byte 4 of the record");
    assert_eq!(reason(LOOSE, b"\"a"), "the quote at byte 0 of the record is not closed");
}

#[test]
fn utf8_is_asked_of_text_columns_only() {
    let record = Record::new(0, b"a|\xff|c");
    assert_eq!(reason(BARE, record.bytes()), "not UTF-8 at byte 2 of the record");

    let mut columns = BARE.columns(&record);
    let (mut text, mut bytes) = (String::new(), Vec::new());
    assert_eq!(columns.text(&mut text), Ok(Some("a")));
    assert_eq!(columns.bytes(&mut bytes), Ok(Some(b"\xff".as_slice())));
    assert_eq!(columns.text(&mut text), Ok(Some("c")));
    assert_eq!(columns.end(), Ok(()));

    let mut columns = BARE.columns(&record);
    assert!(columns.skip_bytes().is_ok() && columns.skip_bytes().is_ok() && columns.skip_text().is_ok());
}

#[test]
fn columns_are_borrowed_from_the_record_unless_quotes_are_doubled() {
    let line = br#""a"|b|"c""d""#;
    let mut columns = QUOTED.columns(&Record::new(0, line));
    let mut buffers = [String::new(), String::new(), String::new()];
    let addresses = line.as_ptr_range();
    let is_borrowed: Vec<bool> =
        buffers.iter_mut().map(|buffer| addresses.contains(&columns.text(buffer).unwrap().unwrap().as_ptr())).collect();
    assert_eq!(is_borrowed, [true, true, false]);
}

#[test]
fn an_empty_delimiter_makes_one_column_of_the_record() {
    assert_eq!(texts(Delimited { delimiter: "", columns: 1, ..BARE }, "a|b"), ["a|b"]);
}

/// Writes a column in quotes, or bare where that reads back as the same.
fn written(column: &str, in_quotes: bool) -> String {
    let must = column.contains('|') || column.starts_with('"');
    if in_quotes || must { format!("\"{}\"", column.replace('"', "\"\"")) } else { column.to_owned() }
}

proptest! {
    #[test]
    fn what_is_written_is_read(columns in prop::collection::vec((r#"[a-zü|":]{0,6}"#, any::<bool>()), 3)) {
        let line: Vec<String> = columns.iter().map(|(column, in_quotes)| written(column, *in_quotes)).collect();
        let read = texts(QUOTED, &line.join("|"));
        let expected: Vec<String> = columns.into_iter().map(|(column, _)| column).collect();
        prop_assert_eq!(read, expected);
    }

    #[test]
    fn without_quotes_the_columns_are_those_of_split(line in "[a-c:|\"]{0,20}", wide: bool) {
        let delimiter = if wide { "::" } else { "|" };
        let expected: Vec<&str> = line.split(delimiter).collect();
        let scheme = Delimited { delimiter, quote: None, columns: expected.len(), strict: true };
        prop_assert_eq!(texts(scheme, &line), expected);
    }

    #[test]
    fn passing_over_columns_fails_as_taking_them_does(line in prop::collection::vec(
        prop_oneof![Just(b'|'), Just(b'"'), Just(b'a'), Just(0xff)], 0..16,
    )) {
        for scheme in [BARE, QUOTED, LOOSE, WIDE] {
            let record = Record::new(0, &line);
            let (mut taking, mut skipping) = (scheme.columns(&record), scheme.columns(&record));
            let (mut taking_bytes, mut skipping_bytes) = (scheme.columns(&record), scheme.columns(&record));
            for _ in 0..3 {
                let taken = taking.text(&mut String::new()).map(drop);
                prop_assert_eq!(&taken, &skipping.skip_text());
                let taken_bytes = taking_bytes.bytes(&mut Vec::new()).map(drop);
                prop_assert_eq!(&taken_bytes, &skipping_bytes.skip_bytes());
                if taken.is_err() || taken_bytes.is_err() {
                    return Ok(());
                }
            }
            prop_assert_eq!(taking.end(), skipping.end());
        }
    }
}
