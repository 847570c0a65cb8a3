//! Rows as delimited text: quoted where they must be, null told from empty text.
//!
//! Of one field that is null, the row is an empty line. Many readers skip those; `?null=…` keeps them.

use std::{
    fmt,
    io::{self, BufRead, Write},
};

use crate::{
    Address, Error, Failure,
    plan::FieldPlan,
    value::{RowReader, Value},
};

/// What many readers drop at the beginning of a file.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// How rows become text.
#[derive(Clone, Debug)]
pub(in crate::sink) struct Csv {
    delimiter: String,
    /// What null is written as; text that looks like it is quoted.
    null: String,
    /// Whether a new file begins with the fields' names.
    has_header: bool,
    /// Bytes in a cell that make a reader see several cells or several lines.
    special: ByteSet,
    /// The text of a number, a date and the like.
    scratch: Vec<u8>,
}

impl Csv {
    /// The options `delimiter`, `null` and `header` of an address.
    pub(in crate::sink) fn of_address(address: &Address) -> Result<Self, Error> {
        let refuse = |what: &str, help: &str| Err(Error::Config(Failure::new(what).at(address.to_string()).help(help)));
        let has_line_end_or_quote = |text: &str| text.contains(['"', '\n', '\r']);
        let delimiter = address.option("delimiter").unwrap_or(",");
        if delimiter.is_empty() || has_line_end_or_quote(delimiter) || delimiter.starts_with(BYTE_ORDER_MARK) {
            return refuse("this cannot be a delimiter", "take one without quotes and line ends, as in ?delimiter=%09");
        }
        let null = address.option("null").unwrap_or("");
        let has_beginning_of_delimiter = delimiter.chars().next().is_some_and(|first| null.contains(first));
        if has_beginning_of_delimiter || has_line_end_or_quote(null) || null.starts_with(BYTE_ORDER_MARK) {
            return refuse("this cannot stand for null", "take a text without quotes, delimiters and line ends");
        }
        let has_header = match address.option("header") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return refuse("a header is there or not", "say header=true or header=false"),
        };
        // The end of a cell and the delimiter behind it may look like a delimiter that begins earlier.
        let special = ByteSet::of(delimiter.bytes().take(1).chain(*b"\"\n\r"));
        let (delimiter, null) = (delimiter.to_owned(), null.to_owned());
        Ok(Self { delimiter, null, has_header, special, scratch: Vec::new() })
    }

    /// Whether a new file begins with the fields' names.
    pub(in crate::sink) fn has_header(&self) -> bool {
        self.has_header
    }

    /// The cells of a row as it was written, its line end taken off; what is in quotes is never null.
    pub(in crate::sink) fn cells(&self, mut row: &[u8]) -> Vec<Option<Vec<u8>>> {
        let mut cells = Vec::new();
        loop {
            let (cell, rest) = match row.strip_prefix(b"\"") {
                Some(quoted) => unquoted(quoted),
                None => {
                    let end = memchr::memmem::find(row, self.delimiter.as_bytes()).unwrap_or(row.len());
                    let (cell, rest) = row.split_at(end);
                    (Some(cell.to_vec()).filter(|cell| cell != self.null.as_bytes()), rest)
                }
            };
            cells.push(cell);
            match rest.strip_prefix(self.delimiter.as_bytes()) {
                Some(next) => row = next,
                None => return cells,
            }
        }
    }

    /// Writes what a new file begins with.
    pub(in crate::sink) fn write_header(&self, fields: &[FieldPlan], out: &mut impl Write) -> io::Result<()> {
        if !self.has_header {
            return Ok(());
        }
        for (index, field) in fields.iter().enumerate() {
            self.write_delimiter(index, out)?;
            self.write_cell(field.name.as_bytes(), out)?;
        }
        out.write_all(b"\n")
    }

    /// Writes a row as one line.
    pub(in crate::sink) fn write_row(
        &mut self,
        fields: &[FieldPlan],
        row: &mut RowReader<'_>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        for (index, field) in fields.iter().enumerate() {
            self.write_delimiter(index, out)?;
            match row.unchecked(field.ty) {
                Value::Null => out.write_all(self.null.as_bytes())?,
                Value::Bytes(bytes) => self.write_cell(bytes, out)?,
                Value::Int(number) => self.write_cell(itoa::Buffer::new().format(number).as_bytes(), out)?,
                value => {
                    self.scratch.clear();
                    write!(self.scratch, "{}", value.display(field.ty))?;
                    self.write_cell(&self.scratch, out)?;
                }
            }
        }
        out.write_all(b"\n")
    }

    fn write_delimiter(&self, index: usize, out: &mut impl Write) -> io::Result<()> {
        if index == 0 { Ok(()) } else { out.write_all(self.delimiter.as_bytes()) }
    }

    fn write_cell(&self, cell: &[u8], out: &mut impl Write) -> io::Result<()> {
        if !self.needs_quotes(cell) {
            return out.write_all(cell);
        }
        out.write_all(b"\"")?;
        let mut rest = cell;
        while let Some(quote) = memchr::memchr(b'"', rest) {
            let (before, after) = rest.split_at(quote + 1);
            out.write_all(before)?;
            out.write_all(b"\"")?;
            rest = after;
        }
        out.write_all(rest)?;
        out.write_all(b"\"")
    }

    /// Whether a reader would take the cell for null, for several cells, or for several lines.
    fn needs_quotes(&self, cell: &[u8]) -> bool {
        if cell.is_empty() {
            // To compare through a pointer that dangles, as that of an empty text does, takes some processors 40 to 80 ns.
            return self.null.is_empty();
        }
        cell == self.null.as_bytes()
            || cell.starts_with(BYTE_ORDER_MARK.as_bytes())
            || cell.iter().any(|&byte| self.special.has(byte))
    }
}

/// Bytes to look for: cells are so short that looking at each of their bytes once is the fastest.
#[derive(Clone)]
struct ByteSet(Box<[bool; 256]>);

impl ByteSet {
    fn of(bytes: impl IntoIterator<Item = u8>) -> Self {
        let mut set = Box::new([false; 256]);
        bytes.into_iter().for_each(|byte| set[usize::from(byte)] = true);
        Self(set)
    }

    fn has(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }
}

impl fmt::Debug for ByteSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries((0..=u8::MAX).filter(|byte| self.has(*byte)).map(char::from)).finish()
    }
}

/// Reads a row as it was written, with its line end; nothing at the end. A line end in quotes is none.
pub(in crate::sink) fn read_row(from: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut row = Vec::new();
    while row.is_empty() || is_in_quotes(&row) {
        if from.read_until(b'\n', &mut row)? == 0 {
            break;
        }
    }
    Ok(row)
}

/// Whether a quote that was opened is open still: quotes in a cell are doubled, so their number tells.
fn is_in_quotes(row: &[u8]) -> bool {
    memchr::memchr_iter(b'"', row).count() % 2 == 1
}

/// A cell behind its opening quote, and what is behind its closing one.
fn unquoted(mut rest: &[u8]) -> (Option<Vec<u8>>, &[u8]) {
    let mut cell = Vec::new();
    loop {
        let end = memchr::memchr(b'"', rest).unwrap_or(rest.len());
        cell.extend_from_slice(&rest[..end]);
        rest = rest.get(end + 1..).unwrap_or_default();
        match rest.strip_prefix(b"\"") {
            Some(after) => {
                cell.push(b'"');
                rest = after;
            }
            None => return (Some(cell), rest),
        }
    }
}

#[cfg(test)]
#[path = "csv_tests.rs"]
mod tests;
