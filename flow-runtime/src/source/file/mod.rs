//! `file:` sources and tables: one file or a glob, read in the order of their paths, line by line.
//!
//! Positions are byte offsets. What a reader is opened over ends where each file ends when its turn comes, so that a
//! file that grows faster than it is read ends all the same. Which file is which is `identity.rs`' to say.

mod identity;
mod paths;

use std::{
    collections::HashSet,
    io::{self, ErrorKind, Read as _, Seek as _, SeekFrom},
    time::Duration,
};

use identity::{FINGERPRINT_BYTES_MAX, FileFacts, Identity, KnownFiles, Recognised};
use paths::unreadable;
pub(crate) use paths::{Paths, is_same_file};

use super::{Framing, Gaps, KnownShard, Next, Piece, Position, Reader, Shard, ShardFrom, SourceTap};
use crate::{
    Address, Error, Failure,
    effect::disk::{self, File},
    held::Cause,
};

/// Bytes that are read at once; a piece ends at the last line end among them.
const BLOCK_BYTES: usize = 256 * 1024;

/// The longest line: a file without line ends is no file of lines, and must not fill the memory.
const LINE_BYTES_MAX: usize = 1 << 30;

/// Files by path or glob.
#[derive(Debug)]
pub(super) struct FileTap {
    paths: Paths,
}

impl FileTap {
    pub(super) fn open(address: &Address) -> Result<Self, Error> {
        address.allow_options(&[])?;
        if address.path().is_empty() {
            return Err(Error::Config(
                Failure::new("the address names no file")
                    .at(address.to_string())
                    .help("as in file:access.log or file:logs/*.log"),
            ));
        }
        Ok(Self { paths: Paths::new(address.path()) })
    }
}

impl SourceTap for FileTap {
    fn shards(&self, known: &[KnownShard]) -> Result<Vec<ShardFrom>, Error> {
        self.survey(known, Gaps::Refuse)?.into_iter().collect()
    }

    fn survey(&self, known: &[KnownShard], gaps: Gaps) -> Result<Vec<Result<ShardFrom, Error>>, Error> {
        let known = KnownFiles::new(known);
        let mut shards = Vec::new();
        let mut seen = HashSet::new();
        for path in self.paths.list()? {
            let shard = look_at(&path).and_then(|(_, facts, head)| {
                // A link and what it links to are one file, to be read once.
                match seen.insert((facts.device, facts.inode)) {
                    true => shard_from(path, facts, &head, &known, gaps),
                    false => Ok(None),
                }
            });
            shards.extend(shard.transpose());
        }
        Ok(shards)
    }

    fn open(&self, shards: &[ShardFrom], take_tail: bool) -> Result<Box<dyn Reader>, Error> {
        let shards = shards.to_vec();
        Ok(Box::new(FileReader { shards, opened: 0, file: None, take_tail, line_bytes_max: LINE_BYTES_MAX }))
    }
}

/// Opens a file and finds out which it is.
fn look_at(path: &str) -> Result<(File, FileFacts, Vec<u8>), Error> {
    let cannot = |error| unreadable("cannot read the file", path, &error);
    // To open a named pipe would wait for its writer, so the file is looked at first.
    let metadata = disk::metadata("source", path.as_ref()).map_err(cannot)?;
    if metadata.is_dir() {
        return Err(Error::Input(
            Failure::new("a directory cannot be read").at(path).help(format!("for the files in it: file:{path}/*")),
        ));
    }
    if !metadata.is_file() {
        return Err(Error::Input(Failure::new("not a regular file").at(path).help("copy what it holds into a file")));
    }
    let file = File::open("source", path.as_ref()).map_err(cannot)?;
    let facts = FileFacts::of(&file.metadata().map_err(cannot)?);
    let head = read_head(&file).map_err(cannot)?;
    // It may also have begun to grow just now.
    if facts.length == 0 && !head.is_empty() && file.metadata().map_err(cannot)?.len() == 0 {
        return Err(Error::Input(
            Failure::new("the file does not tell its length, as those of /proc")
                .at(path)
                .help("copy what it holds into a file"),
        ));
    }
    Ok((file, facts, head))
}

fn read_head(file: &File) -> io::Result<Vec<u8>> {
    let mut head = vec![0; FINGERPRINT_BYTES_MAX];
    let mut filled = 0;
    while filled < head.len() {
        match file.read_at(&mut head[filled..], filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    head.truncate(filled);
    Ok(head)
}

/// Where to read on in a file; an empty one is no shard until it has a first byte to be known by.
fn shard_from(
    name: String,
    facts: FileFacts,
    head: &[u8],
    known: &KnownFiles<'_>,
    gaps: Gaps,
) -> Result<Option<ShardFrom>, Error> {
    let start = Position::counted(0);
    let mark = Identity::new(facts, head).to_string();
    let goes_on = |name: String, known: &KnownShard, from: Position| {
        let shard = Shard { id: known.id.clone(), name, mark: mark.clone(), start: start.clone() };
        Ok(Some(ShardFrom { shard, from, until: None }))
    };
    match known.recognise(facts, head) {
        Recognised::New if head.is_empty() => Ok(None),
        Recognised::New => {
            let shard = Shard { id: mark.clone(), name, mark, start: start.clone() };
            Ok(Some(ShardFrom { shard, from: start, until: None }))
        }
        Recognised::Known(known) => goes_on(name, known, known.next.clone()),
        Recognised::Changed(known) | Recognised::Shrunk(known) if gaps == Gaps::FromBeginning => {
            goes_on(name, known, start.clone())
        }
        Recognised::Changed(known) | Recognised::Shrunk(known) if gaps == Gaps::FromEnd => {
            goes_on(name, known, Position::counted(facts.length))
        }
        Recognised::Changed(known) => {
            let what = "the file is not what it was: it begins differently";
            Err(held(Cause::SourceChanged, what, &name, facts, known))
        }
        Recognised::Shrunk(known) => Err(held(Cause::SourceShrunk, "the file has shrunk", &name, facts, known)),
    }
}

fn held(why: Cause, what: &str, path: &str, facts: FileFacts, known: &KnownShard) -> Error {
    let name = if known.name == path { String::new() } else { format!("as {} ", known.name) };
    let read = format!("{name}it was read to byte {}, now it has {} bytes", known.next, facts.length);
    let help = "what was read of it stays loaded; restore the file; or go on with what it has now: run with --accept-gap \
                if that is new, with --accept-gap=end if it was read before";
    Error::Held(Failure::new(what).at(path).cause(read).help(help).held(why.case().path(path)))
}

/// Reads files one after the other.
#[derive(Debug)]
struct FileReader {
    shards: Vec<ShardFrom>,
    /// How many of `shards` have been opened.
    opened: usize,
    file: Option<OpenFile>,
    take_tail: bool,
    line_bytes_max: usize,
}

impl Reader for FileReader {
    fn next(&mut self, mut buffer: Vec<u8>, _wait: Duration) -> Result<Next, Error> {
        loop {
            let Some(file) = &mut self.file else {
                let Some(shard) = self.shards.get(self.opened) else { return Ok(Next::End) };
                self.file = Some(OpenFile::open(self.opened, shard, self.take_tail)?);
                self.opened += 1;
                continue;
            };
            if file.fill(&mut buffer, self.line_bytes_max)? {
                return Ok(Next::Piece(file.advance(buffer)));
            }
            self.file = None;
        }
    }
}

/// The file that is being read.
#[derive(Debug)]
struct OpenFile {
    file: File,
    name: String,
    /// Index among the reader's shards.
    shard: usize,
    /// Offset of the first byte that was not given out.
    position: u64,
    /// Offset of the first byte not to be read: the file's length when it was opened, or where it was read to before.
    end: u64,
    /// Whether a line that is unterminated at `end` is given out.
    take_tail: bool,
    /// What was read after `position`: the beginning of a line, shorter than a block.
    carry: Vec<u8>,
}

impl OpenFile {
    fn open(index: usize, ShardFrom { shard, from, until }: &ShardFrom, take_tail: bool) -> Result<Self, Error> {
        let (mut file, facts, head) = look_at(&shard.name)?;
        if !shard.mark.parse::<Identity>().is_ok_and(|identity| identity.fits(facts, &head)) {
            return Err(Error::Input(
                Failure::new("the file was replaced or changed while the run began").at(&shard.name).help("run again"),
            ));
        }
        let within = |position: &Position, what: &str| {
            position.count().filter(|position| *position <= facts.length).ok_or_else(|| {
                let length = format!("the file has {} bytes", facts.length);
                Error::Input(Failure::new(what).at(place(&shard.name, position)).cause(length))
            })
        };
        let position = within(from, "cannot read on")?;
        let end = match until {
            Some(until) => within(until, "the file ends before the place that it was read to")?.max(position),
            None => facts.length,
        };
        file.seek(SeekFrom::Start(position)).map_err(|error| unreadable("cannot seek", &shard.name, &error))?;
        let take_tail = take_tail || until.is_some();
        Ok(Self { file, name: shard.name.clone(), shard: index, position, end, take_tail, carry: Vec::new() })
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
            self.file.read_exact(&mut buffer[filled..]).map_err(|error| self.failed(filled, &error))?;
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
        let from = self.position;
        self.position += bytes.len() as u64;
        Piece {
            shard: self.shard,
            bytes,
            framing: Framing::Lines,
            from: Position::counted(from),
            to: Position::counted(self.position),
            starts_shard: from == 0,
        }
    }

    fn failed(&self, filled: usize, error: &io::Error) -> Error {
        let place = place(&self.name, &Position::counted(self.position + filled as u64));
        if error.kind() == ErrorKind::UnexpectedEof {
            return Error::Input(
                Failure::new("the file became shorter while it was read").at(place).help("run again when it is whole"),
            );
        }
        unreadable("cannot read the file", &place, error)
    }
}

fn place(name: &str, position: &Position) -> String {
    format!("{name}, position {position}")
}

#[cfg(test)]
mod tests;
