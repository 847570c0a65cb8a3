//! Runs: groups on disk, in the order of their keys. The one place where operators touch a disk.
//!
//! ```text
//!   run    ┌────────┬───────┬─ … ─┐      block  ┌────────┬──────┬─────┬──────────────┬─────┬───── … ┐
//!          │ block  │ block │     │             │ length │ hash │ key │ accumulators │ key │        │
//!          └────────┴───────┴─────┘             └────────┴──────┴─────┴──────────────┴─────┴────────┘
//! ```
//!
//! A run is scratch: it never outlives the attempt that wrote it, and is made durable by nobody. What the disk gives
//! back wrongly is found by the hash of its block.

use std::{
    io::{self, Read as _, Write as _},
    ops::Range,
    path::PathBuf,
    sync::atomic::{AtomicU64, Ordering},
};

use xxhash_rust::xxh3::xxh3_64;

use super::Accumulators;
use crate::{
    Error, Failure,
    effect::disk::{self, File},
    value::{Decode as _, Encode as _, RowReader},
};

/// Bytes of groups that a block gathers; one that is larger has a block of its own.
const BLOCK_BYTES: usize = 32 * 1024;

/// Length and hash of a block.
const HEADER_BYTES: usize = 16;

/// Where the groups of one attempt go that outgrow the memory: a directory that is made when it is first needed.
///
/// Runs remove themselves, and at the end the place does. What a process that dies leaves behind, whoever handed out the
/// directory removes.
#[derive(Debug)]
pub struct SpillPlace {
    directory: PathBuf,
    runs: AtomicU64,
    bytes: AtomicU64,
}

impl SpillPlace {
    /// Spills into this directory; nothing is made yet.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into(), runs: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    /// Bytes that have been written so far.
    #[must_use]
    pub fn written_bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Begins a run.
    pub(super) fn create(&self) -> Result<RunWriter<'_>, Error> {
        let number = self.runs.fetch_add(1, Ordering::Relaxed);
        let run = Run { path: self.directory.join(format!("{number}.run")), bytes: 0 };
        let create = || {
            disk::create_dir_all("spill", &self.directory)?;
            File::create("spill", &run.path)
        };
        match create() {
            Ok(file) => Ok(RunWriter { place: self, run, file, block: vec![0; HEADER_BYTES] }),
            Err(error) => Err(failed(&run, "cannot write groups to disk", &error)),
        }
    }
}

impl Drop for SpillPlace {
    fn drop(&mut self) {
        // Most often there is none.
        let _ = disk::remove_dir("spill", &self.directory);
    }
}

/// A run on disk; dropped, it is removed.
#[derive(Debug)]
pub(super) struct Run {
    path: PathBuf,
    bytes: u64,
}

impl Drop for Run {
    fn drop(&mut self) {
        // What cannot be removed goes with its directory.
        let _ = disk::remove_file("spill", &self.path);
    }
}

impl Run {
    /// Reads its groups from the first on.
    pub(super) fn open(self) -> Result<RunReader, Error> {
        let file = File::open("spill", &self.path).map_err(|error| failed(&self, UNREADABLE, &error))?;
        let mut reader = RunReader { left: self.bytes, run: self, file, block: Vec::new(), key: 0..0, behind_key: 0 };
        reader.find_key(0)?;
        Ok(reader)
    }
}

/// A run being written.
#[derive(Debug)]
pub(super) struct RunWriter<'a> {
    place: &'a SpillPlace,
    run: Run,
    file: File,
    /// Room for the header, and groups.
    block: Vec<u8>,
}

impl RunWriter<'_> {
    /// Adds a group, whose key comes after those of all before.
    pub(super) fn push<A: Accumulators>(&mut self, key: &[u8], group: &A) -> Result<(), Error> {
        key.encode(&mut self.block);
        group.encode(&mut self.block);
        if self.block.len() >= BLOCK_BYTES { self.write_block() } else { Ok(()) }
    }

    /// The run, complete.
    pub(super) fn finish(mut self) -> Result<Run, Error> {
        if self.block.len() > HEADER_BYTES {
            self.write_block()?;
        }
        Ok(self.run)
    }

    fn write_block(&mut self) -> Result<(), Error> {
        let (header, groups) = self.block.split_at_mut(HEADER_BYTES);
        header[..8].copy_from_slice(&(groups.len() as u64).to_le_bytes());
        header[8..].copy_from_slice(&xxh3_64(groups).to_le_bytes());
        self.file.write_all(&self.block).map_err(|error| failed(&self.run, "cannot write groups to disk", &error))?;
        self.run.bytes += self.block.len() as u64;
        self.place.bytes.fetch_add(self.block.len() as u64, Ordering::Relaxed);
        self.block.truncate(HEADER_BYTES);
        Ok(())
    }
}

/// A run being read, at one of its groups or at its end.
#[derive(Debug)]
pub(super) struct RunReader {
    run: Run,
    file: File,
    /// Bytes not read yet.
    left: u64,
    block: Vec<u8>,
    /// Where the group's key is in the block.
    key: Range<usize>,
    /// Where its accumulators begin; 0 at the end.
    behind_key: usize,
}

impl RunReader {
    /// The key of the group, if there is one more.
    #[inline]
    pub(super) fn key(&self) -> Option<&[u8]> {
        if self.behind_key == 0 { None } else { self.block.get(self.key.clone()) }
    }

    /// Takes the accumulators of the group, and goes on to the next.
    pub(super) fn take<A: Accumulators>(&mut self) -> Result<A, Error> {
        let mut row = RowReader::new(self.block.get(self.behind_key..).unwrap_or_default());
        let group = A::decode(&mut row);
        let next = self.block.len() - row.rest().len();
        self.find_key(next)?;
        Ok(group)
    }

    /// Finds the key that begins here in the block, or in the next block.
    fn find_key(&mut self, mut start: usize) -> Result<(), Error> {
        if start >= self.block.len() {
            start = 0;
            self.read_block()?;
        }
        let mut row = RowReader::new(self.block.get(start..).unwrap_or_default());
        let key = <&[u8]>::decode(&mut row);
        self.behind_key = self.block.len() - row.rest().len();
        self.key = self.behind_key - key.len()..self.behind_key;
        Ok(())
    }

    /// Reads the next block; at the end it is empty.
    fn read_block(&mut self) -> Result<(), Error> {
        self.block.clear();
        if self.left == 0 {
            return Ok(());
        }
        let mut header = [0; HEADER_BYTES];
        let (groups, hash) = match self.file.read_exact(&mut header) {
            Ok(()) => (number(&header[..8]), number(&header[8..])),
            Err(error) => return Err(failed(&self.run, UNREADABLE, &error)),
        };
        let taken = groups.saturating_add(HEADER_BYTES as u64);
        let (true, Ok(len)) = (groups > 0 && taken <= self.left, usize::try_from(groups)) else {
            return Err(failed(&self.run, UNREADABLE, &damaged()));
        };
        self.left -= taken;
        self.block.resize(len, 0);
        self.file.read_exact(&mut self.block).map_err(|error| failed(&self.run, UNREADABLE, &error))?;
        if xxh3_64(&self.block) == hash { Ok(()) } else { Err(failed(&self.run, UNREADABLE, &damaged())) }
    }
}

const UNREADABLE: &str = "cannot read groups back from disk";

fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_le_bytes)
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "they are not what was written")
}

#[cold]
fn failed(run: &Run, what: &str, error: &io::Error) -> Error {
    Error::Store(Failure::new(what).at(run.path.display().to_string()).cause(error).help(
        "groups that outgrow --memory go there: free some space or check the disk, or give more memory, and run again",
    ))
}

#[cfg(any(test, feature = "fuzzing"))]
#[path = "run_fuzzing.rs"]
pub(crate) mod fuzzing;

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
