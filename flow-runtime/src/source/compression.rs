//! How files and objects are compressed, and what is in them: gzip of one or many members, zstd of one or many frames.
//!
//! Decompression holds a window in memory, 32 KiB for gzip and at most 128 MiB for zstd, whatever the size. Where the bytes
//! come from is the taps' business.

use std::{
    fmt,
    io::{self, BufRead, Read},
};

use flate2::bufread::MultiGzDecoder;

use crate::{Address, Error, Failure};

/// How a file or an object is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
}

/// What the address says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Each file or object says itself, by its first bytes or by its name.
    Auto,
    /// All are compressed like this, or none is.
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

    /// How a file or an object is compressed that has this name and begins with these bytes.
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

    /// What people call it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

/// What compressed bytes hold, from their beginning.
pub(super) enum Decoder<R: BufRead> {
    Gzip(Box<MultiGzDecoder<R>>),
    Zstd(Box<zstd::Decoder<'static, R>>),
}

impl<R: BufRead> Decoder<R> {
    pub(super) fn new(stored: R, compression: Compression) -> io::Result<Self> {
        Ok(match compression {
            Compression::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(stored))),
            Compression::Zstd => Self::Zstd(Box::new(zstd::Decoder::with_buffer(stored)?)),
        })
    }

    pub(super) fn compression(&self) -> Compression {
        match self {
            Self::Gzip(_) => Compression::Gzip,
            Self::Zstd(_) => Compression::Zstd,
        }
    }

    /// What is decompressed.
    pub(super) fn get_ref(&self) -> &R {
        match self {
            Self::Gzip(text) => text.get_ref(),
            Self::Zstd(text) => text.get_ref(),
        }
    }

    /// The same, to be looked after.
    #[cfg(feature = "aws")]
    pub(super) fn get_mut(&mut self) -> &mut R {
        match self {
            Self::Gzip(text) => text.get_mut(),
            Self::Zstd(text) => text.get_mut(),
        }
    }

    /// What was decompressed, wherever it stands.
    pub(super) fn into_inner(self) -> R {
        match self {
            Self::Gzip(text) => text.into_inner(),
            Self::Zstd(text) => text.finish(),
        }
    }
}

impl<R: BufRead> Read for Decoder<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(text) => text.read(buffer),
            Self::Zstd(text) => text.read(buffer),
        }
    }
}

impl<R: BufRead> fmt::Debug for Decoder<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.compression().as_str())
    }
}
