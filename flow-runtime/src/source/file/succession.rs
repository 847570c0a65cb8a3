//! Whether a file is another that was read before, under another inode: by how it begins, and by what was last read of it.

use std::io::{self, Read as _};

use xxhash_rust::xxh3::Xxh3;

use super::{
    found::Found,
    identity::{FileFacts, Identity},
    order,
    paths::there,
};
use crate::{
    Error,
    source::{KnownShard, LastRead, compression::Expected},
};

/// A known file that is not where it was, and how it is found again.
pub(super) struct Missing<'k> {
    pub(super) known: &'k KnownShard,
    identity: Identity,
    pub(super) last: &'k LastRead,
}

impl<'k> Missing<'k> {
    /// Nothing if nothing was read of it: then nothing can be read twice.
    pub(super) fn new(known: &'k KnownShard) -> Option<Self> {
        Some(Self { known, identity: known.mark.parse().ok()?, last: known.last.as_ref()? })
    }

    /// Whether a file may be this one, by its name, its beginning and its length; `is_live` says which paths are known.
    pub(super) fn may_be(&self, found: &Found, is_live: &dyn Fn(&str) -> bool) -> bool {
        order::are_kin(&found.path, &self.known.name, is_live)
            && !found.head.is_empty()
            && self.identity.begins(&found.head)
            && is_as_long_as(found, self.last)
    }
}

fn is_as_long_as(found: &Found, last: &LastRead) -> bool {
    found.text_bytes.zip(last.next.count()).is_some_and(|(end, next)| end >= next)
}

/// Whether the file holds exactly what was last read of another, at the same place.
pub(super) fn holds(found: &Found, last: &LastRead) -> Result<bool, Error> {
    let Some((first, next)) = last.first.count().zip(last.next.count()).filter(|(first, next)| first < next) else {
        return Ok(false);
    };
    let Some((mut text, now)) = Found::look(&found.path, Expected::Always(found.compression))? else {
        return Ok(false);
    };
    if (now.facts.device, now.facts.inode) != (found.facts.device, found.facts.inode) {
        return Ok(false);
    }
    let mut hash = Hash(Xxh3::new());
    let read = text
        .skip_to(first)
        .and_then(|()| io::copy(&mut (&mut text).take(next - first), &mut hash))
        .map_err(|error| text.damaged(&found.path, &error))?;
    Ok(first + read == next && format!("{:032x}", hash.0.digest128()) == last.hash)
}

/// Whether the file is a copy of one that is still there, or may become one.
pub(super) fn is_copy(file: &Found, origin: &Found, known: &KnownShard) -> Result<bool, Error> {
    let origin_is_longer = origin.text_bytes >= file.text_bytes;
    if file.head.is_empty() || !origin_is_longer || !origin.head.starts_with(&file.head) {
        return Ok(false);
    }
    match &known.last {
        Some(last) if is_as_long_as(file, last) => holds(file, last),
        _ => Ok(file.is_fresh()),
    }
}

/// Whether it was renamed to what the address does not mean.
pub(super) fn is_followed(known: &KnownShard) -> bool {
    known.mark.parse().is_ok_and(|identity: Identity| identity.is_followed)
}

pub(super) fn is_at_its_place(known: &KnownShard) -> Result<bool, Error> {
    let there = there(known.name.as_ref())?.map(|metadata| FileFacts::of(&metadata));
    Ok(there.is_some_and(|there| known.mark.parse().is_ok_and(|identity: Identity| identity.may_be(there))))
}

/// Hashes what is written to it.
struct Hash(Xxh3);

impl io::Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
