//! How objects are compressed, and what does it.

use std::{
    fmt,
    io::{self, Write},
};

use flate2::write::GzEncoder;

/// Of 9: rows of two columns become a twentieth larger than by the usual 6, and take three quarters of the time.
const GZIP_LEVEL: u32 = 3;

/// Of 22: rows of two columns become as small as by the usual 3, and take half of the time.
const ZSTD_LEVEL: i32 = 1;

/// How objects are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sink) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    pub(in crate::sink) fn parse(text: &str) -> Option<Self> {
        match text {
            "none" => Some(Self::None),
            "gzip" => Some(Self::Gzip),
            "zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// What the names of objects end with.
    pub(in crate::sink) fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    pub(in crate::sink) fn encoder(self) -> io::Result<Encoder> {
        Ok(match self {
            Self::None => Encoder::Plain(Vec::new()),
            Self::Gzip => Encoder::Gzip(GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL))),
            Self::Zstd => Encoder::Zstd(zstd::Encoder::new(Vec::new(), ZSTD_LEVEL)?),
        })
    }
}

/// What compresses an object into memory, from where its parts are taken.
pub(in crate::sink) enum Encoder {
    Plain(Vec<u8>),
    Gzip(GzEncoder<Vec<u8>>),
    Zstd(zstd::Encoder<'static, Vec<u8>>),
}

impl Encoder {
    /// The bytes that are there to be taken; others may still be on their way.
    pub(in crate::sink) fn ready(&self) -> usize {
        match self {
            Self::Plain(bytes) => bytes.len(),
            Self::Gzip(encoder) => encoder.get_ref().len(),
            Self::Zstd(encoder) => encoder.get_ref().len(),
        }
    }

    /// Takes them.
    pub(in crate::sink) fn take(&mut self) -> Vec<u8> {
        std::mem::take(match self {
            Self::Plain(bytes) => bytes,
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Zstd(encoder) => encoder.get_mut(),
        })
    }

    /// Ends the object, and gives its last bytes.
    pub(in crate::sink) fn finish(self) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain(bytes) => Ok(bytes),
            Self::Gzip(encoder) => encoder.finish(),
            Self::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl Write for Encoder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(plain) => plain.write(bytes),
            Self::Gzip(encoder) => encoder.write(bytes),
            Self::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Encoder({} bytes ready)", self.ready())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn what_is_compressed_is_what_was_written() {
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            let (mut encoder, mut packed, mut plain) = (compression.encoder().unwrap(), Vec::new(), Vec::new());
            for line in 0..50_000 {
                let line = format!("{line},{}\n", line * 7919 % 50_000);
                encoder.write_all(line.as_bytes()).unwrap();
                plain.extend_from_slice(line.as_bytes());
                packed.extend(encoder.take());
            }
            packed.extend(encoder.finish().unwrap());
            let mut unpacked = Vec::new();
            match compression {
                Compression::None => unpacked = packed,
                Compression::Gzip => drop(flate2::read::GzDecoder::new(&*packed).read_to_end(&mut unpacked).unwrap()),
                Compression::Zstd => unpacked = zstd::decode_all(&*packed).unwrap(),
            }
            assert!(unpacked == plain, "{compression:?}");
        }
    }
}
