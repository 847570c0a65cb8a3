//! Which version of an object was read, and how far: what the store keeps of it, as text.

use std::{fmt, str::FromStr};

use crate::source::{END, Position};

/// What stands between it and the version that it is the end of.
const OF: &str = " of ";

/// One version of an object, as a shard's mark: `bytes etag`, and ` version` in a bucket that keeps them. An object is what
/// its length and ETag say: written once more with the same bytes, it is still the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) bytes: u64,
    pub(super) etag: String,
    pub(super) id: Option<String>,
}

impl Version {
    /// Whether both hold the same.
    pub(super) fn is_same(&self, bytes: u64, etag: &str) -> bool {
        self.bytes == bytes && self.etag == etag
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { bytes, etag, id } = self;
        write!(f, "{bytes} {etag}")?;
        id.as_ref().map_or(Ok(()), |id| write!(f, " {id}"))
    }
}

impl FromStr for Version {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let mut words = text.splitn(3, ' ');
        let bytes = words.next().and_then(|bytes| bytes.parse().ok()).ok_or(())?;
        let etag = words.next().filter(|etag| !etag.is_empty()).ok_or(())?.to_owned();
        Ok(Self { bytes, etag, id: words.next().map(str::to_owned) })
    }
}

/// How far an object was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Offset {
    /// The first byte of its text that was not read. There is one.
    At(u64),
    /// All of it.
    End,
}

impl Offset {
    /// Reads a position; nothing if it is none of an object's.
    pub(super) fn of(position: &Position) -> Option<Self> {
        let is_end = position.as_str().strip_prefix(END).is_some_and(|of| of.is_empty() || of.starts_with(OF));
        if is_end { Some(Self::End) } else { position.count().map(Self::At) }
    }

    /// The end of a version that is not read, because somebody has accepted the gap: another than that of the one before.
    pub(super) fn end_of(version: &Version) -> Position {
        Position::new(format!("{END}{OF}{}", version.etag))
    }

    pub(super) fn position(self) -> Position {
        match self {
            Self::At(offset) => Position::counted(offset),
            Self::End => Position::new(END),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_version_survives_its_text(bytes: u64, etag in "[!-~]{1,40}", id in proptest::option::of("[!-~][ -~]{0,40}")) {
            let version = Version { bytes, etag, id };
            prop_assert_eq!(version.to_string().parse(), Ok(version));
        }

        #[test]
        fn an_offset_survives_its_text(offset: u64) {
            for offset in [Offset::At(offset), Offset::End] {
                prop_assert_eq!(Offset::of(&offset.position()), Some(offset));
            }
        }
    }

    #[test]
    fn what_is_no_version_or_offset_is_refused() {
        for text in ["", "7", "7 ", "x abc"] {
            assert_eq!(text.parse::<Version>(), Err(()), "{text:?}");
        }
        let end = Offset::end_of(&"7 abc".parse().unwrap());
        assert_eq!((end.as_str(), Offset::of(&end)), ("end of abc", Some(Offset::End)));
        for text in ["", "-1", "01", "ended"] {
            assert_eq!(Offset::of(&Position::new(text)), None, "{text:?}");
        }
    }
}
