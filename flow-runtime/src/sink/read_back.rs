//! Traps, read back: what a trap tap says of its records, to have them retried.
//!
//! A position in a trap means the first record not yet retried. It bears a digest of what is before it, so that a trap that
//! was emptied, edited or taken away is noticed: what of it was retried nobody knows then.

use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

use crate::{Error, Failure, source::Position, trap::TRAP_FIELDS};

/// Reads a trap's records, oldest first.
pub trait TrapReader: fmt::Debug + Send + Sync {
    /// The records from a position on, or from the first.
    ///
    /// # Errors
    /// What cannot be read. [`Error::Held`] when the trap is not what it was at that position.
    fn entries(&self, from: Option<&Position>) -> Result<Box<dyn Entries>, Error>;
}

/// Records of a trap under way.
pub trait Entries: fmt::Debug + Send {
    /// The next record, if there is one.
    ///
    /// # Errors
    /// What cannot be read.
    fn next(&mut self) -> Result<Option<Entry>, Error>;
}

/// A record as its trap keeps it: [`TRAP_FIELDS`](crate::trap::TRAP_FIELDS).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The position after it.
    pub next: Position,
    /// Its bytes; of a table's row, the row as text.
    pub record: Option<Vec<u8>>,
    /// The input port that it came from; `None` for a row.
    pub source: Option<String>,
    /// Its shard.
    pub shard: Option<String>,
    /// Its position in the shard.
    pub position: Option<String>,
    /// The operator that refused it.
    pub operator: String,
}

impl Entry {
    /// The record of a trap's row by its cells; the number of cells that are no such row.
    pub(super) fn of_cells(cells: Vec<Option<Vec<u8>>>, next: Position) -> Result<Self, usize> {
        let found = cells.len();
        let text = |cell: Option<Vec<u8>>| cell.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let cells = <[_; TRAP_FIELDS.len()]>::try_from(cells).map_err(|_| found)?;
        let [record, source, shard, position, operator, _reason] = cells;
        let (source, shard, position) = (text(source), text(shard), text(position));
        Ok(Self { next, record, source, shard, position, operator: text(operator).unwrap_or_default() })
    }
}

/// A place in a trap: how far, and a digest of what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    /// Bytes of a file, the number of a row.
    pub(super) at: u64,
    pub(super) digest: u64,
}

impl Mark {
    /// The place before the first record.
    pub(super) const START: Self = Self { at: 0, digest: 0 };

    /// `bytes` are what the digest is of.
    pub(super) fn new(at: u64, bytes: &[u8]) -> Self {
        Self { at, digest: xxh3_64(bytes) }
    }

    pub(super) fn position(self) -> Position {
        Position::new(format!("{}:{:016x}", self.at, self.digest))
    }

    /// The mark of a position; that of none is the start.
    pub(super) fn of(position: Option<&Position>) -> Option<Self> {
        let Some(position) = position else { return Some(Self::START) };
        let (at, digest) = position.as_str().split_once(':')?;
        Some(Self { at: at.parse().ok()?, digest: u64::from_str_radix(digest, 16).ok()? })
    }
}

/// The error for a trap that is not what it was.
pub(super) fn changed(place: &str, cause: String) -> Error {
    Error::Held(Failure::new("the trap is not what it was when it was last retried").at(place).cause(cause).help(
        "put it back as it was; or, if nothing in it was retried before, retry all that is in it with --from-start",
    ))
}
