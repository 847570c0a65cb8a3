use proptest::prelude::*;

use super::*;
use crate::{
    sink::fixtures::nullable,
    value::{Date, Decimal, Encode, Timestamp, Type},
};

const TWO: &[FieldPlan] = &[nullable("a", Type::Text), nullable("b", Type::Bytes)];

fn csv(options: &str) -> Csv {
    Csv::of_address(&format!("file:x{options}").parse().unwrap()).unwrap()
}

fn refused(options: &str) -> String {
    Csv::of_address(&format!("file:x{options}").parse().unwrap()).unwrap_err().to_string()
}

fn line(csv: &mut Csv, fields: &[FieldPlan], row: &[u8]) -> Vec<u8> {
    let mut line = Vec::new();
    csv.write_row(fields, &mut RowReader::new(row), &mut line).unwrap();
    line
}

fn two(csv: &mut Csv, a: Option<&str>, b: Option<&[u8]>) -> Vec<u8> {
    let mut row = Vec::new();
    a.encode(&mut row);
    b.encode(&mut row);
    line(csv, TWO, &row)
}

#[test]
fn cells_are_quoted_only_where_a_reader_would_be_misled() {
    let mut csv = csv("");
    assert_eq!(two(&mut csv, Some("plain text"), Some(b"\xff\x00")), b"plain text,\xff\x00\n");
    assert_eq!(two(&mut csv, Some("a,b"), Some(b"say \"hi\"")), b"\"a,b\",\"say \"\"hi\"\"\"\n");
    assert_eq!(two(&mut csv, Some("two\nlines"), Some(b"\r")), b"\"two\nlines\",\"\r\"\n");
}

#[test]
fn a_byte_order_mark_in_a_cell_is_quoted_lest_a_reader_drop_it_as_that_of_the_file() {
    assert_eq!(two(&mut csv(""), Some("\u{feff}a"), Some(b"b\xef\xbb\xbf")), "\"\u{feff}a\",b\u{feff}\n".as_bytes());
    assert!(refused("?null=\u{feff}").contains("cannot stand for null"));
}

#[test]
fn null_and_empty_text_differ() {
    assert_eq!(two(&mut csv(""), None, Some(b"")), b",\"\"\n");
    let mut csv = csv("?null=NULL");
    assert_eq!(two(&mut csv, None, Some(b"")), b"NULL,\n");
    assert_eq!(two(&mut csv, Some("NULL"), Some(b"NULLS")), b"\"NULL\",NULLS\n");
}

#[test]
fn a_delimiter_may_be_long() {
    assert_eq!(two(&mut csv("?delimiter=%7C%7C"), Some("a b"), Some(b"c||d")), b"a b||\"c||d\"\n");
    assert_eq!(two(&mut csv("?delimiter=%09"), Some("a,b"), None), b"a,b\t\n");
}

#[test]
fn a_cell_that_ends_as_a_long_delimiter_begins_is_quoted() {
    assert_eq!(two(&mut csv("?delimiter=::"), Some("x:"), Some(b"y")), b"\"x:\"::y\n");
    assert!(refused("?delimiter=::&null=:").contains("cannot stand for null"));
}

#[test]
fn values_of_every_type_are_text() {
    let fields = [
        nullable("a", Type::Bool),
        nullable("b", Type::I16),
        nullable("c", Type::F32),
        nullable("d", Type::Timestamp("%d/%b/%Y:%H:%M:%S")),
        nullable("e", Type::Date("%d.%m.%Y")),
        nullable("f", Type::Decimal(10, 2)),
    ];
    let mut row = Vec::new();
    true.encode(&mut row);
    (-7_i16).encode(&mut row);
    0.1_f32.encode(&mut row);
    Timestamp::from_microseconds(0).encode(&mut row);
    Date::from_days(1).encode(&mut row);
    Decimal::new(-150, 2).encode(&mut row);
    let text = String::from_utf8(line(&mut csv(""), &fields, &row)).unwrap();
    assert_eq!(text, "true,-7,0.1,01/Jan/1970:00:00:00,02.01.1970,-1.50\n");
}

#[test]
fn a_number_that_looks_like_null_is_quoted() {
    let mut row = Vec::new();
    0_i64.encode(&mut row);
    assert_eq!(line(&mut csv("?null=0"), &[nullable("n", Type::I64)], &row), b"\"0\"\n");
}

#[test]
fn a_header_has_the_names_of_the_fields() {
    let mut text = Vec::new();
    csv("").write_header(TWO, &mut text).unwrap();
    assert!(text.is_empty());
    csv("?header=true").write_header(TWO, &mut text).unwrap();
    assert_eq!(text, b"a,b\n");
}

#[test]
fn options_that_cannot_work_are_refused() {
    assert!(refused("?delimiter=").contains("cannot be a delimiter"));
    assert!(refused("?delimiter=%0A").contains("cannot be a delimiter"));
    assert!(refused("?null=a,b").contains("cannot stand for null"));
    assert!(refused("?header=yes").contains("say header=true or header=false"));
}

/// Reads one line back as RFC 4180 has it; `None` for null.
fn parse(mut line: &[u8]) -> Vec<Option<Vec<u8>>> {
    let mut cells = Vec::new();
    loop {
        let mut cell = Vec::new();
        let is_quoted = line.first() == Some(&b'"');
        if is_quoted {
            line = &line[1..];
            while !(line[0] == b'"' && line[1] != b'"') {
                let width = if line[0] == b'"' { 2 } else { 1 };
                cell.push(line[0]);
                line = &line[width..];
            }
            line = &line[1..];
        } else {
            let end = line.iter().position(|&byte| byte == b',' || byte == b'\n').unwrap();
            cell.extend_from_slice(&line[..end]);
            line = &line[end..];
        }
        cells.push(if cell.is_empty() && !is_quoted { None } else { Some(cell) });
        match line[0] {
            b',' => line = &line[1..],
            _ => return cells,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        a in prop::option::of("[a,\"\n\r x]{0,6}"),
        b in prop::option::of(prop::collection::vec(any::<u8>(), 0..6)),
    ) {
        let written = two(&mut csv(""), a.as_deref(), b.as_deref());
        prop_assert_eq!(parse(&written), vec![a.map(String::into_bytes), b]);
    }
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(
        a in proptest::option::of(".*"),
        b in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..9)),
        options in proptest::sample::select(vec!["", "?delimiter=||", "?null=NULL", "?delimiter=%09&null=-"]),
    ) {
        let mut csv = csv(options);
        let line = two(&mut csv, a.as_deref(), b.as_deref());
        let line = line.strip_suffix(b"\n").unwrap();
        prop_assert_eq!(csv.cells(line), vec![a.map(String::into_bytes), b]);
    }
}
