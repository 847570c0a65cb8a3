//! A trap in a file, read back record by record, up to the length that its ledger names.

use std::{
    io::{BufReader, Read as _, Seek as _, SeekFrom},
    path::PathBuf,
};

use super::{
    csv::{self, Csv},
    write_failed,
};
use crate::{
    Error, Failure,
    effect::disk::File,
    sink::read_back::{Entries, Entry, Mark, TrapReader, changed},
    source::Position,
    trap::TRAP_FIELDS,
};

/// Bytes at the beginning of a file by which it is known again.
const HEAD_BYTES_MAX: u64 = 1024;

/// A file of trapped records.
#[derive(Clone, Debug)]
pub(super) struct TrapFile {
    pub(super) path: PathBuf,
    pub(super) csv: Csv,
    /// What is behind it was not published.
    pub(super) length: u64,
}

impl TrapFile {
    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn failed(&self, error: std::io::Error) -> Error {
        write_failed("cannot read the trap", &self.path, error)
    }
}

impl TrapReader for TrapFile {
    fn entries(&self, from: Option<&Position>) -> Result<Box<dyn Entries>, Error> {
        let mark = Mark::of(from).ok_or_else(|| changed(&self.place(), format!("{from:?} is no place in it")))?;
        let mut file = File::open("trap", &self.path).map_err(|error| self.failed(error))?;
        let mut head = Vec::new();
        (&mut file).take(HEAD_BYTES_MAX.min(self.length)).read_to_end(&mut head).map_err(|error| self.failed(error))?;
        let rows = FileRows { of: self.clone(), file: BufReader::new(file), head, at: mark.at };
        if mark != Mark::START && (mark.at > self.length || rows.mark(mark.at) != mark) {
            let now = format!("it was retried up to byte {}, and now begins differently", mark.at);
            return Err(changed(&self.place(), now));
        }
        let mut rows = rows;
        rows.file.seek(SeekFrom::Start(mark.at)).map_err(|error| self.failed(error))?;
        if mark.at == 0 && self.csv.has_header() {
            rows.cells()?;
        }
        Ok(Box::new(rows))
    }
}

#[derive(Debug)]
struct FileRows {
    of: TrapFile,
    file: BufReader<File>,
    /// The file's first bytes.
    head: Vec<u8>,
    /// Where the next record begins.
    at: u64,
}

impl FileRows {
    fn mark(&self, at: u64) -> Mark {
        let known = usize::try_from(at).map_or(self.head.len(), |at| at.min(self.head.len()));
        Mark::new(at, self.head.get(..known).unwrap_or_default())
    }

    /// The cells of the next record; `None` at the end of what was published.
    fn cells(&mut self) -> Result<Option<Vec<Option<Vec<u8>>>>, Error> {
        if self.at >= self.of.length {
            return Ok(None);
        }
        let left = self.of.length - self.at;
        let line = csv::read_row(&mut (&mut self.file).take(left)).map_err(|error| self.of.failed(error))?;
        self.at += line.len() as u64;
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        Ok(Some(self.of.csv.cells(line)))
    }
}

impl Entries for FileRows {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        let began = self.at;
        let Some(cells) = self.cells()? else { return Ok(None) };
        let next = self.mark(self.at).position();
        Entry::of_cells(cells, next).map(Some).map_err(|found| {
            Error::Target(
                Failure::new("this is no line of a trap")
                    .at(format!("{}, position {began}", self.of.place()))
                    .cause(format!("expected {} cells, found {found}", TRAP_FIELDS.len()))
                    .help("give the trap the options that it was written with, as in ?delimiter=;"),
            )
        })
    }
}
