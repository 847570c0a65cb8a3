//! `TextDelimited`, against a second reader that is written to be read.

use super::Input;
use crate::{
    flow::{Reason, Record},
    scheme::{Columns, Delimited},
};

const DELIMITERS: [&str; 7] = ["|", ",", "\t", "::", "aab", "é", " "];
const QUOTES: [Option<u8>; 3] = [None, Some(b'"'), Some(b'\'')];

/// Any record has the columns that the plain reader finds, taken as text, as bytes, or passed over.
pub(super) fn delimited(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let scheme = Delimited {
        delimiter: input.one_of(&DELIMITERS),
        quote: input.one_of(&QUOTES),
        columns: 1 + usize::from(input.byte() % 4),
        strict: input.flag(),
    };
    let record = Record::new(0, input.rest());
    let expected = plainly(scheme, record.bytes());
    let found = take(scheme, &record, |columns, cells| {
        let mut buffer = b"left from the record before".to_vec();
        cells.push(columns.bytes(&mut buffer)?.map(<[u8]>::to_vec));
        Ok(())
    });
    assert_eq!(found.as_ref().ok(), expected.as_ref());
    let skipped = take(scheme, &record, |columns, _| columns.skip_bytes());
    assert_eq!(skipped.map(drop), found.clone().map(drop));

    let texts = take(scheme, &record, |columns, cells| {
        let mut buffer = String::from("left from the record before");
        cells.push(columns.text(&mut buffer)?.map(|text| text.as_bytes().to_vec()));
        Ok(())
    });
    let is_text = |cells: &Vec<Option<Vec<u8>>>| cells.iter().flatten().all(|cell| std::str::from_utf8(cell).is_ok());
    assert_eq!(texts.as_ref().ok(), expected.as_ref().filter(|cells| is_text(cells)));
    let skipped = take(scheme, &record, |columns, _| columns.skip_text());
    assert_eq!(skipped.map(drop), texts.map(drop));
}

type Cells = Vec<Option<Vec<u8>>>;

/// Takes all columns in one of the ways in which they can be taken.
fn take(
    scheme: Delimited,
    record: &Record<'_>,
    one: impl Fn(&mut Columns<'_>, &mut Cells) -> Result<(), Reason>,
) -> Result<Cells, Reason> {
    let mut columns = scheme.columns(record);
    let mut cells = Vec::new();
    for _ in 0..scheme.columns {
        one(&mut columns, &mut cells)?;
    }
    columns.end().map(|()| cells)
}

/// The columns by the rules alone; `None` for a record that they refuse.
fn plainly(scheme: Delimited, record: &[u8]) -> Option<Cells> {
    let mut rest = Some(record);
    let mut cells = Vec::new();
    for _ in 0..scheme.columns {
        let Some(bytes) = rest else {
            if scheme.strict {
                return None;
            }
            cells.push(None);
            continue;
        };
        let (cell, behind) = match bytes.first() {
            Some(first) if Some(*first) == scheme.quote => quoted(&bytes[1..], *first)?,
            _ => {
                let delimiter = scheme.delimiter.as_bytes();
                let end = (0..bytes.len()).find(|at| bytes[*at..].starts_with(delimiter)).unwrap_or(bytes.len());
                (bytes[..end].to_vec(), &bytes[end..])
            }
        };
        cells.push(Some(cell));
        rest = match behind {
            [] => None,
            behind => Some(behind.strip_prefix(scheme.delimiter.as_bytes())?),
        };
    }
    if rest.is_some() && scheme.strict { None } else { Some(cells) }
}

/// A quoted column, and what comes behind its closing quote; `None` if it is not closed.
fn quoted(mut bytes: &[u8], quote: u8) -> Option<(Vec<u8>, &[u8])> {
    let mut cell = Vec::new();
    loop {
        match bytes {
            [first, second, rest @ ..] if *first == quote && *second == quote => {
                cell.push(quote);
                bytes = rest;
            }
            [first, rest @ ..] if *first == quote => return Some((cell, rest)),
            [first, rest @ ..] => {
                cell.push(*first);
                bytes = rest;
            }
            [] => return None,
        }
    }
}
