//! Files as records of fields, as COPY reads them.

use std::io::{self, Read};

use super::{load_error::Reason, options::Format};

const CHUNK_BYTES: usize = 1 << 18;

/// Reads the records of a file.
pub(super) struct Records<R> {
    from: R,
    buffer: Vec<u8>,
    /// Where what has not been looked at begins.
    start: usize,
    is_at_end: bool,
    /// The line that the next record begins at, from 1.
    line: u64,
}

/// A record, split.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// The fields one after the other, without quotes and escapes.
    bytes: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    /// The record as it stands in the file, without its line end.
    pub(super) raw: Vec<u8>,
    pub(super) line: u64,
}

impl Fields {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }
}

impl<R: Read> Records<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, buffer: Vec::new(), start: 0, is_at_end: false, line: 1 }
    }

    /// Reads the next record; says whether there is one, or what is wrong with it.
    pub(super) fn next(&mut self, format: &Format, fields: &mut Fields) -> io::Result<Result<bool, Reason>> {
        let end = loop {
            let rest = &self.buffer[self.start..];
            match record_end(rest, format) {
                Some(end) => break end,
                None if self.is_at_end && rest.is_empty() => return Ok(Ok(false)),
                None if self.is_at_end => break rest.len(),
                None => self.fill()?,
            }
        };
        let record = &self.buffer[self.start..self.start + end];
        fields.line = self.line;
        fields.raw.clear();
        fields.raw.extend_from_slice(record.strip_suffix(b"\r").unwrap_or(record));
        self.line += 1 + record.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.start = (self.start + end + 1).min(self.buffer.len());
        Ok(split(format, fields).map(|()| true))
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.start);
        self.start = 0;
        let had = self.buffer.len();
        self.buffer.resize(had + CHUNK_BYTES, 0);
        let bytes = self.from.read(&mut self.buffer[had..])?;
        self.buffer.truncate(had + bytes);
        self.is_at_end = bytes == 0;
        Ok(())
    }
}

/// Where the first record ends: at a line's end that is neither quoted nor escaped.
fn record_end(bytes: &[u8], format: &Format) -> Option<usize> {
    let mut is_quoted = false;
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match *byte {
            b'\n' if !is_quoted => return Some(at),
            b'\\' if format.has_escapes => at += 1,
            byte if Some(byte) == format.quote => is_quoted = !is_quoted,
            _ => {}
        }
        at += 1;
    }
    None
}

/// Splits the raw record.
fn split(format: &Format, fields: &mut Fields) -> Result<(), Reason> {
    let Fields { bytes, ends, raw, .. } = fields;
    bytes.clear();
    ends.clear();
    let mut rest = raw.as_slice();
    loop {
        let taken = match format.quote {
            Some(quote) if rest.first() == Some(&quote) => quoted(rest, quote, bytes)?,
            Some(quote) => {
                let end =
                    rest.iter().position(|byte| *byte == format.delimiter || *byte == quote).unwrap_or(rest.len());
                bytes.extend_from_slice(&rest[..end]);
                end
            }
            None => plain(rest, format, bytes),
        };
        ends.push(bytes.len());
        match rest.get(taken) {
            None => return Ok(()),
            Some(byte) if *byte == format.delimiter => rest = &rest[taken + 1..],
            Some(_) => return Err(Reason::new(1216, "Invalid quote formatting for CSV")),
        }
    }
}

/// A field in quotes; says how many bytes it takes, with them.
fn quoted(rest: &[u8], quote: u8, bytes: &mut Vec<u8>) -> Result<usize, Reason> {
    let mut at = 1;
    loop {
        let Some(length) = rest.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == quote)) else {
            return Err(Reason::new(1216, "Invalid quote formatting for CSV"));
        };
        bytes.extend_from_slice(&rest[at..at + length]);
        at += length + 1;
        if rest.get(at) != Some(&quote) {
            return Ok(at);
        }
        bytes.push(quote);
        at += 1;
    }
}

/// A field up to the delimiter; says how many bytes it takes.
fn plain(rest: &[u8], format: &Format, bytes: &mut Vec<u8>) -> usize {
    let mut at = 0;
    while let Some(byte) = rest.get(at)
        && *byte != format.delimiter
    {
        if *byte == b'\\' && format.has_escapes {
            at += 1;
        }
        bytes.extend(rest.get(at));
        at += 1;
    }
    at.min(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redshift::{
        copy::Copy,
        sql::{self, Cursor},
    };

    /// The records of a text that COPY reads with these options, with their lines.
    fn records(options: &str, text: &str) -> Vec<(u64, Result<Vec<String>, String>)> {
        let sql = format!("COPY t FROM 's3://b/m' IAM_ROLE default MANIFEST {options}");
        let format = Copy::parse(&mut Cursor::new(&sql::split(&sql)[0], 1)).unwrap().format;
        let (mut records, mut fields, mut found) = (Records::new(text.as_bytes()), Fields::default(), Vec::new());
        loop {
            match records.next(&format, &mut fields).unwrap() {
                Ok(false) => return found,
                Ok(true) => {
                    let texts = fields.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
                    found.push((fields.line, Ok(texts)));
                }
                Err(reason) => found.push((fields.line, Err(reason.text))),
            }
        }
    }

    fn row(line: u64, fields: &[&str]) -> (u64, Result<Vec<String>, String>) {
        (line, Ok(fields.iter().map(|field| (*field).to_owned()).collect()))
    }

    #[test]
    fn quotes_keep_delimiters_quotes_and_lines() {
        let text = "a,\"b,\"\"c\"\"\"\n\"d\ne\",\r\n,f";
        assert_eq!(records("CSV", text), [row(1, &["a", "b,\"c\""]), row(2, &["d\ne", ""]), row(4, &["", "f"])]);
    }

    #[test]
    fn a_quote_within_a_bare_field_is_wrong_and_so_is_text_after_one() {
        for text in ["a\"b\",c\n", "\"a\"b,c\n", "\"a"] {
            assert_eq!(records("CSV", text)[0].1, Err("Invalid quote formatting for CSV".to_owned()), "{text}");
        }
    }

    #[test]
    fn escapes_keep_delimiters_and_lines_where_they_are_asked_for() {
        assert_eq!(records("ESCAPE", "a\\|b|c\\\nd\ne|\\\\"), [row(1, &["a|b", "c\nd"]), row(3, &["e", "\\"])]);
        assert_eq!(records("DELIMITER '\\t'", "a\\\tb\n"), [row(1, &["a\\", "b"])]);
    }
}
