//! `stdin:` sources and tables: the lines of standard input, which can be read once and never again.
//!
//! A thread reads ahead, since nobody can be called back from a read: when a run is interrupted, it is left behind.

use std::{
    io::{self, ErrorKind, Read},
    mem,
    sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender},
    thread,
    time::Duration,
};

use super::{
    BYTE_ORDER_MARK, Framing, KnownShard, LINE_BYTES_MAX, Next, Piece, Position, Reader, Reading, Shard, ShardFrom,
    SourceTap,
};
use crate::{Address, Error, Failure, effect};

/// Bytes that are read at once.
const BLOCK_BYTES: usize = 256 * 1024;

/// What it is called.
const NAME: &str = "standard input";

/// Standard input.
#[derive(Debug)]
pub(super) struct StdinTap;

impl StdinTap {
    pub(super) fn open(address: &Address) -> Result<Self, Error> {
        address.allow_options(&[])?;
        match address.path() {
            "" => Ok(Self),
            _ => Err(Error::Config(Failure::new("standard input has no path").at(address.to_string()).help("stdin:"))),
        }
    }
}

impl SourceTap for StdinTap {
    fn check_with_store(&self) -> Result<(), Error> {
        Err(Error::Config(
            Failure::new("standard input cannot be read again from where an iteration ended")
                .at("stdin:")
                .help("add --checkpoint none, or write it to a file and read that"),
        ))
    }

    fn shards(&self, _known: &[KnownShard]) -> Result<Vec<ShardFrom>, Error> {
        let [id, name, mark] = ["stdin", NAME, ""].map(str::to_owned);
        let start = Position::counted(0);
        Ok(vec![ShardFrom {
            shard: Shard { id, name, mark, start: start.clone() },
            from: start,
            until: None,
            covered_us: None,
            gap: None,
        }])
    }

    fn open(&self, _shards: &[ShardFrom], _reading: Reading) -> Result<Box<dyn Reader>, Error> {
        Ok(Box::new(LineReader::start(io::stdin())?))
    }
}

/// Gives out lines of what a thread reads.
#[derive(Debug)]
struct LineReader {
    blocks: Receiver<io::Result<Vec<u8>>>,
    /// The beginning of a line.
    carry: Vec<u8>,
    /// Offset of the first byte that was not given out.
    position: u64,
    is_begun: bool,
}

impl LineReader {
    fn start(from: impl Read + Send + 'static) -> Result<Self, Error> {
        let (sender, blocks) = mpsc::sync_channel(1);
        thread::Builder::new()
            .name(format!("read {NAME}"))
            .spawn(effect::inherited(move || read_ahead(from, &sender)))
            .map_err(|error| failed(0, "cannot start a thread", &error))?;
        Ok(Self { blocks, carry: Vec::new(), position: 0, is_begun: false })
    }

    /// Gives out the first `end` bytes of those that are there.
    fn advance(&mut self, end: usize) -> Next {
        let rest = self.carry.split_off(end);
        let bytes = mem::replace(&mut self.carry, rest);
        let from = Position::counted(self.position);
        self.position += end as u64;
        let starts_shard = !mem::replace(&mut self.is_begun, true);
        Next::Piece(Piece {
            shard: 0,
            bytes,
            framing: Framing::Lines,
            from,
            to: Position::counted(self.position),
            starts_shard,
            arrived: None,
        })
    }

    fn skip_byte_order_mark(&mut self) {
        if !self.is_begun && self.position == 0 && self.carry.starts_with(BYTE_ORDER_MARK) {
            self.carry.drain(..BYTE_ORDER_MARK.len());
            self.position = BYTE_ORDER_MARK.len() as u64;
        }
    }
}

impl Reader for LineReader {
    fn next(&mut self, _buffer: Vec<u8>, wait: Duration) -> Result<Next, Error> {
        loop {
            let new = self.carry.len();
            match self.blocks.recv_timeout(wait) {
                Ok(block) => self.carry.extend(block.map_err(|error| failed(self.position, "cannot read", &error))?),
                Err(RecvTimeoutError::Timeout) => return Ok(Next::Waiting),
                Err(RecvTimeoutError::Disconnected) if self.carry.is_empty() => return Ok(Next::End),
                Err(RecvTimeoutError::Disconnected) => {
                    self.skip_byte_order_mark();
                    return Ok(self.advance(self.carry.len()));
                }
            }
            if let Some(newline) = memchr::memrchr(b'\n', &self.carry[new..]) {
                let before = self.carry.len();
                self.skip_byte_order_mark();
                return Ok(self.advance(new + newline + 1 - (before - self.carry.len())));
            }
            if self.carry.len() > LINE_BYTES_MAX {
                let error = io::Error::other(format!("a line is longer than {LINE_BYTES_MAX} bytes"));
                return Err(failed(self.position, "cannot read", &error));
            }
        }
    }
}

/// Reads block after block until there is no more, or nobody wants them.
fn read_ahead(mut from: impl Read, blocks: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut block = vec![0; BLOCK_BYTES];
        let read = match effect::effect("stdin.read", || from.read(&mut block)) {
            Ok(0) => return,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read,
        };
        let is_last = read.is_err();
        let block = read.map(|length| {
            block.truncate(length);
            block
        });
        if blocks.send(block).is_err() || is_last {
            return;
        }
    }
}

fn failed(position: u64, what: &str, error: &io::Error) -> Error {
    Error::Input(Failure::new(format!("{what} from {NAME}")).at(format!("stdin:, position {position}")).cause(error))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// Reads to the end: each piece, its positions before it.
    fn pieces(bytes: &'static [u8]) -> Vec<String> {
        let mut reader = LineReader::start(bytes).unwrap();
        let mut pieces = Vec::new();
        loop {
            match reader.next(Vec::new(), Duration::from_secs(60)).unwrap() {
                Next::Piece(Piece { bytes, from, to, starts_shard, .. }) => {
                    let begin = if starts_shard { "^" } else { "" };
                    pieces.push(format!("{begin}{from}-{to} {}", String::from_utf8_lossy(&bytes)));
                }
                Next::End => return pieces,
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn lines_and_an_unterminated_last_one_are_given_out() {
        assert_eq!(pieces(b"one\ntwo\nthr"), ["^0-8 one\ntwo\n", "8-11 thr"]);
        assert_eq!(pieces(b"one"), ["^0-3 one"]);
        assert_eq!(pieces(b""), [""; 0]);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_first_record() {
        assert_eq!(pieces(b"\xef\xbb\xbfone\ntwo"), ["^3-7 one\n", "7-10 two"]);
        assert_eq!(pieces(b"\xef\xbb\xbfone"), ["^3-6 one"]);
    }

    #[test]
    fn while_nobody_writes_the_reader_waits_and_can_be_left() {
        let (read, mut write) = io::pipe().unwrap();
        let mut reader = LineReader::start(read).unwrap();
        assert!(matches!(reader.next(Vec::new(), Duration::ZERO), Ok(Next::Waiting)));
        write.write_all(b"a long line, ").unwrap();
        write.write_all(b"in two\nparts").unwrap();
        let line = loop {
            match reader.next(Vec::new(), Duration::from_secs(60)).unwrap() {
                Next::Piece(piece) => break piece.bytes,
                other => assert!(matches!(other, Next::Waiting)),
            }
        };
        assert_eq!(line, b"a long line, in two\n");
        drop(write);
    }

    #[test]
    fn standard_input_is_refused_where_it_would_have_to_be_read_again() {
        let error = StdinTap.check_with_store().unwrap_err().to_string();
        assert!(error.contains("add --checkpoint none"), "{error}");
    }
}
