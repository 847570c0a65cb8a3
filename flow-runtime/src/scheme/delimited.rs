//! `TextDelimited`: columns between delimiters, perhaps in quotes.
//!
//! A column that begins with the quote ends with it; delimiters between them belong to it, and two quotes stand for one.
//! A quote inside a column that does not begin with one is just a character. An unterminated quote, and text after a
//! closing one, are refused. A record is one line: no column holds a line end.

use std::ops::Range;

use crate::flow::{Reason, Record};

/// How the columns of a record are set apart.
///
/// # Example
/// ```
/// use flow_runtime::{flow::Record, scheme::Delimited};
/// const HOSTS: Delimited = Delimited { delimiter: "|", quote: Some(b'"'), columns: 2, strict: true };
///
/// let mut columns = HOSTS.columns(&Record::new(0, br#"1.2.3.4|"a ""b"" | c""#));
/// let mut unquoted = String::new();
/// assert_eq!(columns.text(&mut unquoted).unwrap(), Some("1.2.3.4"));
/// assert_eq!(columns.text(&mut unquoted).unwrap(), Some(r#"a "b" | c"#));
/// assert_eq!(columns.end(), Ok(()));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimited {
    /// What stands between columns; taken literally, not empty.
    pub delimiter: &'static str,
    /// What a column may be enclosed in: an ASCII character.
    pub quote: Option<u8>,
    /// How many columns a record has.
    pub columns: usize,
    /// Whether a record of fewer or more columns is refused; else missing columns are null, and further ones ignored.
    pub strict: bool,
}

impl Delimited {
    /// The columns of a record, in order.
    #[inline]
    #[must_use]
    pub fn columns<'r>(&self, record: &Record<'r>) -> Columns<'r> {
        Columns { scheme: *self, bytes: record.bytes(), text: record.text().ok(), next: Some(0), taken: 0 }
    }
}

/// The columns of one record; generated code takes them one by one, and then asks for the end.
///
/// A column is borrowed from the record; only one with doubled quotes is put together, in a buffer that the caller owns
/// and uses again.
#[derive(Clone, Debug)]
pub struct Columns<'r> {
    scheme: Delimited,
    bytes: &'r [u8],
    /// The same bytes if all of them are valid UTF-8, so that no column need be checked.
    text: Option<&'r str>,
    /// Where the next column begins.
    next: Option<usize>,
    taken: usize,
}

/// Where a column lies in its record, quotes excluded.
#[derive(Clone, Copy, Debug)]
struct Column {
    start: usize,
    end: usize,
    has_doubled_quotes: bool,
}

impl<'r> Columns<'r> {
    /// Takes the next column as text; `None` where it is missing and the scheme is not strict. `unquoted` is overwritten
    /// when the column has doubled quotes.
    ///
    /// # Errors
    /// Why there is no such column: too few, a misplaced quote, no UTF-8.
    #[inline]
    pub fn text<'s>(&mut self, unquoted: &'s mut String) -> Result<Option<&'s str>, Reason>
    where
        'r: 's,
    {
        let Some(column) = self.next_column()? else { return Ok(None) };
        let text = self.text_of(column)?;
        if !column.has_doubled_quotes {
            return Ok(Some(text));
        }
        unquoted.clear();
        for part in undoubled(text.as_bytes(), self.scheme.quote) {
            unquoted.push_str(text.get(part).unwrap_or_default());
        }
        Ok(Some(unquoted))
    }

    /// Takes the next column as bytes; `None` where it is missing and the scheme is not strict. `unquoted` is
    /// overwritten when the column has doubled quotes.
    ///
    /// # Errors
    /// Why there is no such column: too few, a misplaced quote.
    #[inline]
    pub fn bytes<'s>(&mut self, unquoted: &'s mut Vec<u8>) -> Result<Option<&'s [u8]>, Reason>
    where
        'r: 's,
    {
        let Some(column) = self.next_column()? else { return Ok(None) };
        let bytes = self.bytes_of(column);
        if !column.has_doubled_quotes {
            return Ok(Some(bytes));
        }
        unquoted.clear();
        for part in undoubled(bytes, self.scheme.quote) {
            unquoted.extend_from_slice(bytes.get(part).unwrap_or_default());
        }
        Ok(Some(unquoted))
    }

    /// Passes over the next column, and fails as [`Columns::text`] would.
    ///
    /// # Errors
    /// Why there is no such column.
    #[inline]
    pub fn skip_text(&mut self) -> Result<(), Reason> {
        match self.next_column()? {
            Some(column) => self.text_of(column).map(drop),
            None => Ok(()),
        }
    }

    /// Passes over the next column, and fails as [`Columns::bytes`] would.
    ///
    /// # Errors
    /// Why there is no such column.
    #[inline]
    pub fn skip_bytes(&mut self) -> Result<(), Reason> {
        self.next_column().map(drop)
    }

    /// Says that no further column is wanted.
    ///
    /// # Errors
    /// That there are more, if the scheme is strict.
    #[inline]
    pub fn end(self) -> Result<(), Reason> {
        match self.next {
            Some(_) if self.scheme.strict => Err(self.too_many()),
            _ => Ok(()),
        }
    }

    #[inline]
    fn next_column(&mut self) -> Result<Option<Column>, Reason> {
        let Some(start) = self.next else {
            return if self.scheme.strict { Err(self.wrong_count(self.taken)) } else { Ok(None) };
        };
        self.taken += 1;
        let rest = self.bytes.get(start..).unwrap_or_default();
        match self.scheme.quote {
            Some(quote) if rest.first() == Some(&quote) => self.quoted(start, quote).map(Some),
            _ => {
                let end = self.find_delimiter(rest).map(|at| start + at);
                self.next = end.map(|end| end + self.scheme.delimiter.len());
                Ok(Some(Column { start, end: end.unwrap_or(self.bytes.len()), has_doubled_quotes: false }))
            }
        }
    }

    /// The column whose opening quote is at `opening`.
    fn quoted(&mut self, opening: usize, quote: u8) -> Result<Column, Reason> {
        let start = opening + 1;
        let mut from = start;
        let mut has_doubled_quotes = false;
        let end = loop {
            let rest = self.bytes.get(from..).unwrap_or_default();
            let Some(at) = memchr::memchr(quote, rest) else {
                return Err(Reason::new(format!("the quote at byte {opening} of the record is not closed")));
            };
            if rest.get(at + 1) != Some(&quote) {
                break from + at;
            }
            has_doubled_quotes = true;
            from += at + 2;
        };
        let after = self.bytes.get(end + 1..).unwrap_or_default();
        self.next = match after.strip_prefix(self.scheme.delimiter.as_bytes()) {
            _ if after.is_empty() => None,
            Some(_) => Some(end + 1 + self.scheme.delimiter.len()),
            None => return Err(Reason::new(format!("text after the closing quote at byte {end} of the record"))),
        };
        Ok(Column { start, end, has_doubled_quotes })
    }

    #[inline]
    fn find_delimiter(&self, rest: &[u8]) -> Option<usize> {
        match self.scheme.delimiter.as_bytes() {
            [byte] => memchr::memchr(*byte, rest),
            [] => None,
            delimiter => memchr::memmem::find(rest, delimiter),
        }
    }

    #[inline]
    fn bytes_of(&self, column: Column) -> &'r [u8] {
        self.bytes.get(column.start..column.end).unwrap_or_default()
    }

    #[inline]
    fn text_of(&self, column: Column) -> Result<&'r str, Reason> {
        match self.text.and_then(|text| text.get(column.start..column.end)) {
            Some(text) => Ok(text),
            None => std::str::from_utf8(self.bytes_of(column)).map_err(|error| {
                Reason::new(format!("not UTF-8 at byte {} of the record", column.start + error.valid_up_to()))
            }),
        }
    }

    #[cold]
    fn too_many(mut self) -> Reason {
        // A misplaced quote among the surplus columns ends the counting.
        while self.next.is_some() && self.next_column().is_ok() {}
        self.wrong_count(self.taken)
    }

    #[cold]
    fn wrong_count(&self, found: usize) -> Reason {
        let plural = if self.scheme.columns == 1 { "" } else { "s" };
        Reason::new(format!("expected {} column{plural}, found {found}", self.scheme.columns))
    }
}

/// The parts of a quoted column that remain when the second of every two quotes is left out.
fn undoubled(bytes: &[u8], quote: Option<u8>) -> impl Iterator<Item = Range<usize>> {
    let firsts = quote.into_iter().flat_map(|quote| memchr::memchr_iter(quote, bytes).step_by(2));
    let mut start = 0;
    firsts.map(|first| first + 1).chain([bytes.len()]).map(move |end| {
        let part = start..end;
        start = end + 1;
        part
    })
}

#[cfg(test)]
#[path = "delimited_tests.rs"]
mod tests;
