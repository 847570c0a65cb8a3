//! What a file holds once it is decompressed: gzip of one or many members, zstd of one or many frames, or plain text.
//!
//! Decompression holds a window in memory, 32 KiB for gzip and at most 128 MiB for zstd, whatever the file's size.
//! Which files are read, and from where, is `listing.rs`' and `reader.rs`' to say.

use std::{
    fmt,
    io::{self, BufRead, BufReader, ErrorKind, Read, Seek as _, SeekFrom},
};

use flate2::bufread::MultiGzDecoder;

use crate::{Address, Error, Failure, effect::disk::File};

/// Bytes of a compressed file that are read at once.
const BLOCK_BYTES: usize = 64 * 1024;

/// How a file is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
}

/// What the address says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Each file says itself, by its first bytes or by its name.
    Auto,
    /// All files are compressed like this, or none is.
    Always(Option<Compression>),
}

impl Expected {
    /// Reads the option `compression`.
    pub(super) fn of_address(address: &Address) -> Result<Self, Error> {
        match address.option("compression") {
            None | Some("auto") => Ok(Self::Auto),
            Some("gzip") => Ok(Self::Always(Some(Compression::Gzip))),
            Some("zstd") => Ok(Self::Always(Some(Compression::Zstd))),
            Some("none") => Ok(Self::Always(None)),
            Some(other) => Err(Error::Config(
                Failure::new(format!("unknown compression `{other}`"))
                    .at(address.to_string())
                    .help("one of: auto, gzip, zstd, none"),
            )),
        }
    }

    /// How a file is compressed that has this name and begins with these bytes.
    pub(super) fn of_file(self, name: &str, begin: &[u8]) -> Option<Compression> {
        match self {
            Self::Always(compression) => compression,
            Self::Auto => Compression::of_magic(begin).or_else(|| Compression::of_name(name)),
        }
    }
}

impl Compression {
    fn of_magic(begin: &[u8]) -> Option<Self> {
        match begin {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // A frame, or one that is to be skipped.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        match name.rsplit_once('.')?.1 {
            "gz" => Some(Self::Gzip),
            "zst" => Some(Self::Zstd),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// The text of a file, from its beginning.
pub(super) enum Text {
    Plain(File),
    Gzip(Box<MultiGzDecoder<Stored>>),
    Zstd(Box<zstd::Decoder<'static, Stored>>),
}

impl Text {
    pub(super) fn of(mut file: File, compression: Option<Compression>) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        Ok(match compression {
            None => Self::Plain(file),
            Some(Compression::Gzip) => Self::Gzip(Box::new(MultiGzDecoder::new(Stored::new(file)))),
            Some(Compression::Zstd) => Self::Zstd(Box::new(zstd::Decoder::with_buffer(Stored::new(file))?)),
        })
    }

    /// The file again, to be read anew.
    pub(super) fn into_file(self) -> File {
        match self {
            Self::Plain(file) => file,
            Self::Gzip(text) => text.into_inner().into_file(),
            Self::Zstd(text) => text.finish().into_file(),
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
            Self::Gzip(text) => (Compression::Gzip, text.get_ref().offset),
            Self::Zstd(text) => (Compression::Zstd, text.get_ref().offset),
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
            Self::Gzip(text) => text.read(buffer),
            Self::Zstd(text) => text.read(buffer),
        }
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Plain(_) => "Plain",
            Self::Gzip(_) => "Gzip",
            Self::Zstd(_) => "Zstd",
        })
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
