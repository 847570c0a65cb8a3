//! Sources and tables: where records come from.
//!
//! [`Source`] and [`Table`] are the handles that a flow's struct holds: an address, bound to a tap when the run opens.
//! A tap lists its shards, and reads one from a position in order. One file a tap; what a record looks like inside is
//! the schemes' business.
//!
#![doc = include_str!("files.md")]
#![cfg_attr(feature = "aws", doc = include_str!("kinesis/kinesis.md"))]
#![cfg_attr(feature = "aws", doc = include_str!("s3.md"))]
#![cfg_attr(feature = "aws", doc = include_str!("dynamodb.md"))]

mod compression;
#[cfg(any(test, feature = "faults"))]
#[doc(hidden)]
pub mod conformance;
#[cfg(feature = "aws")]
mod dynamodb;
mod file;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod handle;
#[cfg(feature = "aws")]
pub(crate) mod kinesis;
mod memory;
#[cfg(feature = "aws")]
mod s3;
mod stdin;

use std::{fmt, time::Duration};

use crate::{Address, Error, Failure, address::without_secrets, effect::clock, flow::Span, plan::option_name};

pub(crate) use file::{Paths, is_same_file};
pub use handle::{Input, Source, Table};
#[cfg(all(test, feature = "aws"))]
pub(crate) use kinesis::FakeTap;
pub use memory::MemoryRecords;

/// What some programs begin a text in UTF-8 with: no part of its first record.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The longest line: an input without line ends is none of lines, and must not fill the memory.
const LINE_BYTES_MAX: usize = 1 << 30;

/// What stands for the end of a shard for good: a closed shard of a stream, an object.
const END: &str = "end";

/// Where a shard has been read to: opaque, ordered within its shard, durable as text.
///
/// Files: the byte offset in decimal. It always means *the first byte or record not yet read*.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Position(String);

impl Position {
    /// A position as its source wrote it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A position that counts bytes or records from 0.
    pub(crate) fn counted(count: u64) -> Self {
        Self(count.to_string())
    }

    /// Whether nothing can come after it; a source may say behind the word of what it is the end.
    pub(crate) fn is_end(&self) -> bool {
        self.0.strip_prefix(END).is_some_and(|of| of.is_empty() || of.starts_with(' '))
    }

    /// The bytes or records before it, if that is what it counts.
    pub(crate) fn count(&self) -> Option<u64> {
        // One count has one text, for positions are compared as texts.
        let is_plain = self.0 == "0" || !self.0.starts_with(['0', '+']);
        self.0.parse().ok().filter(|_| is_plain)
    }

    /// The position `bytes` further on, in a source whose positions count bytes.
    pub(crate) fn after(&self, bytes: usize) -> Self {
        match self.count() {
            Some(count) => Self::counted(count.saturating_add(bytes as u64)),
            None => self.clone(),
        }
    }

    /// The text, as the store keeps it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One shard as its source lists it: a file, a Kinesis shard, an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shard {
    /// What tells it from others for good, in the store: for a file what it was first known by.
    pub id: String,
    /// What a person calls it: the path.
    pub name: String,
    /// What the source will know it by next time: for a file device, inode and fingerprint as they are now. Kept with its
    /// position, and given back as [`KnownShard::mark`].
    pub mark: String,
    /// Where to begin, when nothing is known.
    pub start: Position,
}

/// A shard and what to read of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShardFrom {
    /// The shard.
    pub shard: Shard,
    /// The first position to read.
    pub from: Position,
    /// The first position not to read, where it was sealed before: the records before it are given out whatever they end
    /// with, and a shard that ends before it is an error. Without it, the shard is read to its present end.
    pub until: Option<Position>,
    /// Whatever arrived in the shard before this has been read, in microseconds since the epoch of Unix; `None` where the
    /// source knows no times.
    pub covered_us: Option<i64>,
    /// What somebody has accepted to be missing before `from`, for people, where positions alone do not show it.
    pub gap: Option<String>,
}

/// What a source knows of a shard from earlier iterations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownShard {
    /// [`Shard::id`].
    pub id: String,
    /// [`Shard::name`] at the time.
    pub name: String,
    /// [`Shard::mark`] at the time.
    pub mark: String,
    /// The first position not yet read.
    pub next: Position,
    /// What was last read of it, if anything was: who finds the same at the same place has found the shard again.
    pub last: Option<LastRead>,
    /// Whatever arrived in it before this has been read, if the source knows times.
    pub covered_us: Option<i64>,
}

/// What an iteration has read of a shard.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LastRead {
    /// The first position.
    pub first: Position,
    /// The first position after it.
    pub next: Position,
    /// A hash of the records: of lines as they are, line ends included.
    pub hash: String,
}

/// What to do about a known shard that is not what it was, so that nobody knows what was in between.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Gaps {
    /// It is held, for a person to decide.
    #[default]
    Refuse,
    /// What is in it now is new: it is read from its beginning.
    FromBeginning,
    /// What is in it now was read before: it is read from its present end.
    FromEnd,
}

/// How an input is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// An unterminated last line is a record; else it waits for its end.
    pub take_tail: bool,
    /// Nobody will read on from where this ends, as with tables and runs without a store: what cannot be read now is an
    /// error, and does not wait for the next time.
    pub once: bool,
    /// Only whether there is something is asked: nothing of what is read is kept.
    pub is_look: bool,
    /// Another process may be reading the same for good, and nothing may be taken from it: a dry run, a replay.
    pub is_aside: bool,
}

/// A tap that records are read from.
pub trait SourceTap: fmt::Debug + Send + Sync {
    /// Makes sure that it can be read on from where an iteration ended.
    ///
    /// # Errors
    /// [`Error::Config`] for what can be read but once.
    fn check_with_store(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Lists the shards to read, in reading order, each from where `known` ended or from its start, with no
    /// [`ShardFrom::until`].
    ///
    /// # Errors
    /// What is missing or unreadable; a known shard that shrank or changed.
    fn shards(&self, known: &[KnownShard]) -> Result<Vec<ShardFrom>, Error>;

    /// As [`shards`](SourceTap::shards), with what is wrong with each shard by itself, and what `gaps` says done about a
    /// known one that is not what it was: it keeps its id, and goes on elsewhere than where `known` ended. A source that may
    /// begin with what comes after the logical name was made is told when that was, in microseconds since the epoch of Unix.
    ///
    /// # Errors
    /// What keeps the shards from being listed.
    fn survey(
        &self,
        known: &[KnownShard],
        gaps: Gaps,
        created_us: i64,
    ) -> Result<Vec<Result<ShardFrom, Error>>, Error> {
        let _ = (gaps, created_us);
        Ok(self.shards(known)?.into_iter().map(Ok).collect())
    }

    /// As [`survey`](SourceTap::survey), of what was sealed and is to be read again just as it was: a tap that can say so finds
    /// what was replaced since.
    ///
    /// # Errors
    /// What keeps the shards from being listed.
    fn again(&self, known: &[KnownShard]) -> Result<Vec<Result<ShardFrom, Error>>, Error> {
        self.survey(known, Gaps::Refuse, clock::now_us())
    }

    /// Whether the records of a shard come in the same order when they are read again; else their hash heeds none.
    fn is_ordered(&self) -> bool {
        true
    }

    /// Opens a reader over `shards`. Of one with [`ShardFrom::until`] it stops exactly there.
    ///
    /// # Errors
    /// What cannot be opened.
    fn open(&self, shards: &[ShardFrom], reading: Reading) -> Result<Box<dyn Reader>, Error>;
}

/// Reads the shards it was opened over.
pub trait Reader: fmt::Debug + Send {
    /// Waits up to `wait` for the next piece of a shard; `buffer` is an old piece's, to be filled anew.
    ///
    /// # Errors
    /// What could not be read, with shard and position.
    fn next(&mut self, buffer: Vec<u8>, wait: Duration) -> Result<Next, Error>;

    /// Whether each shard that can be read was looked at once: before, no time-out ends the reading. Else a time that is
    /// shorter than a look would close iteration after iteration, and nothing would ever be read.
    fn has_looked(&self) -> bool {
        true
    }
}

/// What a reader has to say.
#[derive(Debug)]
pub enum Next {
    /// Records.
    Piece(Piece),
    /// A shard was read further, and no record was there.
    Moved(Moved),
    /// Nothing within the time that was given, for a read is still under way: it is asked again, and keeps its turn.
    Looking,
    /// Nothing new within the time that was given. This may close a source's part of the iteration, to be read on in
    /// the next; a table is asked again until it ends.
    Idle,
    /// Nothing new within the time that was given, but more may come, and come only now: it is asked again until it ends
    /// or a bound closes the iteration.
    Waiting,
    /// All shards are read to their present end. Only this ends a table: whoever says `Idle` for a table must come to an
    /// end later.
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
    /// When the records arrived, if the source knows.
    pub arrived: Option<Arrived>,
}

/// When the records of a piece arrived in their shard, in microseconds since the epoch of Unix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// The first.
    pub first_us: i64,
    /// The last.
    pub last_us: i64,
    /// Whether the shard had more records when these were read.
    pub is_behind: bool,
}

/// A shard that was read further without a record: to its end for good, or to where it ends now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Index into the shards that the reader was opened over.
    pub shard: usize,
    /// The first position not read.
    pub to: Position,
    /// Whatever arrived before this has been read, if the source knows times.
    pub covered_us: Option<i64>,
}

/// How a piece's bytes fall into records.
#[derive(Debug)]
pub enum Framing {
    /// Lines that end at `\n`, a `\r` before it dropped; the last may be unterminated. Positions count bytes.
    Lines,
    /// Listed, each with its own position.
    Listed(Vec<(Span, Position)>),
    /// Listed out of a trap, each with where it stood when it was trapped.
    Retried(Vec<Retried>),
}

/// A record out of a trap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retried {
    /// Where it is in the piece.
    pub span: Span,
    /// The shard that it came from, by the name that people call it.
    pub shard: String,
    /// Its position there.
    pub position: Position,
}

/// Opens the tap that `input` is bound to, for the port `port`.
///
/// # Errors
/// [`Error::Config`] when there is no address, no such tap or no such option.
pub(crate) fn open(input: &Input, port: &str) -> Result<Box<dyn SourceTap>, Error> {
    match input {
        Input::Memory(records) => Ok(Box::new(records.clone())),
        Input::Address(text) => open_address(text).map_err(|error| error.of_port(port)),
        Input::Unbound => {
            let option = option_name(port);
            Err(Error::Config(Failure::new(format!("port `{port}` has no address")).help(format!("give --{option}"))))
        }
    }
}

#[cfg(feature = "aws")]
const KNOWN_TAPS: &str = "known taps: dynamodb, file, kinesis, s3, stdin";
#[cfg(not(feature = "aws"))]
const KNOWN_TAPS: &str = "known taps: file, stdin; with the feature `aws`: dynamodb, kinesis, s3";

fn open_address(text: &str) -> Result<Box<dyn SourceTap>, Error> {
    let address: Address = text.parse()?;
    match address.tap() {
        #[cfg(feature = "aws")]
        "dynamodb" => Ok(Box::new(dynamodb::DynamoDbTap::open(&address)?)),
        "file" => Ok(Box::new(file::FileTap::open(&address)?)),
        #[cfg(feature = "aws")]
        "kinesis" => Ok(Box::new(kinesis::KinesisTap::open(&address)?)),
        #[cfg(feature = "aws")]
        "s3" => Ok(Box::new(s3::S3Tap::open(&address)?)),
        "stdin" => Ok(Box::new(stdin::StdinTap::open(&address)?)),
        "memory" => Err(Error::Config(
            Failure::new("records in memory have no address").at(address.to_string()).help("bind them in the program"),
        )),
        tap => Err(Error::Config(
            Failure::new(format!("there is no tap `{tap}` to read from")).at(address.to_string()).help(KNOWN_TAPS),
        )),
    }
}

/// Where `input` is bound to, for people.
pub(crate) fn place(input: &Input) -> String {
    match input {
        Input::Unbound => "nowhere".to_owned(),
        Input::Memory(_) => "memory".to_owned(),
        Input::Address(text) => match text.parse::<Address>() {
            Ok(address) if address.tap() == "file" => address.path().to_owned(),
            Ok(address) => address.to_string(),
            Err(_) => without_secrets(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_count_has_one_text() {
        for (text, count) in
            [("0", Some(0)), ("4711", Some(4711)), ("01", None), ("+1", None), ("-1", None), ("", None)]
        {
            assert_eq!(Position::new(text).count(), count, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn counted_positions_survive_their_text_and_go_on(count: u64, bytes in 0..1_000_000_usize) {
            let position = Position::counted(count);
            assert_eq!(position.count(), Some(count));
            assert_eq!(position.after(bytes).count(), Some(count.saturating_add(bytes as u64)));
            let stored = serde_json::to_string(&position).unwrap();
            assert_eq!(serde_json::from_str::<Position>(&stored).unwrap(), position);
        }
    }

    #[test]
    fn inputs_that_cannot_be_opened_say_what_to_do() {
        for (input, says) in [
            (Input::Unbound, "port `bad_lines` has no address; give --bad-lines"),
            (
                Input::Address("kafka:x".to_owned()),
                "no tap `kafka` to read from (port `bad_lines`, kafka:x); known taps: ",
            ),
            (Input::Address("memory:".to_owned()), "records in memory have no address (port `bad_lines`, memory:)"),
            (Input::Address("access.log".to_owned()), "the address names no tap (port `bad_lines`, `access.log`)"),
        ] {
            let error = open(&input, "bad_lines").unwrap_err();
            assert!(matches!(error, Error::Config(_)) && error.to_string().contains(says), "{error}");
        }
    }

    #[test]
    fn places_are_what_people_call_them() {
        assert_eq!(place(&Input::Address("file:logs/a.log".to_owned())), "logs/a.log");
        assert_eq!(place(&Input::Memory(MemoryRecords::default())), "memory");
    }
}
