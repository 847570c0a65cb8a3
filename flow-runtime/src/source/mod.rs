//! Sources and tables: where records come from.
//!
//! [`Source`] and [`Table`] are the handles that a flow's struct holds: an address, bound to a tap when the run opens.
//! A tap lists its shards, and reads one from a position in order. One file a tap; what a record looks like inside is
//! the schemes' business.

mod handle;
mod memory;

use std::{fmt, time::Duration};

use crate::{Error, flow::Span};

pub use handle::{Input, Source, Table};
pub use memory::MemoryRecords;

/// Where a shard has been read to: opaque, ordered within its shard, durable as text.
///
/// Files: the byte offset in decimal. It always means *the first byte or record not yet read*.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Position(String);

/// One shard as its source lists it: a file, a Kinesis shard, an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// What tells it from others for good, in the store: for a file device, inode and fingerprint.
    pub id: String,
    /// What a person calls it: the path.
    pub name: String,
    /// Where to begin, when nothing is known.
    pub start: Position,
}

/// A shard and where to read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardFrom {
    /// The shard.
    pub shard: Shard,
    /// The first position to read.
    pub from: Position,
}

/// What a source knows of a shard from earlier iterations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownShard {
    /// [`Shard::id`].
    pub id: String,
    /// [`Shard::name`] at the time.
    pub name: String,
    /// The first position not yet read.
    pub next: Position,
}

/// A tap that records are read from.
pub trait SourceTap: fmt::Debug + Send + Sync {
    /// Lists the shards to read, in reading order, each from where `known` ended or from its start.
    ///
    /// # Errors
    /// What is missing or unreadable; a known shard that shrank or changed.
    fn shards(&self, known: &[KnownShard]) -> Result<Vec<ShardFrom>, Error>;

    /// Opens a reader over `shards`. `take_tail` takes an unterminated last line, as tables and runs without a store do.
    ///
    /// # Errors
    /// What cannot be opened.
    fn open(&self, shards: &[ShardFrom], take_tail: bool) -> Result<Box<dyn Reader>, Error>;
}

/// Reads the shards it was opened over.
pub trait Reader: fmt::Debug + Send {
    /// Waits up to `wait` for the next piece of a shard; `buffer` is an old piece's, to be filled anew.
    ///
    /// # Errors
    /// What could not be read, with shard and position.
    fn next(&mut self, buffer: Vec<u8>, wait: Duration) -> Result<Next, Error>;
}

/// What a reader has to say.
#[derive(Debug)]
pub enum Next {
    /// Records.
    Piece(Piece),
    /// Nothing new yet: the shard is open and may grow.
    Idle,
    /// All shards are read to their present end.
    End,
}

/// Consecutive whole records of one shard.
#[derive(Debug)]
pub struct Piece {
    /// Index into the shards that the reader was opened over.
    pub shard: usize,
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Where the records are in them.
    pub framing: Framing,
    /// Position of the first record.
    pub from: Position,
    /// Position after the last.
    pub to: Position,
    /// Whether the first record is the first of its shard.
    pub starts_shard: bool,
}

/// How a piece's bytes fall into records.
#[derive(Debug)]
pub enum Framing {
    /// Lines that end at `\n`, a `\r` before it dropped; the last may be unterminated.
    Lines,
    /// Listed, each with its own position.
    Listed(Vec<(Span, Position)>),
}
