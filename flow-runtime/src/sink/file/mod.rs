//! `file:` sinks and traps: delimited text, each iteration exactly once.
//!
//! A sidecar beside the file is its ledger (`sidecar.rs`); how rows become text is in `csv.rs`. Publishing runs under a
//! lock on the directory, which leaves nothing behind and does not mind renames. It may stop anywhere and be done again:
//!
//! *Append*: a sidecar with the present length, if there is none yet or the file was taken away · truncate the file to the sidecar's length, write
//! behind it, fsync · a new sidecar with the new length. Before the last step, what was written is cut off by the next
//! try; after it, the next try finds the iteration in the ledger. So rows that somebody else adds behind flow's back are
//! lost; what was in the file before flow's first iteration stays.
//!
//! *Replace*: write a new file beside the old one, fsync, rename · a new sidecar. Between both steps the rows are there
//! and the ledger does not know: the next try puts the same rows there once more.

mod csv;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod read_back;
mod sidecar;

use std::{
    fs::OpenOptions,
    io::{self, BufWriter, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};

pub(super) use csv::Csv;
#[cfg(feature = "aws")]
pub(super) use csv::read_row;
use read_back::TrapFile;
use sidecar::{Sidecar, beside, sync_parent};

use super::{
    Head, Mode, Published, SinkShape, SinkTap, Staged, Ticket, TrapReader,
    ledger::{Described, LedgerEntry, Turn, borne_out, turn},
    would_double,
};
use crate::{
    Address, Error, Failure,
    effect::{
        Mutant, clock,
        disk::{self, File},
        mutant, patience,
    },
    folder::{self, parent},
    held::Cause,
};

const OPTIONS: [&str; 5] = ["delimiter", "from", "header", "mode", "null"];

/// How long to wait for another run that publishes to the same directory.
const LOCK_WAIT: Duration = Duration::from_secs(5);

/// How long to wait before the lock is tried again.
const LOCK_RETRY: Duration = Duration::from_millis(20);

/// Publishes to a file.
#[derive(Debug)]
pub(super) struct FileTap {
    path: PathBuf,
    csv: Csv,
    shape: SinkShape,
    lock_wait: Duration,
}

impl FileTap {
    pub(super) fn open(address: &Address, shape: SinkShape) -> Result<Self, Error> {
        address.allow_options(&OPTIONS)?;
        let refuse = |what: &str, help: &str| Err(Error::Config(Failure::new(what).at(address.to_string()).help(help)));
        if address.path().is_empty() {
            return refuse("the address names no file", "write file:counts.csv");
        }
        if shape.mode == Mode::Merge {
            return refuse("a file cannot be merged into", "take the mode append or replace, or a sqlite: address");
        }
        // A link is written through, not over: rows go to the file that it leads to.
        let path = folder::followed(address.path().as_ref());
        Ok(Self { path, csv: Csv::of_address(address)?, shape, lock_wait: patience(LOCK_WAIT) })
    }

    /// The file's length; `None` when there is no file.
    fn length(&self) -> Result<Option<u64>, Error> {
        match disk::metadata("file", &self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed(error)),
            Ok(found) if found.is_file() => Ok(Some(found.len())),
            Ok(_) => Err(Error::Target(
                Failure::new("this is not a regular file").at(self.place()).help("give the path of a file"),
            )),
        }
    }

    /// What the ledger says, if it is this port's and the file bears it out.
    fn ledger(&self, ticket: &Ticket) -> Result<Option<Sidecar>, Error> {
        let read = Sidecar::read(&self.path).map_err(|error| error.of_iteration(ticket.iteration))?;
        let Some(sidecar) = read else { return Ok(None) };
        if (&sidecar.flow, &sidecar.port) != (&ticket.flow, &ticket.port) {
            return Err(self.foreign(&sidecar));
        }
        match borne_out(&sidecar.last, (self.length()?, sidecar.length), ticket, self.shape.mode) {
            Ok(Some(_)) => Ok(Some(sidecar)),
            Ok(None) => Ok(None),
            Err(length) => Err(Error::Held(
                Failure::new("the file has lost rows")
                    .at(self.place())
                    .cause(format!("it has {length} bytes, published were {}", sidecar.length))
                    .help("put the file back as it was, or take it away whole: then a new one begins")
                    .held(Cause::FileCut.case().iteration(ticket.iteration).path(self.place())),
            )),
        }
    }

    /// Whether this is the ticket's turn, and the ledger that says so.
    fn turn(&self, ticket: &Ticket) -> Result<(Turn, Option<Sidecar>), Error> {
        let found = self.ledger(ticket)?;
        let target = Described { place: &self.place(), how_to_forget: &self.how_to_forget() };
        let last = found.as_ref().map(|sidecar| &sidecar.last);
        turn(last, ticket, self.shape.mode, target).map(|turn| (turn, found))
    }

    /// Makes sure that the sidecar has the file's length, so that a second try knows where the first one began to append.
    fn begin_append(&self, ticket: &Ticket, found: Option<Sidecar>) -> Result<Sidecar, Error> {
        let sidecar = match (found, self.length()?) {
            (Some(sidecar), None) => Sidecar { length: 0, ..sidecar },
            (Some(sidecar), Some(_)) => return Ok(sidecar),
            (None, length) => self.sidecar(ticket, length.unwrap_or(0), None),
        };
        sidecar.write(&self.path)?;
        Ok(sidecar)
    }

    /// Writes rows behind the first `length` bytes, durably, and returns the new length.
    fn append(&mut self, staged: &Staged, length: u64) -> Result<u64, Error> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let mut file = File::open_with("file", &self.path, &options).map_err(|error| self.failed(error))?;
        let length = if mutant(Mutant::AppendWithoutCut) {
            file.seek(SeekFrom::End(0)).map_err(|error| self.failed(error))?
        } else {
            length
        };
        file.set_len(length).and_then(|()| end_last_line(&mut file, length)).map_err(|error| self.failed(error))?;
        let length = self.write_rows(staged, &mut file, length)?;
        file.sync().and_then(|()| sync_parent(&self.path)).map_err(|error| self.failed(error))?;
        Ok(length)
    }

    /// Puts a file with these rows in the place of the old one, durably, and returns its length.
    fn replace(&mut self, staged: &Staged) -> Result<u64, Error> {
        let unfinished = beside(&self.path, ".flow.rows");
        let mut file = File::create("file", &unfinished).map_err(|error| self.failed(error))?;
        let length = self.write_rows(staged, &mut file, 0)?;
        let finish = || -> io::Result<()> {
            if let Ok(found) = disk::metadata("file", &self.path) {
                file.set_permissions(found.permissions())?;
            }
            file.sync()?;
            disk::rename("file", &unfinished, &self.path)?;
            sync_parent(&self.path)
        };
        finish().map_err(|error| self.failed(error))?;
        Ok(length)
    }

    /// Writes rows at the end of `file`, after a header where that is the beginning, and returns the new length.
    fn write_rows(&mut self, staged: &Staged, file: &mut File, length: u64) -> Result<u64, Error> {
        let fields = self.shape.fields();
        let mut rows = staged.rows()?;
        let mut out = BufWriter::new(file);
        if length == 0 {
            self.csv.write_header(fields, &mut out).map_err(|error| self.failed(error))?;
        }
        while let Some(mut row) = rows.next_row()? {
            self.csv.write_row(fields, &mut row, &mut out).map_err(|error| self.failed(error))?;
        }
        out.flush().and_then(|()| out.get_mut().stream_position()).map_err(|error| self.failed(error))
    }

    fn sidecar(&self, ticket: &Ticket, length: u64, iteration: Option<u64>) -> Sidecar {
        let hash = iteration.map(|_| ticket.hash.clone()).unwrap_or_default();
        let last = LedgerEntry { epoch: ticket.epoch.clone(), iteration, hash };
        Sidecar { flow: ticket.flow.clone(), port: ticket.port.clone(), length, last }
    }

    /// Waits until nobody else publishes in this directory.
    fn lock(&self) -> Result<File, Error> {
        let directory = File::open("file", parent(&self.path)).map_err(|error| self.failed(error))?;
        let began = clock::elapsed();
        while !directory.try_lock().map_err(|error| self.failed(error))? {
            if clock::elapsed().saturating_sub(began) >= self.lock_wait {
                return Err(Error::Busy(
                    Failure::new("another run publishes to the same directory")
                        .at(self.place())
                        .help("wait for it and run again: what is sealed is loaded then"),
                ));
            }
            clock::sleep(LOCK_RETRY);
        }
        Ok(directory)
    }

    fn place(&self) -> String {
        self.path.display().to_string()
    }

    fn how_to_forget(&self) -> String {
        format!("remove {}", Sidecar::place(&self.path).display())
    }

    fn foreign(&self, sidecar: &Sidecar) -> Error {
        Error::Target(
            Failure::new("another port publishes to this file")
                .at(self.place())
                .cause(format!("its ledger names port `{}` of flow {}", sidecar.port, sidecar.flow))
                .help(format!("give each port a file of its own, or {}", self.how_to_forget())),
        )
    }

    fn failed(&self, error: io::Error) -> Error {
        write_failed("cannot write the file", &self.path, error)
    }
}

impl SinkTap for FileTap {
    fn mode(&self) -> Mode {
        self.shape.mode
    }

    fn check(&self) -> Result<(), Error> {
        if self.length()?.is_some() {
            File::open_with("file", &self.path, OpenOptions::new().append(true)).map_err(|error| self.failed(error))?;
        }
        // A file without a name tells whether sidecar and file can be made, and leaves nothing.
        disk::probe("file", parent(&self.path)).map_err(|error| self.failed(error))?;
        match Sidecar::read(&self.path)? {
            Some(sidecar) if sidecar.port != self.shape.port.name => Err(self.foreign(&sidecar)),
            _ => Ok(()),
        }
    }

    fn check_ledger(&self, ticket: &Ticket) -> Result<bool, Error> {
        self.turn(ticket).map(|(turn, _)| turn == Turn::Skip)
    }

    fn check_without_store(&self) -> Result<(), Error> {
        if let Some(sidecar) = Sidecar::read(&self.path)? {
            return Err(Error::Target(
                Failure::new("a flow with a checkpoint publishes to this file")
                    .at(self.place())
                    .cause(format!("its ledger names port `{}` of flow {}", sidecar.port, sidecar.flow))
                    .help(format!("keep the checkpoint, give another file, or {}", self.how_to_forget())),
            ));
        }
        match self.length()? {
            Some(length) if length > 0 && self.shape.mode == Mode::Append => {
                Err(would_double(&self.place(), self.shape))
            }
            _ => Ok(()),
        }
    }

    fn publish(&mut self, staged: &Staged, ticket: Option<&Ticket>) -> Result<Published, Error> {
        let _lock = self.lock()?;
        let Some(ticket) = ticket else {
            self.check_without_store()?;
            self.replace(staged)?;
            return Ok(Published::Now);
        };
        let (turn, found) = self.turn(ticket)?;
        if turn == Turn::Skip {
            return Ok(Published::Before);
        }
        let length = match self.shape.mode {
            Mode::Replace => self.replace(staged)?,
            _ => {
                let length = self.begin_append(ticket, found)?.length;
                if mutant(Mutant::SidecarBeforeRows) {
                    self.sidecar(ticket, length, Some(ticket.iteration)).write(&self.path)?;
                }
                self.append(staged, length)?
            }
        };
        if self.shape.mode != Mode::Replace || !mutant(Mutant::ReplaceWithoutSidecar) {
            self.sidecar(ticket, length, Some(ticket.iteration)).write(&self.path)?;
        }
        Ok(Published::Now)
    }

    fn forget(&mut self, flow: &str, empty: bool) -> Result<(), Error> {
        let _lock = self.lock()?;
        // One that cannot be read is nobody's any more.
        if let Ok(Some(sidecar)) = Sidecar::read(&self.path)
            && (sidecar.flow.as_str(), sidecar.port.as_str()) != (flow, self.shape.port.name)
        {
            return Err(self.foreign(&sidecar));
        }
        // The rows first: without its ledger, what is there would be taken for somebody else's, and stay.
        if empty && self.length()?.is_some() {
            let emptied = File::create("file", &self.path).and_then(|file| file.sync());
            emptied.map_err(|error| self.failed(error))?;
        }
        Sidecar::remove(&self.path)
    }

    fn trapped(&self, flow: &str) -> Result<Option<Box<dyn TrapReader>>, Error> {
        let Some(sidecar) = Sidecar::read(&self.path)?.filter(|sidecar| sidecar.length > 0) else { return Ok(None) };
        if (sidecar.flow.as_str(), sidecar.port.as_str()) != (flow, self.shape.port.name) {
            return Err(self.foreign(&sidecar));
        }
        let Some(length) = self.length()? else { return Ok(None) };
        let (path, csv) = (self.path.clone(), self.csv.clone());
        Ok(Some(Box::new(TrapFile { path, csv, length: length.min(sidecar.length) })))
    }

    fn head(&self, _rows_max: usize) -> Result<Option<Head>, Error> {
        Ok(None)
    }
}

/// Goes to the end of the file; a last line that nobody ended is ended, lest a row be added to it.
fn end_last_line(file: &mut File, length: u64) -> io::Result<()> {
    let mut last = [b'\n'];
    if length > 0 {
        file.seek(SeekFrom::Start(length - 1))?;
        file.read_exact(&mut last)?;
    }
    if last == *b"\n" { Ok(()) } else { file.write_all(b"\n") }
}

/// The error for a file that cannot be written.
fn write_failed(what: &str, path: &Path, error: io::Error) -> Error {
    let help = match error.kind() {
        io::ErrorKind::NotFound => "make the directory first",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "make file and directory writable",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space and run again: what is sealed is loaded then"
        }
        _ => "check the path",
    };
    Error::Target(Failure::new(what).at(path.display().to_string()).cause(error).help(help))
}

#[cfg(test)]
mod round_trip_tests;
#[cfg(test)]
mod tests;
