//! Reads files one after the other, in pieces of whole lines. Positions are byte offsets in the text.
//!
//! What a reader is opened over ends where each file ends when its turn comes, so that a file that grows faster than it
//! is read ends all the same. One file is open at a time, however many there are.

use std::{
    io::{self, ErrorKind, Read as _},
    time::Duration,
};

use super::{found::Found, identity::Identity, text::Text};
use crate::{
    Error, Failure,
    effect::{Mutant, mutant},
    source::{Framing, LINE_BYTES_MAX, Next, Piece, Position, Reader, Reading, ShardFrom, compression::Expected},
};

/// Bytes that are read at once; a piece ends at the last line end among them.
pub(super) const BLOCK_BYTES: usize = 256 * 1024;

/// Reads files one after the other.
#[derive(Debug)]
pub(super) struct FileReader {
    shards: Vec<ShardFrom>,
    /// How many of `shards` have been opened.
    opened: usize,
    file: Option<OpenFile>,
    expected: Expected,
    reading: Reading,
    pub(super) line_bytes_max: usize,
}

impl FileReader {
    pub(super) fn new(shards: &[ShardFrom], expected: Expected, reading: Reading) -> Self {
        let shards = shards.to_vec();
        Self { shards, opened: 0, file: None, expected, reading, line_bytes_max: LINE_BYTES_MAX }
    }
}

impl Reader for FileReader {
    fn next(&mut self, mut buffer: Vec<u8>, _wait: Duration) -> Result<Next, Error> {
        loop {
            if let Some(file) = &mut self.file {
                if file.fill(&mut buffer, self.line_bytes_max)? {
                    return Ok(Next::Piece(file.advance(buffer)));
                }
                self.file = None;
            }
            let Some(shard) = self.shards.get(self.opened) else { return Ok(Next::End) };
            self.file = OpenFile::open(self.opened, shard, self.expected, self.reading)?;
            self.opened += 1;
        }
    }
}

/// The file that is being read.
#[derive(Debug)]
struct OpenFile {
    text: Text,
    name: String,
    /// Index among the reader's shards.
    shard: usize,
    /// Where its first record begins.
    start: Position,
    /// Offset of the first byte that was not given out.
    position: u64,
    /// Offset of the first byte not to be read: the text's length when it was opened, or where it was read to before.
    end: u64,
    /// Whether a line that is unterminated at `end` is given out.
    take_tail: bool,
    /// What was read after `position`: the beginning of a line, shorter than a block.
    carry: Vec<u8>,
}

impl OpenFile {
    /// Opens a file at its position, unless there is nothing to be read of it this time.
    fn open(index: usize, from: &ShardFrom, expected: Expected, reading: Reading) -> Result<Option<Self>, Error> {
        let ShardFrom { shard, from, until, .. } = from;
        let name = &shard.name;
        let must_be_read = reading.once || until.is_some();
        let identity: Option<Identity> = shard.mark.parse().ok();
        let found = Found::look(name, expected)?;
        let Some((mut text, found)) = found
            .filter(|(_, found)| identity.as_ref().is_some_and(|identity| identity.fits(found.facts, &found.head)))
        else {
            // Renamed, replaced or deleted since it was listed; next time it is listed as what it is then.
            let gone = Failure::new("the file was replaced, changed or deleted while the run began");
            return refuse_if(must_be_read, || Error::Input(gone.at(name).help("run again")));
        };
        let measured = identity.and_then(|identity| identity.text_bytes());
        let Some(length) = found.text_bytes.or(measured) else {
            // Somebody may still be writing to it.
            return refuse_if(must_be_read || !found.is_fresh(), || {
                Error::Input(Failure::new("the compressed file ends too early").at(name).help(
                    "if it is still being written, run again when it is whole; else restore it, or move it to another \
                     folder to go on without it",
                ))
            });
        };
        let within = |position: &Position, what: &str| {
            position.count().filter(|position| *position <= length).ok_or_else(|| {
                let length = format!("the file has {length} bytes");
                Error::Input(Failure::new(what).at(place(name, position)).cause(length))
            })
        };
        let position = within(from, "cannot read on")?;
        let end = match until {
            Some(until) => within(until, "the file ends before the place that it was read to")?.max(position),
            None => length,
        };
        if position == end {
            return Ok(None);
        }
        text.skip_to(position).map_err(|error| text.damaged(name, &error))?;
        let (name, start) = (name.clone(), shard.start.clone());
        // Who compresses a file has done with it.
        let take_tail = reading.take_tail
            || until.is_some()
            || found.compression.is_some()
            || mutant(Mutant::UnterminatedTakenTwice);
        Ok(Some(Self { text, name, shard: index, start, position, end, take_tail, carry: Vec::new() }))
    }

    /// Fills `buffer` with the next whole lines, and keeps the beginning of the line after them; says whether there
    /// were any.
    fn fill(&mut self, buffer: &mut Vec<u8>, line_bytes_max: usize) -> Result<bool, Error> {
        let mut filled = self.carry.len();
        loop {
            let unread = self.end - self.position - filled as u64;
            let wanted = usize::try_from(unread).map_or(BLOCK_BYTES, |unread| unread.min(BLOCK_BYTES));
            // An old piece's bytes are written over; only what the buffer grows by is zeroed.
            buffer.resize(filled + wanted, 0);
            buffer[..self.carry.len()].copy_from_slice(&self.carry);
            if wanted == 0 {
                self.carry.clear();
                return Ok(self.take_tail && filled > 0);
            }
            self.text.read_exact(&mut buffer[filled..]).map_err(|error| self.failed(filled, &error))?;
            if let Some(newline) = memchr::memrchr(b'\n', &buffer[filled..]) {
                let whole = filled + newline + 1;
                self.carry.clear();
                self.carry.extend_from_slice(&buffer[whole..]);
                buffer.truncate(whole);
                return Ok(true);
            }
            filled += wanted;
            if filled > line_bytes_max {
                return Err(Error::Input(
                    Failure::new(format!("a line is longer than {line_bytes_max} bytes"))
                        .at(place(&self.name, &Position::counted(self.position)))
                        .help("check that the file consists of lines"),
                ));
            }
        }
    }

    /// Gives out the lines in `bytes`.
    fn advance(&mut self, bytes: Vec<u8>) -> Piece {
        let from = Position::counted(self.position);
        self.position += bytes.len() as u64;
        Piece {
            shard: self.shard,
            bytes,
            framing: Framing::Lines,
            starts_shard: from == self.start,
            from,
            to: Position::counted(self.position),
            arrived: None,
        }
    }

    fn failed(&self, filled: usize, error: &io::Error) -> Error {
        let place = place(&self.name, &Position::counted(self.position + filled as u64));
        if error.kind() == ErrorKind::UnexpectedEof {
            return Error::Input(
                Failure::new("the file became shorter while it was read").at(place).help("run again when it is whole"),
            );
        }
        self.text.damaged(&place, error)
    }
}

fn refuse_if(refused: bool, error: impl FnOnce() -> Error) -> Result<Option<OpenFile>, Error> {
    if refused { Err(error()) } else { Ok(None) }
}

fn place(name: &str, position: &Position) -> String {
    format!("{name}, position {position}")
}
