//! Files that sinks have written, and their sidecars, under attack.

#![expect(clippy::unwrap_used, reason = "what fails here is no reader")]

use std::fs;

use super::{Csv, sidecar::Sidecar};
use crate::{
    Address, Error,
    flow::Record,
    fuzzing::{self, Input, encode},
    plan::FieldPlan,
    scheme::Delimited,
    value::{RowReader, Type, Value},
};

/// Any ledger of a file is held that nobody wrote as it is; what was written is read as it was.
pub(crate) fn sidecars(bytes: &[u8]) {
    let folder = fuzzing::folder();
    let path = folder.path().join("counts.csv");
    fs::write(Sidecar::place(&path), bytes).unwrap();
    let read = Sidecar::read(&path);
    assert!(matches!(read, Err(Error::Held(_)) | Ok(Some(_))), "{read:?}");

    let Ok(sidecar) = serde_json::from_slice::<Sidecar>(bytes) else { return };
    sidecar.write(&path).unwrap();
    assert_eq!(Sidecar::read(&path).unwrap().as_ref(), Some(&sidecar));
    let mut damaged = fs::read(Sidecar::place(&path)).unwrap();
    let at = bytes.len() % damaged.len();
    damaged[at] ^= 1 << (bytes[0] % 8);
    fs::write(Sidecar::place(&path), damaged).unwrap();
    assert!(Sidecar::read(&path).map_or(true, |read| read == Some(sidecar)));
}

const TYPES: [Type; 12] = [
    Type::Text,
    Type::Text,
    Type::Bytes,
    Type::Bool,
    Type::I16,
    Type::I32,
    Type::I64,
    Type::F32,
    Type::F64,
    Type::Timestamp("%Y-%m-%dT%H:%M:%S%.f"),
    Type::Date("%d, %m \"%Y\""),
    Type::Decimal(38, 2),
];
/// As an address has them, and as the scheme has them.
const DELIMITERS: [(&str, &str); 7] =
    [("", ","), ("%7C", "|"), ("\\t", "\t"), ("::", "::"), ("aab", "aab"), ("é", "é"), ("%20", " ")];
const NULLS: [&str; 5] = ["", "NULL", "\\N", "0", "\u{feff}"];

/// Any rows that are written as delimited text are read back as they were, by the rules of RFC 4180; and where no value
/// has a line end, by a flow that reads them.
pub(crate) fn written_files(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let ((escaped, delimiter), null) = (input.one_of(&DELIMITERS), input.one_of(&NULLS));
    let fields: Vec<FieldPlan> = (0..1 + input.byte() % 4).map(|_| field(input.one_of(&TYPES))).collect();
    let options = if escaped.is_empty() { String::new() } else { format!("&delimiter={escaped}") };
    let address: Address = format!("file:x?null={null}{options}").parse().unwrap();
    let Ok(mut csv) = Csv::of_address(&address) else { return };

    let mut rows = Vec::new();
    let mut text = Vec::new();
    while !input.rest().is_empty() {
        let row: Vec<Value<'_>> = fields.iter().map(|field| input.value(field.ty)).collect();
        let mut encoded = Vec::new();
        row.iter().zip(&fields).for_each(|(value, field)| encode(*value, field.ty, &mut encoded));
        csv.write_row(&fields, &mut RowReader::new(&encoded), &mut text).unwrap();
        rows.push(row);
    }
    assert!(!text.starts_with("\u{feff}".as_bytes()), "a reader would drop the mark");
    let expected: Vec<Vec<Cell>> =
        rows.iter().map(|row| row.iter().zip(&fields).map(|(value, field)| cell(*value, field.ty)).collect()).collect();
    assert_eq!(as_rfc_4180(&text, delimiter.as_bytes(), null.as_bytes()), expected, "{}", text.escape_ascii());

    let has_line_end = expected.iter().flatten().flatten().any(|cell| cell.contains(&b'\n'));
    if !has_line_end {
        let scheme = Delimited { delimiter, quote: Some(b'"'), columns: fields.len(), strict: true };
        let found: Vec<Vec<Vec<u8>>> = lines(&text).map(|line| columns(scheme, line)).collect();
        let texts = expected.into_iter().map(|row| row.into_iter().map(|cell| cell.unwrap_or(null.into())).collect());
        assert_eq!(found, texts.collect::<Vec<Vec<Vec<u8>>>>(), "{}", text.escape_ascii());
    }
}

fn field(ty: Type) -> FieldPlan {
    FieldPlan { name: "a", ty, nullable: true, column: None, add: false }
}

/// What stands in a cell; `None` is null.
type Cell = Option<Vec<u8>>;

fn cell(value: Value<'_>, ty: Type) -> Cell {
    match value {
        Value::Null => None,
        Value::Bytes(bytes) => Some(bytes.to_vec()),
        value => Some(value.display(ty).to_string().into_bytes()),
    }
}

/// As a flow finds the lines of a file.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let whole = text.split_inclusive(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\n").unwrap_or(line));
    whole.map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

fn columns(scheme: Delimited, line: &[u8]) -> Vec<Vec<u8>> {
    let mut columns = scheme.columns(&Record::new(0, line));
    let mut buffer = Vec::new();
    let cells = (0..scheme.columns).map(|_| columns.bytes(&mut buffer).unwrap().unwrap().to_vec()).collect();
    assert_eq!(columns.end(), Ok(()));
    cells
}

/// Reads cells between delimiters and line ends; a bare one that is the text of null is null.
fn as_rfc_4180(mut text: &[u8], delimiter: &[u8], null: &[u8]) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    while !text.is_empty() {
        if let Some(quoted) = text.strip_prefix(b"\"") {
            let (cell, rest) = up_to_closing_quote(quoted);
            row.push(Some(cell));
            text = rest;
        } else {
            let is_end = |at: &usize| text[*at..].starts_with(delimiter) || text[*at] == b'\n';
            let (cell, rest) = text.split_at((0..text.len()).find(is_end).unwrap());
            row.push((cell != null).then(|| cell.to_vec()));
            text = rest;
        }
        match text.strip_prefix(delimiter) {
            Some(rest) => text = rest,
            None => {
                text = text.strip_prefix(b"\n").unwrap();
                rows.push(std::mem::take(&mut row));
            }
        }
    }
    rows
}

fn up_to_closing_quote(mut text: &[u8]) -> (Vec<u8>, &[u8]) {
    let mut cell = Vec::new();
    loop {
        match text {
            [b'"', b'"', rest @ ..] => {
                cell.push(b'"');
                text = rest;
            }
            [b'"', rest @ ..] => return (cell, rest),
            [byte, rest @ ..] => {
                cell.push(*byte);
                text = rest;
            }
            [] => panic!("a quote is not closed"),
        }
    }
}
