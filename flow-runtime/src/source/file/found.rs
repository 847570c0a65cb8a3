//! A file as it is found: what the file system says of it, how it is compressed, and how its text begins.

use std::{
    fs::Metadata,
    io::{self, ErrorKind, Read},
    time::{Duration, SystemTime},
};

use super::{
    identity::{FINGERPRINT_BYTES_MAX, FileFacts, Identity, Measured},
    paths::unreadable,
    text::Text,
};
use crate::{
    Error, Failure,
    effect::{
        clock,
        disk::{self, File},
    },
    source::{
        BYTE_ORDER_MARK, Position,
        compression::{Compression, Expected},
    },
};

/// After this time without a change, nobody is still writing to a file.
const WRITTEN_WITHIN: Duration = Duration::from_secs(10 * 60);

/// A file that is there.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) path: String,
    pub(super) facts: FileFacts,
    pub(super) compression: Option<Compression>,
    /// The first bytes of its text.
    pub(super) head: Vec<u8>,
    /// How long its text is, if that is known: a compressed file must be decompressed to be measured.
    pub(super) text_bytes: Option<u64>,
    modified: Option<SystemTime>,
}

impl Found {
    /// Opens a file and finds out which it is; nothing if there is none.
    pub(super) fn look(path: &str, expected: Expected) -> Result<Option<(Text, Self)>, Error> {
        let cannot = |error| unreadable("cannot read the file", path, &error);
        // To open a named pipe would wait for its writer, so the file is looked at first.
        let metadata = match disk::metadata("source", path.as_ref()) {
            // A link that leads nowhere is not nothing.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return disk::link_there("source", path.as_ref())
                    .map_err(cannot)?
                    .map_or(Ok(None), |_| Err(cannot(error)));
            }
            metadata => metadata.map_err(cannot)?,
        };
        refuse_special(path, &metadata)?;
        let mut file = match File::open("source", path.as_ref()) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            file => file.map_err(cannot)?,
        };
        let metadata = file.metadata().map_err(cannot)?;
        let facts = FileFacts::of(&metadata);
        let mut head = read_up_to(FINGERPRINT_BYTES_MAX, &mut file).map_err(cannot)?;
        // It may also have begun to grow just now.
        if facts.length == 0 && !head.is_empty() && file.metadata().map_err(cannot)?.len() == 0 {
            return Err(Error::Input(
                Failure::new("the file does not tell its length, as those of /proc")
                    .at(path)
                    .help("copy what it holds into a file"),
            ));
        }
        let compression = expected.of_file(path, &head).filter(|_| facts.length > 0);
        let mut text = Text::of(file, compression).map_err(cannot)?;
        if compression.is_some() {
            head = read_up_to(FINGERPRINT_BYTES_MAX, &mut text).map_err(|error| text.damaged(path, &error))?;
            text = Text::of(text.into_file(), compression).map_err(cannot)?;
        }
        let text_bytes = Some(facts.length).filter(|_| compression.is_none());
        let modified = metadata.modified().ok();
        Ok(Some((text, Self { path: path.to_owned(), facts, compression, head, text_bytes, modified })))
    }

    /// What the file will be known by.
    pub(super) fn identity(&self) -> Identity {
        let stored_bytes = self.facts.length;
        let text_bytes = self.text_bytes.filter(|_| self.compression.is_some());
        let measured = text_bytes.map(|text_bytes| Measured { stored_bytes, text_bytes });
        let mut identity = Identity::new(self.facts, &self.head);
        identity.measured = measured;
        identity
    }

    /// The same of one that is followed under a name that the address does not mean.
    pub(super) fn followed_identity(&self) -> Identity {
        let mut identity = self.identity();
        identity.is_followed = true;
        identity
    }

    /// Where its text ends, as far as that is known.
    pub(super) fn end(&self) -> Position {
        Position::counted(self.text_bytes.unwrap_or(self.facts.length))
    }

    /// Where its first record begins.
    pub(super) fn start(&self) -> Position {
        Position::counted(if self.head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() as u64 } else { 0 })
    }

    /// Whether somebody may still be writing to it.
    pub(super) fn is_fresh(&self) -> bool {
        let now = u64::try_from(clock::now_us()).ok().map(|now| SystemTime::UNIX_EPOCH + Duration::from_micros(now));
        let age = now.zip(self.modified).and_then(|(now, modified)| now.duration_since(modified).ok());
        age.is_none_or(|age| age < WRITTEN_WITHIN)
    }
}

fn refuse_special(path: &str, metadata: &Metadata) -> Result<(), Error> {
    if metadata.is_dir() {
        return Err(Error::Input(
            Failure::new("a directory cannot be read").at(path).help(format!("for the files in it: file:{path}/*")),
        ));
    }
    if !metadata.is_file() {
        return Err(Error::Input(Failure::new("not a regular file").at(path).help("copy what it holds into a file")));
    }
    Ok(())
}

/// The first bytes, fewer if there are no more yet.
fn read_up_to(bytes: usize, from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut head = vec![0; bytes];
    let mut filled = 0;
    while filled < head.len() {
        match from.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    head.truncate(filled);
    Ok(head)
}
