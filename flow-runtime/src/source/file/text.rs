//! The text of a file: what it holds once it is decompressed, or as it is.
//!
//! Which files are read, and from where, is `listing.rs`' and `reader.rs`' to say.

use std::{
    fmt,
    io::{self, BufRead, BufReader, ErrorKind, Read, Seek as _, SeekFrom},
};

use crate::{
    Error, Failure,
    effect::disk::File,
    source::compression::{Compression, Decoder},
};

/// Bytes of a compressed file that are read at once.
const BLOCK_BYTES: usize = 64 * 1024;

/// The text of a file, from its beginning.
pub(super) enum Text {
    Plain(File),
    Decoded(Decoder<Stored>),
}

impl Text {
    pub(super) fn of(mut file: File, compression: Option<Compression>) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        Ok(match compression {
            None => Self::Plain(file),
            Some(compression) => Self::Decoded(Decoder::new(Stored::new(file), compression)?),
        })
    }

    /// The file again, to be read anew.
    pub(super) fn into_file(self) -> File {
        match self {
            Self::Plain(file) => file,
            Self::Decoded(text) => text.into_inner().into_file(),
        }
    }

    /// Goes on to an offset in the text, from its beginning.
    pub(super) fn skip_to(&mut self, offset: u64) -> io::Result<()> {
        if let Self::Plain(file) = self {
            return file.seek(SeekFrom::Start(offset)).map(drop);
        }
        match io::copy(&mut self.take(offset), &mut io::sink())? {
            skipped if skipped == offset => Ok(()),
            _ => Err(ErrorKind::UnexpectedEof.into()),
        }
    }

    /// Decompresses all of it: how long it is, or that the file ends too early. Anything else wrong with it is an error.
    pub(super) fn measure(&mut self) -> io::Result<Option<u64>> {
        match io::copy(self, &mut io::sink()) {
            Ok(length) => Ok(Some(length)),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What to say of a file whose text cannot be read.
    pub(super) fn damaged(&self, path: &str, error: &io::Error) -> Error {
        let (compression, offset) = match self {
            Self::Plain(_) => return super::paths::unreadable("cannot read the file", path, error),
            Self::Decoded(text) => (text.compression(), text.get_ref().offset),
        };
        Error::Input(
            Failure::new(format!("the file cannot be decompressed as {}", compression.as_str()))
                .at(format!("{path}, byte {offset} of the file"))
                .cause(error)
                .help(
                    "restore it, or move it to another folder to go on without it; if it is not compressed, add \
                     ?compression=none to the address",
                ),
        )
    }
}

impl Read for Text {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::Decoded(text) => text.read(buffer),
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(_) => f.write_str("plain"),
            Self::Decoded(text) => text.fmt(f),
        }
    }
}

/// A compressed file, and how far it was decompressed.
pub(super) struct Stored {
    file: BufReader<File>,
    offset: u64,
}

impl Stored {
    fn new(file: File) -> Self {
        Self { file: BufReader::with_capacity(BLOCK_BYTES, file), offset: 0 }
    }

    fn into_file(self) -> File {
        self.file.into_inner()
    }
}

impl Read for Stored {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.offset += read as u64;
        Ok(read)
    }
}

impl BufRead for Stored {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.file.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.offset += bytes as u64;
        self.file.consume(bytes);
    }
}
