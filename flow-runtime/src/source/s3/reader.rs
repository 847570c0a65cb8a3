//! Reads objects one after the other, in pieces of whole lines. Positions are byte offsets in the text, or its end.

use std::{
    io::{self, BufRead, Read},
    mem,
    time::Duration,
};

use super::{ahead::Ahead, version::Offset};
use crate::{
    Error, Failure,
    aws::{Kind, Trouble},
    source::{
        BYTE_ORDER_MARK, Framing, LINE_BYTES_MAX, Moved, Next, Piece, Reader,
        compression::{Decoder, Expected},
    },
};

/// Bytes that are read at once; a piece ends at the last line end among them.
const BLOCK_BYTES: usize = 256 * 1024;

/// Stored bytes that give such a block, and one more: what does not compress grows by less than that.
const STORED_BYTES_MAX: usize = 2 * BLOCK_BYTES;

/// An object to be read.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    /// Index among the shards that the reader was opened over.
    pub(super) shard: usize,
    pub(super) name: String,
    pub(super) from: u64,
    /// The first byte of its text not to be read, where it was read before.
    pub(super) until: Option<u64>,
    /// Bytes of the text that are left out, as it is stored: those of one that is not compressed.
    pub(super) skipped: u64,
    /// Whether it must be there, and be this version.
    pub(super) must_be_read: bool,
}

/// Reads objects one after the other.
#[derive(Debug)]
pub(super) struct ObjectReader {
    expected: Expected,
    planned: Vec<Planned>,
    /// How many of `planned` have been opened.
    opened: usize,
    /// While no object is open.
    ahead: Option<Ahead>,
    open: Option<OpenObject>,
    line_bytes_max: usize,
}

impl ObjectReader {
    /// `planned` are the objects that are read ahead, one for one.
    pub(super) fn new(ahead: Ahead, planned: Vec<Planned>, expected: Expected) -> Self {
        Self { expected, planned, opened: 0, ahead: Some(ahead), open: None, line_bytes_max: LINE_BYTES_MAX }
    }

    /// Opens the next object; says whether there is one, or that it is still to come.
    fn open_next(&mut self, patience: Duration) -> Result<Opened, Error> {
        while let (Some(planned), Some(ahead)) = (self.planned.get(self.opened), self.ahead.take()) {
            let mut body = Body::new(ahead, self.opened);
            if !body.wait_for(1, patience).map_err(|trouble| lost(&planned.name, &trouble))? {
                self.ahead = Some(body.ahead);
                return Ok(Opened::NotYet);
            }
            self.opened += 1;
            if body.fill_buf().is_ok() {
                self.open = Some(OpenObject::open(planned.clone(), body, self.expected)?);
                return Ok(Opened::Yes);
            }
            // Deleted or overwritten since it was listed; next time it is listed as what it is then.
            let is_changed = body.failed.as_ref().is_some_and(Trouble::is_changed);
            match &body.failed {
                Some(trouble) if !is_changed || planned.must_be_read => return Err(lost(&planned.name, trouble)),
                _ => self.ahead = Some(body.ahead),
            }
        }
        Ok(Opened::NoMore)
    }
}

/// Whether an object was opened.
enum Opened {
    Yes,
    NotYet,
    NoMore,
}

impl Reader for ObjectReader {
    fn next(&mut self, mut buffer: Vec<u8>, patience: Duration) -> Result<Next, Error> {
        loop {
            if let Some(object) = &mut self.open {
                if !object.wait_for_block(patience)? {
                    return Ok(Next::Looking);
                }
                if let Some(next) = object.next(&mut buffer, self.line_bytes_max)? {
                    return Ok(next);
                }
                self.ahead = self.open.take().map(|object| object.text.into_body().ahead);
            }
            match self.open_next(patience)? {
                Opened::Yes => {}
                Opened::NotYet => return Ok(Next::Looking),
                Opened::NoMore => return Ok(Next::End),
            }
        }
    }
}

/// The object that is being read.
#[derive(Debug)]
struct OpenObject {
    planned: Planned,
    text: Text,
    /// Offset of the first byte that was not given out.
    position: u64,
    /// What was read after it.
    carry: Vec<u8>,
    /// Bytes of the text before the place where reading begins.
    to_skip: u64,
    /// Nothing was given out.
    is_first: bool,
    has_ended: bool,
}

impl OpenObject {
    fn open(planned: Planned, body: Body, expected: Expected) -> Result<Self, Error> {
        let compression = match planned.skipped {
            0 => expected.of_file(&planned.name, &body.part),
            _ => None,
        };
        let text = match compression {
            None => Text::Plain(Box::new(body)),
            Some(compression) => Text::Decoded(Decoder::new(body, compression).map_err(|error| {
                Error::Input(Failure::new("cannot decompress the object").at(&*planned.name).cause(error))
            })?),
        };
        let (position, to_skip) = (planned.from, planned.from - planned.skipped);
        Ok(Self { planned, text, position, carry: Vec::new(), to_skip, is_first: true, has_ended: false })
    }

    /// Waits, but not for long, until the next block can be read; says whether it can.
    fn wait_for_block(&mut self, patience: Duration) -> Result<bool, Error> {
        let body = self.text.body_mut();
        body.wait_for(STORED_BYTES_MAX, patience).map_err(|trouble| lost(&self.planned.name, &trouble))
    }

    /// Goes on to where reading begins; says whether it is reached.
    fn skip(&mut self) -> Result<bool, Error> {
        let block = self.to_skip.min(BLOCK_BYTES as u64);
        let skipped = io::copy(&mut (&mut self.text).take(block), &mut io::sink());
        let skipped = skipped.map_err(|error| self.failed(&error))?;
        if skipped < block {
            return Err(self.ends_before(self.planned.from));
        }
        self.to_skip -= skipped;
        Ok(self.to_skip == 0)
    }

    /// Leaves out what some programs begin a text with.
    fn skip_mark(&mut self) -> Result<(), Error> {
        self.read_on(BYTE_ORDER_MARK.len())?;
        if self.carry == BYTE_ORDER_MARK {
            self.position = self.carry.len() as u64;
            self.carry.clear();
        }
        Ok(())
    }

    /// The next whole lines, the last of them with word that this is the end; nothing comes after that. No more than a block
    /// is read at once.
    fn next(&mut self, buffer: &mut Vec<u8>, line_bytes_max: usize) -> Result<Option<Next>, Error> {
        if self.has_ended {
            return Ok(None);
        }
        if self.to_skip > 0 && !self.skip()? {
            return Ok(Some(Next::Looking));
        }
        if self.position == 0 && self.carry.is_empty() {
            self.skip_mark()?;
        }
        // What is left of the last block has no line end.
        let searched = self.carry.len();
        let mut is_last = self.read_on(BLOCK_BYTES)?;
        let newline = memchr::memrchr(b'\n', &self.carry[searched..]);
        let mut whole = match newline {
            _ if is_last => self.carry.len(),
            Some(newline) => searched + newline + 1,
            None if self.carry.len() > line_bytes_max => return Err(self.line_too_long(line_bytes_max)),
            None => return Ok(Some(Next::Looking)),
        };
        if !is_last && whole == self.carry.len() {
            // Is there more?
            is_last = self.read_on(1)?;
            // The byte itself may be the last.
            whole = if is_last { self.carry.len() } else { whole };
        }
        Ok(Some(self.advance(buffer, whole, is_last)))
    }

    /// Reads so many more bytes; says whether there are no more after them.
    fn read_on(&mut self, bytes: usize) -> Result<bool, Error> {
        let before = self.carry.len();
        let read_to = self.position + before as u64;
        let left = self.planned.until.map(|until| until.saturating_sub(read_to));
        let wanted = left.map_or(bytes as u64, |left| left.min(bytes as u64));
        let read = (&mut self.text).take(wanted).read_to_end(&mut self.carry);
        let read = read.map_err(|error| self.failed(&error))? as u64;
        match left {
            None => Ok(read < wanted),
            Some(_) if read < wanted => Err(self.ends_before(read_to + wanted)),
            Some(left) => Ok(read == left),
        }
    }

    /// Gives out the first bytes of what was read.
    fn advance(&mut self, buffer: &mut Vec<u8>, whole: usize, is_last: bool) -> Next {
        mem::swap(buffer, &mut self.carry);
        self.carry.clear();
        self.carry.extend_from_slice(&buffer[whole..]);
        buffer.truncate(whole);
        let from = self.position;
        self.position += whole as u64;
        self.has_ended = is_last;
        let is_end = is_last && self.planned.until.is_none();
        let to = if is_end { Offset::End } else { Offset::At(self.position) };
        let shard = self.planned.shard;
        if whole == 0 {
            return Next::Moved(Moved { shard, to: to.position(), covered_us: None });
        }
        Next::Piece(Piece {
            shard,
            bytes: mem::take(buffer),
            framing: Framing::Lines,
            from: Offset::At(from).position(),
            to: to.position(),
            starts_shard: self.planned.from == 0 && mem::take(&mut self.is_first),
            arrived: None,
        })
    }

    fn place(&self) -> String {
        format!("{}, position {}", self.planned.name, self.position)
    }

    fn line_too_long(&self, line_bytes_max: usize) -> Error {
        Error::Input(
            Failure::new(format!("a line is longer than {line_bytes_max} bytes"))
                .at(self.place())
                .help("check that the object consists of lines"),
        )
    }

    fn ends_before(&self, position: u64) -> Error {
        Error::Input(
            Failure::new("the object ends before the place that it was read to")
                .at(format!("{}, position {position}", self.planned.name)),
        )
    }

    fn failed(&self, error: &io::Error) -> Error {
        let body = self.text.body();
        if let Some(trouble) = &body.failed {
            return lost(&self.planned.name, trouble);
        }
        let how = match &self.text {
            Text::Plain(_) => "read",
            Text::Decoded(text) => text.compression().as_str(),
        };
        Error::Input(
            Failure::new(format!("the object cannot be decompressed as {how}"))
                .at(format!("{}, byte {} of the object", self.planned.name, body.read))
                .cause(error)
                .help("restore it, or leave it out of the address; if it is not compressed, add ?compression=none"),
        )
    }
}

/// The error for an object that cannot be read.
pub(super) fn lost(name: &str, trouble: &Trouble) -> Error {
    let (what, help) = match (trouble.kind, trouble.code.as_deref()) {
        (Kind::ConditionFailed, _) => (
            "the object was overwritten since it was listed",
            "run again; what was sealed of it can be read again only if the bucket keeps versions",
        ),
        (Kind::Missing, _) => (
            "the object was deleted since it was listed",
            "run again; what was sealed of it can be read again only if the bucket keeps versions",
        ),
        (_, Some("InvalidObjectState")) => {
            ("the object is archived", "restore it, or move it out of what the address means")
        }
        _ => return Error::Input(trouble.failure("cannot read the object").at(name)),
    };
    Error::Input(trouble.failure(what).at(name).help(help))
}

/// What an object holds.
#[derive(Debug)]
enum Text {
    Plain(Box<Body>),
    Decoded(Decoder<Body>),
}

impl Text {
    fn body(&self) -> &Body {
        match self {
            Self::Plain(body) => body,
            Self::Decoded(text) => text.get_ref(),
        }
    }

    fn body_mut(&mut self) -> &mut Body {
        match self {
            Self::Plain(body) => body,
            Self::Decoded(text) => text.get_mut(),
        }
    }

    fn into_body(self) -> Body {
        match self {
            Self::Plain(body) => *body,
            Self::Decoded(text) => text.into_inner(),
        }
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(body) => body.read(buffer),
            Self::Decoded(text) => text.read(buffer),
        }
    }
}

/// The stored bytes of an object, part by part.
#[derive(Debug)]
struct Body {
    ahead: Ahead,
    /// Index among the objects that are read ahead.
    object: usize,
    part: Vec<u8>,
    /// Bytes of the part that were taken.
    taken: usize,
    /// Bytes of all parts that were taken.
    read: u64,
    /// Why there are no more.
    failed: Option<Trouble>,
}

impl Body {
    fn new(ahead: Ahead, object: usize) -> Self {
        Self { ahead, object, part: Vec::new(), taken: 0, read: 0, failed: None }
    }

    /// Waits, but not for long, until so many bytes more are there, or all; says whether they are.
    fn wait_for(&mut self, bytes: usize, patience: Duration) -> Result<bool, Trouble> {
        let left = self.part.len() - self.taken;
        match bytes.saturating_sub(left) {
            0 => Ok(true),
            missing => self.ahead.wait_for(self.object, missing as u64, patience),
        }
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.taken == self.part.len() {
            self.taken = 0;
            self.part = match self.ahead.next(self.object) {
                Ok(part) => part.unwrap_or_default(),
                Err(trouble) => {
                    self.part.clear();
                    let error = io::Error::other(trouble.to_string());
                    self.failed = Some(trouble);
                    return Err(error);
                }
            };
        }
        Ok(&self.part[self.taken..])
    }

    fn consume(&mut self, bytes: usize) {
        self.taken += bytes;
        self.read += bytes as u64;
    }
}

impl Read for Body {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}
